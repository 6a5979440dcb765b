import { existsSync, readFileSync } from "node:fs";

/** One line of a recording: a request over HTTP, a conversation over a WebSocket, or a note. */
export interface Entry {
  readonly t?: number;
  readonly name?: string;
  readonly note?: string;
  readonly path?: string;
  /** The names of the headers of the upgrade request. */
  readonly headers?: readonly string[];
  readonly frames?: readonly Frame[];
  /** How many more frames like these were left out. */
  readonly alike?: string;
  readonly request?: RecordedRequest;
  readonly response?: Answer;
  /** How the connection broke, if it did. */
  readonly error?: string;
  readonly ms?: number;
}

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  /** The account whose token was sent. */
  readonly as?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Sent as is, instead of `body`. */
  readonly raw?: string;
}

export interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly setCookie?: readonly string[];
  readonly body: unknown;
}

/** The replayed sections; each builds on the earlier ones. */
export const sections = {
  bootstrap: "01-bootstrap.json",
  auth: "02-auth.json",
  forged: "02b-forged.json",
  envelope: "03-envelope.json",
  configuration: "04-configuration.json",
  tables: "05-tables.json",
  errors: "06-errors.json",
  flush: "07-flush.json",
  live: "08-live.json",
  topics: "10-topics-files.json",
  cursor: "11-cursor.json",
  params: "17-params.json",
} as const;

export type Section = keyof typeof sections;

export function readSection(section: Section): Entry[] {
  // Next to this file, or relative to the bundle in `build/`.
  const places = [".", "../contract", "../../contract"].map(
    (place) => new URL(`${place}/0.4.3/${sections[section]}`, import.meta.url),
  );
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new Error(`${sections[section]} was not found`);
  return JSON.parse(readFileSync(found, "utf8")) as Entry[];
}

/** One frame of a recorded conversation, or its end; `at` is in ms since the conversation began. */
export interface Frame {
  readonly at: number;
  readonly out?: unknown;
  readonly in?: unknown;
  readonly gzip?: boolean;
  readonly close?: number;
  readonly reason?: string;
}

const abbreviated = /^<(\d+) characters> ([\s\S]*)$/;

/** Rebuilds a text that was truncated in the recording. */
export function rebuild(text: string): string {
  const [, count = "", shown = ""] = abbreviated.exec(text) ?? [];
  if (count === "") return text;
  const length = Number(count);
  const full = [shown, listed(shown, length), nested(shown, length), filled(shown, length)].find(
    (guess) => guess.length === length,
  );
  if (full === undefined) throw new Error(`cannot rebuild: ${text.slice(0, 80)}`);
  return full;
}

/** `zzz…` and `SELECT 'xxx…'`. */
function filled(shown: string, length: number): string {
  if (!/(\w)\1{9}$/.test(shown)) return "";
  const close = (shown.match(/'/g)?.length ?? 0) % 2 === 1 ? "'" : "";
  return shown.padEnd(length - close.length, shown.at(-1)) + close;
}

/** `SELECT (((…1…)))`. */
function nested(shown: string, length: number): string {
  if (!shown.endsWith("(")) return "";
  const start = shown.replace(/\(+$/, "");
  const depth = Math.floor((length - start.length) / 2);
  return `${start}${"(".repeat(depth)}1${")".repeat(depth)}`;
}

/** `… VALUES (5000,'s'),(5001,'s'),…`. */
function listed(shown: string, length: number): string {
  const [, start = "", first = "", rest = ""] = /^(.*VALUES )\((\d+)(,'\w*'\))/.exec(shown) ?? [];
  let text = start;
  for (let n = Number(first); rest !== "" && text.length < length; n += 1)
    text += `${text === start ? "" : ","}(${n}${rest}`;
  return text;
}

/** Rebuilds all truncated texts of a request. */
export function whole(value: unknown): unknown {
  if (typeof value === "string") return rebuild(value);
  if (Array.isArray(value)) return value.map(whole);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, whole(part)]));
}
