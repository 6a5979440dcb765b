import { afterEach, expect, test, vi } from "vitest";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import type { Said } from "../../../src/server/target.ts";
import { scripted, type Reply } from "../../../test/scripted.ts";
import { makeWorkload, phase, throughput, type Phase, type Workload } from "./load.ts";

afterEach(() => void vi.restoreAllMocks());

/** A clock that moves only where something waits. */
function clock(): { pass: (ms: number) => Promise<void> } {
  let now = 1_000;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  return {
    async pass(ms) {
      now += ms;
      await new Promise(setImmediate);
    },
  };
}

/** Ten requests, each answered like this in `tookMs`. */
async function phaseOf(answer: (n: number) => { said: Said; right?: boolean }, tookMs = 0): Promise<Phase> {
  const { pass } = clock();
  let n = -1;
  const send: Workload["send"] = async () => {
    n += 1;
    const { said, right = false } = answer(n);
    const sentAt = performance.now();
    await Promise.resolve();
    return { said, right, sentAt, doneAt: sentAt + tookMs };
  };
  const workload = { send, costlier: async () => await Promise.resolve(false) };
  return await phase(workload, { perSecond: 10, forMs: 1_000 }, pass);
}
const none = { right: 0, refused: 0, broken: 0, wrong: 0, unanswered: 0 };

test("right answers are counted, with their delays", async () => {
  const seen = await phaseOf(() => ({ said: yes(), right: true }), 40);
  expect(seen).toMatchObject({ ...none, right: 10, offered: 10, perSecond: 10, sample: [] });
  expect(seen.delays).toMatchObject({ count: 10, p50: 40, p99: 40 });
});

test.each<[keyof typeof none, Said]>([
  ["refused", no("RATE_LIMIT_EXCEEDED", "", "rate", 429)],
  ["refused", { ...nothing("unavailable"), status: 503 }],
  ["refused", { ...nothing("unavailable"), status: 503, code: "BUSY" }],
  ["broken", nothing("reset")],
  ["broken", nothing("cut")],
  ["broken", nothing("unreachable")],
  ["broken", { ...nothing("unavailable"), status: 502 }],
  ["wrong", { ...nothing("unrecognised"), status: 502, code: "BAD" }],
  ["wrong", { ...nothing("unrecognised"), status: 500 }],
  ["wrong", nothing("malformed")],
  ["wrong", no("INVALID_SQL", "", "parse")],
  ["wrong", yes()],
  ["unanswered", nothing("timeout")],
])("%s: %j", async (kind, said) => {
  const seen = await phaseOf((n) => (n === 3 ? { said } : { said: yes(), right: true }));
  expect(seen).toMatchObject({ ...none, right: 9, offered: 10, [kind]: 1 });
  expect(seen.sample).toEqual(kind === "wrong" || kind === "broken" ? [said] : []);
  expect(seen.delays?.count).toBe(9);
});

test("the sample has five, wrong ones first", async () => {
  const [lost, bad] = [nothing("reset"), no("X", "", "rule")];
  const seen = await phaseOf((n) => ({ said: n < 6 ? lost : bad }));
  expect(seen).toMatchObject({ ...none, broken: 6, wrong: 4, delays: null });
  expect(seen.sample).toEqual([bad, bad, bad, bad, lost]);
});

test("throughput: right answers of all clients, and what our own pacing held back", async () => {
  const { pass } = clock();
  const send: Workload["send"] = async (lane) => {
    const readyAt = performance.now();
    await pass(5);
    return { said: yes(), right: lane === 0, sentAt: readyAt + 2, doneAt: performance.now() };
  };
  const workload = { send, costlier: async () => await Promise.resolve(false) };
  const one = await throughput(workload, 1, 100);
  expect(one.perSecond).toBe(200);
  expect(one.heldShare).toBeCloseTo(0.4);
});

/** A server whose statement takes this long with so many rows. */
function server(tookMs: (rows: number) => number, answer: (rows: number) => Reply = count) {
  let rows = 0;
  const made = scripted((sql) => {
    if (sql.startsWith("INSERT")) rows += sql.split("), (").length;
    return sql.startsWith("SELECT COUNT") ? answer(rows) : undefined;
  });
  const sql: typeof made.target.sql = async (...asked) => {
    const said = await made.target.sql(...asked);
    return { ...said, sentAt: 0, doneAt: tookMs(rows) };
  };
  return { workload: async () => await makeWorkload({ ...made.target, sql }, made.context), rows: () => rows };
}
function count(rows: number): Reply {
  return { columns: ["n"], rows: [[String(rows * rows)]] };
}

test("the statement is made to cost ten milliseconds, or as much as it can", async () => {
  for (const [tookMs, rows] of [
    [(n: number) => (n >= 400 ? 10 : 9), 400],
    [() => 10, 50],
    [() => 1, 3_200],
  ] as const) {
    const made = server(tookMs);
    const { send, costlier } = await made.workload();
    expect(made.rows()).toBe(rows);
    expect((await send(3)).right).toBe(true);
    expect(await costlier()).toBe(rows < 3_200);
    expect(made.rows()).toBe(Math.min(3_200, 2 * rows));
    expect((await send(3)).right).toBe(true);
  }
});

test("a statement that is not answered rightly is no load", async () => {
  for (const wrong of ["lost", "refused", "done"] as const)
    await expect(
      server(
        () => 20,
        () => wrong,
      ).workload(),
    ).rejects.toThrow("the statement of the load was not answered");
  const off = server(
    () => 20,
    (rows) => count(rows + 1),
  );
  await expect(off.workload()).rejects.toThrow("the statement of the load was not answered");
});
