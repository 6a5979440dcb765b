import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { saidOf, isCleanRefusal, type Account, type Said } from "../../../src/server/target.ts";
import { isPermissionDenied, shown } from "../../vocabulary/trials.ts";
import { doubtOf, kinds, lostRows, oldRows, recreate } from "./recreation.ts";

/** What a dba drops that is not there: `{ns}` a namespace of ours, `{no}` the name of none. */
const missing: readonly (readonly [name: string, sql: string])[] = [
  ["a table", "DROP TABLE {ns}.missing"],
  ["a USER table", "DROP USER TABLE {ns}.missing"],
  ["a SHARED table", "DROP SHARED TABLE {ns}.missing"],
  ["a table in a missing namespace", "DROP TABLE {no}.missing"],
];
const ifExists: readonly string[] = ["DROP TABLE IF EXISTS {ns}.missing", "DROP TABLE IF EXISTS {no}.missing"];
/** Pairs of what is there and what is not: to whoever may not drop, both are the same. */
const pairs: readonly (readonly [name: string, there: string, missing: string])[] = [
  ["a private table", "DROP TABLE {ns}.closed", "DROP TABLE {ns}.missing"],
  ["a table of users' rows", "DROP TABLE {ns}.rows", "DROP TABLE {ns}.missing"],
  ["IF EXISTS", "DROP TABLE IF EXISTS {ns}.closed", "DROP TABLE IF EXISTS {ns}.missing"],
  ["a namespace", "DROP TABLE {ns}.missing", "DROP TABLE {no}.missing"],
];
type Dropped = { readonly case: string; readonly said: Said };
type Pair = { readonly case: string; readonly role: string; readonly there: Said; readonly missing: Said };
export const dropMissingTableRefused = defineCheck({
  id: "validation/drop-missing-table-refused",
  title: "DROP TABLE drops what is there, wholly, and nothing else",
  failureTitle: "DROP TABLE of nothing works, tells tales, or leaves rows",
  description: `Drops ${missing.length} tables that are not there: each must be refused, and with IF EXISTS it must work and change nothing. A plain user and a service account drop tables that are there and some that are not: all must be refused alike, so that nobody learns which there are. Then a USER, a SHARED and a STREAM table with rows, flushed and not, is dropped and made again: it must be empty at once, take an old key again, and show the new rows and no others, before and after a flush.`,
  blindTo: "Files that a drop leaves on the disk; what a live query on a dropped and recreated table shows.",
  risk: "A script that drops the wrong name is told that all went well; rows that were deleted for good come back.",
  remedy: "Look up system.tables before dropping; give a recreated table another name until this passes.",
  covers: ["VAL-11"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_500,
  estimateRequests: 90,
  findings: {
    accepted: {
      say: (d: { case: string; as: string; message: string }) =>
        `dropping ${d.case}, as ${d.as}, succeeded: ${d.message}`,
    },
    refusedIfExists: { say: (d: { case: string; message: string }) => `${d.case} was refused: ${d.message}` },
    toldExistence: {
      say: (d: { case: string; as: string; there: string; missing: string }) =>
        `${d.case}, as ${d.as}: what is there is refused with "${d.there}", what is not with "${d.missing}"`,
    },
    oldRowsBack: {
      say: (d: { type: string; when: string; keys: readonly string[] }) =>
        `a ${d.type} table that was dropped and made again shows old rows ${d.when}: keys ${d.keys.join(", ")}`,
    },
    newRowsLost: {
      say: (d: { type: string; when: string; keys: readonly string[] }) =>
        `a ${d.type} table that was dropped and made again loses new rows ${d.when}: keys ${d.keys.join(", ")}`,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const user = await target.account("user");
    const service = await target.account("service");
    const { scratch: ns } = context;
    const no = context.name("nowhere");
    const place = (sql: string): string => sql.replaceAll("{ns}", ns).replaceAll("{no}", no);
    const say = async (as: Account, sql: string): Promise<Said> => saidOf(await target.sql(as, place(sql)));
    const setUp = [
      await say(op, "CREATE TABLE {ns}.closed (id BIGINT PRIMARY KEY) WITH (TYPE='SHARED', ACCESS_LEVEL='PRIVATE')"),
      await say(op, "CREATE TABLE {ns}.rows (id BIGINT PRIMARY KEY) WITH (TYPE='USER')"),
    ];
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
    const told: Pair[] = [];
    for (const as of [user, service])
      for (const [name, there, not] of pairs)
        told.push({ case: name, role: as.role, there: await say(as, there), missing: await say(as, not) });
    const after = await tables();
    const control = await say(op, "DROP TABLE {ns}.closed");
    const recreated = await Promise.all(kinds.map(async (kind) => await recreate(target, context, op, user, kind)));
    return { ns, no, setUp, before, after, dropped, idempotent, told, control, recreated };
  },
  judge(seen) {
    const { dropped, idempotent, told, recreated } = seen;
    const normal = ({ status, code, message }: Said): string =>
      `${status ?? ""} ${code} ${[seen.ns, seen.no, "missing", "closed", "rows"].reduce((text, name) => text.replaceAll(name, "…"), message)}`;
    const openTo = told.flatMap(({ case: name, role, there }) =>
      there.kind === "ok" ? [{ name, role, said: there }] : [],
    );
    const found = [
      ...[...dropped.map((one) => ({ name: one.case, role: "dba", said: one.said })), ...openTo]
        .filter(({ said }) => said.kind === "ok")
        .map(({ name, role, said }) => ({
          name: "accepted" as const,
          case: `${name}, as ${role}`,
          data: { case: name, as: role, message: said.message },
          sent: [said.exchange],
        })),
      ...idempotent
        .filter(({ said }) => said.kind === "refused")
        .map(({ case: name, said }) => ({
          name: "refusedIfExists" as const,
          case: name,
          data: { case: name, message: said.message },
          sent: [said.exchange],
        })),
      ...told
        .filter(
          ({ there, missing: not }) =>
            there.kind !== "ok" && isAnswer(there) && isAnswer(not) && normal(there) !== normal(not),
        )
        .map(({ case: name, role, there, missing: not }) => ({
          name: "toldExistence" as const,
          case: `${name}, as ${role}`,
          data: {
            case: name,
            as: role,
            there: there.message,
            missing: not.kind === "ok" ? `200 ${not.message}` : not.message,
          },
          sent: [there.exchange, not.exchange],
        })),
      ...recreated.flatMap(oldRows),
      ...recreated.flatMap(lostRows),
    ];
    if (found.length > 0) return fail(...found);
    const broken = seen.setUp.find(({ kind }) => kind !== "ok");
    if (broken !== undefined) return unknown(`the set-up did not work: ${broken.message}`);
    if (seen.before === null || seen.after !== seen.before)
      return unknown("the tables could not be listed before and after, or were not the same although all was refused");
    if (seen.control.kind !== "ok")
      return unknown(`dropping one that is there did not work either: ${seen.control.message}`);
    const vague = [
      ...dropped.filter(({ said }) => !isCleanRefusal(said)),
      ...idempotent.filter(({ said }) => said.kind !== "ok"),
    ][0];
    if (vague !== undefined)
      return unknown(`${vague.case}: neither accepted nor refused, but ${vague.said.code} ${vague.said.message}`);
    const other = told.find(({ there, missing: not }) => !isPermissionDenied(there) || !isPermissionDenied(not));
    if (other !== undefined)
      return unknown(`${other.case}, as ${other.role}, was not refused for want of rights: ${other.there.message}`);
    if (dropped.length < missing.length || idempotent.length < ifExists.length || told.length < 2 * pairs.length)
      return unknown("not all of the drops were tried");
    const doubt = kinds
      .map((kind) =>
        doubtOf(
          kind,
          recreated.find(({ type }) => type === kind.type),
        ),
      )
      .find((why) => why !== undefined);
    if (doubt !== undefined) return unknown(doubt);
    return pass(
      `${dropped.length} of ${dropped.length} drops of nothing refused, ${idempotent.length} with IF EXISTS did nothing, ${told.length} pairs told alike to those without rights; ${recreated.length} recreated tables are empty`,
    );
  },
});

function isAnswer({ kind, why }: Said): boolean {
  return kind !== "unsure" && why !== "rate";
}
