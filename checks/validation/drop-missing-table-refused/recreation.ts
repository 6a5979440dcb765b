/** Tables that are dropped with their rows and created again under the same name. */
import type { Collector, Context } from "../../../src/check.ts";
import { listed, saidOf, type Account, type Dialect, type Said, type Target } from "../../../src/server/target.ts";
import { flushToSegments } from "../../vocabulary/cold.ts";
import { createSharedTable, createTable } from "../../vocabulary/tables.ts";

const columns = "id BIGINT PRIMARY KEY, v TEXT";

/** `cold`: whether rows can be flushed to cold storage. */
export const kinds = [
  { type: "USER", create: (table: string) => createTable(table, { columns }), cold: true },
  {
    type: "SHARED",
    create: (table: string, dialect: Dialect) =>
      createSharedTable(dialect, table, { columns, readers: ["user"] }).join("; "),
    cold: true,
  },
  {
    type: "STREAM",
    create: (table: string) => createTable(table, { type: "STREAM", columns, options: { TTL_SECONDS: 3600 } }),
    cold: false,
  },
] as const;

type Kind = (typeof kinds)[number];

/** The keys that a read returned; null if it was not answered with rows. */
type Read = { readonly keys: readonly string[] | null; readonly said: Said };

export type Recreated = {
  readonly type: string;
  readonly before: Read;
  /** How many rows were in segments before the drop; null if that could not be seen. */
  readonly cold: number | null;
  /** CREATE, two INSERTs, DROP, CREATE. */
  readonly steps: readonly Said[];
  readonly dropped: Read;
  readonly again: Read;
  readonly byOldKey: Read;
  /** An INSERT with a key that an old row had, and a new one. */
  readonly inserted: Said;
  readonly withNew: Read;
  readonly flushedNew: Read;
  /** Why the new rows were not flushed before they were read; null if they were, or cannot be. */
  readonly unflushed: string | null;
};

/** Drops a table with rows and creates it again; all reads are those of a plain user. */
export async function recreate(
  target: Target,
  context: Context,
  op: Account,
  user: Account,
  kind: Kind,
): Promise<Recreated> {
  const t = `${context.scratch}.again_${kind.type.toLowerCase()}`;
  const writer = kind.type === "SHARED" ? op : user;
  const scope = kind.type === "SHARED" ? "shared" : user.name;
  const create = kind.create(t, target.dialect);
  const steps: Said[] = [];
  const step = async (as: Account, sql: string): Promise<void> => {
    steps.push(saidOf(await target.sql(as, sql)));
  };
  const read = async (where = ""): Promise<Read> => {
    const answer = await target.sql(user, `SELECT id FROM ${t}${where} ORDER BY id LIMIT 50`);
    return { keys: listed(answer) ?? null, said: saidOf(answer) };
  };
  await step(op, create);
  await step(writer, `INSERT INTO ${t} (id, v) VALUES (1, 'old'), (2, 'old')`);
  const segments = kind.cold ? await flushToSegments(target, context, op, t, [scope]) : null;
  await step(writer, `INSERT INTO ${t} (id, v) VALUES (3, 'old')`);
  const before = await read();
  await step(op, `DROP TABLE ${t}`);
  const dropped = await read();
  await step(op, create);
  const again = await read();
  const byOldKey = await read(" WHERE id = 2");
  const inserted = saidOf(await target.sql(writer, `INSERT INTO ${t} (id, v) VALUES (1, 'new'), (4, 'new')`));
  const withNew = await read();
  const flushedAgain = kind.cold ? await flushToSegments(target, context, op, t, [scope]) : null;
  const flushedNew = await read();
  const cold = segments === null || typeof segments === "string" ? null : (segments[scope] ?? 0);
  return {
    type: kind.type,
    before,
    cold,
    steps,
    dropped,
    again,
    byOldKey,
    inserted,
    withNew,
    flushedNew,
    unflushed: typeof flushedAgain === "string" ? flushedAgain : null,
  };
}

const oldKeys = "1,2,3";
const newKeys = ["1", "4"];

export const rowFindings = {
  oldRowsBack: {
    say: (d: { type: string; when: string; keys: readonly string[] }) =>
      `a ${d.type} table that was dropped and created again shows old rows ${d.when}: keys ${d.keys.join(", ")}`,
    risk: "Rows that were deleted for good become visible again, also to users who must not see them.",
    remedy: "Give a recreated table a new name, or delete the rows before the drop, until this is fixed.",
  },
  newRowsLost: {
    say: (d: { type: string; when: string; keys: readonly string[] }) =>
      `a ${d.type} table that was dropped and created again loses new rows ${d.when}: keys ${d.keys.join(", ")}`,
    risk: "Acknowledged rows are deleted along with those of the dropped table.",
    remedy: "Give a recreated table a new name until this is fixed.",
  },
};
type RowCollector = Collector<typeof rowFindings>;

/** Reports the first read that shows a dropped row. A drop that was rejected drops nothing. */
export function reportOldRows(
  { type, steps, dropped, again, byOldKey, inserted, withNew, flushedNew }: Recreated,
  found: Pick<RowCollector, "oldRowsBack">,
): void {
  if (steps.some(({ kind }) => kind !== "ok")) return;
  const report = (when: string, keys: readonly string[], said: Said): void =>
    found.oldRowsBack({ type, when, keys }, { case: type, sent: [...steps.slice(3, 4), said] });
  const reads: readonly (readonly [string, Read, readonly string[]])[] = [
    ["after the drop", dropped, []],
    ["immediately", again, []],
    ["by key", byOldKey, []],
    ["beside new rows", withNew, newKeys],
    ["after a flush", flushedNew, newKeys],
  ];
  for (const [when, { keys, said }, wanted] of reads) {
    const old = (keys ?? []).filter((key, at, all) => !wanted.includes(key) || all.indexOf(key) !== at);
    if (old.length > 0) {
      report(when, old, said);
      return;
    }
  }
  if (inserted.why === "constraint" || inserted.why === "exists")
    report(`only as a conflict with new rows (${inserted.message})`, ["1"], inserted);
}

/** Reports the first read that lacks an acknowledged new row: the clean-up of the drop removed it. */
export function reportLostRows(
  { type, inserted, withNew, flushedNew }: Recreated,
  found: Pick<RowCollector, "newRowsLost">,
): void {
  if (inserted.kind !== "ok") return;
  for (const [when, { keys, said }] of [
    ["immediately", withNew],
    ["after a flush", flushedNew],
  ] as const) {
    const lost = keys === null ? [] : newKeys.filter((key) => !keys.includes(key));
    if (lost.length === 0) continue;
    found.newRowsLost({ type, when, keys: lost }, { case: type, sent: [inserted, said] });
    return;
  }
}

/** Why the evidence does not show that a dropped table is gone; undefined if it does. */
export function doubtOf({ type, cold }: Kind, seen: Recreated | undefined): string | undefined {
  if (seen === undefined) return `no ${type} table was dropped and created again`;
  const failed = [...seen.steps, seen.inserted].find(({ kind }) => kind !== "ok");
  if (failed !== undefined) return `${type}: a step failed: ${failed.message}`;
  if (seen.before.keys?.join() !== oldKeys) return `${type}: not all of the rows to drop were there`;
  if (cold && (seen.cold ?? 0) < 2) return `${type}: the rows to drop were not seen in cold storage`;
  if (seen.unflushed !== null) return `${type}: the new rows could not be flushed: ${seen.unflushed}`;
  if (seen.dropped.said.kind === "ok" || isUnanswered(seen.dropped.said))
    return `${type}: a read after the drop did not show that the table is gone: ${seen.dropped.said.message}`;
  if (seen.again.keys === null || seen.byOldKey.keys === null)
    return `${type}: the table could not be read after it was created again`;
  for (const { keys } of [seen.withNew, seen.flushedNew])
    if (keys?.join() !== newKeys.join())
      return `${type}: not all of the new rows are there: ${keys?.join(", ") ?? "unread"}`;
  return undefined;
}

function isUnanswered({ status, why }: Said): boolean {
  return status === null || status >= 500 || why === "rate";
}
