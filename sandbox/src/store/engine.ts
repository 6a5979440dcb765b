import { PGlite, protocol, type messages } from "@electric-sql/pglite";

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

/**
 * PGlite, driven synchronously over PostgreSQL's wire protocol: one thread and one connection, so requests never
 * interleave. Any failure other than an error from PostgreSQL, such as the empty answer after a stack overflow, is thrown
 * as it is, and the thread must be replaced.
 */
export class Engine {
  readonly #pg: PGlite;
  #identity = "";

  private constructor(pg: PGlite) {
    this.#pg = pg;
  }

  static async open(folder: string): Promise<Engine> {
    const engine = new Engine(
      await PGlite.create({
        dataDir: folder,
        // Less than the thread's stack, so that deep input ends in an error and not in a crash.
        postgresqlconf: ["shared_buffers = 16MB", "max_stack_depth = 500kB", "timezone = 'UTC'"],
      }),
    );
    // KalamDB's functions and types first; table names are always qualified.
    engine.script("SET search_path = kalam_fn, pg_catalog");
    return engine;
  }

  async close(): Promise<void> {
    await this.#pg.close();
  }

  /** Runs the sandbox's own statements, as owner. */
  script(sql: string): void {
    this.#become();
    this.#exchange(serialize.query(sql));
  }

  /** Runs one of the sandbox's own statements, as owner. */
  query(text: string, values: readonly (string | null)[] = []): Rows["rows"] {
    return this.run({ text, values }).rows;
  }

  /** Runs exactly one statement: the extended protocol refuses a second one. */
  run(bound: Bound, identity?: Identity): Rows {
    this.#become(identity);
    const limit = bound.limit ?? 0;
    const { received, rows: all } = this.#exchange(
      serialize.parse({ text: bound.text, types: [...(bound.types ?? [])] }),
      serialize.bind({ values: [...(bound.values ?? [])] }),
      serialize.describe({ type: "P" }),
      serialize.execute({ rows: limit === 0 ? 0 : limit + 1 }),
      serialize.sync(),
    );
    let fields: messages.Field[] = [];
    let count = 0;
    for (const message of received) {
      if (message.name === "rowDescription") ({ fields } = message as messages.RowDescriptionMessage);
      if (message.name === "commandComplete") {
        count = Number(/\d+$/.exec((message as messages.CommandCompleteMessage).text)?.[0] ?? 0);
      }
    }
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
    // A rollback also undoes SET ROLE, so the identity must be set again.
    this.#exchange(serialize.query("ROLLBACK"));
    this.#identity = "?";
  }

  #become(identity?: Identity): void {
    const wanted = identity === undefined ? "" : `${identity.role} ${identity.user}`;
    if (wanted === this.#identity) return;
    const user = (identity?.user ?? "").replaceAll("'", "''");
    this.#identity = "?";
    this.#exchange(serialize.query(`SET ROLE ${identity?.role ?? "NONE"}; SET kalam.uid = '${user}'`));
    this.#identity = wanted;
  }

  #exchange(...sent: readonly Uint8Array[]): {
    readonly received: readonly { readonly name: string }[];
    readonly rows: Rows["rows"];
  } {
    const received: { readonly name: string }[] = [];
    const raw = this.#pg.execProtocolRawSync(Buffer.concat(sent));
    new Parser().parse(raw, (message) => received.push(message));
    const error = received.find((message) => message.name === "error");
    if (error !== undefined) throw new PostgresError(error as messages.DatabaseError);
    if (!received.some(({ name }) => name === "commandComplete" || name === "portalSuspended")) {
      throw new Error("PostgreSQL answered with nothing");
    }
    return { received, rows: rowsIn(raw) };
  }
}

/** Keeps a byte order mark, which PGlite's own decoder drops. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The cells of all DataRow messages: message type, length, number of cells, then the length of each cell, -1 for NULL. */
function rowsIn(raw: Uint8Array): (string | null)[][] {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const rows: (string | null)[][] = [];
  for (let at = 0; at + 5 <= raw.length; at += 1 + view.getInt32(at + 1)) {
    if (raw[at] !== "D".charCodeAt(0)) continue;
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
