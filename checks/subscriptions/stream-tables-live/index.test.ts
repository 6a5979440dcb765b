import fc from "fast-check";
import { expect, test } from "vitest";
import { judged } from "../../vocabulary/evidence.ts";
import { streamTablesLive } from "./index.ts";
import { goneLate, isDuringLife, readsDuring, type Read } from "./lifetime.ts";

type Seen = Parameters<typeof streamTablesLive.judge>[0];
const { limits } = streamTablesLive;
const lifeMs = 3_000;

/** A correct table: rows expire some time after their end, and each read sees what is there halfway through it. */
const legal = fc
  .record({
    gaps: fc.array(fc.integer({ min: 60, max: 400 }), { minLength: 30, maxLength: 60 }),
    stays: fc.array(fc.integer({ min: 0, max: limits.goneMsMax - 100 }), { minLength: 5, maxLength: 5 }),
    tooks: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 5, maxLength: 5 }),
  })
  .map(({ gaps, stays, tooks }): Seen => {
    let now = 0;
    const written = tooks.map((took, at) => {
      const from = now;
      now += took;
      return { id: String(at + 1), acknowledged: true, from, to: now, deliveredAt: now + 5 };
    });
    const reads = gaps.map((gap) => {
      now += gap;
      const from = now;
      now += 8;
      const rows = written.filter(({ to }, at) => from + 4 < to + lifeMs + (stays[at] ?? 0)).map(({ id }) => id);
      return { from, to: now, rows, exchange: from };
    });
    return { lifeMs, controlMs: 8, written, reads, afterwards: ["99"], notices: [], exchange: 1 };
  });

test("a correct table passes if it was read often enough, and never fails", () => {
  fc.assert(
    fc.property(legal, (seen) => {
      const lastAt = Math.max(...seen.written.map(({ to }) => to));
      const during = seen.reads.filter(({ from, to }) => from > lastAt && to < lifeMs - 20).length;
      const gone = seen.reads.some(({ rows }) => rows?.length === 0);
      expect(streamTablesLive.judge(seen, limits).kind).toBe(during >= 3 && gone ? "pass" : "unknown");
    }),
  );
});

test("a row that is lost, gone early or gone late is named", () => {
  fc.assert(
    fc.property(legal, fc.nat(), fc.constantFrom("lostChange", "evictedEarly", "stillRead"), (seen, at, name) => {
      const row = seen.written[at % seen.written.length];
      if (row === undefined) throw new Error("five rows");
      const young = seen.reads.findIndex(({ from, to }) => from > row.to && to < row.from + lifeMs - 100);
      const old = seen.reads.findLastIndex(({ from }) => from > row.to + lifeMs + limits.goneMsMax);
      const reads = seen.reads.map((read, n) => {
        const others = (read.rows ?? []).filter((id) => id !== row.id);
        if (name === "evictedEarly" && n === young) return { ...read, rows: others };
        if (name === "stillRead" && n === old) return { ...read, rows: [...others, row.id] };
        return read;
      });
      const written = seen.written.map((one) =>
        one === row && name === "lostChange" ? { ...one, deliveredAt: null } : one,
      );
      fc.pre(name === "lostChange" || (name === "evictedEarly" ? young !== -1 : old !== -1));
      const verdict = streamTablesLive.judge({ ...seen, written, reads }, limits);
      expect(verdict.kind === "fail" ? verdict.found.map((found) => found.name) : verdict).toEqual([name]);
    }),
  );
});

const row = { id: "1", acknowledged: true, from: 10, to: 20, deliveredAt: 25 as number | null };
const read = (from: number, to: number, rows: readonly string[] | null): Read => ({ from, to, rows, exchange: from });

test("a read is during a life that is sent after it began and answered before it may end", () => {
  const during = (from: number, to: number): boolean => isDuringLife(row, read(from, to, []), 1_000);
  // Twenty milliseconds are for the two clocks.
  expect([during(20, 30), during(21, 30), during(21, 989), during(21, 990)]).toEqual([false, true, true, false]);
  const other = { ...row, id: "2", from: 500, to: 510 };
  const reads = [read(600, 610, ["1", "2"]), read(600, 610, null), read(600, 1_200, []), read(21, 30, ["1"])];
  expect(readsDuring([row, other], reads, 1_000)).toEqual(reads.slice(0, 1));
});

test("a row is late when it is read later than it may be", () => {
  const late = (from: number): boolean =>
    goneLate([row], [read(from, from + 5, ["1"])], { lifeMs: 1_000, graceMs: 100 }) !== undefined;
  expect([late(1_120), late(1_121)]).toEqual([false, true]);
});

/** Five rows that were written at the same time. */
const together = ["1", "2", "3", "4", "5"].map((id) => ({ ...row, id }));
const ids = together.map(({ id }) => id);
const alive = [100, 200, 300].map((from) => read(from, from + 5, ids));
const seen: Seen = {
  lifeMs: 1_000,
  controlMs: 5,
  written: together,
  reads: [...alive, read(1_100, 1_105, [])],
  afterwards: ["99"],
  notices: [],
  exchange: 1,
};

test("how prompt, how long and when it ended is said", () => {
  const passed = (slowest: number, end: number): string[] => [
    `pass: 5 rows delivered within ${slowest} ms, read 3 times during their 1000 ms, and gone at most ${end} ms after the last was written`,
  ];
  expect(judged(streamTablesLive, seen)).toEqual(passed(5, 1_085));
  const first = (change: object): Seen => ({
    ...seen,
    written: together.map((one, at) => (at === 0 ? { ...one, ...change } : one)),
  });
  expect(judged(streamTablesLive, first({ deliveredAt: 90 }))).toEqual(passed(70, 1_085));
  expect(judged(streamTablesLive, first({ to: 60, deliveredAt: 65 }))).toEqual(passed(5, 1_045));
  const atOnce = together.map((one) => ({ ...one, deliveredAt: one.to }));
  expect(judged(streamTablesLive, { ...seen, written: atOnce })).toEqual(passed(0, 1_085));
  // An empty table before there was a row is no end.
  const early = [read(20, 25, []), ...seen.reads];
  expect(judged(streamTablesLive, { ...seen, reads: early })).toEqual(passed(5, 1_085));
});

test("a row that never came was awaited until the last read", () => {
  const reads = [read(100, 105, ids)];
  const lost = judged(streamTablesLive, {
    ...seen,
    reads,
    written: [{ ...row, deliveredAt: null }, ...together.slice(1)],
  });
  expect(lost).toEqual([expect.stringMatching(/^lostChange: .*"lost":1,"of":5,.*"id":"1"/)]);
});
