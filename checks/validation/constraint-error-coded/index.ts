import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { askedTwice, isServerError, lookedTwice } from "../../vocabulary/second-look.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { sortTried, tryAll, tryOne, whyUnclear, type Tried } from "../../vocabulary/trials.ts";

/** Errors that a program has to handle differently. The table has the columns id, must and n, and a row with the id 1. */
const cases: readonly { readonly name: string; readonly sql: (table: string) => string }[] = [
  { name: "duplicate key", sql: (t) => `INSERT INTO ${t} (id, must) VALUES (1, 'again')` },
  { name: "NULL where none may be", sql: (t) => `INSERT INTO ${t} (id, must) VALUES (2, NULL)` },
  { name: "wrong type", sql: (t) => `INSERT INTO ${t} (id, must, n) VALUES (3, 'a', 'abc')` },
  { name: "missing column", sql: (t) => `SELECT nowhere FROM ${t} LIMIT 1` },
  { name: "missing table", sql: (t) => `SELECT id FROM ${t}_nowhere LIMIT 1` },
];

export const constraintErrorCoded = defineCheck({
  id: "validation/constraint-error-coded",
  title: "Error codes tell constraint errors apart",
  failureTitle: "Different errors share one code",
  description: `Provokes ${cases.length} errors (${cases.map(({ name }) => name).join(", ")}) and compares their error codes: no two may be the same, and none may have the status of a server that failed. A valid INSERT and SELECT on the same table must work.`,
  blindTo:
    "KalamDB does not promise separate codes; the check reports what it saw. It compares codes only; cli/errors-name-the-cause checks the messages.",
  risk: "A program mistakes a missing table for a duplicate key and continues as if the row existed. Message texts, the only alternative, change between versions.",
  remedy:
    "Keep everything that your programs parse from error messages in one place, and test it with each version of the server.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "warn",
  estimateMs: 200,
  estimateRequests: cases.length + 4,
  findings: {
    serverError: {
      say: (d: { case: string; status: number; code: string }) =>
        lookedTwice(`${d.case} is answered with ${d.status} ${d.code}, as if the server had failed`),
      risk: "Programs take their own mistake for an outage: they repeat the statement, and alarms go off.",
      remedy: "Before a program repeats a write that got a status of 500, let it look whether the row is there.",
      level: "block",
    },
    oneCodeForAll: {
      say: (d: { code: string; cases: readonly string[] }) => `${d.code} is the code of: ${d.cases.join(", ")}`,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const table = await makeTable(target, context, op, `${context.scratch}.t`, {
      type: "SHARED",
      columns: "id BIGINT PRIMARY KEY, must TEXT NOT NULL, n INT",
    });
    const trial = (name: string, sql: string) => ({ name, as: op, sql });
    const first = await tryOne(target, trial("INSERT", `INSERT INTO ${table} (id, must) VALUES (1, 'a')`));
    const tried: Tried[] = [];
    for (const { name, sql } of cases) {
      const attempt = async (): Promise<Tried> => await tryOne(target, trial(name, sql(table)));
      tried.push((await askedTwice(attempt, isServersOwn)).last);
    }
    const after = await tryAll(target, [
      trial("INSERT", `INSERT INTO ${table} (id, must, n) VALUES (9, 'i', 9)`),
      trial("SELECT", `SELECT id, must, n FROM ${table} LIMIT 10`),
    ]);
    return { tried, proper: [first, ...after] };
  },
  judge({ tried, proper }, { found }) {
    const failed = proper.find(({ said }) => said.kind !== "ok");
    if (failed !== undefined || proper.length < 3)
      return unknown(`a valid ${failed?.case ?? "statement"} does not work either: ${failed?.said.message ?? ""}`);
    for (const one of tried)
      if (isServersOwn(one))
        found.serverError(
          { case: one.case, status: one.said.status ?? 0, code: one.said.code },
          { case: one.case, sent: one.said },
        );
    const sorted = sortTried(tried);
    const why = whyUnclear(sorted);
    if (why !== undefined) return unknown(why);
    const [accepted] = sorted.accepted;
    if (accepted !== undefined) return unknown(`${accepted.case}: accepted, so there is no code to compare`);
    if (tried.length < cases.length) return unknown(`only ${tried.length} of ${cases.length} errors were provoked`);
    const byCode = new Map<string, Tried[]>();
    for (const one of tried) byCode.set(one.said.code, [...(byCode.get(one.said.code) ?? []), one]);
    for (const [code, same] of byCode)
      if (same.length > 1)
        found.oneCodeForAll(
          { code, cases: same.map((one) => one.case) },
          { case: code, sent: same.map(({ said }) => said) },
        );
    return pass(`${tried.length} errors have ${byCode.size} codes: ${[...byCode.keys()].join(", ")}`);
  },
});

/** A proxy answers without a code of the server's. */
function isServersOwn({ said }: Tried): boolean {
  return isServerError(said.status) && said.code !== "";
}
