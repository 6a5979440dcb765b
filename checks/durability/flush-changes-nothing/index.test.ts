import { expect, test } from "vitest";
import { judged, latePace, slowPace, soundFor } from "../../vocabulary/evidence.ts";
import { lineOf } from "../evidence.ts";
import type { Ended } from "../jobs.ts";
import { flushChangesNothing } from "./index.ts";
import proof from "./proof.ts";

type Look = Parameters<typeof flushChangesNothing.judge>[0][number];
const [shared, own] = soundFor(flushChangesNothing, proof) as readonly [Look, Look];
const judge = (change: Partial<Look>): string[] => judged(flushChangesNothing, [shared, { ...own, ...change }]);
const [count] = own.before as readonly [Look["before"][number]];
const rows = (...lines: readonly string[]) => lineOf("rows 1 to 25", lines);
const gone = rows("1 | a", "2 | b");
const [lost, both] = [[gone], [lineOf("the number of rows", ["2"]), gone]];
const data = { query: "rows 1 to 25", gone: "4 | d", added: null, rows: [3, 2] };
const changed = (when: string, queries: number) =>
  `digestChanged: USER ${when}: ${JSON.stringify({ when, type: "USER", queries, ...data })}`;

test.each([
  ["during the flush", { during: [...own.during, { ...gone, times: 1 }] }, [changed("during the flush", 1)]],
  // The same query, answered in two other ways.
  [
    "twice during the flush",
    { during: [...own.during, { ...gone, times: 1 }, { ...rows("1 | a"), times: 4 }] },
    [changed("during the flush", 1)],
  ],
  ["after the flush", { flushed: lost }, [changed("after the flush", 1)]],
  ["after the compaction", { compacted: both }, [changed("after the compaction", 2)]],
  [
    "from the flush on",
    { flushed: lost, compacted: both },
    [changed("after the flush", 1), changed("after the compaction", 2)],
  ],
])("rows that are gone %s", (_, change, expected) => {
  expect(judge(change)).toEqual(expected);
});

test.each(["the first flush", "the flush", "the compaction"] as const)("%s must end", (what) => {
  const jobs = (change: Partial<Ended>) => ({
    jobs: own.jobs.map((one) => (one.what === what ? { ...one, ended: { ...one.ended, ...change } } : one)),
  });
  expect(judge(jobs({ status: "running", pace: latePace }))).toEqual([
    `flushNeverEnds: USER: ${JSON.stringify({ what: `${what} of the USER table`, job: "FL-2", status: "running", message: "", pace: latePace })}`,
  ]);
  expect(judge(jobs({ status: "running", pace: slowPace }))).toEqual([
    expect.stringMatching(new RegExp(`^unknown: ${what} of the USER table: the job FL-2 was running`)),
  ]);
});

test("three answers during the flush are enough, two are not", () => {
  const during = (times: number, lines: readonly string[] | null = count.lines) =>
    judge({ during: [{ ...count, lines, times }] });
  expect(during(3)).toEqual([expect.stringMatching(/ during \(6 answers\) and after a flush/)]);
  expect(during(2)).toEqual([
    "unknown: 2 queries of the USER table were answered during its flush; at least 3 are needed",
  ]);
  expect(during(9, null)).toEqual([
    "unknown: 0 queries of the USER table were answered during its flush; at least 3 are needed",
  ]);
});

test.each(["before", "flushed", "compacted"] as const)("what was not answered in `%s` shows nothing", (phase) => {
  expect(judge({ [phase]: [count, lineOf("rows 1 to 25", null)] })).toEqual([
    "unknown: the USER table could not be queried: rows 1 to 25: connection reset",
  ]);
});

test("a pass names the types whose values are refused, each once", () => {
  const pass = (of: Look["without"], other: Look["without"]) =>
    judged(flushChangesNothing, [
      { ...shared, without: of },
      { ...own, without: other },
    ]).join("");
  expect(pass([], [])).toMatch(
    /^pass: 3 rows of the SHARED table \(2 queries\) and 3 rows of the USER table .* after a compaction$/,
  );
  expect(pass(["doc", "n"], ["doc"])).toMatch(/, and after a compaction, without JSON, INT, whose values it refuses$/);
  expect(pass([], ["raw"])).toMatch(/, without BYTES, whose values it refuses$/);
});
