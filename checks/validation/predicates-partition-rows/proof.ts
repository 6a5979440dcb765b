import { changeRows, sendInstead } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { no, yes } from "../../vocabulary/evidence.ts";
import { predicatesPartitionRows } from "./index.ts";

const everything = String(2n ** 40n - 1n);
const part = (...ids: readonly number[]) => ({
  count: String(ids.length),
  mask: String(ids.reduce((sum, id) => sum + 2n ** BigInt(id), 0n)),
});
const upTo = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at);
const parts = { yes: part(0, 1), no: part(...upTo(2, 30)), null: part(...upTo(30, 40)), seen: part(0, 1) };
type Parts = typeof parts;
const one = (at: number, change: { before?: Parts | null; after?: Parts | null } = {}) => ({
  predicate: `(i > ${at})`,
  before: parts as Parts | null,
  after: parts as Parts | null,
  refusal: "",
  exchanges: [at],
  ...change,
});
const asked = Array.from({ length: 25 }, (_, at) => one(at));
const flushed = { said: yes("Job ID: FL-1"), job: "FL-1" as string | null, status: "completed" as string | null };
const sound = { asked, all: [everything, everything], flushed };
const first = (change: Parameters<typeof one>[1]) => ({ ...sound, asked: [one(0, change), ...asked.slice(1)] });
const refused = (count: number) =>
  asked.map((_, at) => (at < count ? one(at, { before: null, after: null }) : one(at)));
const allTrue = { yes: part(...upTo(0, 40)), no: part(), null: part(), seen: part(...upTo(0, 40)) };

/** Swaps true and false from the first flush on. */
const swapTrueAndFalseAtTheFlush: Fault = {
  name: "swapTrueAndFalseAtTheFlush",
  wrap(wire, fired) {
    let hasFlushed = false;
    const turning = changeRows("", /^SELECT 'yes' AS part/, (rows) => {
      if (!hasFlushed) return undefined;
      const of = (name: string) => rows.find(([label]) => label === name)?.slice(1) ?? [];
      return [
        ["yes", ...of("no")],
        ["no", ...of("yes")],
        ["null", ...of("null")],
        ["seen", ...of("no")],
      ];
    }).wrap(wire, fired);
    return {
      ...turning,
      async exchange(request) {
        hasFlushed ||= typeof request.body === "string" && request.body.includes("STORAGE FLUSH TABLE");
        return await turning.exchange(request);
      },
    };
  },
};

export default proveCheck(predicatesPartitionRows, {
  holds: [sound, { ...sound, asked: [...asked, ...refused(2)] }],
  cannotTell: [
    { ...sound, asked: asked.slice(10) },
    { ...sound, asked: refused(6) },
    { ...sound, asked: asked.map((_, at) => one(at, { before: allTrue, after: allTrue })) },
    { ...sound, all: [everything, "none"] },
    { ...sound, all: ["7", everything] },
    { ...sound, flushed: { ...flushed, status: "running" } },
    { ...sound, flushed: { said: no("SQL_EXECUTION_ERROR", "no", "rule"), job: null, status: null } },
  ],
  breaks: {
    partitionBroken: {
      also: ["changedByFlush"],
      seen: first({ before: { ...parts, no: part(...upTo(2, 29)) } }),
      fault: sendInstead("takeUnknownForFalse", /^SELECT 'yes' AS part/, (sql) =>
        sql.replaceAll(
          / WHERE NOT (\(.*?\)) UNION ALL SELECT 'null'/g,
          " WHERE NOT COALESCE($1, FALSE) UNION ALL SELECT 'null'",
        ),
      ),
    },
    countDisagrees: {
      also: ["changedByFlush"],
      seen: first({ after: { ...parts, seen: part(0, 1, 2) } }),
      fault: sendInstead("countEveryRowAsTrue", /^SELECT 'yes' AS part/, (sql) =>
        sql.replaceAll("THEN bit ELSE 0 END", "THEN bit ELSE bit END"),
      ),
    },
    changedByFlush: {
      seen: first({ after: { ...parts, yes: parts.no, no: parts.yes, seen: parts.no } }),
      fault: swapTrueAndFalseAtTheFlush,
    },
  },
  mayBeLost: [
    {
      what: /^SELECT 'yes' AS part.*; SELECT /,
      because: "a request that is not answered is sent again predicate by predicate",
    },
  ],
});
