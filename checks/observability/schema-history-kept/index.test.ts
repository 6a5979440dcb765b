import fc from "fast-check";
import { expect, test } from "vitest";
import { judged, no, yes } from "../../vocabulary/evidence.ts";
import { schemaHistoryKept } from "./index.ts";
import proof from "./proof.ts";

const columns = [
  ["id", "a"],
  ["id", "a", "b"],
  ["id", "a", "b", "c"],
  ["id", "a", "b"],
];
const refusal = no("SQL_EXECUTION_ERROR", "no such column", "missing");
const versionAfter = [1, 1, 2, 2, 3];

/** A correct server; its versions start anywhere, and DESCRIBE may be missing. */
const legal = fc
  .record({ first: fc.integer({ min: 0, max: 1_000 }), described: fc.boolean(), historyTold: fc.boolean() })
  .map(({ first, described, historyTold }) => ({
    first,
    stepped: versionAfter.map((more, at) => ({ said: at === 1 || at === 3 ? refusal : yes(), version: first + more })),
    history: columns.map((some, at) => ({ version: first + at, latest: at === 3, columns: some })),
    historySaid: yes(),
    described: described ? { versions: [first + 3], columns: columns[3] ?? [], exchange: 1 } : null,
    describedHistory: historyTold ? { versions: [first, first + 3], columns: columns[2] ?? [], exchange: 1 } : null,
  }));
const at = fc.nat(3);
const named = (verdict: ReturnType<typeof schemaHistoryKept.judge>): string[] =>
  verdict.kind === "fail" ? verdict.found.map(({ name }) => name) : [verdict.kind];

test("a correct server passes, wherever its versions start", () => {
  fc.assert(
    fc.property(legal, (seen) => {
      expect(schemaHistoryKept.judge(seen, {}).kind).toBe("pass");
    }),
  );
});

test("a step that gets the wrong version is reported", () => {
  fc.assert(
    fc.property(legal, fc.nat(4), fc.constantFrom(-1, 1, 2), (seen, step, by) => {
      const stepped = seen.stepped.map((one, n) => (n === step ? { ...one, version: one.version + by } : one));
      expect(named(schemaHistoryKept.judge({ ...seen, stepped }, {}))).toContain("notCounted");
    }),
  );
});

test("a version that is lost or kept with other columns is reported", () => {
  fc.assert(
    fc.property(legal, at, fc.boolean(), (seen, which, lost) => {
      const history = seen.history.flatMap((one, n) => {
        if (n !== which) return [one];
        return lost ? [] : [{ ...one, columns: one.columns.slice(1) }];
      });
      expect(named(schemaHistoryKept.judge({ ...seen, history }, {}))).toContain("historyLost");
    }),
  );
});

test("no, another or a second latest version is reported", () => {
  fc.assert(
    fc.property(legal, at, (seen, which) => {
      const history = seen.history.map((one, n) => (n === which ? { ...one, latest: !one.latest } : one));
      expect(named(schemaHistoryKept.judge({ ...seen, history }, {}))).toEqual(["notOneLatest"]);
    }),
  );
});

type Seen = Parameters<typeof schemaHistoryKept.judge>[0];
const [written] = proof.holds as readonly [Seen];
const judge = (change: Partial<Seen>): string[] => judged(schemaHistoryKept, { ...written, ...change });

test("the one latest version must be the last, and there must be one", () => {
  const history = written.history ?? [];
  const latest = (which: readonly number[]): string[] =>
    judge({ history: history.map((one) => ({ ...one, latest: which.includes(one.version) })) });
  expect(latest([3])).toEqual(['notOneLatest: {"latest":[3],"wanted":4}']);
  expect(latest([3, 4])).toEqual(['notOneLatest: {"latest":[3,4],"wanted":4}']);
  const both = history.toReversed().map((one) => ({ ...one, latest: one.version > 2 }));
  expect(judge({ history: both })).toEqual(['notOneLatest: {"latest":[4,3],"wanted":4}']);
  expect(latest([])).toEqual(['notOneLatest: {"latest":[],"wanted":4}']);
});

test("where versions are miscounted, none of them is lost besides", () => {
  const stepped = written.stepped.map((one) => ({ ...one, version: (one.version ?? 0) + 1 }));
  const found = judge({ stepped, history: (written.history ?? []).filter(({ version }) => version !== 2) });
  expect(found.filter((one) => one.startsWith("historyLost"))).toEqual([]);
  expect(found[0]).toMatch(/^notCounted/);
});

test("DESCRIBE must show the last version in each row, and its history the dropped column", () => {
  const { described, describedHistory } = written;
  if (described === null || describedHistory === null) throw new Error("not described");
  expect(judge({ described: { ...described, versions: [4, 3] } })).toEqual([
    'describedWrong: DESCRIBE TABLE: {"statement":"DESCRIBE TABLE","told":"schema_version 4, 3","wanted":"4"}',
  ]);
  expect(judge({ describedHistory: { ...describedHistory, columns: ["id", "a", "b"] } })).toEqual([
    expect.stringMatching(/^describedWrong: DESCRIBE TABLE … HISTORY: /),
  ]);
});

test("a pass says whether DESCRIBE was answered", () => {
  expect(judge({})).toEqual([expect.stringMatching(/DESCRIBE agrees$/)]);
  expect(judge({ described: null })).toEqual([expect.stringMatching(/DESCRIBE was not answered$/)]);
  expect(judge({ describedHistory: null })).toEqual([expect.stringMatching(/DESCRIBE was not answered$/)]);
});
