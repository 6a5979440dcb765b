/** Leaving a live query, changes meanwhile, coming back from the last row version: for the checks that differ in how one leaves. */
import type { Context } from "../../../src/check.ts";
import { differenceOf, foldChanges } from "../../../src/history/state.ts";
import { versionOf, type Account, type Row, type Target } from "../../../src/server/target.ts";
import { fenceArrives, follow, textIn, type Following } from "../../vocabulary/following.ts";
import { readTable } from "../../vocabulary/tables.ts";

const columns = ["id", "mark"];

/** How one return went. */
export type Resumed = {
  /** Changes made while away. */
  readonly missed: number;
  /** Missing or with an old content. */
  readonly lost: readonly string[];
  /** Known before, and told again with the same version. */
  readonly repeated: readonly string[];
  /** Deleted meanwhile, and never told. */
  readonly ghosts: readonly string[];
  readonly fenced: boolean;
  readonly exchange: number;
};

interface Scene {
  readonly target: Target;
  readonly user: Account;
  readonly table: string;
}

/** A table of one user's own. */
export async function away(target: Target, context: Context, name: string): Promise<Scene | { why: string }> {
  const op = await target.account("dba");
  const user = await target.account("user", name);
  const table = `${context.scratch}.${name}`;
  const made = await target.sql(op, `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, mark TEXT) WITH (TYPE='USER')`);
  return made.kind === "ok" ? { target, user, table } : { why: `the table could not be made: ${made.message}` };
}

/** One life: subscribes, is told of some rows, leaves, misses changes, comes back, is told of a last one. */
export async function comeBack(
  { target, user, table }: Scene,
  n: number,
  leave: (following: Following) => Promise<void>,
): Promise<Resumed | { why: string }> {
  const from = 1_000 * (n + 1);
  const select = `SELECT * FROM ${table} WHERE id >= ${from} AND id < ${from + 1_000}`;
  const insert = async (keys: readonly number[], mark: string): Promise<boolean> => {
    const rows = keys.map((key) => `(${from + key}, '${mark} ${key}')`);
    return (await target.sql(user, `INSERT INTO ${table} (id, mark) VALUES ${rows.join(", ")}`)).kind === "ok";
  };
  const first = await follow(target, user, select);
  if ("why" in first) return first;
  if (!(await insert([1, 2, 3, 4, 5], "known"))) return { why: "the rows before the break could not be written" };
  // Rows of one statement come in any order: all must have come, or the cursor would be beyond one that did not.
  for (const key of [1, 2, 3, 4, 5]) {
    if (!(await fenceArrives(first.subscription, "mark", `known ${key}`)))
      return { why: "the rows before the break were not told" };
  }
  const known = foldChanges("id", first.rows, first.subscription.changes);
  const cursor = first.subscription.lastVersion();
  const { versionDomain } = first.subscription;
  if (cursor === undefined) return { why: "no row had a version to come back from" };
  await leave(first);

  const missed = [
    await insert([6, 7], "new"),
    (await target.sql(user, `UPDATE ${table} SET mark = 'changed 1' WHERE id = ${from + 1}`)).kind === "ok",
    (await target.sql(user, `UPDATE ${table} SET mark = 'changed 1 again' WHERE id = ${from + 1}`)).kind === "ok",
    (await target.sql(user, `DELETE FROM ${table} WHERE id = ${from + 2}`)).kind === "ok",
    (await target.sql(user, `DELETE FROM ${table} WHERE id = ${from + 6}`)).kind === "ok",
  ];
  if (missed.includes(false)) return { why: "the changes during the break could not all be written" };

  const second = await follow(target, user, select, {
    from: cursor,
    ...(versionDomain === undefined ? {} : { versionDomain }),
  });
  if ("why" in second) return { why: `coming back: ${second.why}` };
  await insert([900], "fence");
  const fenced = await fenceArrives(second.subscription, "mark", "fence 900");
  // A server may tell of a deletion by a row that is marked as deleted.
  const missedRows = second.rows.map((row) =>
    row["_deleted"] === true ? { kind: "delete", row: null, old: row } : { kind: "insert", row, old: null },
  );
  const told = [...missedRows, ...second.subscription.changes];
  const rows = await readTable(target, user, table, columns, `id >= ${from} AND id < ${from + 1_000}`);
  if (rows === null) return { why: "the table could not be read" };
  const believed = foldChanges("id", [...known.values()], told);
  const difference = differenceOf("id", believed, rows);
  const versions = new Set([...known.values()].map(versionText));
  second.live.close();
  return {
    missed: missed.length,
    lost: [...difference.missing, ...difference.stale],
    repeated: told.flatMap((change) =>
      change.row !== null && versions.has(versionText(change.row)) ? [textIn({ ...change, at: 0 }, "id")] : [],
    ),
    ghosts: difference.ghosts,
    fenced,
    exchange: second.subscription.exchange,
  };
}

function versionText(row: Row): string {
  return versionOf(row)?.digits ?? "";
}

/** What the returns have in common that is wrong, by kind; undefined where nothing is. Only returns whose fence arrived are judged for losses. */
export function differencesOf(
  resumed: readonly Resumed[],
): Record<"lost" | "repeated" | "ghosts", { rounds: number; of: number; keys: string } | undefined> {
  const sum = (list: "lost" | "repeated" | "ghosts", some: readonly Resumed[]) => {
    const wrong = some.filter((one) => one[list].length > 0);
    const keys = wrong[0]?.[list].slice(0, 3).join(", ") ?? "";
    return wrong.length === 0 ? undefined : { rounds: wrong.length, of: resumed.length, keys };
  };
  const fenced = resumed.filter((one) => one.fenced);
  return { lost: sum("lost", fenced), repeated: sum("repeated", resumed), ghosts: sum("ghosts", fenced) };
}

/** Why the returns show too little; undefined if they do not. */
export function resumeFloor(resumed: readonly Resumed[]): string | undefined {
  if (resumed.length === 0) return "nobody came back";
  return resumed.every((one) => one.fenced) ? undefined : "the last row did not arrive after a return";
}
