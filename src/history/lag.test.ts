import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { watchLag } from "./lag.ts";

/** How far the clock has gone on while no timer could fire. */
let busyMs = 0;

beforeEach(() => {
  busyMs = 0;
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  const faked = performance.now.bind(performance);
  vi.spyOn(performance, "now").mockImplementation(() => faked() + busyMs);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test("timers that fire when they should show no lag", () => {
  const stop = watchLag();
  vi.advanceTimersByTime(1_000);
  expect(stop()).toBe(0);
});

test("the longest delay is reported, wherever it was", () => {
  const stop = watchLag();
  vi.advanceTimersByTime(100);
  busyMs += 300;
  vi.advanceTimersByTime(10);
  busyMs += 40;
  vi.advanceTimersByTime(100);
  expect(stop()).toBe(300);
});

test("a process that is still busy when it is asked has been late already", () => {
  const stop = watchLag();
  busyMs += 250;
  expect(stop()).toBe(240);
});

test("stopped, it leaves no timer behind", () => {
  watchLag()();
  expect(vi.getTimerCount()).toBe(0);
});
