import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { saidOf, isCleanRefusal, type Account, type Said } from "../../../src/server/target.ts";
import { sampleAtLight } from "../../vocabulary/sample.ts";
import { makeTable, sharedTable } from "../../vocabulary/tables.ts";
import { isPermissionDenied, shown } from "../../vocabulary/trials.ts";
import { doubtOf, kinds, recreate, reportLostRows, reportOldRows, rowFindings } from "./recreation.ts";

/** Sent by a dba. `{ns}` is the scratch namespace, `{no}` the name of a namespace that does not exist. */
const missing: readonly (readonly [name: string, sql: string])[] = [
  ["a table", "DROP TABLE {ns}.missing"],
  ["a USER table", "DROP USER TABLE {ns}.missing"],
  ["a SHARED table", "DROP SHARED TABLE {ns}.missing"],
  ["a table in a missing namespace", "DROP TABLE {no}.missing"],
];
const ifExists: readonly string[] = ["DROP TABLE IF EXISTS {ns}.missing", "DROP TABLE IF EXISTS {no}.missing"];
/** An existing and a missing table: for an account that may not drop, the answers must not differ. */
const pairs: readonly (readonly [name: string, existing: string, missing: string])[] = [
  ["a private table", "DROP TABLE {ns}.closed", "DROP TABLE {ns}.missing"],
  ["a table of users' rows", "DROP TABLE {ns}.rows", "DROP TABLE {ns}.missing"],
  ["IF EXISTS", "DROP TABLE IF EXISTS {ns}.closed", "DROP TABLE IF EXISTS {ns}.missing"],
  ["a namespace", "DROP TABLE {ns}.missing", "DROP TABLE {no}.missing"],
];
type Dropped = { readonly case: string; readonly said: Said };
type Pair = { readonly case: string; readonly role: string; readonly there: Said; readonly missing: Said };

export const dropMissingTableRefused = defineCheck({
  id: "validation/drop-missing-table-refused",
  title: "DROP TABLE removes existing tables completely, nothing else",
  failureTitle: "DROP TABLE accepts missing tables, leaks names or leaves rows",
  description: `Drops ${missing.length} tables that do not exist: each DROP must be rejected; with IF EXISTS it must succeed and change nothing. A plain user and a service account drop existing and missing tables: the errors must not differ, so that they do not reveal which tables exist. Then a USER, a SHARED and a STREAM table with rows, some of them flushed, is dropped and created again: it must be empty, accept an old key again, and show exactly the new rows, before and after a flush.`,
  blindTo:
    "Files that a drop leaves on disk; live queries on a table that is dropped and created again. At light effort the service account drops two tables only.",
  risk: "A script that drops a wrong name reports success, or an account without privileges destroys a table.",
  remedy: "Look the table up in system.tables before dropping it, until this is fixed.",
  covers: ["VAL-11"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_500,
  estimateRequests: 70,
  findings: {
    accepted: {
      say: (d: { case: string; as: string; message: string }) =>
        `dropping ${d.case}, as ${d.as}, succeeded: ${d.message}`,
    },
    refusedIfExists: {
      say: (d: { case: string; message: string }) => `${d.case} was rejected: ${d.message}`,
      risk: "Scripts that must be repeatable fail on their second run.",
      remedy: "Ignore the error for a missing table in your scripts until this is fixed.",
    },
    toldExistence: {
      say: (d: { case: string; as: string; there: string; missing: string }) =>
        `${d.case}, as ${d.as}: the error for an existing one is "${d.there}", for a missing one "${d.missing}"`,
      risk: "An account without privileges can find out which tables and namespaces exist.",
      remedy: "Use table and namespace names that reveal nothing, until this is fixed.",
    },
    ...rowFindings,
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const user = await target.account("user");
    const service = await target.account("service");
    const { scratch: ns } = context;
    const no = context.name("nowhere");
    const say = async (as: Account, sql: string): Promise<Said> =>
      saidOf(await target.sql(as, sql.replaceAll("{ns}", ns).replaceAll("{no}", no)));
    const columns = "id BIGINT PRIMARY KEY";
    await sharedTable(target, context, op, `${ns}.closed`, { columns });
    await makeTable(target, context, op, `${ns}.rows`, { columns });
    const tables = async (): Promise<string | null> =>
      await shown(
        target,
        op,
        `SELECT table_name FROM system.tables WHERE namespace_id = '${ns}' ORDER BY table_name LIMIT 50`,
      );
    const before = await tables();
    const dropped: Dropped[] = [];
    for (const [name, sql] of missing) dropped.push({ case: name, said: await say(op, sql) });
    const idempotent: Dropped[] = [];
    for (const sql of ifExists) idempotent.push({ case: sql, said: await say(op, sql) });
    const compared: Pair[] = [];
    // A service account that may not drop is a plain user in this: at light effort a part of the pairs shows it.
    const ofService = sampleAtLight(context, pairs, pairs.length - 1);
    for (const as of [user, service]) {
      // One answer serves for all pairs with that statement.
      const known = new Map<string, Said>();
      const once = async (sql: string): Promise<Said> => {
        const said = known.get(sql) ?? (await say(as, sql));
        known.set(sql, said);
        return said;
      };
      for (const [name, there, not] of as === service ? ofService : pairs)
        compared.push({ case: name, role: as.role, there: await once(there), missing: await once(not) });
    }
    const after = await tables();
    const control = await say(op, "DROP TABLE {ns}.closed");
    const recreated = await Promise.all(kinds.map(async (kind) => await recreate(target, context, op, user, kind)));
    const wanted = pairs.length + ofService.length;
    return { ns, no, before, after, dropped, idempotent, compared, control, recreated, wanted };
  },
  judge(seen, { found }) {
    const { dropped, idempotent, compared, recreated, wanted } = seen;
    const accept = (name: string, as: string, said: Said): void => {
      if (said.kind === "ok")
        found.accepted({ case: name, as, message: said.message }, { case: `${name}, as ${as}`, sent: said });
    };
    for (const one of dropped) accept(one.case, "dba", one.said);
    for (const one of compared) accept(one.case, one.role, one.there);
    for (const { case: name, said } of idempotent)
      if (said.kind === "refused")
        found.refusedIfExists({ case: name, message: said.message }, { case: name, sent: said });
    const withoutNames = ({ status, code, message }: Said): string =>
      `${status ?? ""} ${code} ${[seen.no, seen.ns, "missing", "closed", "rows"].reduce((text, name) => text.replaceAll(name, "…"), message)}`;
    for (const { case: name, role, there, missing: not } of compared) {
      if (there.kind === "ok" || !isAnswer(there) || !isAnswer(not) || withoutNames(there) === withoutNames(not))
        continue;
      const data = { there: there.message, missing: not.kind === "ok" ? `200 ${not.message}` : not.message };
      found.toldExistence({ case: name, as: role, ...data }, { case: `${name}, as ${role}`, sent: [there, not] });
    }
    for (const one of recreated) reportOldRows(one, found);
    for (const one of recreated) reportLostRows(one, found);
    if (seen.before === null || seen.after !== seen.before)
      return unknown("the tables could not be listed before and after, or differ although every drop was rejected");
    if (seen.control.kind !== "ok")
      return unknown(`dropping an existing table does not work either: ${seen.control.message}`);
    const unclear = [
      ...dropped.filter(({ said }) => !isCleanRefusal(said)),
      ...idempotent.filter(({ said }) => said.kind !== "ok"),
    ][0];
    if (unclear !== undefined)
      return unknown(`${unclear.case}: neither accepted nor rejected: ${unclear.said.code} ${unclear.said.message}`);
    const other = compared.find(({ there, missing: not }) => !isPermissionDenied(there) || !isPermissionDenied(not));
    if (other !== undefined)
      return unknown(
        `${other.case}, as ${other.role}, was not rejected for missing privileges: ${other.there.message}`,
      );
    if (dropped.length < missing.length || idempotent.length < ifExists.length || compared.length < wanted)
      return unknown("not all of the drops were tried");
    for (const kind of kinds) {
      const doubt = doubtOf(
        kind,
        recreated.find(({ type }) => type === kind.type),
      );
      if (doubt !== undefined) return unknown(doubt);
    }
    return pass(
      `${dropped.length} of ${dropped.length} drops of missing tables rejected, ${idempotent.length} with IF EXISTS changed nothing, the errors of ${compared.length} pairs do not differ for accounts without privileges; ${recreated.length} recreated tables start empty`,
    );
  },
});

function isAnswer({ kind, why }: Said): boolean {
  return kind !== "unsure" && why !== "rate";
}
