/** Leaving a live query, changes meanwhile, and resuming from the last row version: for checks that differ in how the client leaves. */
import type { Context } from "../../../src/check.ts";
import { differenceOf, foldChanges } from "../../../src/history/state.ts";
import {
  cellText,
  versionOf,
  type Account,
  type Row,
  type SubscribeOptions,
  type Subscription,
  type Target,
} from "../../../src/server/target.ts";
import { fenceArrives, follow, type Following } from "../following.ts";
import { makeTable, readTable } from "../tables.ts";

/** How long a resumed subscription may be behind a new one. */
const silentAfterMs = 2_000;

/** How resuming went, once. */
export type Resumed = {
  /** Changes made while away. */
  readonly missed: number;
  /** Keys that are missing or have an old content. */
  readonly lost: readonly string[];
  /** Keys that were known before, or delivered since, and delivered again with the same version. */
  readonly repeated: readonly string[];
  /** Keys that were deleted while away, and whose deletion was not delivered. */
  readonly ghosts: readonly string[];
  readonly fenced: boolean;
  /** It delivered nothing that was written after it had resumed, and a new subscription did. */
  readonly silent: boolean;
  readonly exchange: number;
};

export interface ResumedTable {
  readonly target: Target;
  readonly user: Account;
  /** Who writes; the user where absent. */
  readonly writer?: Account;
  readonly table: string;
}

/** A table of one user's own. */
export async function makeUserTable(target: Target, context: Context, name: string): Promise<ResumedTable> {
  const op = await target.account("dba");
  const user = await target.account("user", name);
  const columns = "id BIGINT PRIMARY KEY, mark TEXT";
  return { target, user, table: await makeTable(target, context, op, `${context.scratch}.${name}`, { columns }) };
}

/** Where to go on from; undefined where no row had a version. */
export function resumeOptions(subscription: Subscription): SubscribeOptions | undefined {
  const from = subscription.lastVersion();
  const { versionDomain } = subscription;
  return from === undefined ? undefined : { from, ...(versionDomain === undefined ? {} : { versionDomain }) };
}

/** The first rows after resuming as changes: a server may deliver a deletion as a row that is marked as deleted. */
export function changesIn(rows: readonly Row[]) {
  return rows.map((row) =>
    row["_deleted"] === true ? { kind: "delete", row: null, old: row } : { kind: "insert", row, old: null },
  );
}

/** Subscribes, receives some rows, leaves, misses changes, resumes, and receives a last row. The n-th time, with keys of its own. */
export async function leaveAndResume(
  { target, user, writer = user, table }: ResumedTable,
  n: number,
  leave: (following: Following) => Promise<void>,
  /** What happens to the table before it resumes; returns why it did not. */
  meanwhile: () => Promise<string | undefined> = async () => await Promise.resolve(undefined),
): Promise<Resumed | { why: string }> {
  const from = 1_000 * (n + 1);
  const condition = `id >= ${from} AND id < ${from + 1_000}`;
  const select = `SELECT * FROM ${table} WHERE ${condition}`;
  const send = async (sql: string): Promise<boolean> => (await target.sql(writer, sql)).kind === "ok";
  const insert = async (keys: readonly number[], mark: string): Promise<boolean> =>
    await send(
      `INSERT INTO ${table} (id, mark) VALUES ${keys.map((key) => `(${from + key}, '${mark} ${key}')`).join(", ")}`,
    );
  const first = await follow(target, user, select);
  if ("why" in first) return first;
  if (!(await insert([1, 2, 3, 4, 5], "known"))) return { why: "the rows before the break could not be written" };
  // Rows of one statement come in any order: all must have come, or the cursor would be beyond one that did not.
  for (const key of [1, 2, 3, 4, 5]) {
    if (!(await fenceArrives(first.subscription, "mark", `known ${key}`)))
      return { why: "the rows before the break were not delivered" };
  }
  const known = foldChanges("id", first.rows, first.subscription.changes);
  const options = resumeOptions(first.subscription);
  if (options === undefined) return { why: "no row had a version to resume from" };
  await leave(first);

  const missed = [
    await insert([6, 7], "new"),
    await send(`UPDATE ${table} SET mark = 'changed 1' WHERE id = ${from + 1}`),
    await send(`UPDATE ${table} SET mark = 'changed 1 again' WHERE id = ${from + 1}`),
    await send(`DELETE FROM ${table} WHERE id = ${from + 2}`),
    await send(`DELETE FROM ${table} WHERE id = ${from + 6}`),
  ];
  if (missed.includes(false)) return { why: "the changes during the break could not all be written" };
  const undone = await meanwhile();
  if (undone !== undefined) return { why: undone };

  const second = await follow(target, user, select, options);
  if ("why" in second) return { why: `resuming: ${second.why}` };
  await insert([900], "fence");
  const fenced = await fenceArrives(second.subscription, "mark", "fence 900");
  const silent =
    !fenced && (await isSilent(target, user, { select, second, write: async () => await insert([901], "late") }));
  const rows = await readTable(target, writer, table, ["id", "mark"], condition);
  if (rows === null) return { why: "the table could not be read" };
  // Taken last: what comes a second time comes behind the fence.
  const delivered = [...changesIn(second.rows), ...second.subscription.changes];
  const difference = differenceOf("id", foldChanges("id", [...known.values()], delivered), rows);
  const versions = new Set([...known.values()].map(versionText));
  second.live.close();
  return {
    missed: missed.length,
    lost: [...difference.missing, ...difference.stale],
    repeated: delivered.flatMap(({ row, old }) => {
      // No key is deleted twice while away, so a deletion is identified by its key.
      const version = row === null ? `deleted ${cellText(old?.["id"])}` : versionText(row);
      if (version === "") return [];
      if (versions.has(version)) return [cellText((row ?? old)?.["id"])];
      versions.add(version);
      return [];
    }),
    ghosts: difference.ghosts,
    fenced,
    silent,
    exchange: second.subscription.exchange,
  };
}

interface Silence {
  readonly select: string;
  readonly second: Following;
  /** Writes the row with the mark `late 901`. */
  readonly write: () => Promise<boolean>;
}

/** Whether a new subscription delivers a row that the resumed one does not. */
async function isSilent(target: Target, user: Account, { select, second, write }: Silence): Promise<boolean> {
  const control = await follow(target, user, select);
  if ("why" in control || !(await write())) return false;
  const arrived = await fenceArrives(control.subscription, "mark", "late 901");
  control.live.close();
  const isOpen = second.live.closed() === undefined;
  return arrived && isOpen && !(await fenceArrives(second.subscription, "mark", "late 901", silentAfterMs));
}

function versionText(row: Row): string {
  return versionOf(row)?.digits ?? "";
}

/** What was wrong when resuming, by kind; undefined where nothing was. Only where the fence arrived is anything lost. */
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

/** Why too little was seen; undefined if enough was. */
export function whyUnknown(resumed: readonly Resumed[]): string | undefined {
  if (resumed.length === 0) return "no subscription was resumed";
  return resumed.every((one) => one.fenced) ? undefined : "the fence row did not arrive after resuming";
}
