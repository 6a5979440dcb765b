/** Characters that move the cursor, change colours, start a new line or reverse the direction of text. */
export const unprintable: RegExp = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Escapes unprintable characters, except for line breaks. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) =>
    character === "\n" ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The first characters, with a sign that there were more: the redactor looks there for the beginning of a secret. */
export function truncated(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max)}…` : text;
}
