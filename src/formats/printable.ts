/** Characters that move the cursor, change colours, start a new line or reverse the direction of text. */
export const unprintable: RegExp =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Escapes unprintable characters, except for line breaks. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) =>
    character === "\n" ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * One printable line, whatever the text: it can neither forge another line of ours nor be a command to a pipeline
 * (`::error::` on GitHub; `##vso[` and `##teamcity[` elsewhere).
 */
export function onOneLine(text: string): string {
  return printable(text.replace(/[\t\r\n\u0085\u2028\u2029]+/g, " "))
    .replace(/^(\s*):(?=:)/, "$1\\u003a")
    .replace(/##(?=\w{0,20}\[)/g, "#\\u0023");
}

/**
 * The first characters, with a sign that there were more: the redactor looks there for the beginning of a secret. Every text
 * of a server is truncated here, because most of them are before their secrets are masked.
 */
export function truncated(text: string, max: number): string {
  if (text.length <= max) return text;
  // Half of a character is no text.
  const end = /[\ud800-\udbff]/.test(text.charAt(max - 1)) ? max - 1 : max;
  // A copy: a slice would keep the whole text in memory.
  return JSON.parse(JSON.stringify(`${text.slice(0, end)}…`)) as string;
}
