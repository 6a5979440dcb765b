/** What is written before the power is cut, with the times of all acknowledgements. */
import type { Context } from "../../../src/check.ts";
import type { OtherServer } from "../../../src/server/target.ts";
import { createTable } from "../../vocabulary/tables.ts";
import { quoted } from "../../vocabulary/values.ts";
import { runToEnd, whyNotEnded } from "../jobs.ts";

const namespace = "kr_power";
/** One is there from the beginning, the other is made while the server is traced. */
export const [kept, made] = [`${namespace}.kept`, `${namespace}.made`] as const;
export type Table = typeof kept | typeof made;
export const columns = ["id", "mark"] as const;

/** A statement that was acknowledged. Times are in milliseconds since 1970, as a trace has them. */
export type Statement = {
  readonly sentAt: number;
  readonly ackedAt: number;
  /** What the rows are afterwards; null: deleted. Each mark is written once. */
  readonly rows: readonly { readonly table: Table; readonly id: number; readonly mark: string | null }[];
};

/** A moment right after an acknowledgement. */
export type Cut = { readonly after: string; readonly at: number };

export type Written = {
  readonly statements: readonly Statement[];
  /** Of the table that was there. */
  readonly flush: { readonly sentAt: number; readonly completedAt: number };
  readonly cuts: readonly Cut[];
};

type Needs = Pick<Context, "need" | "poll" | "size">;

/** What was acknowledged is noted when it is read: that is later than it was sent, so a cut then is one after it. */
const now = (): number => Date.now();

class Writer {
  readonly statements: Statement[] = [];
  readonly #server: OtherServer;
  readonly #context: Needs;
  readonly #prefix: string;
  #marks = 0;

  constructor(server: OtherServer, context: Needs, prefix: string) {
    this.#server = server;
    this.#context = context;
    this.#prefix = prefix;
  }

  mark(): string {
    this.#marks += 1;
    return `${this.#prefix}${this.#marks}`;
  }

  async send(sql: string, rows: Statement["rows"], what: string): Promise<void> {
    const sentAt = now();
    this.#context.need(await this.#server.sql(this.#server.root, sql), `${what} was not acknowledged`);
    this.statements.push({ sentAt, ackedAt: now(), rows });
  }

  async insert(table: Table, ids: readonly number[]): Promise<void> {
    const rows = ids.map((id) => ({ table, id, mark: this.mark() }));
    await this.send(insertion(rows), rows, "an insert");
  }

  async update(id: number): Promise<void> {
    const row = { table: kept, id, mark: this.mark() };
    await this.send(`UPDATE ${kept} SET mark = ${quoted(row.mark)} WHERE id = ${id}`, [row], "an update");
  }

  async delete(id: number): Promise<void> {
    await this.send(`DELETE FROM ${kept} WHERE id = ${id}`, [{ table: kept, id, mark: null }], "a delete");
  }

  async transact(ids: readonly number[], updated: number): Promise<void> {
    const rows = ids.map((id) => ({ table: kept, id, mark: this.mark() }));
    const last = { table: kept, id: updated, mark: this.mark() };
    const statements = [
      ...rows.map((row) => insertion([row])),
      `UPDATE ${kept} SET mark = ${quoted(last.mark)} WHERE id = ${updated}`,
    ];
    await this.send(`BEGIN; ${statements.join("; ")}; COMMIT`, [...rows, last], "a transaction");
  }

  async flush(): Promise<Written["flush"]> {
    const sentAt = now();
    const ended = await runToEnd(this.#server, this.#context, this.#server.root, `STORAGE FLUSH TABLE ${kept}`);
    const why = whyNotEnded(ended, "the flush");
    if (why !== undefined) this.#context.need({ why, whole: true }, "");
    return { sentAt, completedAt: now() };
  }
}

function insertion(rows: readonly { readonly table: Table; readonly id: number; readonly mark: string }[]): string {
  const tuples = rows.map(({ id, mark }) => `(${id}, ${quoted(mark)})`);
  return `INSERT INTO ${rows[0]?.table} (id, mark) VALUES ${tuples.join(", ")}`;
}

const from = (first: number, count: number): number[] => Array.from({ length: count }, (_, at) => first + at);
const definition = { type: "SHARED", columns: "id BIGINT PRIMARY KEY, mark TEXT" } as const;

/** Rows that are on disk before the server is traced: some in a segment, some not. */
export async function writeBefore(server: OtherServer, context: Needs): Promise<readonly Statement[]> {
  const writer = new Writer(server, context, "before ");
  await writer.send(`CREATE NAMESPACE ${namespace}`, [], "a namespace");
  await writer.send(createTable(kept, definition), [], "a table");
  await writer.insert(kept, from(1, 20));
  await writer.flush();
  await writer.insert(kept, from(21, 20));
  return writer.statements;
}

/** All kinds of changes, a flush, and changes of what is flushed and what is not. */
export async function writeTraced(server: OtherServer, context: Needs): Promise<Written> {
  const writer = new Writer(server, context, "traced ");
  const cuts: Cut[] = [];
  const cut = (after: string): void => void cuts.push({ after, at: now() });
  await writer.send(createTable(made, definition), [], "a table");
  for (const id of from(1, 3)) await writer.insert(made, [id]);
  for (const id of from(101, 12)) await writer.insert(kept, [id]);
  await writer.insert(kept, from(201, 30));
  await writer.transact([301, 302], 21);
  for (const id of [1, 2, 22, 23, 101]) await writer.update(id);
  // None that is in a segment already: whether the next flush brings such rows back is for other checks.
  for (const id of [24, 102]) await writer.delete(id);
  await writer.insert(kept, [303]);
  cut("an insert");
  const flush = await writer.flush();
  cut("a flush that was reported completed");
  for (const id of from(401, 10)) await writer.insert(kept, [id]);
  for (const id of [6, 202, 402]) await writer.delete(id);
  for (const id of [5, 201, 401]) await writer.update(id);
  cut("an update");
  return { statements: writer.statements, flush, cuts };
}
