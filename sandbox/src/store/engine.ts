import { PGlite, protocol, type messages } from "@electric-sql/pglite";
import type { Faults } from "../faults.ts";
import { syncedOptions, syncedSettings } from "./syncing.ts";

const { Parser, serialize } = protocol;

/** Values are PostgreSQL text, so that no number is rounded. `cut`: there were more rows than the limit. */
export interface Rows {
  /** Each with the OID of its table and its column number, 0 for an expression. */
  readonly fields: readonly messages.Field[];
  readonly rows: readonly (readonly (string | null)[])[];
  readonly count: number;
  readonly cut: boolean;
}

/** The PostgreSQL role that a statement runs as, and the user whose rows it sees. */
export interface Identity {
  readonly role: string;
  readonly user: string;
}

export interface Bound {
  readonly text: string;
  readonly values?: readonly (string | null)[];
  /** Type OIDs of the values; 0 to infer the type. */
  readonly types?: readonly number[];
  readonly limit?: number;
  /** One of the sandbox's own that is sent often: it is parsed and planned once. */
  readonly prepared?: true;
}

/** An error reported by PostgreSQL: the statement had no effect. */
export class PostgresError extends Error {
  readonly code: string;
  readonly detail: string;
  readonly column: string;

  constructor(error: messages.DatabaseError) {
    super(error.message);
    this.code = error.code ?? "";
    this.detail = error.detail ?? "";
    this.column = error.column ?? "";
  }
}

const writing = /insert|update|delete|merge/i;

/**
 * PGlite, driven synchronously over PostgreSQL's wire protocol: one thread and one connection, so requests never
 * interleave. Any failure other than an error from PostgreSQL, such as the empty answer after a stack overflow, is thrown
 * as it is, and the thread must be replaced.
 */
export class Engine {
  readonly #pg: PGlite;
  #identity = "";
  /** By text: the names of the statements that PostgreSQL has parsed. */
  readonly #prepared = new Map<string, string>();
  #preparations = 0;
  #writes = 0;

  private constructor(pg: PGlite) {
    this.#pg = pg;
  }

  /** `synced`: what is committed is on disk. */
  static async open(folder: string, synced?: Faults): Promise<Engine> {
    // Less than the thread's stack, so that deep input ends in an error and not in a crash.
    const settings = ["shared_buffers = 16MB", "max_stack_depth = 500kB", "timezone = 'UTC'"];
    const engine = new Engine(
      await PGlite.create(
        synced === undefined
          ? { dataDir: folder, postgresqlconf: settings }
          : { ...syncedOptions(folder, synced), postgresqlconf: [...settings, ...syncedSettings] },
      ),
    );
    // KalamDB's functions and types first; table names are always qualified.
    engine.script("SET search_path = kalam_fn, pg_catalog");
    return engine;
  }

  async close(): Promise<void> {
    await this.#pg.close();
  }

  /** How many statements of users may have changed rows: where this has not grown, there are no new changes. */
  get writes(): number {
    return this.#writes;
  }

  /** Runs the sandbox's own statements, as owner. */
  script(sql: string): void {
    this.#exchange(undefined, serialize.query(sql));
  }

  /** Runs one of the sandbox's own statements, as owner. */
  query(text: string, values: readonly (string | null)[] = []): Rows["rows"] {
    return this.run({ text, values }).rows;
  }

  /** Runs exactly one statement: the extended protocol refuses a second one. */
  run(bound: Bound, identity?: Identity): Rows {
    const limit = bound.limit ?? 0;
    const known = this.#prepared.get(bound.text);
    const statement = known ?? (bound.prepared === true ? `own_${(this.#preparations += 1)}` : "");
    const { received, rows: all } = this.#exchange(
      identity,
      ...(known === undefined
        ? [serialize.parse({ name: statement, text: bound.text, types: [...(bound.types ?? [])] })]
        : []),
      serialize.bind({ statement, values: [...(bound.values ?? [])] }),
      serialize.describe({ type: "P" }),
      serialize.execute({ rows: limit === 0 ? 0 : limit + 1 }),
      serialize.sync(),
    );
    if (bound.prepared === true) this.#prepared.set(bound.text, statement);
    let fields: messages.Field[] = [];
    let count = 0;
    let tag = "";
    for (const message of received) {
      if (message.name === "rowDescription") ({ fields } = message as messages.RowDescriptionMessage);
      if (message.name === "commandComplete") {
        tag = (message as messages.CommandCompleteMessage).text;
        count = Number(/\d+$/.exec(tag)?.[0] ?? 0);
      }
    }
    // The tag of a query is SELECT even where a part of it writes.
    if (identity !== undefined && writing.test(bound.text) && (count > 0 || tag.startsWith("SELECT")))
      this.#writes += 1;
    const cut = limit > 0 && all.length > limit;
    const rows = cut ? all.slice(0, limit) : all;
    return { fields, rows, count: fields.length > 0 ? rows.length : count, cut };
  }

  /** Runs `work` in a transaction. */
  atomically<T>(work: () => T): T {
    this.begin();
    try {
      const result = work();
      this.commit();
      return result;
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  begin(): void {
    this.script("BEGIN");
  }

  commit(): void {
    this.script("COMMIT");
  }

  rollback(): void {
    this.#rollback("ROLLBACK");
  }

  /** `name` as SQL writes it. Throws a PostgresError if there is no such savepoint. */
  rollbackTo(name: string): void {
    this.#rollback(`ROLLBACK TO SAVEPOINT ${name}`);
  }

  #rollback(statement: string): void {
    // A rollback also undoes SET ROLE, so the identity must be set again; in a failed transaction it cannot be set before.
    this.#identity = "?";
    this.#send(serialize.query(statement));
  }

  /** Sends them as that identity, in one exchange with what changes it: an exchange costs more than a small statement. */
  #exchange(identity: Identity | undefined, ...sent: readonly Uint8Array[]): Answered {
    const wanted = identity === undefined ? "" : `${identity.role} ${identity.user}`;
    if (wanted === this.#identity) return this.#send(...sent);
    const user = (identity?.user ?? "").replaceAll("'", "''");
    this.#identity = "?";
    const answered = this.#send(
      serialize.query(`SET ROLE ${identity?.role ?? "NONE"}; SET kalam.uid = '${user}'`),
      ...sent,
    );
    this.#identity = wanted;
    return answered;
  }

  #send(...sent: readonly Uint8Array[]): Answered {
    const raw = this.#pg.execProtocolRawSync(Buffer.concat(sent));
    const received = messagesIn(raw);
    const error = received.find((message) => message.name === "error");
    if (error !== undefined) throw new PostgresError(error as messages.DatabaseError);
    if (!received.some(({ name }) => name === "commandComplete" || name === "portalSuspended")) {
      throw new Error("PostgreSQL answered with nothing");
    }
    return { received, rows: rowsIn(raw) };
  }
}

interface Answered {
  readonly received: readonly { readonly name: string }[];
  readonly rows: Rows["rows"];
}

const dataRow = "D".charCodeAt(0);

/** All messages but the rows, which are most of them and which `rowsIn` reads. */
function messagesIn(raw: Uint8Array): { readonly name: string }[] {
  const received: { readonly name: string }[] = [];
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const parser = new Parser();
  let from = 0;
  const parseUpTo = (to: number): void => {
    if (to > from) parser.parse(raw.subarray(from, to), (message) => received.push(message));
  };
  for (let at = 0; at + 5 <= raw.length;) {
    const next = at + 1 + view.getInt32(at + 1);
    if (raw[at] === dataRow) {
      parseUpTo(at);
      from = next;
    }
    at = next;
  }
  parseUpTo(raw.length);
  return received;
}

/** Keeps a byte order mark, which PGlite's own decoder drops. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The cells of all DataRow messages: message type, length, number of cells, then the length of each cell, -1 for NULL. */
function rowsIn(raw: Uint8Array): (string | null)[][] {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const rows: (string | null)[][] = [];
  for (let at = 0; at + 5 <= raw.length; at += 1 + view.getInt32(at + 1)) {
    if (raw[at] !== dataRow) continue;
    let cell = at + 7;
    rows.push(
      Array.from({ length: view.getInt16(at + 5) }, () => {
        const length = view.getInt32(cell);
        cell += 4 + Math.max(0, length);
        return length < 0 ? null : decoder.decode(raw.subarray(cell - length, cell));
      }),
    );
  }
  return rows;
}
