import { expect, test } from "vitest";
import type { Context } from "../../src/check.ts";
import type { Answer } from "../../src/server/target.ts";
import { latePace, nothing, promptPace, slowPace } from "../vocabulary/evidence.ts";
import { endedOf, flushedOf } from "./evidence.ts";
import { flushToEnd, unendedOf, whyUnflushed } from "./flushing.ts";
import { endedAmiss, sayAmiss, whyNotEnded, type Ended } from "./jobs.ts";

const [amiss, fine] = [true, false];
test.each([
  ["completed", { status: "completed", pace: promptPace }, fine, undefined],
  ["completed late", { status: "completed", pace: latePace }, fine, undefined],
  ["failed", { status: "failed", pace: promptPace }, amiss, "nothing was measured"],
  ["failed slowly", { status: "failed", pace: slowPace }, amiss, "the server was slow altogether"],
  ["was cancelled", { status: "cancelled", pace: promptPace }, amiss, "nothing was measured"],
  ["goes on", { status: "running", pace: latePace }, amiss, "the server was slow altogether"],
  ["goes on, for a short while", { status: "running", pace: promptPace }, fine, "nothing was measured"],
  ["goes on, on a slow server", { status: "running", pace: slowPace }, fine, "the server was slow altogether"],
  ["goes on just long enough", { status: "queued", pace: { waitedMs: 100, controlMs: 10 } }, amiss, "slow"],
  ["goes on almost long enough", { status: "queued", pace: { waitedMs: 99, controlMs: 10 } }, fine, "slow"],
  ["is not listed", { status: null, pace: latePace }, fine, "the flush: the job FL-2 is not listed in system.jobs"],
  [
    "was not started",
    { job: null, status: "failed", pace: latePace },
    fine,
    "the flush could not be started: 200 Job ID: FL-2",
  ],
  [
    "got no answer",
    { said: nothing(), job: null, status: null },
    fine,
    "the flush could not be started: no answer no answer within",
  ],
] as const)("a job that %s", (_, change, isAmiss, why) => {
  const ended: Ended = { ...endedOf(), ...change };
  const { job, status, message, pace } = ended;
  expect(endedAmiss(ended, "the flush")).toEqual(
    isAmiss ? { what: "the flush", job, status, message, pace } : undefined,
  );
  expect(whyNotEnded(ended, "the flush")).toEqual(why === undefined ? undefined : expect.stringContaining(why));
  const flushing = { ...ended, segments: [1] };
  expect(unendedOf(flushing, 3)).toEqual(isAmiss ? { flush: 3, job, status, pace } : undefined);
  expect(whyUnflushed(flushing) === undefined).toBe(why === undefined);
});

test("a job that failed is named with what it says", () => {
  const said = (message: string) =>
    sayAmiss({ what: "the flush", job: "FL-2", status: "failed", message, pace: latePace });
  expect(said("")).toBe(
    "the flush: FL-2 was failed, not completed, after 12000 ms, 1,000 times as long as a plain SELECT beside it (12 ms)",
  );
  expect(said("no space")).toContain(" after 12000 ms (no space), ");
});

test("segments that could not be read are no flush that is known", () => {
  expect(whyUnflushed({ ...flushedOf([]), segments: "no manifest" })).toBe("no manifest");
  expect(whyUnflushed(flushedOf([]))).toBeUndefined();
});

const at = { exchange: 7, sentAt: 1, doneAt: 2 };
const shows = (...rows: readonly Readonly<Record<string, string>>[]): Answer => {
  const names = Object.keys(rows[0] ?? { none: "" });
  const columns = names.map((name) => ({ name, type: "Text", flags: [] }));
  const results = [{ columns, rows: rows.map((row) => names.map((name) => row[name] ?? null)), rowCount: rows.length }];
  return { kind: "ok", status: 200, results, tookMs: 1, ...at };
};
const flushed = (message: string): Answer => ({
  kind: "ok",
  status: 200,
  results: [{ columns: [], rows: [], rowCount: 0, message }],
  tookMs: 1,
  ...at,
});
const manifest = (...segments: readonly number[]) =>
  shows({
    scope: "shared",
    manifest_json: JSON.stringify({ segments: segments.map((count) => ({ row_count: count })) }),
  });
const account = { name: "op", role: "dba" } as never;

/** What a flush is taken for where these are the answers to each query, the last one again and again. */
async function flushWhere(flush: Answer, jobs: readonly string[], manifests: readonly Answer[]) {
  const [statuses, shown] = [[...jobs], [...manifests]];
  const next = <T>(of: T[]): T | undefined => (of.length > 1 ? of.shift() : of[0]);
  const asked: string[] = [];
  const sql = async (_: unknown, text: string): Promise<Answer> => {
    asked.push(text);
    if (text.startsWith("STORAGE FLUSH")) return await Promise.resolve(flush);
    if (!text.includes("system.jobs")) return next(shown) ?? shows();
    const status = next(statuses);
    return status === undefined ? shows() : shows({ job_id: "FL-1", status, message: "m" });
  };
  const context: Pick<Context, "poll" | "size"> = {
    size: ({ light }) => light / 1_000,
    async poll(ask, done, { withinMs }) {
      let answer = await ask();
      for (let tries = 1; tries < 5 && withinMs > 0 && !done(answer); tries += 1) answer = await ask();
      return answer;
    },
  };
  const { status, job, segments, message } = await flushToEnd({ sql } as never, context, account, {
    table: "n.t",
    rows: 20,
  });
  return { status, job, segments, message, asked: asked.filter((text) => !text.startsWith("SELECT 1 AS")) };
}

test("a flush is waited for until its job has ended and its segments hold the rows", async () => {
  const ok = flushed("Job ID: FL-1");
  const seen = await flushWhere(
    ok,
    ["Queued", "RUNNING", "Completed"],
    [manifest(10), manifest(10, 9), manifest(10, 10), manifest(1)],
  );
  expect(seen).toMatchObject({ status: "completed", job: "FL-1", segments: [10, 10], message: "m" });
  expect(seen.asked[0]).toBe("STORAGE FLUSH TABLE n.t");
  expect(await flushWhere(ok, ["failed"], [manifest(10)])).toMatchObject({ status: "failed", segments: [10] });
  expect(await flushWhere(ok, [], [manifest(30)])).toMatchObject({
    job: "FL-1",
    status: null,
    message: "",
    segments: [30],
  });
  expect(await flushWhere(ok, ["completed"], [shows()])).toMatchObject({ status: "completed", segments: [] });
  expect(await flushWhere(ok, ["completed"], [flushed("")])).toMatchObject({
    segments: expect.stringMatching(/^system\.manifest could not be read/) as unknown,
  });
});

test("a flush that was not started has no job, and nothing is waited for", async () => {
  const refused: Answer = {
    kind: "refused",
    status: 400,
    code: "X",
    message: "Job ID: FL-1 not allowed",
    cause: "rule",
    ...at,
  };
  const seen = await flushWhere(refused, ["completed"], [manifest(10), manifest(20)]);
  expect(seen).toMatchObject({ job: null, status: null, message: "", segments: [10] });
});
