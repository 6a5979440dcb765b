/** Reads what `kalam` prints: JSON documents, the table in a document, signs of a crash, and what a run shows at all. */
import { isRecord, type Json, parseExact } from "../../src/wire/json.ts";
import { kalamText, type KalamOptions, type KalamSaid, truncated } from "../../src/server/target.ts";

/**
 * The consecutive JSON documents in a text, as `kalam --json -f` prints them. Anything else but white space appears as
 * undefined, and reading stops there.
 */
export function documentsIn(text: string): readonly (Json | undefined)[] {
  const documents: (Json | undefined)[] = [];
  let from = 0;
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    if (inString) {
      if (sign === "\\") at += 1;
      else if (sign === '"') inString = false;
    } else if (sign === '"') inString = true;
    else if (sign === "{" || sign === "[") depth += 1;
    else if (sign === "}" || sign === "]") {
      depth -= 1;
      if (depth > 0) continue;
      const document = parsed(text.slice(from, at + 1));
      documents.push(document);
      if (document === undefined) return documents;
      from = at + 1;
    }
  }
  if (text.slice(from).trim() !== "") documents.push(undefined);
  return documents;
}

/** Column names and rows of the first result in a document; empty where it has none. */
export function rowsIn(document: Json | undefined): {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Json[])[];
} {
  const results = isRecord(document) ? document["results"] : undefined;
  const first = Array.isArray(results) ? (results[0] as Json | undefined) : undefined;
  const { schema, rows } = isRecord(first) ? first : {};
  return {
    columns: list(schema).flatMap((column) =>
      isRecord(column) && typeof column["name"] === "string" ? [column["name"]] : [],
    ),
    rows: list(rows).filter((row): row is readonly Json[] => Array.isArray(row)),
  };
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function parsed(text: string): Json | undefined {
  try {
    return parseExact(text);
  } catch {
    return undefined;
  }
}

/** The crash message on stderr, in one line; undefined if there is none. */
export function crashIn(stderr: string): string | undefined {
  const lines = stderr.split("\n");
  const at = lines.findIndex((line) =>
    /panicked at|core dumped|segmentation fault|unhandled exception|uncaught/i.test(line),
  );
  if (at === -1) return undefined;
  // The location comes first and the reason on the line below it; the thread number differs each time.
  const reason = /:\s*$/.test(lines[at] ?? "") ? ` ${lines[at + 1] ?? ""}` : "";
  return truncated(`${lines[at]}${reason}`.replace(/ \(\d+\) panicked/, " panicked"), 300);
}

/**
 * Why a run shows nothing about kalam, because of the server or this machine: kalam did not start, was rate limited, or
 * the server was unavailable or did not answer in time. Null if there is no such reason.
 */
export function serverTrouble(said: KalamSaid, at: KalamOptions["at"] = "server"): string | null {
  if (said.notStarted !== null) return `kalam could not be started: ${said.notStarted}`;
  if (/\berror \((429|50\d)\)|RATE_LIMIT_EXCEEDED|IP_BANNED/i.test(said.stderr)) return kalamText(said);
  // No answer, or none in time: at an address without a server that is what the check wants.
  if (at === "server" && (said.overdue || /^error: error sending request/im.test(said.stderr))) return kalamText(said);
  return null;
}

/** A run of kalam, as evidence keeps it. */
export type Ran = {
  readonly exitCode: number | null;
  /** Why it shows nothing about kalam; null if it does. */
  readonly trouble: string | null;
  readonly outcome: string;
  readonly exchange: number;
};

export function ranOf(said: KalamSaid, at?: KalamOptions["at"]): Ran {
  const { exitCode, exchange } = said;
  return { exitCode, trouble: serverTrouble(said, at), outcome: kalamText(said), exchange };
}
