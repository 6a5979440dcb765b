import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { delaysOf, openLoop, type Schedule, type Shots } from "./open-loop.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

type Answer = { sentAt: number; doneAt: number };
const wait = async (ms: number): Promise<void> => await new Promise((resolve) => setTimeout(resolve, ms));
const now = (): number => performance.now();

async function load(schedule: Schedule, send: () => Promise<Answer>, pause = wait): Promise<Shots<Answer>> {
  const done = openLoop(schedule, send, pause);
  await vi.runAllTimersAsync();
  return await done;
}

test("a stall delays everything that is due in it, each by what is left of it", async () => {
  const beganAt = now();
  const schedule = { perSecond: 100, forMs: 3_000, inFlightMax: 200 };
  const { shots, unsent, ownLateMs, heldMs } = await load(schedule, async () => {
    const sentAt = now();
    const at = sentAt - beganAt;
    if (at >= 1_000 && at < 1_500) await wait(1_500 - at);
    return { sentAt, doneAt: now() };
  });
  expect(shots).toHaveLength(300);
  expect(shots.filter(({ delayMs }) => delayMs > 0)).toHaveLength(50);
  expect(Math.max(...shots.map(({ delayMs }) => delayMs))).toBe(500);
  expect({ unsent, heldMs }).toEqual({ unsent: 0, heldMs: 0 });
  expect(ownLateMs).toBeLessThanOrEqual(1);
});

test("the delay counts from when a request was due, where there was no lane for it; that is not our own lateness", async () => {
  const schedule = { perSecond: 10, forMs: 1_000, inFlightMax: 1 };
  const { shots, inFlight, ownLateMs, unsent } = await load(schedule, async () => {
    const sentAt = now();
    await wait(200);
    return { sentAt, doneAt: now() };
  });
  // One each 200 ms, where one each 100 ms was due.
  expect(shots.slice(0, 4).map(({ delayMs }) => Math.round(delayMs / 10))).toEqual([20, 30, 40, 50]);
  expect([inFlight, ownLateMs]).toEqual([1, 0]);
  expect(shots.length + unsent).toBe(10);
  expect(unsent).toBeGreaterThan(0);
});

test("what our own pacing holds back is no delay of the server, and is told", async () => {
  const { shots, heldMs } = await load({ perSecond: 10, forMs: 500, inFlightMax: 9 }, async () => {
    await wait(300);
    return { sentAt: now(), doneAt: now() + 20 };
  });
  expect(shots.map(({ delayMs }) => Math.round(delayMs))).toEqual([20, 20, 20, 20, 20]);
  expect(heldMs).toBe(300);
});

test("lateness of our own timers is told", async () => {
  const late = async (ms: number): Promise<void> => await wait(ms + 70);
  const atOnce = async (): Promise<Answer> => await Promise.resolve({ sentAt: now(), doneAt: now() });
  const { ownLateMs } = await load({ perSecond: 5, forMs: 1_000, inFlightMax: 9 }, atOnce, late);
  expect(ownLateMs).toBeGreaterThanOrEqual(70);
});

test("delays are summed up in percentiles", () => {
  const delays = delaysOf(Array.from({ length: 100 }, (_, n) => n + 1));
  expect(delays).toMatchObject({ count: 100 });
  const wanted = [
    ["p50", 50],
    ["p95", 95],
    ["p99", 99],
    ["max", 100],
  ] as const;
  for (const [at, ms] of wanted) expect(Math.abs((delays?.[at] ?? 0) - ms)).toBeLessThanOrEqual(0.2);
  expect(delaysOf([])).toBeUndefined();
});
