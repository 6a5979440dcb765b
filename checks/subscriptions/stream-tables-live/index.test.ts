import fc from "fast-check";
import { expect, test } from "vitest";
import { streamTablesLive } from "./index.ts";

type Seen = Parameters<typeof streamTablesLive.judge>[0];
const { limits } = streamTablesLive;
const lifeMs = 3_000;

/** A table that keeps its word: rows leave some time after their end, each read sees what is there in its middle. */
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
      return { id: String(at + 1), acknowledged: true, from, to: now, toldAt: now + 5 };
    });
    const reads = gaps.map((gap) => {
      now += gap;
      const from = now;
      now += 8;
      const rows = written.filter(({ to }, at) => from + 4 < to + lifeMs + (stays[at] ?? 0)).map(({ id }) => id);
      return { from, to: now, rows, exchange: from };
    });
    return { why: null, written, reads, afterwards: ["99"], lagMs: 2, notices: [], exchange: 1 };
  });

test("a table that keeps its word passes where it was looked at often enough, and is never red", () => {
  fc.assert(
    fc.property(legal, (seen) => {
      const lastAt = Math.max(...seen.written.map(({ to }) => to));
      const during = seen.reads.filter(({ from, to }) => from > lastAt && to < lifeMs - 20).length;
      const gone = seen.reads.some(({ rows }) => rows?.length === 0);
      expect(streamTablesLive.judge(seen, limits).kind).toBe(during >= 3 && gone ? "pass" : "unknown");
    }),
  );
});

test("one row that is lost, early or late is named", () => {
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
      const told = seen.written.map((one) => (one === row && name === "lostChange" ? { ...one, toldAt: null } : one));
      fc.pre(name === "lostChange" || (name === "evictedEarly" ? young !== -1 : old !== -1));
      const verdict = streamTablesLive.judge({ ...seen, written: told, reads }, limits);
      expect(verdict.kind === "fail" ? verdict.found.map((found) => found.name) : verdict).toEqual([name]);
    }),
  );
});
