import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startPings } from "./pings.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("the silence before the last ping counts, and that after it", () => {
  let [now, pings] = [0, 0];
  const pinging = startPings(
    () => (pings += 1),
    4_000,
    () => now,
  );
  const next = (at: number): void => {
    now = at;
    vi.advanceTimersToNextTimer();
  };
  next(4_000);
  next(8_000);
  expect([pings, pinging.silentMs()]).toEqual([2, 4_000]);
  // This process was held up for 14 s.
  next(22_000);
  expect(pinging.silentMs()).toBe(14_000);
  next(26_000);
  now = 31_000;
  expect(pinging.silentMs()).toBe(5_000);
  pinging.stop();
  now = 60_000;
  expect([pings, pinging.silentMs()]).toEqual([4, 5_000]);
});
