import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { cellText, rowsOf, type Account, type Target } from "../../../src/server/target.ts";
import { attempt, sortAttempts, whyUnknown, type Case } from "../../vocabulary/attempts.ts";
import { sortTried, tryAll, whyUnclear } from "../../vocabulary/trials.ts";

const shared = (columns: string) => (table: string) => `CREATE TABLE ${table} (${columns}) WITH (TYPE='SHARED')`;
const creations: readonly Case[] = [
  { name: "the same name twice", sql: shared("id BIGINT PRIMARY KEY, name TEXT, name TEXT") },
  { name: "another case", sql: shared("id BIGINT PRIMARY KEY, name TEXT, Name TEXT") },
  { name: "in quotes", sql: shared('id BIGINT PRIMARY KEY, name TEXT, "name" TEXT') },
  { name: "another type", sql: shared("id BIGINT PRIMARY KEY, name TEXT, other INT, NAME INT") },
  { name: "the key again", sql: shared("id BIGINT PRIMARY KEY, v TEXT, ID TEXT") },
  {
    name: "USER table",
    sql: (table) => `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, v TEXT, V TEXT) WITH (TYPE='USER')`,
  },
  {
    name: "STREAM table",
    sql: (table) => `CREATE TABLE ${table} (id BIGINT, v TEXT, V TEXT) WITH (TYPE='STREAM', TTL_SECONDS=60)`,
  },
];
const proper: Case = { name: "proper", sql: shared("id BIGINT PRIMARY KEY, name TEXT, name2 TEXT") };

/** Changes of a table that has the columns id, name and other. */
const changes: readonly { readonly name: string; readonly change: string }[] = [
  { name: "ADD an existing one", change: "ADD COLUMN name TEXT" },
  { name: "ADD in another case", change: "ADD COLUMN NAME TEXT" },
  { name: "ADD in another case and quotes", change: 'ADD COLUMN "Name" TEXT' },
  { name: "ADD with another type", change: "ADD COLUMN other INT" },
  { name: "ADD the key", change: "ADD COLUMN id BIGINT" },
  { name: "RENAME onto another", change: "RENAME COLUMN other TO name" },
  { name: "RENAME onto another, in another case", change: "RENAME COLUMN other TO NAME" },
];

type Shape = { readonly version: string; readonly columns: readonly string[] };

async function shapeOf(target: Target, as: Account, namespace: string): Promise<Shape | null> {
  const where = `namespace_id = '${namespace}' AND table_name = 'altered'`;
  const [table] = rowsOf(await target.sql(as, `SELECT version FROM system.tables WHERE ${where} LIMIT 2`)) ?? [];
  const columns = rowsOf(
    await target.sql(as, `SELECT column_name FROM system.columns WHERE ${where} ORDER BY column_name LIMIT 100`),
  );
  if (table === undefined || columns === undefined || columns.length === 0) return null;
  return { version: cellText(table["version"]), columns: columns.map((row) => cellText(row["column_name"])) };
}

export const duplicateColumnsRefused = defineCheck({
  id: "validation/duplicate-columns-refused",
  title: "Two columns of one name are refused",
  failureTitle: "A table can get two columns of one name",
  description: `Creates ${creations.length} tables with a repeated column name (the same, in another case, in quotes, the key again), and tries to give a table a name that it has, by ADD COLUMN and RENAME COLUMN. Each must be refused, leave no table, and leave columns and version as they were. A proper table and a proper ADD COLUMN must work, and the version must then move.`,
  blindTo: "It does not look at the rows of an altered table; durability/schema-survives-restart does.",
  risk: "A value is written to one column and read from another one of the same name.",
  remedy: "Look for names that differ only by case in system.columns, and keep to lower case.",
  covers: ["VAL-12"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 400,
  estimateRequests: creations.length + changes.length + 10,
  findings: {
    accepted: {
      say: (d: { case: string; columns: readonly string[] }) =>
        `${d.case}: accepted${d.columns.length === 0 ? "" : `; the columns are now ${d.columns.join(", ")}`}`,
    },
    versionMoved: {
      say: (d: { from: string; to: string }) =>
        `every change was refused, and the table's version went from ${d.from} to ${d.to}`,
    },
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    const created = await attempt(target, op, scratch, [...creations, proper]);
    const table = `${scratch}.altered`;
    await target.sql(op, `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, name TEXT, other TEXT) WITH (TYPE='SHARED')`);
    const before = await shapeOf(target, op, scratch);
    const altered = await tryAll(
      target,
      changes.map(({ name, change }) => ({ name, as: op, sql: `ALTER TABLE ${table} ${change}` })),
    );
    const after = await shapeOf(target, op, scratch);
    const [added] = await tryAll(target, [
      { name: "proper", as: op, sql: `ALTER TABLE ${table} ADD COLUMN fresh TEXT` },
    ]);
    return { created, before, altered, after, added: added ?? null, moved: await shapeOf(target, op, scratch) };
  },
  judge({ created, before, altered, after, added, moved }) {
    const made = sortAttempts(created.attempts.slice(0, creations.length));
    const changed = sortTried(altered);
    const found = [
      ...[...made.accepted, ...made.halfDone].map((one) => ({ one, columns: [] as readonly string[] })),
      ...changed.accepted.map((one) => ({ one, columns: after?.columns ?? [] })),
    ].map(({ one, columns }) => ({
      name: "accepted" as const,
      case: one.case,
      data: { case: one.case, columns },
      sent: [one.said.exchange],
    }));
    if (found.length > 0) return fail(...found);
    if (before === null || after === null) return unknown("columns and version of the altered table could not be read");
    if (after.version !== before.version)
      return fail({ name: "versionMoved", data: { from: before.version, to: after.version } });
    if (after.columns.join() !== before.columns.join())
      return fail({ name: "accepted", data: { case: "looked up afterwards", columns: after.columns } });
    const why = whyUnknown(created.unread, made) ?? whyUnclear(changed);
    if (why !== undefined) return unknown(why);
    if (created.attempts.length <= creations.length || altered.length < changes.length)
      return unknown(`only ${created.attempts.length + altered.length} statements were tried`);
    if (created.attempts.at(-1)?.made === null || added?.said.kind !== "ok")
      return unknown("a proper table or a proper ADD COLUMN does not work either, so the refusals show nothing");
    if (moved === null || moved.version === before.version)
      return unknown("a proper ADD COLUMN does not move the version, so a version that stood still shows nothing");
    return pass(
      `${made.refused.length} tables and ${changed.refused.length} changes refused, columns and version ${before.version} as before; a proper change moves it to ${moved.version}`,
    );
  },
});
