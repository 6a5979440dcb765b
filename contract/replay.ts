import { createHmac } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";

/** One line of a recording. Entries without a request are notes, or WebSocket conversations that are not replayed here. */
export interface Entry {
  readonly t?: number;
  readonly name?: string;
  readonly note?: string;
  readonly frames?: unknown;
  readonly request?: RecordedRequest;
  readonly response?: Answer;
  /** How the connection broke, where it did. */
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
  /** Sent as it is, instead of `body`. */
  readonly raw?: string;
}

export interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly setCookie?: readonly string[];
  readonly body: unknown;
}

/** The sections that are replayed, in the order in which they build on each other. */
export const SECTIONS = {
  bootstrap: "01-bootstrap.json",
  auth: "02-auth.json",
  forged: "02b-forged.json",
  envelope: "03-envelope.json",
  configuration: "04-configuration.json",
  tables: "05-tables.json",
  errors: "06-errors.json",
  flush: "07-flush.json",
  params: "17-params.json",
} as const;

export type Section = keyof typeof SECTIONS;

export function readSection(section: Section): Entry[] {
  // Beside this file, or beside the folder that it was bundled into.
  const places = [".", "../contract", "../../contract"].map(
    (place) => new URL(`${place}/${SECTIONS[section]}`, import.meta.url),
  );
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new Error(`${SECTIONS[section]} was not found`);
  return JSON.parse(readFileSync(found, "utf8")) as Entry[];
}

/** What came back for one entry. */
export interface Replayed {
  readonly entry: Entry;
  readonly answer: Answer | { readonly broke: string };
}

const ABBREVIATED = /^<(\d+) characters> ([\s\S]*)$/;

/** A text that was cut in the recording, at its full length again. */
export function rebuild(text: string): string {
  const [, count = "", shown = ""] = ABBREVIATED.exec(text) ?? [];
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

/** Requests that the recording left out, by the name of the entry that they came before. */
export type LeftOut = Readonly<Record<string, readonly RecordedRequest[]>>;

/** Everything in a request that was cut, whole again. */
function whole(value: unknown): unknown {
  if (typeof value === "string") return rebuild(value);
  if (Array.isArray(value)) return value.map(whole);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, whole(part)]));
}

/** Requests are numbered by job while recording, and folders were somewhere: both are other ones now. */
const JOB = /\b(?:FL|CO|BK|CL)-[0-9a-f]{12}\b/g;

/** What is known of the server that is replayed against, growing as the sections go by. */
export class Driver {
  readonly #url: string;
  readonly #folder: string;
  readonly #tokens = new Map<string, string>();
  readonly #jobs = new Map<string, string>();

  /** `folder` stands where the recording says `<dir>`. */
  constructor(url: string, folder: string) {
    this.#url = url;
    this.#folder = folder;
  }

  /**
   * Sends a section's requests, one after the other; before an entry those that the recording left out there. Of the
   * same one with the same answer again and again, only the first is sent.
   */
  async replay(entries: readonly Entry[], leftOut: LeftOut = {}): Promise<Replayed[]> {
    const replayed: Replayed[] = [];
    let last = "";
    for (const entry of entries) {
      const { request } = entry;
      if (request === undefined) continue;
      for (const missing of leftOut[entry.name ?? ""] ?? []) await this.#send(missing, "");
      const same = JSON.stringify([entry.name, request, entry.response?.body]).replace(/"took":[\d.]+/, "");
      if (same !== last) replayed.push({ entry, answer: await this.#answer(entry, request) });
      last = same;
    }
    return replayed;
  }

  /** A job that had ended in the recording is waited for. */
  async #answer(entry: Entry, request: RecordedRequest): Promise<Answer | { readonly broke: string }> {
    const recorded = JSON.stringify(entry.response?.body ?? "");
    const waits = recorded.includes('"completed"') && JSON.stringify(request.body ?? "").includes("system.jobs");
    const until = Date.now() + 10_000;
    for (;;) {
      const answer = await this.#send(request, entry.name ?? "");
      const found = JSON.stringify(answer);
      if (waits && /"(queued|running)"/.test(found) && Date.now() < until) continue;
      const jobs = found.match(JOB) ?? [];
      (recorded.match(JOB) ?? []).forEach((job, index) =>
        this.#jobs.set(job, this.#jobs.get(job) ?? jobs[index] ?? job),
      );
      // While recording there was time for a job between its start and the next request.
      const started = /Job ID: (\S+?)"/.exec(found)?.[1];
      if (started !== undefined) await this.#settled(started, until);
      return answer;
    }
  }

  async #settled(job: string, until: number): Promise<void> {
    const sql = `SELECT 1 FROM system.jobs WHERE job_id = '${job}' AND status IN ('queued', 'running')`;
    for (;;) {
      const open = await this.#send({ method: "POST", path: "/v1/api/sql", as: "root", body: { sql } }, "");
      if (!JSON.stringify(open).includes('"row_count":1') || Date.now() > until) return;
    }
  }

  async #send(request: RecordedRequest, name: string): Promise<Answer | { readonly broke: string }> {
    const token = request.as === undefined ? undefined : this.#tokens.get(request.as);
    const headers: Record<string, string> = { ...request.headers };
    if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
    if (headers["authorization"] === "Bearer <jwt>") headers["authorization"] = `Bearer ${this.#forged(name)}`;
    if (request.body !== undefined) headers["content-type"] ??= "application/json";
    const body = request.raw ?? (request.body === undefined ? undefined : JSON.stringify(whole(request.body)));
    const sent = body?.replace(JOB, (job) => this.#jobs.get(job) ?? job).replaceAll("<dir>", this.#folder);
    // As bytes, because fetch would name a type for text.
    const bytes = sent === undefined ? {} : { body: new TextEncoder().encode(sent) };
    try {
      const response = await fetch(this.#url + request.path, { method: request.method, headers, ...bytes });
      const answer = await read(response);
      if (request.path.endsWith("/login") || request.path.endsWith("/refresh")) this.#remember(request, answer);
      return answer;
    } catch (error) {
      return { broke: error instanceof Error ? error.message : String(error) };
    }
  }

  #remember(request: RecordedRequest, { body }: Answer): void {
    const { access_token: access, refresh_token: again } = Object(body) as {
      access_token?: string;
      refresh_token?: string;
    };
    const { user, username } = Object(request.body) as { user?: string; username?: string };
    const name = user ?? username;
    if (access === undefined || again === undefined || name === undefined) return;
    this.#tokens.set(name, access);
    if (name === "root") this.#tokens.set("refresh", again);
  }

  /** Tokens are not recorded, so those that must not pass are made anew, by the names of their entries. */
  #forged(name: string): string {
    const real = this.#tokens.get(name.startsWith("alice") || name.startsWith("alg") ? "alice" : "root") ?? "";
    const [header = "", payload = "", signature = ""] = real.split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as Readonly<Record<string, unknown>>;
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const kind = name.split(" ").at(-1) ?? "";
    const changed = {
      role: { role: "system" },
      sub: { sub: "root" },
      exp: { exp: 9_999_999_999 },
      refresh: { token_type: "refresh" },
    }[kind];
    if (changed !== undefined) return `${header}.${encode({ ...claims, ...changed })}.${signature}`;
    if (kind === "stripped") return `${header}.${payload}.`;
    if (kind === "flipped") return `${header}.${payload}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
    if (kind.toLowerCase() === "none") return `${encode({ typ: "JWT", alg: kind })}.${payload}.`;
    return `${header}.${payload}.${createHmac("sha256", "guessed").update(`${header}.${payload}`).digest("base64url")}`;
  }
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  const type = response.headers.get("content-type");
  const setCookie = response.headers.getSetCookie();
  return {
    status: response.status,
    ...(type === null ? {} : { type }),
    ...(setCookie.length > 0 ? { setCookie } : {}),
    body: type?.startsWith("application/json") === true ? (JSON.parse(text) as unknown) : text,
  };
}
