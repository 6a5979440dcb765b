import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { watchMachine, whyTooBusy } from "./machine.ts";

vi.mock("node:fs", () => ({ readFileSync: vi.fn<typeof readFileSync>() }));

/** How far the clock has gone on while no timer could fire. */
let busyMs = 0;
/** What Linux says of all processes. */
let waitedMs: number | undefined;
/** And of this one: how long it has run, and waited. */
let own: readonly [number, number] | undefined;

beforeEach(() => {
  busyMs = 0;
  waitedMs = 5_000;
  own = [700, 300];
  vi.mocked(readFileSync).mockImplementation((file) => {
    if (file === "/proc/self/schedstat") {
      if (own === undefined) throw new Error("ENOENT");
      return `${own[0] * 1e6} ${own[1] * 1e6} 77\n`;
    }
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
    expect(stop()).toEqual({ timersLateMs: 0, cpuWaited: 0, slowdown: null });
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

  test("several watch with one of them, and each is told only of its own time", () => {
    const first = watchMachine();
    busyMs += 300;
    vi.advanceTimersByTime(15);
    const second = watchMachine();
    expect(vi.getTimerCount()).toBe(1);
    busyMs += 100;
    vi.advanceTimersByTime(20);
    expect(first().timersLateMs).toBe(300);
    expect(second().timersLateMs).toBeLessThanOrEqual(100);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a stopped watch counts no later delay", () => {
    const first = watchMachine();
    const second = watchMachine();
    expect(first().timersLateMs).toBe(0);
    busyMs += 250;
    expect(second().timersLateMs).toBe(240);
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

describe("the slowdown", () => {
  test("is the time that work took on this machine by the time that it needed", () => {
    const stop = watchMachine();
    own = [800, 650];
    expect(stop().slowdown).toBeCloseTo(4.5);
  });

  test("is unknown where Linux does not tell, or hardly anything was done", () => {
    let stop = watchMachine();
    own = [704, 390];
    expect(stop().slowdown).toBe(null);
    own = undefined;
    stop = watchMachine();
    expect(stop().slowdown).toBe(null);
    own = [0, 0];
    stop = watchMachine();
    expect(stop().slowdown).toBe(null);
  });
});

const late = "timers up to 2,235 ms late";
const slowed = "its work took 4.0 times as long as on an idle CPU";
const waited = "processes waited for a CPU 97 % of the time";
test.each([
  ["a run that has the machine to itself", { timersLateMs: 90, cpuWaited: 0.5, slowdown: 1.6 }, undefined],
  ["others wait, and we do not", { timersLateMs: 90, cpuWaited: 1, slowdown: 3.9 }, undefined],
  ["we waited, but for a moment only", { timersLateMs: 200, cpuWaited: 0.79, slowdown: 9 }, undefined],
  ["neither is known", { timersLateMs: 200, cpuWaited: null, slowdown: null }, undefined],
  ["timers were late, whatever else is known", { timersLateMs: 2_235, cpuWaited: 0.1, slowdown: 1 }, late],
  ["others wait, and we do", { timersLateMs: 90, cpuWaited: 0.8, slowdown: 4 }, slowed],
  ["we wait, and of others nothing is known", { timersLateMs: 90, cpuWaited: null, slowdown: 4 }, slowed],
  ["others wait, and of us nothing is known", { timersLateMs: 3, cpuWaited: 0.97, slowdown: null }, waited],
])("%s: %j", (_, strain, why) => {
  expect(whyTooBusy(strain)).toBe(why === undefined ? undefined : `this machine was too busy to judge (${why})`);
});

test.each([
  ["a check that has the machine to itself", { timersLateMs: 90, cpuWaited: 0.6, slowdown: 1.6 }, undefined],
  ["others came and went", { timersLateMs: 90, cpuWaited: 0.61, slowdown: 1 }, "processes waited for a CPU 61 % of the time"], // prettier-ignore
  ["of others nothing is known", { timersLateMs: 90, cpuWaited: null, slowdown: 1.9 }, undefined],
  ["of others nothing is known, and we waited", { timersLateMs: 90, cpuWaited: null, slowdown: 2 }, "its work took 2.0 times as long as on an idle CPU"], // prettier-ignore
  ["others hardly waited, and we did", { timersLateMs: 90, cpuWaited: 0.5, slowdown: 3 }, undefined],
  ["timers were late", { timersLateMs: 2_235, cpuWaited: 0.1, slowdown: 1 }, late],
])("a trend, %s: %j", (_, strain, why) => {
  expect(whyTooBusy(strain, "trend")).toBe(
    why === undefined ? undefined : `this machine was too busy to judge (${why})`,
  );
});
