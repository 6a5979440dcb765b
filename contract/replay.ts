import { createHmac } from "node:crypto";
import { Conversation, restored, Versions } from "./conversation.ts";
import { whole, type Answer, type Entry, type Frame, type RecordedRequest } from "./recording.ts";

/** The answer to one entry, and when it came. */
export interface Replayed {
  readonly entry: Entry;
  readonly t: number;
  readonly ms: number;
  readonly answer?: Answer | { readonly broke: string };
  readonly frames?: readonly Frame[];
}

/** Unrecorded requests, by the name of the entry that they precede. */
export type LeftOut = Readonly<Record<string, readonly RecordedRequest[]>>;

/** Job ids, which differ from the recorded ones. */
const jobId = /\b(?:FL|CO|BK|CL|TC)-[0-9a-f]{12}\b/g;

interface Step {
  readonly t: number;
  readonly run: () => Promise<void>;
}

/** Replays sections against a server, and keeps its tokens and job ids. */
export class Driver {
  readonly #url: string;
  readonly #folder: string;
  readonly #tokens = new Map<string, string>();
  readonly #jobs = new Map<string, string>();

  /** `folder` replaces `<dir>` in the recording. */
  constructor(url: string, folder: string) {
    this.#url = url;
    this.#folder = folder;
  }

  /**
   * Replays a section in the order of its times, one step after the other: requests made during a conversation are sent
   * during it. Unrecorded requests are sent before their entry; of identical consecutive entries only the first is sent.
   */
  async replay(entries: readonly Entry[], leftOut: LeftOut = {}): Promise<Replayed[]> {
    const began = performance.now();
    const replayed: Replayed[] = [];
    const versions = new Versions();
    let last = "";
    const steps = entries.flatMap((entry): Step[] => {
      const begin = entry.t ?? 0;
      if (entry.frames !== undefined) {
        const tokenOf = (user: string): string => this.#tokens.get(user) ?? "";
        const conversation = new Conversation(entry, this.#url, tokenOf, versions);
        const { came: frames } = conversation;
        const open = async (): Promise<void> => {
          replayed.push({ entry, frames, t: Math.round(performance.now() - began), ms: 0 });
          await conversation.open();
        };
        const more = restored(entry).map((frame) => ({
          t: begin + frame.at,
          run: async () => await conversation.step(frame),
        }));
        return [{ t: begin, run: open }, ...more];
      }
      const { request } = entry;
      if (request === undefined) return [];
      const same = JSON.stringify([entry.name, request, entry.response?.body]).replace(/"took":[\d.]+/, "");
      const isNew = same !== last;
      last = same;
      const run = async (): Promise<void> => {
        for (const missing of leftOut[entry.name ?? ""] ?? []) await this.#send(missing, "");
        const sent = performance.now();
        const answer = isNew ? await this.#answer(entry, request) : undefined;
        const [t, ms] = [Math.round(sent - began), Math.round(performance.now() - sent)];
        if (answer !== undefined) replayed.push({ entry, answer, t, ms });
      };
      return [{ t: begin, run }];
    });
    for (const { run } of steps.toSorted((a, b) => a.t - b.t)) await run();
    return replayed;
  }

  /** Repeats the request until jobs have ended and rows have expired as in the recording. */
  async #answer(entry: Entry, request: RecordedRequest): Promise<Answer | { readonly broke: string }> {
    const recorded = JSON.stringify(entry.response?.body ?? "");
    const waits = recorded.includes('"completed"') && JSON.stringify(request.body ?? "").includes("system.jobs");
    const waitsForExpiry = entry.name?.endsWith("after the TTL") === true;
    const until = Date.now() + 10_000;
    for (;;) {
      const answer = await this.#send(request, entry.name ?? "");
      const found = JSON.stringify(answer);
      const isEarly = waits ? /"(queued|running)"/.test(found) : waitsForExpiry && !found.includes('"row_count":0');
      if (isEarly && Date.now() < until) continue;
      const jobs = found.match(jobId) ?? [];
      (recorded.match(jobId) ?? []).forEach((job, index) =>
        this.#jobs.set(job, this.#jobs.get(job) ?? jobs[index] ?? job),
      );
      // In the recording, the job ended before the next request.
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
    const sent = body?.replace(jobId, (job) => this.#jobs.get(job) ?? job).replaceAll("<dir>", this.#folder);
    // As bytes, because fetch adds a content type for text.
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

  /** Tokens are not recorded, so forged ones are made again, according to the names of their entries. */
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
