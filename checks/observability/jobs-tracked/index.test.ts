import * as fc from "fast-check";
import { expect, test } from "vitest";
import { judged, latePace, no, nothing, slowPace, yes } from "../../vocabulary/evidence.ts";
import type { Job } from "../../vocabulary/jobs.ts";
import { jobsTracked } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof jobsTracked.judge>[0];
type Legal = Omit<Seen, "last"> & { readonly last: Job };

const found = (seen: Seen): string[] => {
  const verdict = jobsTracked.judge(seen, {});
  return verdict.kind === "fail" ? verdict.found.map((one) => `${one.name} ${one.case ?? ""}`.trim()) : [verdict.kind];
};
const unfinished = fc.constantFrom("new", "queued", "pending", "running", "retrying");
const idle = fc.constantFrom("skipped: no pending writes for table", "Nothing to flush", "Storage flush skipped");

/** A job first seen in any state and then completed, with its times in order. */
const legal: fc.Arbitrary<Legal> = fc
  .record({
    hex: fc.stringMatching(/^[0-9a-f]{12}$/),
    table: fc.stringMatching(/^kr_[a-z0-9]{5}_1\.[a-z]{3,9}$/),
    created: fc.integer({ min: 1, max: 1e9 }),
    waited: fc.nat(5_000),
    worked: fc.nat(20_000),
    type: fc.constantFrom("flush", "Flush", "FLUSH_TABLE"),
    status: fc.oneof(unfinished, fc.constant("completed")),
    answer: idle,
  })
  .map(({ hex, table, created, waited, worked, type, status, answer }) => {
    const [namespace, name] = table.split(".");
    const last: Job = {
      type,
      status: "completed",
      parameters: JSON.stringify({ namespace_id: namespace, table_name: name }),
      message: "",
      createdAt: String(created),
      startedAt: String(created + waited),
      finishedAt: String(created + waited + worked),
    };
    const job = `FL-${hex}`;
    return {
      table,
      flushed: { said: yes(`Storage flush started. Job ID: ${job}`), job },
      first: { ...last, status, ...(status === "completed" ? {} : { finishedAt: null }) },
      last,
      listing: latePace,
      ending: latePace,
      again: { said: yes(answer), job: null },
    };
  });

test("a completed job with its times in order passes", () => {
  fc.assert(
    fc.property(legal, (seen) => {
      expect(found(seen)).toEqual(["pass"]);
    }),
  );
});

test("a job that is not listed, not named or not completed is reported", () => {
  const other = fc.oneof(unfinished, fc.constantFrom("failed", "cancelled", "skipped"));
  fc.assert(
    fc.property(legal, other, (seen, status) => {
      expect(found({ ...seen, first: null, last: null, again: null })).toEqual(["missing"]);
      const flushed = { said: yes("Storage flush started"), job: null };
      expect(found({ ...seen, flushed, first: null, last: null, again: null })).toEqual(["unnamed"]);
      expect(found({ ...seen, last: { ...seen.last, status }, again: null })).toEqual(["stuck"]);
    }),
  );
});

test("times that are out of order or missing are reported", () => {
  const which = fc.constantFrom("createdAt", "startedAt", "finishedAt");
  fc.assert(
    fc.property(legal, which, fc.integer({ min: 1, max: 1e6 }), fc.boolean(), (seen, time, by, missing) => {
      const { last } = seen;
      // Later than the next time, or earlier than the one before.
      const off =
        time === "createdAt" ? BigInt(last.finishedAt ?? 0) + BigInt(by) : BigInt(last.createdAt ?? 0) - BigInt(by);
      const wrong = { ...last, [time]: missing ? null : String(off) };
      expect(found({ ...seen, last: wrong })).toEqual(["disordered"]);
    }),
  );
});

test("a wrong type, a wrong table and a job with nothing to do are reported", () => {
  fc.assert(
    fc.property(legal, fc.constantFrom("compact", "cleanup", "backup"), (seen, type) => {
      expect(found({ ...seen, last: { ...seen.last, type } })).toEqual(["wrong type"]);
      expect(found({ ...seen, last: { ...seen.last, parameters: '{"table_id":"other"}' } })).toEqual(["wrong table"]);
      const again = { said: yes("Storage flush started. Job ID: FL-ffffffffffff"), job: "FL-ffffffffffff" };
      expect(found({ ...seen, again })).toEqual(["idleJob"]);
    }),
  );
});

test("a request that was not answered is no finding", () => {
  const lacks = fc.constantFrom<Partial<Seen>>(
    { first: "unread" },
    { last: "unread" },
    { again: { said: nothing(), job: null } },
    { again: null },
  );
  fc.assert(
    fc.property(legal, lacks, (seen, lack) => {
      expect(found({ ...seen, ...lack })).toEqual(["unknown"]);
    }),
  );
});

const [written] = proof.holds as readonly [Seen];
const judge = (change: Partial<Seen>): string[] => judged(jobsTracked, { ...written, ...change });

test("a job is missing if either look did not list it", () => {
  const missing = [expect.stringMatching(/^missing: /)];
  expect(judge({ first: null })).toEqual(missing);
  expect(judge({ last: null })).toEqual(missing);
});

test("a job that ended otherwise is told apart from one that did not end", () => {
  const last = written.last as Job;
  expect(judge({ last: { ...last, status: "failed" } })).toEqual([
    expect.stringContaining('"status":"ended as failed"'),
  ]);
  expect(judge({ last: { ...last, status: "running" } })).toEqual([expect.stringContaining('"status":"running"')]);
});

test("a job must name both the namespace and the table", () => {
  const last = written.last as Job;
  const [namespace = "", name = ""] = written.table.split(".");
  for (const parameters of [namespace, name])
    expect(judge({ last: { ...last, parameters } })).toEqual([expect.stringMatching(/^wrong: table/)]);
});

test("a second flush must neither start a job nor leave out that there was nothing to do", () => {
  const again = (said: ReturnType<typeof yes>, job: string | null): string[] => judge({ again: { said, job } });
  expect(again(yes("Storage flush skipped"), "FL-1")).toEqual([expect.stringMatching(/^idleJob/)]);
  expect(again(yes("Storage flush started"), null)).toEqual([expect.stringMatching(/^idleJob/)]);
  expect(again(no("X", "nothing to flush", "rule"), null)).toEqual([expect.stringMatching(/^pass/)]);
});

test("a pass tells how long the job took by its own times", () => {
  expect(judge({})).toEqual([expect.stringContaining("completed after 20 ms")]);
});

test("on a slow server a job that has gone is missing, one that ended is stuck, and others are unknown", () => {
  const last = written.last as Job;
  expect(judge({ last: null, listing: slowPace })).toEqual([expect.stringMatching(/^missing/)]);
  expect(judge({ first: null, listing: slowPace })).toEqual([expect.stringMatching(/^unknown: .* is not listed/)]);
  expect(judge({ first: null, last: null, listing: null })).toEqual([
    expect.stringMatching(/^unknown: .* is not listed; nobody waited for it/),
  ]);
  expect(judge({ last: { ...last, status: "failed" }, ending: slowPace })).toEqual([expect.stringMatching(/^stuck/)]);
  expect(judge({ last: { ...last, status: "running" }, ending: slowPace })).toEqual([
    expect.stringMatching(/^unknown/),
  ]);
  expect(judge({ last: { ...last, status: "running" }, ending: null })).toEqual([
    expect.stringMatching(/did not complete; nothing was measured beside a wait of 0 ms/),
  ]);
});
