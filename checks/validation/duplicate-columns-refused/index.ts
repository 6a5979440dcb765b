import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { cellText, known, rowsOf, type Account, type Target, type Values } from "../../../src/server/target.ts";
import { attempt, sortAttempts, whyUnknown, type Case } from "../../vocabulary/attempts.ts";
import { createTable, makeTable, type TableSpec } from "../../vocabulary/tables.ts";
import { sortTried, tryAll, tryOne, whyUnclear } from "../../vocabulary/trials.ts";

const creation = (name: string, columns: string, spec: Omit<TableSpec, "columns"> = { type: "SHARED" }): Case => ({
  name,
  sql: (table) => createTable(table, { columns, ...spec }),
});
const creations: readonly Case[] = [
  creation("the same name twice", "id BIGINT PRIMARY KEY, name TEXT, name TEXT"),
  creation("another case", "id BIGINT PRIMARY KEY, name TEXT, Name TEXT"),
  creation("in quotes", 'id BIGINT PRIMARY KEY, name TEXT, "name" TEXT'),
  creation("another type", "id BIGINT PRIMARY KEY, name TEXT, other INT, NAME INT"),
  creation("the key again", "id BIGINT PRIMARY KEY, v TEXT, ID TEXT"),
  creation("USER table", "id BIGINT PRIMARY KEY, v TEXT, V TEXT", { type: "USER" }),
  creation("STREAM table", "id BIGINT, v TEXT, V TEXT", { type: "STREAM", options: { TTL_SECONDS: 60 } }),
];
const valid = creation("proper", "id BIGINT PRIMARY KEY, name TEXT, name2 TEXT");

/** Of a table with the columns id, name and other. */
const changes: readonly { readonly name: string; readonly change: string; readonly onlyFolded?: true }[] = [
  { name: "ADD an existing one", change: "ADD COLUMN name TEXT" },
  { name: "ADD in another case", change: "ADD COLUMN NAME TEXT" },
  { name: "ADD in another case and quotes", change: 'ADD COLUMN "Name" TEXT', onlyFolded: true },
  { name: "ADD with another type", change: "ADD COLUMN other INT" },
  { name: "ADD the key", change: "ADD COLUMN id BIGINT" },
  { name: "RENAME onto another", change: "RENAME COLUMN other TO name" },
  { name: "RENAME onto another, in another case", change: "RENAME COLUMN other TO NAME" },
];

/** Where quoted names keep their case, "Name" is another column than name. */
function changesFor(quotedCase: Values["quotedCase"]): typeof changes {
  return quotedCase === "folded" ? changes : changes.filter((one) => one.onlyFolded !== true);
}

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
  title: "Duplicate column names are rejected",
  failureTitle: "A table can have two columns with the same name",
  description: `Creates ${creations.length} tables with a duplicate column name (identical, in another case, quoted, the key again), and tries ADD COLUMN and RENAME COLUMN with a name that the table already has (in quotes and another case only where quotes do not keep it). Each must be rejected, create no table, and leave columns and schema version unchanged. A valid CREATE TABLE and ADD COLUMN must work, and the latter must change the version.`,
  blindTo: "It does not look at the rows of an altered table; the durability category does.",
  risk: "A value is written to one column and read from another with the same name.",
  remedy: "Look for names that differ only by case in system.columns, and use lower case throughout.",
  covers: ["VAL-12"],
  expects: ["quotedCase"],
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
        `no change was accepted, but the schema version went from ${d.from} to ${d.to}`,
      risk: "Clients that cache a schema by its version reload or reject it although nothing changed.",
      remedy: "Compare columns, not versions, to detect schema changes until this is fixed.",
    },
  },
  async observe(target, context) {
    const { scratch } = context;
    const quotedCase = known(target.dialect.quotedCase);
    const op = await target.account("dba");
    const created = await attempt(target, op, scratch, [...creations, valid]);
    const table = await makeTable(target, context, op, `${scratch}.altered`, {
      type: "SHARED",
      columns: "id BIGINT PRIMARY KEY, name TEXT, other TEXT",
    });
    const alter = (name: string, change: string) => ({ name, as: op, sql: `ALTER TABLE ${table} ${change}` });
    const before = await shapeOf(target, op, scratch);
    const altered = await tryAll(
      target,
      changesFor(quotedCase).map(({ name, change }) => alter(name, change)),
    );
    const after = await shapeOf(target, op, scratch);
    const added = await tryOne(target, alter("proper", "ADD COLUMN fresh TEXT"));
    return { quotedCase, created, before, altered, after, added, moved: await shapeOf(target, op, scratch) };
  },
  judge({ quotedCase, created, before, altered, after, added, moved }, { found }) {
    const made = sortAttempts(created.attempts.slice(0, creations.length));
    const changed = sortTried(altered);
    for (const one of [...made.accepted, ...made.halfDone])
      found.accepted({ case: one.case, columns: [] }, { case: one.case, sent: one.said });
    for (const one of changed.accepted)
      found.accepted({ case: one.case, columns: after?.columns ?? [] }, { case: one.case, sent: one.said });
    if (before === null || after === null) return unknown("columns and version of the altered table could not be read");
    // An accepted change explains both.
    if (changed.accepted.length === 0) {
      if (after.version !== before.version) found.versionMoved({ from: before.version, to: after.version });
      else if (after.columns.join() !== before.columns.join())
        found.accepted({ case: "looked up afterwards", columns: after.columns });
    }
    const why = whyUnknown(created.unread, made) ?? whyUnclear(changed);
    if (why !== undefined) return unknown(why);
    if (created.attempts.length <= creations.length || altered.length < changesFor(quotedCase).length)
      return unknown(`only ${created.attempts.length + altered.length} statements were tried`);
    if (created.attempts.at(-1)?.made === null || added.said.kind !== "ok")
      return unknown("a valid CREATE TABLE or ADD COLUMN does not work either, so the rejections show nothing");
    if (moved === null || moved.version === before.version)
      return unknown("a valid ADD COLUMN does not change the version, so an unchanged version shows nothing");
    return pass(
      `${made.refused.length} tables and ${changed.refused.length} changes rejected, columns and version ${before.version} unchanged; a valid change moves it to ${moved.version}`,
    );
  },
});
