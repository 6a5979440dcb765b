/** Written histories: events at the same moment, in another order than their times, and operations that a judge must leave alone. */
import { describe, expect, test } from "vitest";
import { judgeBank } from "./bank.ts";
import { judgeCounter } from "./counter.ts";
import type { Operation, Read, Values, Write } from "./history.ts";
import { judgeRegisters } from "./registers.ts";
import { hasValues, judgeSet } from "./set.ts";
import { judgeGroup, type Acknowledgement, type Delivery, type GroupHistory } from "./topic-group.ts";
import { judgeWinners } from "./winner.ts";

const sent = (from: number, to: number) => ({
  client: 1,
  statement: from,
  dueAt: from,
  invokedAt: from,
  returnedAt: to,
  outcome: "ok" as const,
});
const write = (from: number, to: number, change: Partial<Write> = {}): Write => ({
  ...sent(from, to),
  kind: "insert",
  key: "1",
  values: {},
  ...change,
});
const read = (from: number, to: number, rows: readonly Values[], key: string | null = null): Read => ({
  ...sent(from, to),
  kind: "read",
  key,
  rows,
});

describe("balances", () => {
  const model = { keyColumn: "id", balanceColumn: "n", keys: ["a", "b"], total: 10 };
  const of = (...balances: unknown[]): Values[] => balances.map((n, at) => ({ id: "ab"[at] ?? "", n: n as number }));
  const judge = (...operations: Operation[]): unknown[] =>
    judgeBank(operations, model).map((one) => (one.kind === "wrongTotal" ? [one.total, one.settled] : one.kind));

  test("a sum is settled when it was read after the last transfer had ended", () => {
    const transfer = write(0, 10);
    expect(judge(transfer, read(10, 12, of(5, 6)), read(11, 12, of(5, 6)))).toEqual([
      [11, false],
      [11, true],
    ]);
  });

  test("a read of one account has no sum", () => {
    expect(judge(read(0, 1, [{ id: "a", n: 5 }], "a"))).toEqual([]);
  });

  test("a balance that is absent is no number", () => {
    expect(judge(read(0, 1, of(5, null)), read(2, 3, [{ id: "a", n: 5 }, { id: "b" }]), read(4, 5, of(5, "")))).toEqual(
      ["noNumber", "noNumber", "noNumber"],
    );
  });
});

describe("a counter", () => {
  const judge = (...operations: Operation[]): string[] =>
    judgeCounter(operations, { column: "n" }).map(({ kind, value, bound }) => `${kind} ${value} ${bound}`);
  const value = (from: number, to: number, n: number | null): Read => read(from, to, [{ n }]);

  test("counts what was acknowledged before a read was sent, in the order of time", () => {
    const late = write(0, 50);
    const early = write(1, 10);
    expect(judge(late, early, value(10, 11, 0))).toEqual([]);
    expect(judge(late, early, value(11, 12, 0))).toEqual(["lost 0 1"]);
    expect(judge(late, early, value(51, 52, 1))).toEqual(["lost 1 2"]);
  });

  test("may count what was sent until a read returned", () => {
    expect(judge(value(0, 10, 1), write(10, 20))).toEqual([]);
    expect(judge(value(0, 10, 1), write(11, 20))).toEqual(["unexpected 1 0"]);
  });

  test("must not go back behind a read that had returned, whatever else was read", () => {
    const adds = [1, 2, 3, 4].map((from) => write(from, 1_000));
    expect(judge(...adds, value(10, 15, 4), value(15, 18, 3))).toEqual([]);
    expect(judge(...adds, value(10, 15, 4), value(16, 18, 3))).toEqual(["wentBack 3 4"]);
    // The second is concurrent with the first, and the third is not.
    expect(judge(...adds, value(10, 15, 4), value(12, 16, 2), value(20, 21, 3))).toEqual(["wentBack 3 4"]);
    // Given in another order, and with one that shows no number.
    expect(judge(...adds, value(20, 21, 3), value(16, 17, null), value(10, 15, 4))).toEqual([
      "wentBack 3 4",
      "unexpected NaN 4",
    ]);
    expect(judge(...adds, value(20, 21, 3), value(30, 31, 4), value(10, 15, 4))).toEqual(["wentBack 3 4"]);
  });

  test("is one row with a number", () => {
    const two = read(0, 1, [{ n: 0 }, { n: 0 }]);
    expect(judge(two, read(2, 3, []), read(4, 5, [{ other: 0 }]))).toEqual(Array(3).fill("unexpected NaN 0"));
  });
});

describe("a register", () => {
  const set = (from: number, to: number, v: string, change: Partial<Write> = {}): Write =>
    write(from, to, { kind: "update", values: { v }, ...change });
  const get = (from: number, to: number, v: string): Read => read(from, to, [{ v }], "1");
  const judge = (...operations: Operation[]): unknown[] =>
    judgeRegisters(operations, "v").map((one) =>
      one.kind === "stale" ? [one.read.invokedAt, one.write.values["v"], one.newer.invokedAt] : one.kind,
    );

  test("is read by its key alone", () => {
    expect(judge(set(0, 1, "a"), read(5, 6, [{ v: "b" }]))).toEqual([]);
  });

  test("that was written in between is stale, in whatever order the writes are given", () => {
    expect(judge(set(10, 11, "b"), set(0, 1, "a"), get(20, 21, "a"))).toEqual([[20, "a", 10]]);
    expect(judge(set(0, 1, "a"), set(10, 11, "b"), get(20, 21, "a"))).toEqual([[20, "a", 10]]);
  });

  test("that was written from the very moment on may have been written before", () => {
    const [a, b, late] = [set(0, 5, "a"), set(5, 8, "b"), get(20, 21, "a")];
    expect(judge(a, b, late)).toEqual([]);
    expect(judge(b, a, late)).toEqual([]);
    expect(judge(a, set(6, 8, "b"), late)).toHaveLength(1);
  });

  test("each value in between is one, also after a shorter one", () => {
    const [a, b, c] = [set(0, 1, "a"), set(4, 5, "b"), set(20, 21, "c")];
    expect(judge(a, b, c, get(10, 11, "b"), get(50, 51, "a"))).toEqual([
      [50, "a", 4],
      [50, "a", 20],
    ]);
  });

  test("of two values that alternate, the one that was read last is stale", () => {
    const [a, b] = [set(0, 1, "a"), set(2, 3, "b")];
    expect(judge(a, b, get(20, 21, "a"), get(30, 31, "b"))).toEqual([[30, "b", 0]]);
    expect(judge(a, b, get(20, 21, "a"), get(20, 31, "b"))).toEqual([[20, "a", 2]]);
  });

  test("without a row has no value, also where an empty one was written", () => {
    expect(judge(set(0, 1, ""), read(5, 6, [], "1"))).toEqual(["garbage"]);
  });
});

describe("a set", () => {
  const row = (id: string): Values => ({ id });
  const judge = (...operations: Operation[]): unknown => {
    const { lost, stale, unexpected, recovered, final } = judgeSet(operations, "id");
    const counts = { lost: lost.length, stale: stale.length, unexpected: unexpected.length, recovered };
    return { ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)), final: final?.statement };
  };
  const insert = write(0, 20);

  test("holds what was acknowledged before a read was sent", () => {
    expect(judge(insert, read(20, 21, []))).toEqual({ final: 20 });
    expect(judge(insert, read(21, 22, []))).toEqual({ lost: 1, final: 21 });
    expect(judge(insert, read(21, 22, []), read(30, 31, []))).toEqual({ lost: 1, final: 30 });
    expect(judge(insert, read(21, 22, []), read(30, 31, [row("1")]))).toEqual({ stale: 1, final: 30 });
  });

  test("may hold what was sent until a read returned", () => {
    expect(judge(read(-5, 0, [row("1")]), insert, read(30, 31, [row("1")]))).toEqual({ final: 30 });
    expect(judge(read(-5, -1, [row("1")]), insert, read(30, 31, [row("1")]))).toEqual({ unexpected: 1, final: 30 });
  });

  test("is of inserts and of reads of all rows", () => {
    expect(judge(insert, write(0, 5, { kind: "update", key: "2" }), read(30, 31, [row("1")]))).toEqual({ final: 30 });
    expect(judge(insert, read(30, 31, [row("1")]), read(40, 41, [], "1"))).toEqual({ final: 30 });
  });

  test("is in the end what was read last, and of two reads what is given last", () => {
    const [one, other] = [read(30, 31, [row("1")]), { ...read(30, 32, []), statement: 31 }];
    expect(judge(insert, one, other)).toEqual({ lost: 1, final: 31 });
    expect(judge(insert, other, one)).toEqual({ stale: 1, final: 30 });
  });

  test("recovers what was unsure, and nothing that was not sent", () => {
    const unsure = write(0, 20, { outcome: "unsure" });
    expect(judge(unsure, read(30, 31, [row("1")]))).toEqual({ recovered: 1, final: 30 });
    expect(judge(read(30, 31, [row("9")]))).toEqual({ unexpected: 1, final: 30 });
    expect(judge(read(30, 31, [row("9")]), read(40, 41, []))).toEqual({ unexpected: 1, final: 40 });
  });

  test("a row has the values that it shows, as text, and NULL only for NULL", () => {
    expect(hasValues({ id: 1 }, { mark: "a" })).toBe(true);
    expect(hasValues({ n: "5", note: null }, { n: 5, note: null })).toBe(true);
    expect(hasValues({ n: "6" }, { n: 5 })).toBe(false);
    expect(hasValues({ note: null }, { note: "null" })).toBe(false);
    expect(hasValues({ note: null }, { note: "" })).toBe(false);
    expect(hasValues({ note: "null" }, { note: null })).toBe(false);
    expect(hasValues({ note: "" }, { note: null })).toBe(false);
  });
});

describe("inserts of one key", () => {
  const judge = (...operations: Operation[]): unknown[] =>
    judgeWinners(operations, "id").map((one) =>
      one.kind === "severalWinners"
        ? [one.kind, one.winners.length, one.rows]
        : one.kind === "wrongSurvivor"
          ? [one.kind, one.row?.["mark"] ?? null]
          : one.kind,
    );
  const first = write(0, 10, { values: { mark: "a" } });
  const shows = (from: number, ...marks: string[]): Read =>
    read(
      from,
      from + 1,
      marks.map((mark) => ({ id: "1", mark })),
    );

  test("are inserts, and read with all rows", () => {
    expect(judge(first, write(20, 21, { kind: "update", values: { mark: "a" } }))).toEqual([]);
    expect(judge(first, read(20, 21, [], "1"))).toEqual([]);
  });

  test("that are acknowledged twice are two, with or without a read", () => {
    const second = write(20, 21, { values: { mark: "b" } });
    expect(judge(first, second)).toEqual([["severalWinners", 2, 0]]);
    expect(judge(first, second, shows(30, "a"))).toEqual([["severalWinners", 2, 1]]);
    // The row that is neither's.
    expect(judge(first, second, shows(30, "a", "c"))).toEqual([
      ["severalWinners", 2, 2],
      ["wrongSurvivor", "c"],
    ]);
  });

  test("must be there when they were acknowledged before the read was sent", () => {
    expect(judge(first, shows(10))).toEqual([]);
    expect(judge(first, shows(11))).toEqual([["wrongSurvivor", null]]);
  });

  test("may be refused for one that was sent at the same moment", () => {
    const refused = (to: number): Write => write(-5, to, { outcome: "refused" });
    expect(judge(refused(0), first)).toEqual([]);
    expect(judge(refused(-1), first)).toEqual(["noWinner"]);
  });
});

describe("a group", () => {
  const published = [0, 1, 2].map((n) => write(n, n + 1, { key: `m${n}` }));
  const got = (n: number, consumer: string, at: number, change: Partial<Delivery> = {}): Delivery => ({
    consumer,
    partition: "0",
    offset: String(n),
    key: `m${n}`,
    poll: at,
    invokedAt: at,
    returnedAt: at + 2,
    ...change,
  });
  const ack = (upTo: number, returnedAt: number, partition = "0"): Acknowledgement => ({
    consumer: "a",
    partition,
    upTo: String(upTo),
    returnedAt,
    outcome: "ok",
  });
  const all = [got(0, "a", 10), got(1, "a", 11), got(2, "a", 12)];
  const judge = (delivered: readonly Delivery[], rest: Partial<GroupHistory> = {}): unknown[] =>
    judgeGroup({ published, delivered, acknowledged: [], leftAt: {}, ...rest }).map((one) =>
      one.kind === "deliveredAfterAck" ? [one.kind, one.acknowledged.returnedAt] : one.kind,
    );

  test("gets nothing that was not published, not even at first", () => {
    expect(judge([got(-1, "a", 5, { key: "x" }), ...all])).toEqual(["unexpected"]);
  });

  test("goes forward, from the first message on, until a consumer has left", () => {
    expect(judge([got(1, "a", 10), got(0, "a", 11), got(2, "a", 12)])).toEqual(["nonmonotonic"]);
    const back = [...all, got(1, "a", 30)];
    expect(judge(back)).toEqual(["nonmonotonic"]);
    expect(judge(back, { leftAt: { a: 31 } })).toEqual([]);
    expect(judge(back, { leftAt: { a: 32 } })).toEqual(["nonmonotonic"]);
    expect(judge(back, { leftAt: { a: 99 } })).toEqual(["nonmonotonic"]);
    expect(judge(back, { leftAt: { b: 1 } })).toEqual(["nonmonotonic"]);
  });

  test("a message that another one holds is free from the moment that one left", () => {
    const both = [...all, got(2, "b", 30)];
    expect(judge(both, { leftAt: { a: 32 } })).toEqual([]);
    expect(judge(both, { leftAt: { a: 33 } })).toEqual(["deliveredToBoth"]);
    // In whatever order they are given.
    expect(
      judge(
        both.toReversed().toSorted((one, other) => one.poll - other.poll),
        { leftAt: { a: 20 } },
      ),
    ).toEqual([]);
    expect(judge([got(2, "b", 30), ...all], { leftAt: { a: 20 } })).toEqual([]);
    expect(judge([got(2, "b", 30), ...all], { leftAt: { b: 40 } })).toEqual(["deliveredToBoth"]);
  });

  test("another message at the same offset is one that was not published there", () => {
    expect(judge([...all, got(2, "b", 30, { key: "m1" })], { leftAt: { a: 20 } })).toEqual(["unexpected"]);
  });

  test("gets no message that was acknowledged before the poll, by the first acknowledgement that covers it", () => {
    const leftAt = { a: 15 };
    const acknowledged = [ack(1, 25), ack(2, 50), ack(0, 17)];
    const after = (n: number, at: number): unknown[] => judge([...all, got(n, "b", at)], { leftAt, acknowledged });
    expect([after(0, 17), after(0, 18), after(1, 25), after(1, 26), after(2, 50), after(2, 51)]).toEqual([
      [],
      [["deliveredAfterAck", 17]],
      [],
      [["deliveredAfterAck", 25]],
      [],
      [["deliveredAfterAck", 50]],
    ]);
    expect(judge([...all, got(0, "b", 22)], { leftAt, acknowledged: [ack(2, 30), ack(1, 20), ack(0, 25)] })).toEqual([
      ["deliveredAfterAck", 20],
    ]);
    // One that reaches further may have been first.
    for (const further of [
      [ack(1, 25), ack(2, 18)],
      [ack(2, 18), ack(1, 25)],
    ])
      expect(judge([...all, got(1, "b", 20)], { leftAt, acknowledged: further })).toEqual([["deliveredAfterAck", 18]]);
  });

  test("an acknowledgement is of its partition", () => {
    const other = got(0, "b", 40, { partition: "1", key: "m0" });
    expect(judge([...all, other], { acknowledged: [ack(2, 20)] })).toEqual([]);
    expect(judge([...all, other], { acknowledged: [ack(2, 20, "1")] })).toEqual([["deliveredAfterAck", 20]]);
  });
});
