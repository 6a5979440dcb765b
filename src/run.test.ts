import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Check, Context, Observation, Touches, Verdict } from "./check.ts";
import type { Json } from "./wire/json.ts";
import type { Disposition } from "./plan.ts";
import type { Watch } from "./session/machine.ts";
import { judge, randomFrom, run, type Outcome, type Runnable, type RunOptions } from "./run.ts";
import { SetupError } from "./session/accounts.ts";
import { Pacer } from "./session/pacing.ts";
import { Recording } from "./session/recording.ts";
import { makeSender } from "./server/sender.ts";
import type { Session } from "./session/session.ts";
import type { Target } from "./server/target.ts";
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
    rate: { refusals: 0, banned: false },
    ledger: { enter: ({ kind, name }: { kind: string; name: string }) => log.push(`ledger: ${kind} ${name}`) },
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

describe("evidence", () => {
  test("goes through JSON before it is judged: what is judged is what is saved", async () => {
    const odd = { at: new Date(0), gone: undefined, list: [undefined, Number.NaN], n: -0 };
    const [outcome] = await running([step("a/1", () => Promise.resolve(odd))]);
    const saved = { at: "1970-01-01T00:00:00.000Z", list: [null, null], n: 0 };
    expect(outcome?.seen).toEqual(saved);
    expect(outcome?.verdict).toEqual({ kind: "pass", sentence: `saw ${JSON.stringify(saved)}` });
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

describe("a finding that rests on time", () => {
  const found = (...names: string[]): Verdict => ({ kind: "fail", found: names.map((name) => ({ name, data: null })) });
  const findings = { late: { say: () => "late", timed: true }, lost: { say: () => "lost" } } as const;
  const busy = { timersLateMs: 2_235, cpuWaited: null };
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
    const outcome = await outcomeOf(found("late"), { timersLateMs: 20, cpuWaited: 0.5 });
    expect(outcome.verdict).toEqual(found("late"));
    expect(outcome).not.toHaveProperty("tooBusy");
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
      const strain = (watched += 1) === 1 ? busy : { timersLateMs: 0, cpuWaited: 0 };
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

test("random numbers lie from 0 to below 1, and spread", () => {
  const random = randomFrom("seed");
  const numbers = Array.from({ length: 1000 }, random);
  expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...numbers)).toBeLessThan(1);
  expect(new Set(numbers).size).toBe(1000);
  expect(numbers.reduce((sum, one) => sum + one, 0) / 1000).toBeCloseTo(0.5, 1);
  expect(randomFrom("seed")()).toBe(numbers[0]);
  expect(randomFrom("sees")()).not.toBe(numbers[0]);
});

test("evidence can be judged without a run", () => {
  const check = {
    judge: (seen: Json, limits: Record<string, number>) => passing([seen, limits["max"] ?? 0]),
  } as unknown as Check;
  expect(judge({ check, limits: { max: 2 } }, 1)).toEqual(passing([1, 2]));
});
