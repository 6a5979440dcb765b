/** Commands as text to paste into a shell. */
import type { Exchange } from "../session/recording.ts";
import { unprintable } from "./printable.ts";

export function commandText(words: readonly string[]): string {
  return words.map(shellWord).join(" ");
}

/** A word as every POSIX shell reads it. An unquoted `=` at the start would be expanded by zsh. */
export function shellWord(word: string): string {
  return /^[\w@%+:,./-][\w@%+=:,./-]*$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/**
 * The arguments of curl that send a request again, except for the token. Undefined for what is no HTTP request, and for one
 * that is not recorded completely or that curl would change.
 */
export function curlWords(url: string, exchange: Exchange): string[] | undefined {
  const { method, path, text, params, partial } = exchange;
  if (partial === true || !methods.has(method)) return undefined;
  if ([text, params].some((part) => part !== undefined && /… \(\d+ characters\)$/.test(part))) return undefined;
  if (!/^\/[!-~]*$/.test(path) || path.includes("#")) return undefined;
  const words = methodWords(method, text !== undefined);
  if (/[[\]{}]/.test(path)) words.push("--globoff");
  if (/\/\.{1,2}(?:[/?]|$)/.test(path)) words.push("--path-as-is");
  words.push(`${url.replace(/\/$/, "")}${path}`);
  if (text === undefined) {
    // Without a body, curl would send no length, which some servers refuse.
    if (method === "POST") words.push("-H", "content-type:", "--data-binary", "");
    return words;
  }
  const body = path.endsWith("/sql") ? sqlBody(exchange) : text;
  if (body.search(unprintable) !== -1) return undefined;
  // curl would read a file of that name.
  return body.startsWith("@") ? undefined : [...words, "-H", "content-type: application/json", "--data-binary", body];
}

/** As curl chooses it by itself, where it does. */
function methodWords(method: string, hasBody: boolean): string[] {
  if (method === "HEAD") return ["--head"];
  return method === (hasBody ? "POST" : "GET") || (method === "POST" && !hasBody) ? [] : ["-X", method];
}

/** The body of a SQL request, on one line and printable: JSON can escape every character. */
function sqlBody({ text = "", params, namespace }: Exchange): string {
  const rest = [
    ...(params === undefined ? [] : [`"params":${params}`]),
    ...(namespace === undefined ? [] : [`"namespace_id":${JSON.stringify(namespace)}`]),
  ];
  return `{${[`"sql":${JSON.stringify(text)}`, ...rest].join(",")}}`.replace(
    unprintable,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
