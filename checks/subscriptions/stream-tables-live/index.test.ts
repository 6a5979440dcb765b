import fc from "fast-check";
import { expect, test } from "vitest";
import { streamTablesLive } from "./index.ts";

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
    return { written, reads, afterwards: ["99"], notices: [], exchange: 1 };
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
