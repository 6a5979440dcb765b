import { expect, test } from "vitest";
import { judged, no } from "../../vocabulary/evidence.ts";
import { withStep } from "../statement-effects/evidence.ts";
import type { Effects } from "../statement-effects/index.ts";
import { statements } from "../statement-effects/statements.ts";
import { countsAreRight } from "./index.ts";

type Change = Parameters<typeof withStep>[1];
const verdict = (name: string, change: Change): string[] => judged(countsAreRight, withStep(name, change));
/** The same of the first table. */
const ofUser = (name: string, change: Change): string[] => {
  const [user, shared] = withStep(name, change).tables.toReversed();
  return judged(countsAreRight, {
    tables: [
      { ...user, kind: "USER" },
      { ...shared, kind: "SHARED" },
    ] as Effects["tables"],
  });
};
const counting =
  (more: number): Change =>
  ({ counts, after }) => ({
    counts: counts.map((one, at) =>
      at === 0 ? { ...one, count: String(Object.keys(after ?? {}).length + more) } : one,
    ),
  });
const wrongCount = (name: string, rows: number, deleted: number, kind = "SHARED", more = deleted): string =>
  `wrongCount: ${name}, ${kind}: ${JSON.stringify({ sql: "SELECT COUNT(*) AS c FROM t", kind, counted: String(rows + more), rows, deleted, after: name })}`;

test.each([
  ["INSERT of one row", 1, 0],
  ["DELETE by key", 12, 1],
  ["DELETE by text", 11, 2],
  ["the first flush", 12, 1],
  ["DELETE of several flushed rows", 11, 4],
  ["DELETE of rows in memory and flushed", 8, 7],
])("a COUNT after %s that counts a deleted or another row", (name, rows, deleted) => {
  const more = Math.max(deleted, 1);
  expect(verdict(name, counting(more))).toEqual([wrongCount(name, rows, deleted, "SHARED", more)]);
  expect(ofUser(name, counting(more))).toEqual([wrongCount(name, rows, deleted, "USER", more)]);
});

test("a row that only one earlier read showed counts as deleted", () => {
  const [user, shared] = withStep("DELETE by key", counting(2)).tables;
  const [first, ...others] = shared?.steps ?? [];
  const steps = [{ ...first, after: { ...first?.after, "77": ["x", "1", null] } }, ...others];
  const tables = [user, { ...shared, steps }] as Effects["tables"];
  expect(judged(countsAreRight, { tables })).toEqual([wrongCount("DELETE by key", 12, 2)]);
});

test.each<readonly [string, string, Change, string[]]>([
  [
    "a row_count of the first statement",
    "INSERT of one row",
    () => ({ rowCount: 2 }),
    [
      `wrongRowCount: INSERT of one row, SHARED: ${JSON.stringify({ sql: statements[0]?.sql("t"), kind: "SHARED", counted: 2, changed: 1 })}`,
    ],
  ],
  [
    "numbers of a statement that was refused",
    "UPDATE of no row",
    (step) => ({ ...counting(1)(step), said: no("X", "no", "rule"), rowCount: 1 }),
    ["unknown: UPDATE of no row, SHARED: not acknowledged: 400 no"],
  ],
  [
    "numbers beside rows that could not be read",
    "DELETE by key",
    (step) => ({ ...counting(1)(step), after: null, rowCount: 9 }),
    ["unknown: DELETE by key, SHARED: the table could not be read or counted afterwards"],
  ],
  [
    "numbers of a flush that did not end",
    "the first flush",
    (step) => ({ ...counting(1)(step), notFlushed: "it did not end" }),
    ["unknown: SHARED, the first flush: it did not end"],
  ],
  [
    "numbers of a step that is none of the statements",
    "the first flush",
    (step) => ({ ...counting(1)(step), name: "a step of a newer version" }),
    [
      "unknown: a step of a newer version, SHARED: the table has other rows than expected (validation/writes-hit-their-rows judges that)",
    ],
  ],
])("%s", (_, name, change, expected) => {
  expect(verdict(name, change)).toEqual(expected);
});
