import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { saidOf, type Account, type Said } from "../../../src/server/target.ts";
import { attempt, sortAttempts, whyUnknown, type Case } from "../../vocabulary/attempts.ts";
import { sampleAtLight } from "../../vocabulary/sample.ts";
import { createTable, makeTable, type TableSpec } from "../../vocabulary/tables.ts";
import { sortTried, tryAll, whyUnclear } from "../../vocabulary/trials.ts";
import { assignAll, assignments, isForged, rowText } from "./assignments.ts";

const key = "id BIGINT PRIMARY KEY";

/** Tables that declare a system column. */
function declarations(column: string): Case[] {
  const declaration = (what: string, spec: TableSpec): Case => ({
    name: `declare ${column} ${what}`,
    sql: (table) => createTable(table, spec),
  });
  const columns = `${key}, ${column} BIGINT`;
  return [
    declaration("in a SHARED table", { type: "SHARED", columns }),
    declaration("in a USER table", { type: "USER", columns }),
    declaration("in a STREAM table", { type: "STREAM", columns, options: { TTL_SECONDS: 3600 } }),
    declaration("in capitals", { columns: `${key}, ${column.toUpperCase()} BIGINT` }),
    declaration("as the key", { columns: `${column} BIGINT PRIMARY KEY, v TEXT` }),
  ];
}
const declarationCount = declarations("_seq").length;

/** Changes of a system column, or to one, by ALTER TABLE. */
const alterations: readonly (readonly [verb: string, change: string])[] = [
  ["add", "ADD COLUMN {c} BIGINT"],
  ["drop", "DROP COLUMN {c}"],
  ["rename", "RENAME COLUMN {c} TO kr_x"],
  ["retype", "MODIFY COLUMN {c} TEXT"],
  ["take the name of", "RENAME COLUMN v TO {c}"],
];

export const systemColumnsLocked = defineCheck({
  id: "validation/system-columns-locked",
  title: "System columns cannot be written, declared or altered",
  failureTitle: "Row versions or deletion marks can be forged or dropped",
  description: `Asks the server for its system columns (a row's version and its deletion mark). Declares them in new tables, adds, drops, renames and retypes them, and renames another column to theirs: each must be rejected and the columns must remain. Then assigns values to them with ${assignments.length} kinds of INSERT and UPDATE in a SHARED and a USER table: each must be rejected or ignored, which is verified by reading the rows back. The same statements without them must work.`,
  blindTo: "It does not check these columns in live queries or after a resume; the subscriptions category does.",
  risk: "A forged version makes old rows replace newer ones, and a forged deletion mark hides rows that nobody deleted.",
  remedy: "List the columns in INSERT and UPDATE, and never use those that begin with an underscore.",
  covers: ["VAL-04"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  uses: { user: 1, dba: 1 },
  estimateMs: 900,
  estimateRequests: 65,
  // The statements are sequential: on a busy machine they take long.
  timeoutMs: 120_000,
  findings: {
    accepted: { say: (d: { case: string; sql: string }) => `${d.case} was accepted: ${d.sql}` },
    forged: {
      say: (d: { case: string; column: string; now: string }) =>
        `${d.case}: ${d.column} is a system column, but it is now ${d.now}`,
    },
  },
  async observe(target, context) {
    const { scratch } = context;
    const op = await target.account("dba");
    const alice = await target.account("user");
    const make = async (name: string, type: "SHARED" | "USER") =>
      await makeTable(target, context, op, `${scratch}.${name}`, { type, columns: `${key}, v TEXT` });
    const [shared, own, altering] = [await make("s", "SHARED"), await make("u", "USER"), await make("a", "SHARED")];
    for (const [as, table] of [
      [op, shared],
      [alice, own],
    ] as const)
      context.need(
        await target.sql(as, `INSERT INTO ${table} (id, v) VALUES (1, 'a')`),
        `a row could not be written to ${table}`,
      );
    const columnsOf = async (table: string): Promise<readonly string[] | null> => {
      const answer = await target.sql(op, `SELECT * FROM ${table} LIMIT 1`);
      return answer.kind === "ok" ? (answer.results[0]?.columns ?? []).map(({ name }) => name) : null;
    };
    const all = context.need(await columnsOf(shared), "the columns of a table could not be read");
    const columns = all.filter((name) => name.startsWith("_"));
    const controls: Said[] = [];
    const control = async (as: Account, sql: string): Promise<void> => {
      controls.push(saidOf(await target.sql(as, sql)));
    };

    const declared = await attempt(target, op, scratch, columns.flatMap(declarations));
    const altered = await tryAll(
      target,
      columns.flatMap((column) =>
        alterations.map(([verb, change]) => ({
          name: `${verb} ${column}`,
          as: op,
          sql: `ALTER TABLE ${altering} ${change.replace("{c}", column)}`,
        })),
      ),
    );
    await control(op, `ALTER TABLE ${altering} ADD COLUMN kr_y TEXT`);
    const columnsAfter = await columnsOf(altering);
    // At light effort INSERT and UPDATE are enough for the second table.
    const some = sampleAtLight(context, assignments, 5, ({ name }) => name === "UPDATE");
    const assigned = await Promise.all([
      assignAll(target, op, shared, columns, control),
      assignAll(target, alice, own, columns, control, some),
    ]);
    const kinds = assignments.length + some.length;
    return { columns, declared, altered, columnsAfter, assigned: assigned.flat(), kinds, controls };
  },
  judge({ columns, declared, altered, columnsAfter, assigned, kinds, controls }, { found }) {
    const declaring = sortAttempts(declared.attempts);
    const altering = sortTried(altered);
    for (const one of [...declaring.accepted, ...declaring.halfDone, ...altering.accepted])
      found.accepted({ case: one.case, sql: one.sql }, { case: one.case, sent: one.said });
    for (const one of assigned.filter(isForged))
      found.forged(
        { case: one.case, column: one.column, now: rowText(one.after?.row ?? null) },
        { case: one.case, sent: one.said },
      );
    if (columns.length < 2) return unknown(`expected two system columns, but the server shows ${columns.length}`);
    const broken = controls.find(({ kind }) => kind !== "ok");
    if (broken !== undefined)
      return unknown(`the same statement without a system column does not work either: ${broken.message}`);
    if (columnsAfter === null || columns.some((column) => !columnsAfter.includes(column)))
      return unknown("the system columns could not be seen after the attempts to alter them");
    const why = whyUnknown(declared.unread, declaring) ?? whyUnclear(altering) ?? whyUnclear(sortTried(assigned));
    if (why !== undefined) return unknown(why);
    const unread = assigned.find((one) => one.before === null || one.after === null);
    if (unread !== undefined) return unknown(`${unread.case}: the row could not be read before and after`);
    const wanted = {
      declared: columns.length * declarationCount,
      altered: columns.length * alterations.length,
      assigned: columns.length * Math.max(kinds, assignments.length),
    };
    if (
      declared.attempts.length < wanted.declared ||
      altered.length < wanted.altered ||
      assigned.length < wanted.assigned
    )
      return unknown("not all of the statements were tried");
    const ignored = assigned.filter(({ said }) => said.kind === "ok").length;
    return pass(
      `${declared.attempts.length + altered.length} of ${wanted.declared + wanted.altered} declarations and changes rejected; of ${assigned.length} assignments to ${columns.join(" and ")}, ${assigned.length - ignored} rejected and ${ignored} ignored`,
    );
  },
});
