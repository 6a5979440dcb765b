import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { saidOf, isCleanRefusal, type Account, type Said } from "../../../src/server/target.ts";
import { attempt, sortAttempts, whyUnknown } from "../../vocabulary/attempts.ts";
import { assignAll, assignments, isForged, rowText } from "./forgery.ts";
import { sortTried, tryAll, whyUnclear } from "../../vocabulary/trials.ts";

const kinds = [
  { type: "SHARED", more: "" },
  { type: "USER", more: "" },
  { type: "STREAM", more: ", TTL_SECONDS=3600" },
] as const;
export const systemColumnsLocked = defineCheck({
  id: "validation/system-columns-locked",
  title: "Row versions and deletion marks are the server's alone",
  failureTitle: "Row versions or deletion marks can be forged or dropped",
  description: `Asks the server which columns it keeps for itself (a row's version, its deletion mark). Declares them in new tables, adds, drops, renames and retypes them, gives another column their name: each must be refused and the columns stay. Then writes into them by ${assignments.length} kinds of INSERT and UPDATE into a SHARED and a USER table: each must be refused, or ignored, and the row read back shows which. The same statements without them must work.`,
  blindTo: "What these columns do in live queries and on resuming; the category subscriptions looks at that.",
  risk: "A forged version makes old rows win over new ones, and a forged mark makes rows vanish that nobody deleted.",
  remedy: "Name columns in INSERT and UPDATE, and never those that begin with an underscore.",
  covers: ["VAL-04"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 900,
  estimateRequests: 110,
  // One statement after the other: a busy machine must not take the answer away.
  timeoutMs: 120_000,
  findings: {
    accepted: { say: (d: { case: string; sql: string }) => `${d.case} was accepted: ${d.sql}` },
    forged: {
      say: (d: { case: string; column: string; now: string }) =>
        `${d.case}: ${d.column} is the server's, and it is now ${d.now}`,
    },
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    const alice = await target.account("user");
    const tables = { shared: `${scratch}.s`, user: `${scratch}.u`, altered: `${scratch}.a` };
    const setUp: Said[] = [];
    const also = async (as: Account, sql: string): Promise<void> => {
      setUp.push(saidOf(await target.sql(as, sql)));
    };
    await also(op, `CREATE TABLE ${tables.shared} (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='SHARED')`);
    await also(op, `CREATE TABLE ${tables.user} (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='USER')`);
    await also(op, `CREATE TABLE ${tables.altered} (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='SHARED')`);
    await also(op, `INSERT INTO ${tables.shared} (id, v) VALUES (1, 'a')`);
    await also(alice, `INSERT INTO ${tables.user} (id, v) VALUES (1, 'a')`);
    const first = await target.sql(op, `SELECT * FROM ${tables.shared} LIMIT 1`);
    const columns = (first.kind === "ok" ? (first.results[0]?.columns ?? []) : [])
      .map(({ name }) => name)
      .filter((name) => name.startsWith("_"));

    const declared = await attempt(
      target,
      op,
      scratch,
      columns.flatMap((column) => [
        ...kinds.map(({ type, more }) => ({
          name: `declare ${column} in a ${type} table`,
          sql: (table: string) =>
            `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, ${column} BIGINT) WITH (TYPE='${type}'${more})`,
        })),
        {
          name: `declare ${column} in capitals`,
          sql: (table: string) =>
            `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, ${column.toUpperCase()} BIGINT) WITH (TYPE='USER')`,
        },
        {
          name: `declare ${column} as the key`,
          sql: (table: string) => `CREATE TABLE ${table} (${column} BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='USER')`,
        },
      ]),
    );
    const altered = await tryAll(
      target,
      columns.flatMap((column) =>
        [
          ["add", `ADD COLUMN ${column} BIGINT`],
          ["drop", `DROP COLUMN ${column}`],
          ["rename", `RENAME COLUMN ${column} TO kr_x`],
          ["retype", `MODIFY COLUMN ${column} TEXT`],
          ["take the name of", `RENAME COLUMN v TO ${column}`],
        ].map(([verb = "", change = ""]) => ({
          name: `${verb} ${column}`,
          as: op,
          sql: `ALTER TABLE ${tables.altered} ${change}`,
        })),
      ),
    );
    await also(op, `ALTER TABLE ${tables.altered} ADD COLUMN kr_y TEXT`);
    const left = await target.sql(op, `SELECT * FROM ${tables.altered} LIMIT 1`);
    const after = left.kind === "ok" ? (left.results[0]?.columns ?? []).map(({ name }) => name) : null;

    const assigned = (
      await Promise.all([
        assignAll(target, op, tables.shared, columns, also),
        assignAll(target, alice, tables.user, columns, also),
      ])
    ).flat();
    return { columns, declared, altered, columnsAfter: after, assigned, setUp };
  },
  judge({ columns, declared, altered, columnsAfter, assigned, setUp }) {
    const declaring = sortAttempts(declared.attempts);
    const altering = sortTried(altered);
    const forged = assigned.filter(isForged);
    const found = [
      ...[...declaring.accepted, ...declaring.halfDone, ...altering.accepted].map((one) => ({
        name: "accepted" as const,
        case: one.case,
        data: { case: one.case, sql: one.sql },
        sent: [one.said.exchange],
      })),
      ...forged.map((one) => ({
        name: "forged" as const,
        case: one.case,
        data: { case: one.case, column: one.column, now: rowText(one.after?.row ?? null) },
        sent: [one.said.exchange],
      })),
    ];
    if (found.length > 0) return fail(...found);
    if (columns.length < 2)
      return unknown(`the server shows ${columns.length} columns of its own, and two were expected`);
    const broken = setUp.find(({ kind }) => kind !== "ok");
    if (broken !== undefined) return unknown(`the same without a system column does not work: ${broken.message}`);
    const lost = columns.filter((column) => columnsAfter?.includes(column) !== true);
    if (columnsAfter === null || lost.length > 0)
      return unknown("the columns could not be seen after the tries to alter them");
    const unsure = assigned.find((one) => one.said.kind !== "ok" && !isCleanRefusal(one.said));
    const why =
      whyUnknown(declared.unread, declaring) ??
      whyUnclear(altering) ??
      (unsure === undefined
        ? undefined
        : `${unsure.case}: neither accepted nor refused, but ${unsure.said.status ?? ""} ${unsure.said.message}`);
    if (why !== undefined) return unknown(why);
    const unread = assigned.find((one) => one.before === null || one.after === null);
    if (unread !== undefined) return unknown(`${unread.case}: the row could not be read before and after`);
    const wanted = {
      declared: columns.length * (kinds.length + 2),
      altered: columns.length * 5,
      assigned: columns.length * 2 * assignments.length,
    };
    if (
      declared.attempts.length < wanted.declared ||
      altered.length < wanted.altered ||
      assigned.length < wanted.assigned
    )
      return unknown("not all of the statements were tried");
    const ignored = assigned.filter(({ said }) => said.kind === "ok").length;
    return pass(
      `${declared.attempts.length + altered.length} of ${wanted.declared + wanted.altered} declarations and changes refused; of ${assigned.length} assignments to ${columns.join(" and ")} ${assigned.length - ignored} refused, ${ignored} ignored`,
    );
  },
});
