/** Commands as text to paste into a shell. */
import type { Exchange } from "../session/recording.ts";

export function commandText(words: readonly string[]): string {
  return words.map(quoted).join(" ");
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** An exchange as a curl or kalam command, with a placeholder for the secret. Undefined if its text was truncated. */
export function curlText(origin: string, exchange: Exchange): string | undefined {
  const { method, path, text, params, namespace, as } = exchange;
  if ([text, params].some((part) => part !== undefined && /… \(\d+ characters\)$/.test(part))) return undefined;
  if (method === "kalam") return kalamLine(origin, exchange);
  const words = ["curl", "-sS", "-X", method, `${origin}${path}`];
  if (as !== undefined) words.push("-H", "authorization: Bearer TOKEN");
  if (text !== undefined) {
    const body = path.endsWith("/sql")
      ? `{"sql":${JSON.stringify(text)}${params === undefined ? "" : `,"params":${params}`}${namespace === undefined ? "" : `,"namespace_id":${JSON.stringify(namespace)}`}}`
      : text;
    words.push("-H", "content-type: application/json", "--data-binary", body);
  }
  return commandText(words);
}

/** `text` is already quoted for a shell. Undefined for a run without the server. */
function kalamLine(origin: string, { path, as, text = "" }: Exchange): string | undefined {
  if (!path.startsWith("at server")) return undefined;
  const login = ["--user", as ?? "USER", "--password", "PASSWORD"];
  return `${commandText(["kalam", "-u", origin, ...login, "--no-spinner", "--no-color"])} ${text}`;
}
