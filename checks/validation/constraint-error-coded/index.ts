import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { sortTried, tryAll, whyUnclear } from "../../vocabulary/trials.ts";

/** Mistakes that a program must tell apart to do the right thing next. The table has a row 1 with the columns id, must and n. */
const cases: readonly { readonly name: string; readonly sql: (table: string) => string }[] = [
  { name: "duplicate key", sql: (t) => `INSERT INTO ${t} (id, must) VALUES (1, 'again')` },
  { name: "NULL where none may be", sql: (t) => `INSERT INTO ${t} (id, must) VALUES (2, NULL)` },
  { name: "wrong type", sql: (t) => `INSERT INTO ${t} (id, must, n) VALUES (3, 'a', 'abc')` },
  { name: "missing column", sql: (t) => `SELECT nowhere FROM ${t} LIMIT 1` },
  { name: "missing table", sql: (t) => `SELECT id FROM ${t}_nowhere LIMIT 1` },
];

export const constraintErrorCoded = defineCheck({
  id: "validation/constraint-error-coded",
  title: "A program can tell by the code what was wrong",
  failureTitle: "Different mistakes are answered with one code",
  description: `Makes ${cases.length} mistakes (${cases.map(({ name }) => name).join(", ")}) and compares the codes of the refusals: no two may be the same. A proper INSERT and SELECT on the same table must work.`,
  blindTo:
    "KalamDB does not promise codes of their own; the check says what was seen. It looks at codes, not at whether the text is right; cli/errors-name-the-cause does.",
  risk: "A program takes a missing table for a duplicate key, and goes on as if the row were there; texts change with each version.",
  remedy: "Keep what your programs read out of error texts in one place, and test it with each version of the server.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "warn",
  estimateMs: 200,
  estimateRequests: cases.length + 4,
  findings: {
    oneCodeForAll: {
      say: (d: { code: string; cases: readonly string[] }) => `${d.code} stands for ${d.cases.join(", ")}`,
    },
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    const table = `${scratch}.t`;
    await target.sql(
      op,
      `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, must TEXT NOT NULL, n INT) WITH (TYPE='SHARED')`,
    );
    const trial = (name: string, sql: string) => ({ name, as: op, sql });
    const before = await tryAll(target, [trial("proper INSERT", `INSERT INTO ${table} (id, must) VALUES (1, 'a')`)]);
    const tried = await tryAll(
      target,
      cases.map(({ name, sql }) => trial(name, sql(table))),
    );
    const after = await tryAll(target, [
      trial("proper INSERT", `INSERT INTO ${table} (id, must, n) VALUES (9, 'i', 9)`),
      trial("proper SELECT", `SELECT id, must, n FROM ${table} LIMIT 10`),
    ]);
    return { tried, proper: [...before, ...after] };
  },
  judge({ tried, proper }) {
    const dead = proper.find(({ said }) => said.kind !== "ok");
    if (dead !== undefined || proper.length < 3)
      return unknown(`a ${dead?.case ?? "proper statement"} does not work either: ${dead?.said.message ?? ""}`);
    const sorted = sortTried(tried);
    const why = whyUnclear(sorted);
    if (why !== undefined) return unknown(why);
    const taken = sorted.accepted[0];
    if (taken !== undefined) return unknown(`${taken.case}: it was accepted, so there is no code to look at`);
    if (tried.length < cases.length) return unknown(`only ${tried.length} of ${cases.length} mistakes were made`);
    const byCode = new Map<string, (typeof tried)[number][]>();
    for (const one of tried) byCode.set(one.said.code, [...(byCode.get(one.said.code) ?? []), one]);
    const shared = [...byCode].filter(([, same]) => same.length > 1);
    if (shared.length > 0)
      return fail(
        ...shared.map(([code, same]) => ({
          name: "oneCodeForAll" as const,
          case: code,
          data: { code, cases: same.map((one) => one.case) },
          sent: same.map((one) => one.said.exchange),
        })),
      );
    return pass(`${tried.length} mistakes have ${byCode.size} codes: ${[...byCode.keys()].join(", ")}`);
  },
});
