import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { watchMachine, whyTooBusy } from "./machine.ts";

vi.mock("node:fs", () => ({ readFileSync: vi.fn<typeof readFileSync>() }));

/** How far the clock has gone on while no timer could fire. */
let busyMs = 0;
/** What Linux says. */
let waitedMs: number | undefined;

beforeEach(() => {
  busyMs = 0;
  waitedMs = 5_000;
  vi.mocked(readFileSync).mockImplementation(() => {
    if (waitedMs === undefined) throw new Error("ENOENT");
    return `some avg10=0.00 avg60=0.00 avg300=0.00 total=${waitedMs * 1_000}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n`;
  });
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  const faked = performance.now.bind(performance);
  vi.spyOn(performance, "now").mockImplementation(() => faked() + busyMs);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("timers", () => {
  test("that fire when they should are not late", () => {
    const stop = watchMachine();
    vi.advanceTimersByTime(1_000);
    expect(stop()).toEqual({ timersLateMs: 0, cpuWaited: 0 });
  });

  test("the longest delay is reported, wherever it was", () => {
    const stop = watchMachine();
    vi.advanceTimersByTime(100);
    busyMs += 300;
    vi.advanceTimersByTime(10);
    busyMs += 40;
    vi.advanceTimersByTime(100);
    expect(stop().timersLateMs).toBe(300);
  });

  test("a process that is still busy when it is asked has been late already", () => {
    const stop = watchMachine();
    busyMs += 250;
    expect(stop().timersLateMs).toBe(240);
  });

  test("none is left behind", () => {
    watchMachine()();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("waiting for a CPU", () => {
  test("is a share of the time that was watched", () => {
    const stop = watchMachine();
    vi.advanceTimersByTime(1_000);
    waitedMs = 5_900;
    expect(stop().cpuWaited).toBeCloseTo(0.9);
  });

  test("is unknown where Linux does not tell, or nothing was watched", () => {
    expect(watchMachine()().cpuWaited).toBe(null);
    waitedMs = undefined;
    const stop = watchMachine();
    vi.advanceTimersByTime(1_000);
    expect(stop().cpuWaited).toBe(null);
  });
});

test.each([
  [{ timersLateMs: 200, cpuWaited: 0.5 }, undefined],
  [{ timersLateMs: 200, cpuWaited: null }, undefined],
  [{ timersLateMs: 2_235, cpuWaited: 1 }, "this machine was too busy to judge (timers up to 2,235 ms late)"],
  [
    { timersLateMs: 3, cpuWaited: 0.97 },
    "this machine was too busy to judge (processes waited for a CPU 97 % of the time)",
  ],
])("%j: %s", (strain, why) => {
  expect(whyTooBusy(strain)).toBe(why);
});
