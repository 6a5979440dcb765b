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
