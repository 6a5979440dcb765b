/** One subscription's part of a live connection: snapshot, changes, notices, cursors. */
import { cellText, integerText, isRecord, type Json, writeExact } from "../wire/json.ts";

/** A received frame. `json` is undefined if it is not JSON. */
export interface Frame {
  readonly json: Json | undefined;
  readonly type: string;
  /** The id of its subscription; "" if it has none. */
  readonly about: string;
  readonly compressed: boolean;
  /** Characters of its text, uncompressed. */
  readonly size: number;
  /** Milliseconds on the process's monotonic clock. */
  readonly at: number;
}

export type Row = { readonly [column: string]: Json };

/** One row of a change frame. */
export interface Change {
  readonly kind: string;
  /** The new row; null if the frame has none. */
  readonly row: Row | null;
  readonly old: Row | null;
  readonly at: number;
}

/**
 * A row version as received: its exact digits, and whether it was a number or a string. It must be sent back in the same
 * form, because a server that uses one refuses the other.
 */
export interface Cursor {
  readonly digits: string;
  readonly bare: boolean;
}

export interface SubscribeOptions {
  readonly lastRows?: number;
  readonly batchSize?: number;
  readonly from?: Cursor;
  /** From the acknowledgement; servers that have one require it to resume a SHARED table. */
  readonly versionDomain?: Json;
  /** Raw options, for requests that should be refused. */
  readonly other?: { readonly [name: string]: Json };
}

/** How a subscription began. */
export type Begun =
  | {
      readonly kind: "ready";
      readonly rows: readonly Row[];
      readonly pages: readonly (readonly Row[])[];
      readonly at: number;
    }
  | { readonly kind: "refused"; readonly code: string; readonly message: string }
  /** Neither in time, or the connection ended. */
  | { readonly kind: "unsure"; readonly why: string };

export interface Subscription {
  readonly id: string;
  readonly sql: string;
  /** The number of its exchange in the recording. */
  readonly exchange: number;
  /** Fetches the whole snapshot, page by page. Every call resolves with the same outcome. */
  begin(withinMs?: number): Promise<Begun>;
  /** Every change so far, including those that arrived while the snapshot was being fetched. */
  readonly changes: readonly Change[];
  /** Errors that the server sent for it, in order. */
  readonly notices: readonly { readonly code: string; readonly message: string; readonly at: number }[];
  /** The first change, past or future, for which it holds; undefined if the time is up or the connection ends. */
  untilChange(holds: (change: Change) => boolean, withinMs: number): Promise<Change | undefined>;
  /** The highest row version seen, in snapshot and changes. */
  lastVersion(): Cursor | undefined;
  /** From the acknowledgement. */
  readonly versionDomain: Json | undefined;
  readonly schema: readonly Json[];
  unsubscribe(): void;
}

export interface FeedParts {
  readonly send: (text: string) => void;
  readonly turn: () => Promise<void>;
  readonly wait: (holds: () => boolean, withinMs: number) => Promise<boolean>;
}

const beginWithinMs = 15_000;

/** One subscription's part of a connection. */
export class Feed implements Subscription {
  readonly id: string;
  readonly sql: string;
  readonly exchange: number;
  readonly changes: Change[] = [];
  readonly notices: { code: string; message: string; at: number }[] = [];
  schema: readonly Json[] = [];
  versionDomain: Json | undefined;
  readonly #withSnapshot: boolean;
  readonly #parts: FeedParts;
  readonly #pages: Row[][] = [];
  #begun: Promise<Begun> | undefined;
  #acknowledged = false;
  #more: boolean | undefined;
  #refusal: { code: string; message: string } | undefined;
  #ended: string | undefined;
  #last: Version | undefined;
  /** The server's cursor for the next page. */
  #given: Version | undefined;
  /** Whether this server sends cursors as numbers; undefined until it has sent one. */
  #bare: boolean | undefined;
  #readyAt = 0;

  constructor(id: string, sql: string, exchange: number, withSnapshot: boolean, parts: FeedParts) {
    this.id = id;
    this.sql = sql;
    this.exchange = exchange;
    this.#withSnapshot = withSnapshot;
    this.#parts = parts;
  }

  take({ json, type, at }: Frame): void {
    if (!isRecord(json)) return;
    if (type === "change") {
      for (const change of changesOf(json, at)) {
        this.changes.push(change);
        this.#see(change.row ?? change.old);
      }
    } else if (type === "subscription_ack") {
      this.#acknowledged = true;
      this.schema = Array.isArray(json["schema"]) ? (json["schema"] as readonly Json[]) : [];
      this.versionDomain = json["version_domain"];
      this.#readyAt = at;
      this.#control(json["batch_control"]);
    } else if (type === "initial_data_batch") {
      const rows = (Array.isArray(json["rows"]) ? (json["rows"] as readonly Json[]) : []).filter(isRecord);
      this.#pages.push(rows);
      for (const row of rows) this.#see(row);
      this.#readyAt = at;
      this.#control(json["batch_control"]);
    } else if (type === "error") {
      const notice = { code: cellText(json["code"]), message: cellText(json["message"]) };
      if (!this.#acknowledged) this.#refusal ??= notice;
      this.notices.push({ ...notice, at });
    }
  }

  end(why: string): void {
    this.#ended ??= why;
  }

  #control(control: Json | undefined): void {
    if (!isRecord(control)) return;
    this.#more = control["has_more"] === true;
    this.versionDomain ??= control["version_domain"];
    const cursor = control["last_seq_id"];
    const digits = integerText(cursor);
    if (digits === undefined) return;
    this.#bare = typeof cursor !== "string";
    this.#given = { digits, column: "_seq" };
  }

  async begin(withinMs = beginWithinMs): Promise<Begun> {
    return await (this.#begun ??= this.#fetch(withinMs));
  }

  async #fetch(withinMs: number): Promise<Begun> {
    const deadline = performance.now() + withinMs;
    const left = (): number => Math.max(1, deadline - performance.now());
    const unsure = (what: string): Begun => {
      const notice = this.notices.at(-1);
      const said = notice === undefined ? "" : `; the server reported ${notice.code} ${notice.message}`.trimEnd();
      return { kind: "unsure", why: `${this.#ended ?? `${what} within ${withinMs} ms`}${said}` };
    };
    await this.#parts.wait(() => this.#acknowledged || this.#refusal !== undefined, left());
    if (this.#refusal !== undefined) return { kind: "refused", ...this.#refusal };
    if (!this.#acknowledged) return unsure("neither acknowledged nor refused");
    // Without options there is only an acknowledgement; with them, the first page follows immediately.
    if (!this.#withSnapshot) return { kind: "ready", rows: [], pages: [], at: this.#readyAt };
    for (let page = 1; ; page += 1) {
      if (!(await this.#parts.wait(() => this.#pages.length >= page, left())))
        return unsure(`page ${page} of the snapshot did not arrive`);
      if (this.#more !== true) break;
      // Pages may already be here, so without this a snapshot that never ends would never time out.
      if (performance.now() >= deadline) return unsure(`the snapshot had ${page} pages and did not end`);
      // Prefer the server's cursor: pages need not be sorted by version, so the highest version may be past rows still to come.
      const last = this.#given ?? highest(this.#pages.at(-1) ?? []);
      if (last === undefined)
        return { kind: "unsure", why: `page ${page} of the snapshot has no row version to continue from` };
      await this.#parts.turn();
      this.#parts.send(
        writeExact({ type: "next_batch", subscription_id: this.id, last_seq_id: cursorJson(this.#cursor(last)) }),
      );
    }
    const pages = this.#pages.map((rows) => [...rows]);
    return { kind: "ready", rows: pages.flat(), pages, at: this.#readyAt };
  }

  async untilChange(holds: (change: Change) => boolean, withinMs: number): Promise<Change | undefined> {
    let next = 0;
    let found: Change | undefined;
    await this.#parts.wait(() => {
      for (; next < this.changes.length && found === undefined; next += 1) {
        const change = this.changes[next];
        if (change !== undefined && holds(change)) found = change;
      }
      return found !== undefined || this.#ended !== undefined;
    }, withinMs);
    return found;
  }

  lastVersion(): Cursor | undefined {
    return this.#last === undefined ? undefined : this.#cursor(this.#last);
  }

  #cursor({ digits, column }: Version): Cursor {
    return { digits, bare: this.#bare ?? column === "_seq" };
  }

  unsubscribe(): void {
    this.#parts.send(writeExact({ type: "unsubscribe", subscription_id: this.id }));
  }

  #see(row: Row | null): void {
    this.#last = later(this.#last, row === null ? undefined : versionOf(row));
  }
}

function changesOf(json: Row, at: number): Change[] {
  const list = (name: string): (Row | null)[] => {
    const value = json[name];
    return Array.isArray(value) ? (value as readonly Json[]).map((row) => (isRecord(row) ? row : null)) : [];
  };
  const [rows, olds] = [list("rows"), list("old_values")];
  const kind = cellText(json["change_type"]);
  return Array.from({ length: Math.max(rows.length, olds.length) }, (_, n) => ({
    kind,
    row: rows[n] ?? null,
    old: olds[n] ?? null,
    at,
  }));
}

/** A row's version: `_seq` up to 0.6, `_version` from 0.7.1. */
export interface Version {
  readonly digits: string;
  readonly column: string;
}

export function versionOf(row: Row): Version | undefined {
  for (const column of ["_seq", "_version"]) {
    const digits = integerText(row[column]);
    if (digits !== undefined) return { digits, column };
  }
  return undefined;
}

function later(one: Version | undefined, other: Version | undefined): Version | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return BigInt(other.digits) > BigInt(one.digits) ? other : one;
}

function highest(rows: readonly Row[]): Version | undefined {
  return rows.map(versionOf).reduce(later, undefined);
}

function cursorJson({ digits, bare }: Cursor): Json {
  return bare ? { exact: digits } : digits;
}

export function optionsOf({ lastRows, batchSize, from, versionDomain, other }: SubscribeOptions): Json {
  return {
    ...(lastRows === undefined ? {} : { last_rows: lastRows }),
    ...(batchSize === undefined ? {} : { batch_size: batchSize }),
    ...(from === undefined ? {} : { from: cursorJson(from) }),
    ...(versionDomain === undefined ? {} : { version_domain: versionDomain }),
    ...other,
  };
}
