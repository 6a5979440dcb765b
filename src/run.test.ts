import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Check, Context, Observation, Touches, Verdict } from "./check.ts";
import { evidenceMax } from "./formats/evidence.ts";
import type { Json } from "./wire/json.ts";
import type { Disposition } from "./plan.ts";
import type { Watch } from "./session/machine.ts";
import { judge, run, type Outcome, type Runnable, type RunOptions } from "./run.ts";
import { SetupError } from "./session/accounts.ts";
import { Contradictions } from "./session/contradictions.ts";
import { Pacer } from "./session/pacing.ts";
import { Recording } from "./session/recording.ts";
import { learn } from "./server/dialect.ts";
import { makeSender } from "./server/sender.ts";
import type { Session } from "./session/session.ts";
import type { Target } from "./server/target.ts";
import { ControlError, type Lifecycle } from "./wire/control.ts";
import type { RawAnswer, Wire } from "./wire/wire.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  vi.advanceTimersByTime(12_345);
});
afterEach(() => void vi.useRealTimers());

const success = '{"status":"success","results":[]}';
const forbidden = '{"status":"error","error":{"code":"PERMISSION_DENIED","message":"no"}}';

function answered(status: number, text: string): RawAnswer {
  return { kind: "answered", status, headers: {}, body: new TextEncoder().encode(text), sentAt: 0, doneAt: 1 };
}

interface Fake {
  readonly session: Session;
  readonly wire: Wire;
  /** What was sent and what was written into the ledger, in the order in which it happened. */
  readonly log: string[];
  readonly released: object[];
}

/** A session over a server that says yes to everything, unless told otherwise. */
function fake(server: { say?: (sql: string) => RawAnswer | Promise<RawAnswer> | undefined } = {}): Fake {
  const log: string[] = [];
  const released: object[] = [];
  const wire: Wire = {
    async exchange({ body }) {
      const { sql } = JSON.parse(String(body)) as { sql: string };
      log.push(sql);
      return (await server.say?.(sql)) ?? answered(200, success);
    },
  };
  const parts = { wire, tokens: new Map(), pacer: new Pacer(), recording: new Recording(), timeoutMs: 1000 };
  let names = 0;
  const session = {
    parts,
    sender: makeSender(parts),
    login: { name: "root", role: "dba" },
    capabilities: { version: "1", loginField: "user", settings: {} },
    learned: learn("0.4.3-rc.4", {}),
    rate: { refusals: 0, banned: false },
    ledger: { enter: ({ kind, name }: { kind: string; name: string }) => log.push(`ledger: ${kind} ${name}`) },
    contradictions: new Contradictions(),
    nextName: () => `kr_k7f3a_${(names += 1)}`,
    accounts: {
      lend: () => Promise.reject(new SetupError("an account of the run's own could not be made: 403")),
      release(holder: object) {
        released.push(holder);
        return Promise.resolve();
      },
    },
  };
  return { session: session as unknown as Session, wire, log, released };
}

type Observe = (target: Target, context: Context) => Promise<unknown>;
const passing = (seen: Json): Verdict => ({ kind: "pass", sentence: `saw ${JSON.stringify(seen)}` });

function looking(id: string, observe: Observe, rest: Partial<Observation> = {}): Observation {
  return {
    id,
    touches: "nothing",
    estimateMs: 1,
    estimateRequests: 1,
    observe: observe as Observation["observe"],
    ...rest,
  };
}

function stepOf(
  observation: Observation,
  rest: Partial<Check> & { disposition?: Disposition; limits?: Record<string, number> } = {},
): Runnable {
  const { disposition = { kind: "run" }, limits = {}, ...other } = rest;
  const check = { id: observation.id, observation, judge: passing, findings: {}, ...other } as unknown as Check;
  return { check, disposition, limits };
}

const step = (id: string, observe: Observe, rest: Partial<Observation> = {}): Runnable =>
  stepOf(looking(id, observe, rest));
const never: Observe = async () => await new Promise(() => undefined);
const tick = async (ms: number): Promise<void> => await new Promise((resolve) => void setTimeout(resolve, ms));

async function running(
  steps: readonly Runnable[],
  options: Partial<RunOptions> = {},
  on: Fake = fake(),
): Promise<Outcome<Runnable>[]> {
  const { signal } = new AbortController();
  const defaults = {
    effort: "standard",
    seed: 1,
    parallel: 4,
    timeoutMs: 1000,
    budgetMs: 60_000,
    keep: false,
    signal,
    wire: on.wire,
  } as const;
  const outcomes = run(steps, on.session, { ...defaults, ...options });
  await vi.runAllTimersAsync();
  return await outcomes;
}

const told = (outcomes: readonly Outcome<Runnable>[]): string[] =>
  outcomes.map(({ verdict }) => (verdict.kind === "fail" ? "fail" : `${verdict.kind}: ${verdict.sentence}`));

describe("one result per step, in the order of the plan", () => {
  test("however long each takes", async () => {
    const took = [30, 5, 20, 1];
    const outcomes = await running(took.map((ms) => step(`a/${ms}`, async () => await tick(ms).then(() => ms))));
    expect(told(outcomes)).toEqual(["pass: saw 30", "pass: saw 5", "pass: saw 20", "pass: saw 1"]);
    expect(outcomes.map(({ tookMs }) => tookMs)).toEqual(took);
  });

  test("whatever is thrown, and by whatever", async () => {
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    const broken: readonly [Observe, RegExp][] = [
      [async () => await Promise.reject(new Error("no luck")), /^unknown: the check failed with an error: no luck$/],
      [() => { throw new TypeError("at once"); }, /^unknown: the check failed with an error: at once$/], // prettier-ignore
      // eslint-disable-next-line prefer-promise-reject-errors
      [async () => await Promise.reject("a text"), /^unknown: the check failed with an error: a text$/],
      [() => Promise.resolve(undefined), /^unknown: the check failed with an error/],
      [() => Promise.resolve(1n), /^unknown: the check failed with an error.*BigInt/],
      [() => Promise.resolve(circular), /^unknown: the check failed with an error.*circular/],
      [async (target) => await target.account("user"), /^unknown: an account of the run's own could not be made: 403$/],
    ];
    const good = step("a/good", () => Promise.resolve(1));
    const outcomes = await running([...broken.map(([observe], at) => step(`a/${at}`, observe)), good]);
    expect(outcomes).toHaveLength(broken.length + 1);
    broken.forEach(([, words], at) => expect(told(outcomes)[at]).toMatch(words));
    expect(told(outcomes).at(-1)).toBe("pass: saw 1");
    expect(outcomes[0]).not.toHaveProperty("seen");
  });

  test("also where the judge throws, and then with what was seen", async () => {
    const judging = { judge: () => { throw new Error("cannot read"); } }; // prettier-ignore
    const [outcome] = await running([
      stepOf(
        looking("a/b", () => Promise.resolve({ n: 1 })),
        judging,
      ),
    ]);
    expect(outcome).toMatchObject({
      verdict: { kind: "unknown", sentence: "the check could not judge its evidence: cannot read" },
      seen: { n: 1 },
    });
  });

  test("also where the clean-up of a check throws", async () => {
    const on = fake({
      say: (sql) => (sql.startsWith("DROP") ? Promise.reject(new Error("a defect of the wire")) : undefined),
    });
    const steps = [
      step("a/1", () => Promise.resolve(1), { touches: "scratch" }),
      step("a/2", () => Promise.resolve(2)),
    ];
    expect(told(await running(steps, {}, on))).toEqual(["pass: saw 1", "pass: saw 2"]);
  });

  test("each is told once when it begins and once when it is done", async () => {
    const heard: string[] = [];
    const skipped = stepOf(looking("a/skipped", never), { disposition: { kind: "skip", reason: "not here" } });
    await running([step("a/1", () => Promise.resolve(1)), skipped], {
      onStart: ({ id }) => heard.push(`start ${id}`),
      onDone: (outcome) => heard.push(`done ${outcome.step.check.id}`),
    });
    expect(heard.toSorted()).toEqual(["done a/1", "done a/skipped", "start a/1"]);
  });
});

describe("what is not to run is not observed", () => {
  test("a skip and an unknown of the plan keep their reason", async () => {
    const on = fake();
    const skip = stepOf(looking("a/1", never), { disposition: { kind: "skip", reason: "not here" } });
    const impossible = stepOf(looking("a/2", never), { disposition: { kind: "unknown", reason: "no control" } });
    expect(told(await running([skip, impossible], {}, on))).toEqual(["skip: not here", "unknown: no control"]);
    expect(on.log).toEqual([]);
  });
});

describe("scratch", () => {
  test("is written down, made, handed to the check and dropped, in this order", async () => {
    const on = fake();
    const observe: Observe = async (target, { scratch }) => {
      await target.sql(target.login, `SELECT 1 FROM ${scratch}.t`);
      return scratch;
    };
    const steps = [step("a/1", observe, { touches: "scratch" })];
    expect(told(await running(steps, {}, on))).toEqual(['pass: saw "kr_k7f3a_1"']);
    expect(on.log).toEqual([
      "ledger: namespace kr_k7f3a_1",
      "CREATE NAMESPACE kr_k7f3a_1",
      "SELECT 1 FROM kr_k7f3a_1.t",
      "DROP NAMESPACE IF EXISTS kr_k7f3a_1 CASCADE",
    ]);
  });

  test("is made on the wire without faults, whatever wire the check has", async () => {
    const on = fake();
    const wire: Wire = { exchange: () => Promise.resolve(answered(500, "")) };
    const seeing: Observe = async (target) => (await target.sql(target.login, "SELECT 1")).kind;
    expect(told(await running([step("a/1", seeing, { touches: "scratch" })], { wire }, on))).toEqual([
      'pass: saw "unsure"',
    ]);
    expect(on.log.filter((line) => line.startsWith("SELECT"))).toEqual([]);
    expect(on.log).toHaveLength(3);
  });

  test("is dropped after a failure, too", async () => {
    const on = fake();
    await running([step("a/1", () => Promise.reject(new Error("no")), { touches: "scratch" })], {}, on);
    expect(on.log.at(-1)).toBe("DROP NAMESPACE IF EXISTS kr_k7f3a_1 CASCADE");
  });

  test("is another one for each observation, and none for what touches nothing", async () => {
    const on = fake();
    const observe: Observe = (_, { scratch }) => Promise.resolve(scratch);
    const touching: Touches[] = ["scratch", "nothing", "load"];
    const outcomes = await running(
      touching.map((touches, at) => step(`a/${at}`, observe, { touches })),
      { parallel: 1 },
      on,
    );
    expect(outcomes.map(({ seen }) => seen)).toEqual(["kr_k7f3a_1", "", "kr_k7f3a_2"]);
  });

  test("is kept on request", async () => {
    const on = fake();
    await running([step("a/1", () => Promise.resolve(1), { touches: "scratch" })], { keep: true }, on);
    expect(on.log.filter((line) => line.startsWith("DROP"))).toEqual([]);
  });

  test("that the server refuses makes the check unknown, and does not run it", async () => {
    const on = fake({ say: (sql) => (sql.startsWith("CREATE") ? answered(403, forbidden) : undefined) });
    const outcomes = await running([step("a/1", () => Promise.resolve(1), { touches: "scratch" })], {}, on);
    expect(told(outcomes)).toEqual([
      "unknown: the set-up failed: CREATE NAMESPACE kr_k7f3a_1: 403 PERMISSION_DENIED: no",
    ]);
  });
});

describe("the time limit", () => {
  test("ends a check that does not heed it, and its target is dead from then on", async () => {
    const on = fake();
    const sent: string[] = [];
    const careless: Observe = async (target) => {
      await tick(5000);
      await target.sql(target.login, "SELECT 'too late'").catch((error: unknown) => sent.push(String(error)));
      await target.account("user").catch((error: unknown) => sent.push(String(error)));
    };
    const outcomes = await running([step("a/1", careless)], {}, on);
    await vi.runAllTimersAsync();
    expect(told(outcomes)).toEqual(["unknown: timed out after 1 s"]);
    expect(sent).toEqual(["Error: timed out after 1 s", "Error: timed out after 1 s"]);
    expect(on.log).toEqual([]);
    expect(outcomes[0]?.tookMs).toBe(1000);
  });

  test("is the check's own where that is longer", async () => {
    const slow: Observe = async () => await tick(1500).then(() => 1);
    expect(told(await running([step("a/1", slow, { timeoutMs: 2000 })]))).toEqual(["pass: saw 1"]);
    expect(told(await running([step("a/1", slow, { timeoutMs: 1 })]))).toEqual(["unknown: timed out after 1 s"]);
    // Its samples are larger.
    expect(told(await running([step("a/1", slow)], { effort: "deep" }))).toEqual(["pass: saw 1"]);
  });

  test("a target is dead after its check, too, and its accounts are handed back", async () => {
    const on = fake();
    let kept: Target | undefined;
    const observe: Observe = (target) => {
      kept = target;
      return Promise.resolve(1);
    };
    await running([step("a/1", observe)], {}, on);
    await expect(kept?.sql({ name: "root", role: "dba" }, "SELECT 1")).rejects.toThrow("the observation is over");
    expect(on.released).toHaveLength(1);
  });

  test("leaves no timer behind", async () => {
    await running([step("a/1", () => Promise.resolve(1))]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("side by side", () => {
  async function most(parallel: number, alone: readonly boolean[]): Promise<{ most: number; order: string[] }> {
    let now = 0;
    let high = 0;
    const order: string[] = [];
    const steps = alone.map((one, at) =>
      step(
        `a/${at}`,
        async () => {
          now += 1;
          high = Math.max(high, now);
          order.push(`${one ? "alone" : "together"} ${now}`);
          await tick(10);
          now -= 1;
          return 1;
        },
        { alone: one },
      ),
    );
    await running(steps, { parallel });
    return { most: high, order };
  }

  test("run as many as were allowed and no more", async () => {
    const ten = Array.from({ length: 10 }, () => false);
    expect((await most(3, ten)).most).toBe(3);
    expect((await most(1, ten)).most).toBe(1);
    expect((await most(16, ten)).most).toBe(10);
  });

  test("what mostly waits begins at the start and takes no place, and what is alone comes after it", async () => {
    const began: Record<string, number> = {};
    const from = performance.now();
    const taking = (id: string, ms: number, rest: Partial<Observation> = {}): Runnable =>
      step(
        id,
        async () => {
          began[id] = performance.now() - from;
          await tick(ms);
          return 1;
        },
        rest,
      );
    const steps = [
      taking("a/1", 100),
      taking("a/2", 100),
      taking("a/3", 100),
      taking("a/alone", 10, { alone: true }),
      taking("a/waits", 500, { waits: true }),
      taking("a/waits too", 300, { waits: true }),
    ];
    await running(steps, { parallel: 2 });
    expect(began).toEqual({ "a/waits": 0, "a/waits too": 0, "a/1": 0, "a/2": 0, "a/3": 100, "a/alone": 500 });
    for (const id of Object.keys(began)) began[id] = -1;
    const again = performance.now();
    await running(steps, { parallel: 1 });
    expect(Object.fromEntries(Object.entries(began).map(([id, at]) => [id, at - (again - from)]))).toEqual({
      "a/1": 0,
      "a/2": 100,
      "a/3": 200,
      "a/waits": 300,
      "a/waits too": 800,
      "a/alone": 1100,
    });
  });

  test("what wants to be alone is alone, after all the others", async () => {
    const { order } = await most(4, [true, false, true, false, false]);
    expect(order.slice(-2)).toEqual(["alone 1", "alone 1"]);
    expect(order.filter((line) => line.startsWith("alone"))).toHaveLength(2);
  });
});

describe("a run that ends early", () => {
  test("for its budget leaves unknown what it did not reach", async () => {
    const slow: Observe = async () => await tick(400).then(() => 1);
    const outcomes = await running(
      ["a/1", "a/2", "a/3", "a/4"].map((id) => step(id, slow)),
      { parallel: 1, budgetMs: 1000 },
    );
    expect(told(outcomes)).toEqual([
      "pass: saw 1",
      "pass: saw 1",
      "unknown: the budget of 1 s was spent before it ended",
      "unknown: the budget of 1 s was spent before it began",
    ]);
    expect(outcomes.map(({ early }) => early)).toEqual([undefined, undefined, true, true]);
  });

  test("by a signal leaves unknown what is under way and what would come, for the signal's reason", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort("interrupted by Ctrl-C"), 50);
    const alone = step("a/3", () => Promise.resolve(1), { alone: true });
    const steps = [step("a/1", () => Promise.resolve(1)), step("a/2", never), alone];
    const outcomes = await running(steps, { signal: stop.signal });
    expect(told(outcomes)).toEqual(["pass: saw 1", "unknown: interrupted by Ctrl-C", "unknown: interrupted by Ctrl-C"]);
    expect(outcomes.map(({ early }) => early)).toEqual([undefined, true, true]);
    expect(outcomes[1]?.tookMs).toBe(50);
  });

  test("by a signal that came before it runs nothing, and touches nothing", async () => {
    const on = fake();
    const steps = [step("a/1", () => Promise.resolve(1), { touches: "scratch" })];
    expect(told(await running(steps, { signal: AbortSignal.abort("gone") }, on))).toEqual(["unknown: gone"]);
    expect(on.log).toEqual([]);
  });

  test("by a ban asks for nothing more, and believes nothing seen meanwhile", async () => {
    const on = fake();
    const banned: Observe = () => {
      on.session.rate.banned = true;
      return Promise.resolve(1);
    };
    const outcomes = await running([step("a/1", banned), step("a/2", never)], { parallel: 1 }, on);
    expect(told(outcomes)).toEqual([
      "unknown: the server has banned this address",
      "unknown: the server has banned this address: the run ended early",
    ]);
    expect(outcomes.map(({ early }) => early)).toEqual([true, true]);
  });

  test("a check that took too long by itself is no early end", async () => {
    expect((await running([step("a/1", never)]))[0]).not.toHaveProperty("early");
  });
});

describe("a lasting observation", () => {
  const least = { light: 0, standard: 0, deep: 0 };
  const lastingUntil = (order: string[], leastMs = 0): Runnable =>
    step(
      "a/lasting",
      async (_, { othersDone }) => {
        order.push("begins");
        await othersDone({ ...least, standard: leastMs });
        order.push("goes on");
        return performance.now();
      },
      { lasting: true },
    );
  const noting = (order: string[], id: string, ms: number, rest: Partial<Observation> = {}): Runnable =>
    step(id, async () => await tick(ms).then(() => order.push(id)), rest);

  test("begins before all others and goes on after them, also after those that run alone and in a single lane", async () => {
    const order: string[] = [];
    const steps = [
      noting(order, "a/1", 400),
      noting(order, "a/2", 400, { alone: true }),
      lastingUntil(order),
      noting(order, "a/3", 400),
    ];
    const outcomes = await running(steps, { parallel: 1, timeoutMs: 600 });
    expect(order).toEqual(["begins", "a/1", "a/3", "a/2", "goes on"]);
    expect(outcomes[2]?.tookMs).toBe(1200);
    expect(outcomes[2]?.verdict.kind).toBe("pass");
  });

  test("begins after those that run first, alone", async () => {
    const order: string[] = [];
    const steps = [
      lastingUntil(order),
      noting(order, "a/1", 400),
      noting(order, "a/alone", 400, { alone: true }),
      noting(order, "a/first", 400, { alone: true, first: true }),
      noting(order, "a/second", 400, { alone: true, first: true }),
    ];
    await running(steps, { timeoutMs: 600 });
    expect(order).toEqual(["a/first", "a/second", "begins", "a/1", "a/alone", "goes on"]);
  });

  test("ends before the server is stopped by those that need control, which run alone at the very end", async () => {
    const order: string[] = [];
    const on = fake();
    let revived = 0;
    const lifecycle = {
      revive() {
        revived += 1;
        order.push("revived");
        return Promise.resolve(undefined);
      },
    } as unknown as Lifecycle;
    const session = {
      ...on.session,
      parts: { ...on.session.parts, wire: { ...on.wire, control: { kind: "process", lifecycle } } },
    };
    const stops = (id: string, observe: Observe): Runnable =>
      step(id, observe, { touches: "process", needs: ["control"] });
    const steps = [
      stops("a/stops", async () => await tick(10).then(() => order.push("stops"))),
      stops("a/fails", () => {
        order.push("fails");
        return Promise.reject(new ControlError("docker is not there"));
      }),
      lastingUntil(order),
      noting(order, "a/1", 400),
      noting(order, "a/2", 400, { alone: true }),
    ];
    const outcomes = await running(steps, {}, { ...on, session: session as unknown as Session });
    expect(order).toEqual(["begins", "a/1", "a/2", "goes on", "stops", "revived", "fails", "revived"]);
    expect(revived).toBe(2);
    expect(told(outcomes)[1]).toBe("unknown: docker is not there");
    // The server runs again before the namespace of the observation is dropped.
    expect(on.log.filter((line) => line.startsWith("DROP"))).toHaveLength(2);
  });

  test("waits as long as it asks for even if it is alone in the run, or as long as the run says", async () => {
    expect((await running([lastingUntil([], 700)]))[0]?.tookMs).toBe(700);
    expect((await running([lastingUntil([], 700)], { leastMs: 30 }))[0]?.tookMs).toBe(30);
  });

  test("is timed out when it takes too long after the others", async () => {
    const steps = [step("a/lasting", never, { lasting: true }), step("a/1", async () => await tick(900).then(() => 1))];
    const outcomes = await running(steps, { timeoutMs: 1000 });
    expect(told(outcomes)).toEqual(["unknown: timed out after 1 s", "pass: saw 1"]);
    expect(outcomes[0]?.tookMs).toBe(1900);
    expect(outcomes[0]).not.toHaveProperty("early");
  });

  test("goes on while others still run if the budget is nearly spent, and is over with it", async () => {
    const order: string[] = [];
    const steps = [lastingUntil(order), step("a/1", never), step("a/lasting too", never, { lasting: true })];
    const outcomes = await running(steps, { timeoutMs: 60_000, budgetMs: 40_000 });
    expect(told(outcomes).slice(1)).toEqual(
      Array.from({ length: 2 }, () => "unknown: the budget of 40 s was spent before it ended"),
    );
    expect(outcomes.map(({ tookMs, early }) => [tookMs, early])).toEqual([
      [30_000, undefined],
      [40_000, true],
      [40_000, true],
    ]);
  });

  test("ends with the run when that is aborted", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort("interrupted by Ctrl-C"), 50);
    const outcomes = await running([lastingUntil([]), step("a/1", never)], { signal: stop.signal });
    expect(told(outcomes)).toEqual(["unknown: interrupted by Ctrl-C", "unknown: interrupted by Ctrl-C"]);
    expect(outcomes[0]?.tookMs).toBe(50);
  });
});

describe("evidence", () => {
  test("goes through JSON before it is judged: what is judged is what is saved", async () => {
    const odd = { at: new Date(0), gone: undefined, list: [undefined, Number.NaN], n: -0 };
    const [outcome] = await running([step("a/1", () => Promise.resolve(odd))]);
    const saved = { at: "1970-01-01T00:00:00.000Z", list: [null, null], n: 0 };
    expect(outcome?.seen).toEqual(saved);
    expect(outcome?.verdict).toEqual({ kind: "pass", sentence: `saw ${JSON.stringify(saved)}` });
  });

  test(
    "that is large is judged whole and kept in part, and all of a run is bounded, too",
    { timeout: 60_000 },
    async () => {
      const large = Array.from({ length: 60_000 }, (_, n) => `row ${n} ${"x".repeat(50)}`);
      const findAll = (seen: Json): Verdict => ({
        kind: "fail",
        found: [{ name: "long", data: { texts: seen, count: (seen as Json[]).length } }],
      });
      const steps = Array.from({ length: 20 }, (_, n) =>
        stepOf(
          looking(`a/${n}`, () => Promise.resolve(large)),
          { judge: findAll },
        ),
      );
      const outcomes = await running(steps);
      const sizes = outcomes.map(({ seen }) => JSON.stringify(seen).length);
      expect(Math.max(...sizes)).toBeLessThan(evidenceMax.each + 1_000);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(evidenceMax.all + 20_000);
      const [first, last] = [outcomes[0], outcomes.at(-1)];
      const kept = first?.seen as Json[];
      expect(kept.slice(0, 2)).toEqual(large.slice(0, 2));
      expect(kept.at(-1)).toMatch(/^… and \d+ more$/);
      expect(last?.seen).toEqual(["… and 60000 more"]);
      expect(outcomes.map(({ verdict }) => verdict.kind === "fail" && verdict.found[0]?.data)).toEqual(
        outcomes.map(() => expect.objectContaining({ count: 60_000 }) as unknown),
      );
    },
  );

  test("leaves no long text in a verdict", async () => {
    const long = "y".repeat(1_000_000);
    const verdicts: Verdict[] = [
      { kind: "pass", sentence: long },
      { kind: "unknown", sentence: long },
      { kind: "fail", found: [{ name: "long", data: { said: [long], n: 5 }, sent: [1] }] },
    ];
    const steps = verdicts.map((verdict, n) =>
      stepOf(
        looking(`a/${n}`, () => Promise.resolve(1)),
        { judge: () => verdict },
      ),
    );
    const outcomes = await running(steps);
    for (const { verdict } of outcomes) expect(JSON.stringify(verdict).length).toBeLessThan(3_000);
    expect(outcomes[2]?.verdict).toMatchObject({
      found: [{ data: { said: [expect.stringMatching(/^y+…$/)], n: 5 }, sent: [1] }],
    });
  });

  test("of a shared observation is seen once and judged by each check with its own limits", async () => {
    let times = 0;
    const shared = looking("shared", () => Promise.resolve((times += 1)));
    const judging = { judge: (seen: Json, limits: Record<string, number>) => passing([seen, limits["max"] ?? 0]) };
    const steps = [1, 2, 3].map((max) => stepOf(shared, { id: `a/${max}`, limits: { max }, ...judging }));
    const outcomes = await running(steps);
    expect(told(outcomes)).toEqual(["pass: saw [1,1]", "pass: saw [1,2]", "pass: saw [1,3]"]);
    expect(times).toBe(1);
  });

  test("of a shared observation that breaks off is missing for each of them", async () => {
    const shared = looking("shared", () => Promise.reject(new Error("no")));
    expect(told(await running([stepOf(shared), stepOf(shared)]))).toEqual(
      Array.from({ length: 2 }, () => "unknown: the check failed with an error: no"),
    );
  });
});

describe("answers that contradict themselves are kept for the report", () => {
  const miscounted = '{"status":"success","results":[{"schema":[{"name":"n"}],"rows":[["1"]],"row_count":2}]}';
  const asking = async ({ sql, login }: Target): Promise<unknown> => await sql(login, "SELECT 1").then(() => 1);
  const kept = (outcomes: readonly Outcome<Runnable>[]): (number | undefined)[] =>
    outcomes.map(({ contradictory }) => contradictory?.count);
  const on = (): Fake => fake({ say: (sql) => (sql.startsWith("SELECT") ? answered(200, miscounted) : undefined) });

  test("however the check ends, and only for the check that got them", async () => {
    const steps = [
      step("a/passes", asking),
      step("a/throws", async (target) => await asking(target).then(() => Promise.reject(new Error("no")))),
      step(
        "a/times-out",
        async (target, context) => await asking(target).then(async () => await never(target, context)),
      ),
      step("a/asks-nothing", async () => await Promise.resolve(1)),
    ];
    const outcomes = await running(steps, {}, on());
    expect(outcomes.map(({ verdict: { kind } }) => kind)).toEqual(["pass", "unknown", "unknown", "pass"]);
    expect(kept(outcomes)).toEqual([1, 1, 1, undefined]);
    expect(outcomes[0]?.contradictory?.first[0]?.sentence).toContain("row_count is 2, but there are 1 rows");
  });

  test("where the run is interrupted, and for each check of a shared observation", async () => {
    const controller = new AbortController();
    const observation = looking("a/seen", async (target) => {
      await asking(target);
      controller.abort("interrupted");
      return await new Promise(() => undefined);
    });
    const shared = [stepOf(observation, { id: "a/1" }), stepOf(observation, { id: "a/2" })];
    expect(kept(await running(shared, { signal: controller.signal }, on()))).toEqual([1, 1]);
  });
});

describe("a finding that rests on time", () => {
  const found = (...names: string[]): Verdict => ({ kind: "fail", found: names.map((name) => ({ name, data: null })) });
  const findings = {
    late: { say: () => "late", timed: true },
    slower: { say: () => "slower", timed: "trend" },
    lost: { say: () => "lost" },
  } as const;
  const busy = { timersLateMs: 2_235, cpuWaited: null, slowdown: null };
  const tooBusy = "this machine was too busy to judge (timers up to 2,235 ms late)";
  async function outcomeOf(verdict: Verdict, strain: ReturnType<ReturnType<Watch>> = busy): Promise<Outcome<Runnable>> {
    const observation = looking("a/b", () => Promise.resolve(1));
    const [outcome] = await running([stepOf(observation, { findings, judge: () => verdict })], {
      watch: () => () => strain,
    });
    if (outcome === undefined) throw new Error("one step, one outcome");
    return outcome;
  }

  test("is unknown if this machine was too busy, and the outcome keeps it", async () => {
    expect(await outcomeOf(found("late"))).toMatchObject({
      verdict: { kind: "unknown", sentence: tooBusy },
      tooBusy: [{ name: "late" }],
    });
  });

  test("stays red on an idle machine", async () => {
    const outcome = await outcomeOf(found("late"), { timersLateMs: 20, cpuWaited: 0.5, slowdown: 2 });
    expect(outcome.verdict).toEqual(found("late"));
    expect(outcome).not.toHaveProperty("tooBusy");
  });

  test("shows nothing as a trend where others came and went", async () => {
    const others = { timersLateMs: 20, cpuWaited: 0.7, slowdown: 1 };
    expect((await outcomeOf(found("late", "slower"), others)).verdict).toEqual(found("late"));
    expect((await outcomeOf(found("slower"), others)).verdict).toEqual({
      kind: "unknown",
      sentence: "this machine was too busy to judge (processes waited for a CPU 70 % of the time)",
    });
  });

  test("does not take others with it", async () => {
    expect((await outcomeOf(found("late", "lost"))).verdict).toEqual(found("lost"));
    expect((await outcomeOf(found("lost"))).verdict).toEqual(found("lost"));
  });

  test.each([passing(1), { kind: "unknown", sentence: "too few" } as const])(
    "changes nothing of $kind",
    async (verdict) => {
      expect((await outcomeOf(verdict)).verdict).toEqual(verdict);
    },
  );

  test("is judged by what happened during its own observation", async () => {
    let watched = 0;
    const watch: Watch = () => {
      const strain = (watched += 1) === 1 ? busy : { timersLateMs: 0, cpuWaited: 0, slowdown: 1 };
      return () => strain;
    };
    const judging = { findings, judge: () => found("late") };
    const steps = ["a/1", "a/2"].map((id) =>
      stepOf(
        looking(id, () => Promise.resolve(1)),
        judging,
      ),
    );
    const outcomes = await running(steps, { parallel: 1, watch });
    expect(told(outcomes)).toEqual([`unknown: ${tooBusy}`, "fail"]);
  });
});

describe("the context of a check", () => {
  async function seen(
    use: (context: Context) => unknown,
    options: Partial<RunOptions> = {},
    on: Fake = fake(),
  ): Promise<Json | undefined> {
    const observe: Observe = async (_, context) => await use(context);
    const [outcome] = await running([step("a/1", observe, { touches: "scratch" })], options, on);
    return outcome?.seen;
  }

  test("gives the size for the effort", async () => {
    const sizes = { light: 1, standard: 20, deep: 300 };
    const size = (context: Context): unknown => [context.effort, context.size(sizes)];
    expect(await seen(size, { effort: "light" })).toEqual(["light", 1]);
    expect(await seen(size, { effort: "deep" })).toEqual(["deep", 300]);
  });

  test("enters further names in the ledger before it gives them out", async () => {
    const on = fake();
    expect(await seen((context) => [context.name("a"), on.log.at(-1)], {}, on)).toEqual([
      "kr_k7f3a_1_a",
      "ledger: namespace kr_k7f3a_1_a",
    ]);
    await seen((context) => context.claim("1abc"), {}, on);
    expect(on.log).toContain("ledger: namespace 1abc");
  });

  test("gives the same random numbers for the same seed and check, others for another seed", async () => {
    const numbers = ({ random }: Context): unknown => [random("a")(), random("b")(), random("a")()];
    const first = await seen(numbers, { seed: 7 });
    expect(await seen(numbers, { seed: 7 })).toEqual(first);
    expect(await seen(numbers, { seed: 8 })).not.toEqual(first);
    expect(new Set(first as number[]).size).toBe(3);
  });

  test("gives streams of other names numbers of their own: what one takes does not move another", async () => {
    const alone = await seen(({ random }) => [random("writer 1")(), random("writer 1")()]);
    const beside = await seen(({ random }) => {
      const mine = random("writer 1")();
      random("writer 2")();
      return [mine, random("writer 1")()];
    });
    expect(beside).toEqual(alone);
  });

  test.for<[string, unknown, string]>([
    ["a refused answer", { kind: "refused", status: 400, code: "X", message: "no", tookMs: 1 }, "400 X: no"],
    ["an unsure answer", { kind: "unsure", because: "timeout", message: "nothing", tookMs: 1 }, "timeout: nothing"],
    ["what was kept of a refusal", { kind: "refused", message: "no such type", why: "parse" }, "no such type"],
    ["no connection", { kind: "failed", why: "refused by a proxy" }, "refused by a proxy"],
    ["a live query that did not begin", { why: "it was refused" }, "it was refused"],
  ])("ends the observation as unknown without what it needs: %s", async ([, outcome, why]) => {
    const needing = step("a/1", async (_, { need }) => await Promise.resolve(need(outcome, "no table")));
    expect(told(await running([needing]))).toEqual([`unknown: no table: ${why}`]);
  });

  test("needs what is there: an answer, a connection, a value", async () => {
    const values = [{ kind: "ok", results: [], tookMs: 1 }, { login: { kind: "in" } }, 0, ""];
    expect(await seen(({ need }) => values.map((value) => need(value, "it is there")))).toEqual(values);
    const needing = step("a/1", async (_, { need }) => await Promise.resolve(need(undefined, "no row came")));
    expect(told(await running([needing]))).toEqual(["unknown: no row came"]);
    const whole = { why: "see a/2", whole: true };
    const referred = step("a/1", async (_, { need }) => await Promise.resolve(need(whole, "no table")));
    expect(told(await running([referred]))).toEqual(["unknown: see a/2"]);
  });

  test("asks again until the answer will do, or the time is up, and returns the last answer", async () => {
    const asking =
      (until: number) =>
      async (context: Context): Promise<unknown> => {
        let asked = 0;
        const ask = (): Promise<number> => Promise.resolve((asked += 1));
        return await context.poll(ask, (answer) => answer === until, { withinMs: 100, everyMs: 30 });
      };
    expect(await seen(asking(1))).toBe(1);
    expect(await seen(asking(3))).toBe(3);
    expect(await seen(asking(99))).toBe(4);
  });
});

test("evidence can be judged without a run", () => {
  const check = {
    judge: (seen: Json, limits: Record<string, number>) => passing([seen, limits["max"] ?? 0]),
  } as unknown as Check;
  expect(judge({ check, limits: { max: 2 } }, 1)).toEqual(passing([1, 2]));
});
