/** A table half of whose rows were flushed, as a subscriber sees it: a snapshot and changes come from two places. */
import type { Context } from "../../../src/check.ts";
import { cellText, type Account, type Change, type Target } from "../../../src/server/target.ts";
import { fenceArrives, follow } from "../../vocabulary/following.ts";
import { flush, whyNotFlushed } from "../../vocabulary/jobs.ts";
import { makeTable } from "../../vocabulary/tables.ts";

/** A change, and whether an event of that kind came for its row. */
export type ColdStep = {
  readonly change: string;
  readonly acknowledged: boolean;
  /** The kinds of the events for its row, in order. */
  readonly told: readonly string[];
};

export type Cold = {
  /** Why too little was seen; null if enough was. */
  readonly why: string | null;
  /** Keys and marks of the snapshot, sorted. */
  readonly snapshot: readonly string[];
  readonly steps: readonly ColdStep[];
  readonly fenced: boolean;
  readonly exchange: number;
};

/** What is flushed, and what is written after it. */
const flushedKeys = [1, 2, 3, 4, 5];
const hotKeys = [6, 7];
const rowText = (key: unknown, mark: unknown): string => `${cellText(key as number)} ${cellText(mark as string)}`;
export const coldSnapshot: readonly string[] = [...flushedKeys, ...hotKeys].map((key) => rowText(key, `row ${key}`));

/** One change of each kind for a flushed row, none of them for the same. An event for the row must come; of which kind is judged elsewhere. */
export const coldChanges = [
  { key: 2, change: "an UPDATE of a flushed row", sql: (t: string) => `UPDATE ${t} SET mark = 'other' WHERE id = 2` },
  { key: 3, change: "a DELETE of a flushed row", sql: (t: string) => `DELETE FROM ${t} WHERE id = 3` },
  { key: 4, change: "an UPDATE to NULL of a flushed row", sql: (t: string) => `UPDATE ${t} SET n = NULL WHERE id = 4` },
  {
    key: 6,
    change: "an UPDATE of a row beside flushed ones",
    sql: (t: string) => `UPDATE ${t} SET n = 0 WHERE id = 6`,
  },
];

export async function seeCold(target: Target, context: Context, op: Account, reader: Account): Promise<Cold> {
  const none = { snapshot: [], steps: [], fenced: false, exchange: 0 };
  const columns = "id BIGINT PRIMARY KEY, mark TEXT, n INT";
  const table = await makeTable(target, context, op, `${context.scratch}.cold`, { columns });
  const insert = async (keys: readonly number[]): Promise<boolean> => {
    const rows = keys.map((key) => `(${key}, 'row ${key}', ${key})`).join(", ");
    return (await target.sql(reader, `INSERT INTO ${table} (id, mark, n) VALUES ${rows}`)).kind === "ok";
  };
  if (!(await insert(flushedKeys))) return { ...none, why: "the rows to flush could not be written" };
  const notFlushed = whyNotFlushed(await flush(target, context, op, table));
  if (notFlushed !== undefined) return { ...none, why: notFlushed };
  if (!(await insert(hotKeys))) return { ...none, why: "the rows beside the flushed ones could not be written" };
  const following = await follow(target, reader, `SELECT * FROM ${table}`);
  if ("why" in following) return { ...none, why: following.why };
  const { subscription, rows, live } = following;
  const acknowledged: boolean[] = [];
  for (const { sql } of coldChanges) acknowledged.push((await target.sql(reader, sql(table))).kind === "ok");
  await insert([99]);
  const fenced = await fenceArrives(subscription, "mark", "row 99");
  live.close();
  return {
    why: null,
    snapshot: rows.map((row) => rowText(row["id"], row["mark"])).toSorted(),
    steps: coldChanges.map(({ key, change }, at) => ({
      change,
      acknowledged: acknowledged[at] ?? false,
      told: subscription.changes.filter((one) => keyOf(one) === String(key)).map(({ kind }) => kind),
    })),
    fenced,
    exchange: subscription.exchange,
  };
}

/** The key in an event: of a deleted flushed row a server may know no more. */
function keyOf({ row, old }: Change): string {
  return cellText((row ?? old)?.["id"]);
}

/** How the snapshot differs from the rows that are there; undefined where it does not. */
export function coldDifference(snapshot: readonly string[]): string | undefined {
  const missing = coldSnapshot.filter((row) => !snapshot.includes(row));
  const strange = snapshot.filter((row) => !coldSnapshot.includes(row));
  const twice = snapshot.filter((row, at) => snapshot.indexOf(row) !== at);
  const words = [
    ...missing.map((row) => `"${row}" is missing`),
    ...strange.map((row) => `"${row}" was not written`),
    ...twice.map((row) => `"${row}" came twice`),
  ];
  return words.length === 0 ? undefined : words.join(", ");
}
