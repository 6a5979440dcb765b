/** Many changes in one request, and the events that they must cause. */
import { textIn } from "../../vocabulary/following.ts";
import type { Change } from "../../../src/server/target.ts";

export interface Burst {
  readonly name: string;
  readonly sql: string;
  /** Each event as its key and the mark that it sets. */
  readonly events: readonly string[];
  /** The rows of the burst in the table. */
  readonly where: string;
  readonly rows: number;
}

/** Below and above the 128 events that KalamDB queues for a connection; two changes of one key, which must not become one. */
export function burstsOn(table: string): Burst[] {
  const [below, above] = [inserts(table, 1_000, 100), inserts(table, 2_000, 500)];
  const where = "id >= 1000 AND id < 1040";
  const ids = Array.from({ length: 40 }, (_, at) => 1_000 + at);
  const updates = {
    name: "two updates of each of 40 rows",
    sql: `UPDATE ${table} SET mark = 'once' WHERE ${where}; UPDATE ${table} SET mark = 'twice' WHERE ${where}`,
    events: ["once", "twice"].flatMap((mark) => ids.map((id) => `${id} ${mark}`)),
    where: `${where} AND mark = 'twice'`,
    rows: ids.length,
  };
  return [below, above, updates];
}

function inserts(table: string, from: number, rows: number): Burst {
  const ids = Array.from({ length: rows }, (_, at) => from + at);
  const values = ids.map((id) => `(${id}, 'row ${id}')`);
  return {
    name: `${rows} rows in one statement`,
    sql: `INSERT INTO ${table} (id, mark) VALUES ${values.join(", ")}`,
    events: ids.map((id) => `${id} row ${id}`),
    where: `id >= ${from} AND id < ${from + rows}`,
    rows,
  };
}

export function eventOf(change: Change): string {
  return `${textIn(change, "id")} ${textIn(change, "mark")}`;
}
