/** One subscription's part of a live connection: snapshot, changes, notices, cursors. */
import { cellText, integerText, isRecord, type Json, writeExact } from "../wire/json.ts";

/** A parsed frame that came. `json` is undefined where it was none. */
export interface Frame {
  readonly json: Json | undefined;
  readonly type: string;
  /** The subscription it is about, "" if none. */
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
  /** The row as it is now; null where the frame has none. */
  readonly row: Row | null;
  readonly old: Row | null;
  readonly at: number;
}

/**
 * A row version as it came: its exact digits, and whether it was a bare number or a string. It goes back in the same kind:
 * the one refuses the other.
 */
export interface Cursor {
  readonly digits: string;
  readonly bare: boolean;
}

export interface SubscribeOptions {
  readonly lastRows?: number;
  readonly batchSize?: number;
  readonly from?: Cursor;
  /** As the acknowledgement told it; newer servers want it back on resume. */
  readonly versionDomain?: Json;
  /** Options as they are, for what should be refused. */
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
  /** Neither came in time, or the connection ended. */
  | { readonly kind: "unsure"; readonly why: string };

export interface Subscription {
  readonly id: string;
  readonly sql: string;
  /** The exchange under which it is recorded. */
  readonly exchange: number;
  /** Fetches the snapshot to its end, page by page. Resolves the same each time. */
  begin(withinMs?: number): Promise<Begun>;
  /** Every change so far, also those that came while the snapshot was still being fetched. */
  readonly changes: readonly Change[];
  /** Errors that were sent about it, in order. */
  readonly notices: readonly { readonly code: string; readonly message: string; readonly at: number }[];
  /** The first change for which it holds, whether it has come or will; undefined when the time is up or the connection ends. */
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
  /** Where the server says that the next page begins. */
  #given: Version | undefined;
  /** Whether this server writes cursors as bare numbers; undefined until it has written one. */
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
      const said = notice === undefined ? "" : `; it said ${notice.code} ${notice.message}`.trimEnd();
      return { kind: "unsure", why: `${this.#ended ?? `${what} within ${withinMs} ms`}${said}` };
    };
    await this.#parts.wait(() => this.#acknowledged || this.#refusal !== undefined, left());
    if (this.#refusal !== undefined) return { kind: "refused", ...this.#refusal };
    if (!this.#acknowledged) return unsure("neither acknowledged nor refused");
    // A subscription without options is acknowledged and has no pages; with them, the first page follows at once.
    if (!this.#withSnapshot) return { kind: "ready", rows: [], pages: [], at: this.#readyAt };
    for (let page = 1; ; page += 1) {
      if (!(await this.#parts.wait(() => this.#pages.length >= page, left())))
        return unsure(`page ${page} of the snapshot did not come`);
      if (this.#more !== true) break;
      // The next one may be there already, and the one after it: without this a snapshot that never ends is never left.
      if (performance.now() >= deadline) return unsure(`${page} pages of the snapshot and no end`);
      // The cursor that the server gave; a page need not be sorted by version, so the highest of its rows may be beyond rows to come.
      const last = this.#given ?? highest(this.#pages.at(-1) ?? []);
      if (last === undefined)
        return { kind: "unsure", why: `page ${page} of the snapshot has no row version to go on from` };
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
