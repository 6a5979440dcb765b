import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { below, halfOf, Pacer, sleep, type Pace } from "./pacing.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

interface Arrival {
  readonly at: number;
  readonly lanes: readonly string[];
}
interface Departure extends Arrival {
  readonly index: number;
  readonly left: number;
}

/** Lets requests arrive, and tells when each left, in milliseconds since now. */
async function simulate(pacer: Pacer, arrivals: readonly Arrival[]): Promise<Departure[]> {
  const began = performance.now();
  const departures: Departure[] = [];
  arrivals.forEach((arrival, index) => {
    setTimeout(() => {
      void pacer
        .turn(arrival.lanes)
        .then(() => departures.push({ ...arrival, index, left: performance.now() - began }));
    }, arrival.at);
  });
  await vi.runAllTimersAsync();
  expect(departures).toHaveLength(arrivals.length);
  return departures;
}

function fullestSecond(departures: readonly Departure[]): number {
  const inSecondFrom = (start: number): number =>
    departures.filter(({ left }) => left >= start && left < start + 1000).length;
  return Math.max(0, ...departures.map(({ left }) => inSecondFrom(left)));
}

const pacerWith = (paces: Readonly<Record<string, Pace>>): Pacer => {
  const pacer = new Pacer();
  for (const [kind, pace] of Object.entries(paces)) pacer.setPace(kind, pace);
  return pacer;
};
const atOnce = (count: number, ...lanes: string[]): Arrival[] =>
  Array.from({ length: count }, () => ({ at: 0, lanes }));

const pace = fc.record({ perSecond: fc.integer({ min: 1, max: 50 }), burst: fc.integer({ min: 1, max: 10 }) });
const times = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 80, size: "max" });

test("a lane without a pace is free", async () => {
  const departures = await simulate(new Pacer(), atOnce(100, "account:a", "address"));
  expect(departures.every(({ left }) => left === 0)).toBe(true);
});

test("a burst leaves at once, the rest one after the other", async () => {
  const pacer = pacerWith({ account: { perSecond: 10, burst: 3 } });
  const departures = await simulate(pacer, atOnce(6, "account:a"));
  expect(departures.map(({ left }) => left)).toEqual([0, 0, 0, 100, 200, 300]);
});

test("however they arrive, in no second more leave than the pace and the burst", async () => {
  await fc.assert(
    fc.asyncProperty(pace, times, async (allowed, arrivals) => {
      const departures = await simulate(
        pacerWith({ account: allowed }),
        arrivals.map((at) => ({ at, lanes: ["account:a"] })),
      );
      expect(fullestSecond(departures)).toBeLessThanOrEqual(allowed.perSecond + allowed.burst);
    }),
    { numRuns: 50 },
  );
});

test("nor on any of several lanes that a request needs together", async () => {
  const arrival = fc.record({
    at: fc.integer({ min: 0, max: 3000 }),
    lanes: fc.constantFrom(["address", "account:a"], ["address", "account:b"], ["address"], ["address", "account:a", "login"]), // prettier-ignore
  });
  const paces = fc.record({ address: pace, account: pace, login: pace });
  await fc.assert(
    fc.asyncProperty(paces, fc.array(arrival, { maxLength: 80, size: "max" }), async (allowed, arrivals) => {
      const departures = await simulate(pacerWith(allowed), arrivals);
      for (const lane of ["address", "account:a", "account:b", "login"]) {
        const { perSecond, burst } = allowed[lane.split(":")[0] as keyof typeof allowed];
        const onLane = departures.filter(({ lanes }) => lanes.includes(lane));
        expect(fullestSecond(onLane)).toBeLessThanOrEqual(perSecond + burst);
      }
    }),
    { numRuns: 100 },
  );
});

test("who waits for a slow lane does not take turns of a fast one before its own has come", async () => {
  const pacer = pacerWith({ run: { perSecond: 10, burst: 1 }, account: { perSecond: 5, burst: 1 } });
  const later = Array.from({ length: 40 }, () => ({ at: 6000, lanes: ["run"] }));
  const departures = await simulate(pacer, [...atOnce(50, "run", "account:slow"), ...later]);
  expect(fullestSecond(departures)).toBeLessThanOrEqual(11);
});

test("who waits for a slow lane keeps nobody else waiting", async () => {
  const pacer = pacerWith({ run: { perSecond: 10, burst: 1 }, account: { perSecond: 1, burst: 1 } });
  const departures = await simulate(pacer, [...atOnce(9, "run", "account:slow"), { at: 150, lanes: ["run"] }]);
  expect(departures.find(({ at }) => at === 150)?.left).toBe(150);
});

test("turns on a lane are taken in the order of the calls", async () => {
  await fc.assert(
    fc.asyncProperty(pace, times, async (allowed, arrivals) => {
      const sorted = arrivals.toSorted((a, b) => a - b).map((at) => ({ at, lanes: ["address", "account:a"] }));
      const departures = await simulate(pacerWith({ account: allowed }), sorted);
      expect(departures.map(({ index }) => index)).toEqual(sorted.map((_, index) => index));
    }),
    { numRuns: 50 },
  );
});

test("accounts do not wait for each other", async () => {
  const pacer = pacerWith({ account: { perSecond: 1, burst: 1 } });
  const departures = await simulate(pacer, [...atOnce(3, "account:a"), ...atOnce(1, "account:b")]);
  expect(departures.find(({ lanes }) => lanes.includes("account:b"))?.left).toBe(0);
});

test("a pace that is set anew holds from then on", async () => {
  const pacer = pacerWith({ account: { perSecond: 1, burst: 1 } });
  await simulate(pacer, atOnce(2, "account:a"));
  pacer.setPace("account", { perSecond: 10, burst: 2 });
  const departures = await simulate(pacer, atOnce(3, "account:a"));
  expect(departures.map(({ left }) => left)).toEqual([0, 0, 100]);
});

test("a pace that is set anew holds for those who wait already, too", async () => {
  const pacer = pacerWith({ account: { perSecond: 1, burst: 1 } });
  setTimeout(() => pacer.setPace("account", { perSecond: 10, burst: 1 }), 50);
  const departures = await simulate(pacer, atOnce(4, "account:a"));
  expect(departures.map(({ left }) => left)).toEqual([0, 50, 150, 250]);
});

describe("a lane that was told to rest", () => {
  const allowed = { account: { perSecond: 10, burst: 3 } };

  test("lets nothing leave for so long, then one after the other and no burst", async () => {
    const pacer = pacerWith(allowed);
    await simulate(pacer, atOnce(1, "account:a"));
    pacer.rest("account:a", 1500);
    const departures = await simulate(pacer, atOnce(3, "account:a"));
    expect(departures.map(({ left }) => left)).toEqual([1500, 1600, 1700]);
  });

  test("holds back those that were waiting already, too, in their order", async () => {
    const pacer = pacerWith(allowed);
    setTimeout(() => pacer.rest("account:a", 1500), 50);
    const departures = await simulate(pacer, [...atOnce(6, "account:a"), { at: 60, lanes: ["account:a"] }]);
    expect(departures.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(departures.map(({ left }) => left)).toEqual([0, 0, 0, 1550, 1650, 1750, 1850]);
  });

  test("leaves other lanes alone", async () => {
    const pacer = pacerWith(allowed);
    pacer.rest("account:a", 1500);
    expect((await simulate(pacer, atOnce(2, "account:b"))).map(({ left }) => left)).toEqual([0, 0]);
  });

  test("does not leave sooner because it was told to rest again for a shorter time", async () => {
    const pacer = pacerWith(allowed);
    pacer.rest("account:a", 1500);
    pacer.rest("account:a", 10);
    expect((await simulate(pacer, atOnce(1, "account:a"))).map(({ left }) => left)).toEqual([1500]);
  });

  test("rests for half a minute at most, whatever it was told", async () => {
    const pacer = pacerWith(allowed);
    expect(pacer.rest("account:a", 86_400_000)).toBe(30_000);
    expect((await simulate(pacer, atOnce(1, "account:a"))).map(({ left }) => left)).toEqual([30_000]);
  });

  test("rests no longer than the run has time, and a second and a half after that", async () => {
    const pacer = pacerWith(allowed);
    pacer.endRests(performance.now() + 4_000);
    expect([pacer.rest("account:a", 20_000), pacer.rest("account:b", 1_000)]).toEqual([4_000, 1_000]);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(pacer.rest("account:a", 20_000)).toBe(1_500);
  });

  test("stops resting early when the time for rests ends", async () => {
    const pacer = pacerWith(allowed);
    pacer.rest("account:a", 20_000);
    setTimeout(() => pacer.endRests(performance.now()), 1_000);
    expect((await simulate(pacer, atOnce(1, "account:a"))).map(({ left }) => left)).toEqual([2_500]);
  });

  test("that has no pace has nothing to rest from", async () => {
    const pacer = new Pacer();
    pacer.rest("account:a", 1500);
    expect((await simulate(pacer, atOnce(1, "account:a"))).map(({ left }) => left)).toEqual([0]);
  });
});

describe("a lane that is held for requests of somebody else", () => {
  const pacer = (): Pacer => {
    const made = new Pacer();
    made.setPace("run", below(10));
    return made;
  };

  test("lets nothing leave until it is free, and nothing for their share before and after", async () => {
    const holding = pacer();
    void holding.hold("run", 3).then((free) => setTimeout(() => free?.(), 5_000));
    const departures = await simulate(holding, [{ at: 1, lanes: ["run"] }]);
    // A third of a second each: for three of nine a second.
    expect(departures.map(({ left }) => Math.round(left / 10))).toEqual([567]);
  });

  test("is refused where they would be too many for any second", async () => {
    expect(await pacer().hold("run", 11)).toBeUndefined();
    expect(await new Pacer().hold("run", 11)).toBeTypeOf("function");
  });

  test("is free again after an abort", async () => {
    const holding = pacer();
    const stop = new AbortController();
    const held = holding.hold("run", 5, stop.signal).catch(String);
    await vi.advanceTimersByTimeAsync(10);
    stop.abort(new Error("enough"));
    expect(await held).toBe("Error: enough");
    expect(await simulate(holding, atOnce(1, "run"))).toHaveLength(1);
  });
});

test("a request leaves only with a place, and one without need of it at once", async () => {
  const pacer = new Pacer(1);
  const left: string[] = [];
  const go = async (name: string, place: boolean): Promise<void> => {
    await pacer.turn(["account:a"], undefined, { place });
    left.push(name);
  };
  await go("first", true);
  const second = go("second", true);
  await go("other", false);
  expect(left).toEqual(["first", "other"]);
  pacer.placeFree();
  await second;
  expect(left).toEqual(["first", "other", "second"]);
});

describe("an abort", () => {
  const pacer = (): Pacer => pacerWith({ account: { perSecond: 1, burst: 1 } });

  test("ends the waiting with its reason, and leaves no timer behind", async () => {
    const waiting = pacer();
    const stop = new AbortController();
    await waiting.turn(["account:a"]);
    const turn = waiting.turn(["account:a"], stop.signal).catch(String);
    await vi.advanceTimersByTimeAsync(10);
    stop.abort(new Error("enough"));
    expect(await turn).toBe("Error: enough");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("of one that waits does not hold up the others", async () => {
    const waiting = pacer();
    const stop = new AbortController();
    await waiting.turn(["account:a"]);
    const turn = waiting.turn(["account:a"], stop.signal).catch(String);
    const departures = simulate(waiting, atOnce(2, "account:a"));
    stop.abort(new Error("enough"));
    expect(await turn).toBe("Error: enough");
    expect((await departures).map(({ left }) => left)).toEqual([1000, 2000]);
  });
});

test("half of a limit is never more than half, not even in its fullest second", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 400 }),
      fc.array(fc.nat(2000), { maxLength: 120, size: "max" }),
      async (limit, arrivals) => {
        const departures = await simulate(
          pacerWith({ account: halfOf(limit) }),
          arrivals.map((at) => ({ at, lanes: ["account:a"] })),
        );
        expect(fullestSecond(departures)).toBeLessThanOrEqual(Math.max(1, limit / 2));
      },
    ),
    { numRuns: 50 },
  );
  expect(halfOf(100)).toEqual({ perSecond: 40, burst: 10 });
});

describe("sleep", () => {
  test("ends after its time", async () => {
    const slept = sleep(250);
    await vi.advanceTimersByTimeAsync(249);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    await slept;
  });

  test("does not begin under a signal that is aborted already", async () => {
    await expect(sleep(250, AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
    expect(vi.getTimerCount()).toBe(0);
  });
});
