/** What the recording of a request shows, and what it must not show. */

export const sqlPath = "/v1/api/sql";

/** Whether its record shows all of it: a text is taken for JSON there, and at the path for SQL for a statement. */
export function isShown({
  path,
  body,
  headers = {},
}: {
  readonly path: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}): boolean {
  const [first, ...others] = Object.entries(headers);
  if (body === undefined) return first === undefined;
  if (typeof body !== "string" || path === sqlPath || others.length > 0) return false;
  return first?.[0].toLowerCase() === "content-type" && first[1] === "application/json";
}

/** Its answer has tokens, in any form, and is recorded before they are registered. */
export function isLogin(path: string): boolean {
  return /\/auth\/(login|refresh|setup)$/.test(path);
}

/** JWTs, also truncated ones: they are recorded before anything registers them. */
export function withoutTokens(text: string): string {
  return text.replace(/(?<![\w-])eyJ[\w-]{5,}(?:\.[\w-]*){0,2}/g, "•••");
}
