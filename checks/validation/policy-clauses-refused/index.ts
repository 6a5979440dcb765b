import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { cellText, rowsOf } from "../../../src/server/target.ts";
import { createTable } from "../../vocabulary/tables.ts";
import { sortTried, tryAll, tryOne, whyUnclear } from "../../vocabulary/trials.ts";

const columns = "id BIGINT PRIMARY KEY, v TEXT";
const policy = (rest: string) => (table: string) => `CREATE POLICY kr_wrong ON ${table} ${rest}`;

/** What must be refused: each would open the table, or seem to, if a clause of it were ignored. */
export const wrong: readonly { readonly name: string; readonly sql: (table: string) => string }[] = [
  { name: "RESTRICTIVE", sql: policy("AS RESTRICTIVE FOR SELECT TO user USING (true)") },
  { name: "USING on INSERT", sql: policy("FOR INSERT TO user USING (true)") },
  { name: "WITH CHECK on SELECT", sql: policy("FOR SELECT TO user WITH CHECK (true)") },
  { name: "both on SELECT", sql: policy("FOR SELECT TO user USING (true) WITH CHECK (true)") },
  { name: "WITH CHECK on DELETE", sql: policy("FOR DELETE TO user WITH CHECK (true)") },
  { name: "a column that does not exist", sql: policy("FOR SELECT TO user USING (no_such_column = 1)") },
  {
    name: "ACCESS_LEVEL in CREATE TABLE",
    sql: (table) => createTable(`${table}_level`, { type: "SHARED", columns, options: { ACCESS_LEVEL: "PUBLIC" } }),
  },
  {
    name: "ACCESS_LEVEL in ALTER TABLE",
    sql: (table) => `ALTER TABLE ${table} SET TBLPROPERTIES (ACCESS_LEVEL = 'PUBLIC')`,
  },
  { name: "SET ACCESS LEVEL", sql: (table) => `ALTER TABLE ${table} SET ACCESS LEVEL PUBLIC` },
];

const rowCount = 3;
const control = "a valid policy";

export const policyClausesRefused = defineCheck({
  id: "validation/policy-clauses-refused",
  title: "Invalid policies and access levels are rejected",
  failureTitle: "An invalid policy or an access level is accepted or ignored",
  description: `Sends ${wrong.length} statements that a server with policies must reject: RESTRICTIVE policies, USING on INSERT, WITH CHECK on SELECT and DELETE, a condition on a missing column, and ACCESS_LEVEL in CREATE TABLE and ALTER TABLE. After each, a plain user must still read no row of the table. Then a valid policy must open it. Promise: RESTRICTIVE, USING on INSERT and WITH CHECK on SELECT or DELETE are refused; ACCESS_LEVEL is refused, never ignored.`,
  blindTo: "Conditions that are valid and do not mean what was intended; ALTER POLICY with the same clauses.",
  risk: "A clause that was meant to restrict access is ignored, and rows are open that their owner believes to be closed.",
  remedy:
    "Read the policies back from system.table_policies after each deployment and compare them with what was written.",
  covers: [],
  appliesWhere: { sharedAccess: "policies" },
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  uses: { user: 1 },
  estimateMs: 600,
  estimateRequests: 2 * wrong.length + 6,
  findings: {
    accepted: { say: (d: { case: string }) => `accepted instead of rejected: ${d.case}` },
    opened: {
      say: (d: { case: string; rows: number }) => `${d.case}: a user reads ${d.rows} rows afterwards, expected none`,
      risk: "A statement that was reported as rejected opens a table to every user.",
    },
    validRefused: {
      say: (d: { outcome: string }) => `a valid policy does not work: ${d.outcome}`,
      risk: "Shared tables cannot be opened to the accounts that need them.",
      remedy: "Look in the server's log for the failed CREATE POLICY.",
    },
  },
  async observe(target, context) {
    const [op, user] = [await target.account("dba"), await target.account("user")];
    const table = `${context.scratch}.guarded`;
    context.need(await target.sql(op, createTable(table, { type: "SHARED", columns })), "the table could not be made");
    const rows = Array.from({ length: rowCount }, (_, at) => `(${at + 1}, 'row ${at + 1}')`);
    const inserted = await target.sql(op, `INSERT INTO ${table} (id, v) VALUES ${rows.join(", ")}`);
    context.need(inserted, "the rows could not be written");
    const read = async (): Promise<number | null> => {
      const count = rowsOf(await target.sql(user, `SELECT COUNT(*) AS n FROM ${table}`))?.[0]?.["n"];
      return count === undefined ? null : Number(cellText(count));
    };
    const before = await read();
    const tried = [];
    for (const { name, sql } of wrong) {
      const [one] = await tryAll(target, [{ name, as: op, sql: sql(table) }]);
      if (one !== undefined) tried.push({ ...one, userReads: await read() });
    }
    const valid = `CREATE POLICY kr_valid ON ${table} FOR SELECT TO user USING (id > 1)`;
    const opened = await tryOne(target, { name: control, as: op, sql: valid });
    return { before, tried, valid: { ...opened, userReads: await read() } };
  },
  judge({ before, tried, valid }, { found }) {
    const sorted = sortTried(tried);
    for (const one of sorted.accepted) found.accepted({ case: one.case }, { case: one.case, sent: one.said });
    let last = before ?? 0;
    for (const { case: name, said, userReads } of tried) {
      if (userReads !== null && userReads > last)
        found.opened({ case: name, rows: userReads }, { case: name, sent: said });
      last = userReads ?? last;
    }
    if (valid.said.kind === "refused" && valid.said.why !== "rate")
      found.validRefused({ outcome: `${valid.said.code} ${valid.said.message}` }, { sent: valid.said });
    const doubt = whyUnclear(sorted);
    if (doubt !== undefined) return unknown(doubt);
    if (tried.length < wrong.length) return unknown(`only ${tried.length} of ${wrong.length} statements were tried`);
    if (before !== 0)
      return unknown(`without a policy the user reads ${before ?? "no"} rows, expected 0 of ${rowCount}`);
    if (tried.some(({ userReads }) => userReads === null)) return unknown("the user's rows could not be read");
    if (valid.said.kind !== "ok" || valid.userReads !== rowCount - 1)
      return unknown(`with a valid policy the user reads ${valid.userReads ?? "no"} rows, expected ${rowCount - 1}`);
    return pass(`${sorted.refused.length} of ${wrong.length} rejected, and none opened the table; a valid policy did`);
  },
});
