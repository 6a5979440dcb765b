import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { lookedTwice } from "../../vocabulary/second-look.ts";
import { liveWays, readWays, writeWays } from "../row-access/ways.ts";
import { judgeTable, type Outcome, type Violation } from "./judge.ts";
import { visitTable, type Breadth, type TablePlan } from "./visit.ts";

export const plans: readonly TablePlan[] = [
  { name: "hot", type: "USER", cold: false, visitor: "alice", victim: "bob", withPrivileged: true },
  { name: "flushed", type: "USER", cold: true, visitor: "carol", victim: null, withPrivileged: true },
  { name: "stream", type: "STREAM", cold: false, visitor: "bob", victim: "alice", withPrivileged: false },
];

type Data = { way: string; as: string; tables: readonly string[]; detail: string };
const where = ({ way, as, tables }: Data): string => `${way}, as ${as}, in ${tables.join(" and ")}`;

export const ownRowsOnly = defineCheck({
  id: "validation/own-rows-only",
  title: "Users cannot reach each other's rows",
  failureTitle: "A user can reach rows of another user",
  description: `Several accounts insert rows with the same keys into a USER table, a flushed USER table and a STREAM table; texts, numbers and some keys cannot be guessed. A plain user then tries ${readWays.length} ways to read (keys, parameters, aggregates, joins, subqueries, CTE, UNION, system columns, errors, SHOW …) and ${writeWays.length} to change rows (with and without WHERE, INSERT … SELECT, EXECUTE AS …), and runs ${liveWays.length} live queries while other accounts write; a service account and a dba try the broadest of these; at light effort the user tries only these and some of the others, on the flushed table and the STREAM table only some of these, and the dba none. No key may be refused to an account because another one has it. Each way must work on the account's own rows, no answer may contain data of another account, and another account's rows must be unchanged after each.`,
  blindTo:
    "Files and topics; live queries that are cut and resumed (see subscriptions/own-events-only); views, which some servers cannot drop again; direct access to the disk. EXECUTE AS USER lets service accounts and dbas act for users: that is documented, and not tried.",
  risk: "One customer reads or changes another customer's data.",
  remedy:
    "Do not keep rows of several customers on this server until this passes; the finding names the statement that gets through.",
  covers: ["VAL-05"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  uses: { user: 3, service: 1, dba: 1 },
  estimateMs: 5_000,
  estimateRequests: 550,
  // Most statements run one after another, which takes long on a busy machine.
  timeoutMs: 180_000,
  findings: {
    foreignRows: { say: (d: Data) => lookedTwice(`${where(d)}: returns another account's data: ${d.detail}`) },
    foreignEvents: { say: (d: Data) => `${where(d)}: delivers another account's data: ${d.detail}` },
    foreignChange: { say: (d: Data) => lookedTwice(`${where(d)}: changed another account's rows: ${d.detail}`) },
    keyTaken: {
      say: (d: Data) => lookedTwice(`${where(d)}: ${d.detail}`),
      risk: "Keys of one user are missing for all others: their INSERTs fail, and the refusals tell which keys others have.",
      remedy: "Use keys that cannot collide (UUIDs) in USER tables until this passes.",
    },
    actedAs: {
      say: (d: Data) => `${where(d)}: was not refused: ${d.detail}`,
      risk: "A user acts as any other user, with that user's data and privileges.",
    },
  },
  async observe(target, context) {
    const breadthOf = (at: number): Breadth => (context.effort !== "light" ? "all" : at === 0 ? "light" : "few");
    return {
      tables: await Promise.all(plans.map(async (plan, at) => await visitTable(target, context, plan, breadthOf(at)))),
    };
  },
  judge({ tables }, { found }) {
    const outcomes = plans.flatMap((plan) =>
      judgeTable(
        plan,
        tables.find(({ table }) => table === plan.name),
      ),
    );
    for (const group of violations(outcomes)) {
      const [{ finding, as, way, detail }] = group;
      const data = { way, as, tables: group.map(({ table }) => table), detail };
      found[finding](data, { case: as === "user" ? way : `${way}, as ${as}`, sent: group });
    }
    const [doubt, ...doubts] = outcomes.flatMap((one) => (one.kind === "doubt" ? [one.why] : []));
    if (doubt !== undefined)
      return unknown(doubts.length === 0 ? doubt : `${doubt}; and ${doubts.length} more like it`);
    const number = (kind: Outcome["kind"]): number => outcomes.filter((one) => one.kind === kind).length;
    return pass(
      `${number("worked")} attempts on ${tables.length} tables reached only own rows, ${number("empty")} for rows of others found none, ${number("denied")} were denied${tables.some(({ breadth }) => breadth !== "all") ? "; some of the ways, as at light effort" : ""}`,
    );
  },
});

/** One entry for each finding, way and role, with all tables that show it. */
function violations(outcomes: readonly Outcome[]): (readonly [Violation, ...Violation[]])[] {
  const groups = new Map<string, [Violation, ...Violation[]]>();
  for (const one of outcomes) {
    if (one.kind !== "violation") continue;
    const key = `${one.finding} ${one.as} ${one.way}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return [...groups.values()];
}
