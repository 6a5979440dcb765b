/** One subscription with small pages, opened while the table changes: what it saw, compared with the table at the fence. */
import type { Context } from "../../../src/check.ts";
import { differenceOf, foldChanges, isSame } from "../../../src/history/state.ts";
import { cellText, type Account, type Target } from "../../../src/server/target.ts";
import { connect, fenceArrives, noticesOf, textIn } from "../../vocabulary/following.ts";
import { readTable } from "../../vocabulary/tables.ts";

export const seedRows = 120;
/** Written in one statement: a server has been seen to lose more than this at once, which is what its queue of one connection holds. */
export const burstRows = 150;
/** So small that the pacing of messages alone stretches the snapshot over what is written meanwhile, however fast a server is. */
const pageRows = 15;
/** The fence may overtake what others have written: that is late, and lost only when it does not come then. */
const lateWithinMs = 1_000;

export type Round = {
  /** Many rows were written in one statement. */
  readonly burst: boolean;
  /** Rows whose writes were acknowledged between the request for the subscription and the end of the snapshot. */
  readonly during: number;
  readonly missing: readonly string[];
  readonly ghosts: readonly string[];
  readonly stale: readonly string[];
  /** Inserts delivered as changes that were in the snapshot already. */
  readonly doubled: readonly string[];
  readonly fenced: boolean;
  readonly notices: readonly string[];
  readonly exchange: number;
};

export interface RoundParts {
  readonly target: Target;
  readonly context: Context;
  readonly op: Account;
  readonly reader: Account;
  readonly writers: readonly Account[];
  readonly table: string;
  /** Which of the first rows are changed. */
  readonly random: () => number;
}

/**
 * The n-th round of a table: its keys are its own. `burst`: many rows are written in one statement. Ends with the reason where
 * it could not be carried through.
 */
export async function observeRound(
  { target, context, op, reader, writers, table, random }: RoundParts,
  n: number,
  { burst }: { readonly burst: boolean },
): Promise<Round | { why: string }> {
  // A connection of its own each time: what the last subscription left in a queue must not count for this one.
  const live = await connect(target, reader);
  if ("why" in live) return live;
  const base = 10_000 + n * 1_000;
  const victim = 1 + Math.floor(random() * seedRows);
  const statements: readonly (readonly [rows: number, sql: string])[] = [
    [3, insertText(table, base, 3, `r${n}`)],
    [1, `UPDATE ${table} SET mark = 'changed ${n}' WHERE id = ${victim}`],
    burst
      ? [burstRows, insertText(table, base + 100, burstRows, `b${n}`)]
      : [2, insertText(table, base + 100, 2, `s${n}`)],
    ...(n > 0 ? [[1, `DELETE FROM ${table} WHERE id = ${base - 1_000}`] as const] : []),
  ];
  const startedAt = performance.now();
  const subscribing = live.subscribe(`SELECT * FROM ${table}`, { batchSize: pageRows });
  const writing = Promise.all(
    statements.map(async ([rows, sql], at) => ({
      rows,
      answer: await target.sql(writers[at % writers.length] ?? op, sql),
    })),
  );
  const subscription = await subscribing;
  const begun = await subscription.begin();
  const written = await writing;
  if (begun.kind !== "ready")
    return { why: `the subscription did not begin: ${begun.kind === "refused" ? begun.message : begun.why}` };
  const fence = `fence ${n}`;
  await target.sql(op, `INSERT INTO ${table} (id, mark) VALUES (${base + 999}, '${fence}')`);
  const fenced = await fenceArrives(subscription, "mark", fence);
  const difference = await context.poll(
    async () => {
      const rows = await readTable(target, op, table, ["id", "mark"]);
      return rows === null ? null : differenceOf("id", foldChanges("id", begun.rows, subscription.changes), rows);
    },
    (now) => !fenced || now === null || isSame(now) || live.closed() !== undefined,
    { withinMs: lateWithinMs, everyMs: 250 },
  );
  if (difference === null) return { why: "the table could not be read" };
  const inSnapshot = new Set(begun.rows.map((row) => `${cellText(row["id"])} ${cellText(row["mark"])}`));
  const doubled = subscription.changes
    .filter(({ kind }) => kind === "insert")
    .map((change) => `${textIn(change, "id")} ${textIn(change, "mark")}`)
    .filter((row) => inSnapshot.has(row));
  const notices = noticesOf(subscription, live);
  // What a connection that was cut after the fence did not bring is not lost yet.
  const whole = isSame(difference) || live.closed() === undefined;
  live.close();
  // The burst is deleted again, so that the table stays small; this subscription does not see it any more.
  if (burst) await target.sql(op, `DELETE FROM ${table} WHERE id >= ${base + 100} AND id < ${base + 100 + burstRows}`);
  const during = written.filter(
    ({ answer: { kind, doneAt } }) => kind === "ok" && doneAt >= startedAt && doneAt <= begun.at,
  );
  return {
    burst,
    during: during.reduce((total, { rows }) => total + rows, 0),
    missing: difference.missing.slice(0, 5),
    ghosts: difference.ghosts.slice(0, 5),
    stale: difference.stale.slice(0, 5),
    doubled: doubled.slice(0, 3),
    fenced: fenced && whole,
    notices,
    exchange: subscription.exchange,
  };
}

export function insertText(table: string, from: number, count: number, mark: string): string {
  const rows = Array.from({ length: count }, (_, at) => `(${from + at}, '${mark} ${at}')`);
  return `INSERT INTO ${table} (id, mark) VALUES ${rows.join(", ")}`;
}
