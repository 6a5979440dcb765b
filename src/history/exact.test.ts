import { describe, expect, test } from "vitest";
import {
  changesOutOfOrder,
  delaysOf,
  missingChanges,
  percentile,
  wrongContents,
  type ChangeHistory,
  type DeliveredChange,
} from "./changes.ts";
import type { Values, Write } from "./history.ts";
import { foldChanges, isSame } from "./state.ts";

const write = (statement: number, change: Partial<Write> = {}): Write => ({
  client: 1,
  statement,
  dueAt: statement,
  invokedAt: statement,
  returnedAt: statement + 1,
  kind: "insert",
  key: "1",
  values: { mark: `m${statement}` },
  outcome: "ok",
  ...change,
});
const event = (row: Values | null, change: Partial<DeliveredChange> = {}): DeliveredChange => ({
  kind: "insert",
  row,
  old: null,
  at: 1,
  ...change,
});
const history = (change: Partial<ChangeHistory>): ChangeHistory => ({
  keyColumn: "id",
  markColumn: "mark",
  writes: [],
  delivered: [],
  table: [],
  ...change,
});

describe("where a missing change was lost", () => {
  const first = write(1);
  const lost = (...later: Write[]): string[] =>
    missingChanges(history({ writes: [first, ...later], table: [["1", "m1"]] })).map((one) => one.lost);

  test("a write that a lost one replaced counts as that one does", () => {
    expect(lost(write(2, { kind: "update" }))).toEqual(["data", "data"]);
  });

  test("a write that an unsure one may have replaced may have been in the table", () => {
    expect(lost(write(2, { kind: "update", outcome: "unsure" }))).toEqual(["delivery"]);
    expect(
      missingChanges(history({ writes: [first, write(2, { kind: "update", outcome: "unsure" })], table: [] })),
    ).toEqual([{ write: first, lost: "delivery" }]);
  });

  test("a delete after an unsure write removed a mark that nobody knows", () => {
    const values = { mark: "m2" };
    const removed = write(3, { kind: "delete", values });
    const after = (outcome: "ok" | "unsure" | "refused"): number[] =>
      missingChanges(
        history({
          writes: [first, write(2, { kind: "update", values, outcome }), removed],
          delivered: [event({ id: "1", mark: "m1" }), event({ id: "1", mark: "m2" })],
        }),
      ).map(({ write: { statement } }) => statement);
    expect(after("ok")).toEqual([3]);
    expect(after("unsure")).toEqual([]);
    expect(after("refused")).toEqual([3]);
  });
});

describe("order", () => {
  const order = (...marks: readonly [Write, Write, ...Write[]]): string[] => {
    const writes = marks.toSorted((one, other) => one.statement - other.statement);
    const delivered = marks.map((one) => event({ id: one.key, ...one.values }));
    return changesOutOfOrder(history({ writes, delivered })).map(
      ({ earlier, later, within }) => `${earlier.statement} after ${later.statement} within ${within}`,
    );
  };

  test("rows of one statement have no order", () => {
    expect(order(write(1, { values: { mark: "a" } }), write(1, { values: { mark: "b" } }))).toEqual([]);
    expect(order(write(1, { values: { mark: "a" }, key: "1" }), write(1, { values: { mark: "b" }, key: "2" }))).toEqual(
      [],
    );
  });

  test("each late change is compared with the latest before it", () => {
    expect(order(write(3), write(1), write(2))).toEqual(["1 after 3 within key", "2 after 3 within key"]);
    const keyed = (statement: number): Write => write(statement, { key: String(statement) });
    expect(order(keyed(3), keyed(1), keyed(2))).toEqual(["1 after 3 within client", "2 after 3 within client"]);
  });

  test("the latest change of a key moves on", () => {
    expect(order(write(1, { client: 1 }), write(3, { client: 2 }), write(2, { client: 3 }))).toEqual([
      "2 after 3 within key",
    ]);
  });

  test("another client's change of the same key counts", () => {
    expect(order(write(2, { client: 2 }), write(1))).toEqual(["1 after 2 within key"]);
    expect(order(write(2, { client: 2 }), write(1), write(2, { client: 2, key: "9", values: { mark: "z" } }))).toEqual([
      "1 after 2 within key",
    ]);
  });
});

describe("content", () => {
  const wrong = (writes: readonly Write[], ...delivered: readonly DeliveredChange[]): string[] =>
    wrongContents(history({ writes, delivered })).map(({ what }) => what);
  const inserted = write(1, { values: { mark: "m1", n: 1 } });
  const updated = write(2, { kind: "update", values: { mark: "m2", n: 2 } });
  const removed = write(3, { kind: "delete", values: { mark: "m2", n: 2 } });
  const update = (old: Values | null): DeliveredChange => event({ id: "1", mark: "m2", n: 2 }, { kind: "update", old });

  test("a column that was never written must be NULL", () => {
    expect(wrong([inserted], event({ id: "1", mark: "m1", n: 1, other: null }))).toEqual([]);
    expect(wrong([inserted], event({ id: "1", mark: "m1", n: 1, other: 5 }))).toEqual(["row"]);
  });

  test("a row where a removal was written, and the other way round, is wrong", () => {
    expect(wrong([removed], event(null, { kind: "delete", old: { mark: "m2" } }))).toEqual([]);
    expect(wrong([inserted], event(null, { old: { mark: "m1" } }))).toEqual(["row"]);
  });

  test("an insert has no old values; an update and a delete must have those before", () => {
    expect(wrong([inserted], event({ id: "1", mark: "m1", n: 1 }, { old: { mark: "m0" } }))).toEqual(["old"]);
    expect(wrong([inserted, updated], update(null))).toEqual(["old"]);
    expect(wrong([inserted, updated], update({ mark: "m1" }))).toEqual([]);
    expect(wrong([inserted, updated], update({ mark: "m1", n: 7 }))).toEqual(["old"]);
  });

  test("an insert over a row that was there has no old values either", () => {
    const again = write(4, { values: { mark: "m4" } });
    expect(wrong([inserted, again], event({ id: "1", mark: "m4" }))).toEqual([]);
  });

  test("old values of a row that was not known to exist are not judged", () => {
    expect(wrong([updated], update({ mark: "anything" }))).toEqual([]);
    expect(wrong([updated], update(null))).toEqual([]);
  });

  test("what an unsure write left is open until the next", () => {
    const unsure = { ...inserted, outcome: "unsure" as const };
    expect(wrong([unsure, updated], update({ mark: "anything" }))).toEqual([]);
    expect(wrong([unsure, updated], update(null))).toEqual([]);
    const refused = write(2, { kind: "update", values: { mark: "no" }, outcome: "refused" });
    expect(wrong([inserted, refused, { ...updated, statement: 3 }], update({ mark: "m1" }))).toEqual([]);
  });

  test("lists and objects are equal by content, and a NULL is equal only to a NULL", () => {
    const holds = (wanted: Values[string], told: Values[string]): string[] =>
      wrong([write(1, { values: { mark: "m1", x: wanted } })], event({ id: "1", mark: "m1", x: told }));
    expect(holds([1, 2], [1, 2])).toEqual([]);
    expect(holds([1, 2], [2, 1])).toEqual(["row"]);
    expect(holds({ exact: "1e400" }, { exact: "1e400" })).toEqual([]);
    expect(holds({ exact: "1e400" }, { exact: "1e401" })).toEqual(["row"]);
    for (const other of [null, 0, "", "[1]", [1]]) expect(holds([1, 2], other)).toEqual(["row"]);
    for (const other of [0, "", [1], {}]) expect(holds(null, other)).toEqual(["row"]);
    for (const other of [null, [1]]) expect(holds("x", other)).toEqual(["row"]);
    expect(holds(null, null)).toEqual([]);
  });
});

test("an event before its acknowledgement has waited no time after it", () => {
  const { delays, afterAck } = delaysOf(
    history({
      writes: [write(1, { returnedAt: 50 }), write(2, { returnedAt: 2, key: "2" })],
      delivered: [event({ id: "1", mark: "m1" }, { at: 10 }), event({ id: "2", mark: "m2" }, { at: 10 })],
    }),
  );
  expect(delays).toEqual([9, 8]);
  expect(afterAck).toEqual([0, 8]);
});

test("a percentile is the nearest rank among the values in order, also if they come in another", () => {
  expect([0, 0.5, 0.75, 1].map((share) => percentile([30, 4, 100, 20], share))).toEqual([4, 20, 30, 100]);
  expect(percentile([], 0.5)).toBeNaN();
});

test("differences of each kind count, and do not cancel each other out", () => {
  const none = { missing: [], ghosts: [], stale: [] };
  expect(isSame(none)).toBe(true);
  expect(isSame({ ...none, missing: ["1"] })).toBe(false);
  expect(isSame({ ...none, missing: ["1"], ghosts: ["2"] })).toBe(false);
  expect(isSame({ ...none, missing: ["1"], stale: ["2"] })).toBe(false);
  expect(isSame({ ...none, ghosts: ["1"], stale: ["2"] })).toBe(false);
});

test("an event with neither a row nor an old one changes nothing", () => {
  const rows = [{ id: "1", mark: "a" }];
  expect([...foldChanges("id", rows, [{ row: null, old: null, kind: "delete" }]).values()]).toEqual(rows);
});
