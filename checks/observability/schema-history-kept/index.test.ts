import fc from "fast-check";
import { expect, test } from "vitest";
import { no, yes } from "../../vocabulary/evidence.ts";
import { schemaHistoryKept } from "./index.ts";

const columns = [
  ["id", "a"],
  ["id", "a", "b"],
  ["id", "a", "b", "c"],
  ["id", "a", "b"],
];
const refusal = no("SQL_EXECUTION_ERROR", "no such column", "missing");
const versionAfter = [0, 1, 1, 2, 2, 3];

/** What a right server tells whose counting begins anywhere, with or without DESCRIBE. */
const legal = fc
  .record({ first: fc.integer({ min: 0, max: 1_000 }), described: fc.boolean(), historyTold: fc.boolean() })
  .map(({ first, described, historyTold }) => ({
    stepped: versionAfter.map((more, at) => ({ said: at === 2 || at === 4 ? refusal : yes(), version: first + more })),
    history: columns.map((some, at) => ({ version: first + at, latest: at === 3, columns: some })),
    historySaid: yes(),
    described: described ? { versions: [first + 3], columns: columns[3] ?? [], exchange: 1 } : null,
    describedHistory: historyTold ? { versions: [first, first + 3], columns: columns[2] ?? [], exchange: 1 } : null,
  }));
const at = fc.nat(3);
const named = (verdict: ReturnType<typeof schemaHistoryKept.judge>): string[] =>
  verdict.kind === "fail" ? verdict.found.map(({ name }) => name) : [verdict.kind];

test("what a right server tells passes, wherever its versions begin", () => {
  fc.assert(
    fc.property(legal, (seen) => {
      expect(schemaHistoryKept.judge(seen, {}).kind).toBe("pass");
    }),
  );
});

test("a step that is counted otherwise than it went is named", () => {
  fc.assert(
    fc.property(legal, fc.integer({ min: 1, max: 5 }), fc.constantFrom(-1, 1, 2), (seen, step, by) => {
      const stepped = seen.stepped.map((one, n) => (n === step ? { ...one, version: one.version + by } : one));
      expect(named(schemaHistoryKept.judge({ ...seen, stepped }, {}))).toContain("notCounted");
    }),
  );
});

test("a version that is lost, or kept with other columns, is named", () => {
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

test("none, another or a second version that is called the latest is named", () => {
  fc.assert(
    fc.property(legal, at, (seen, which) => {
      const history = seen.history.map((one, n) => (n === which ? { ...one, latest: !one.latest } : one));
      expect(named(schemaHistoryKept.judge({ ...seen, history }, {}))).toEqual(["notOneLatest"]);
    }),
  );
});
