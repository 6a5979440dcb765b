/** Signs that would move the cursor, colour the terminal, begin a line of their own or turn the text around. */
export const unprintable: RegExp = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** A text for people, with such signs spelled out; lines stay lines. */
export function printable(text: string): string {
  return text.replace(unprintable, (sign) =>
    sign === "\n" ? sign : `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
