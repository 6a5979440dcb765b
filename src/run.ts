/**
 * Runs a plan: the scheduler, the only time limit of a check, and the only place that catches what a check throws. Knows
 * no check by name, and never retries one.
 */
import { setMaxListeners } from "node:events";
import {
  findingOf,
  type Check,
  type Context,
  type Effort,
  type Found,
  type Limits,
  type Observation,
  type Unmet,
  type Verdict,
} from "./check.ts";
import type { Json } from "./wire/json.ts";
import { durationText } from "./duration.ts";
import { watchMachine, whyTooBusy, type Strain, type Watch } from "./session/machine.ts";
import type { Disposition, Step } from "./plan.ts";
import { SetupError } from "./session/accounts.ts";
import { outcomeOf, type Answer } from "./server/answer.ts";
import { sleep } from "./session/pacing.ts";
import type { Session } from "./session/session.ts";
import { drop } from "./session/sweep.ts";
import { makeTarget } from "./server/target.ts";
import type { Wire } from "./wire/wire.ts";

/** What a run needs of a step; what else a step of a plan holds passes through to its outcome. */
export interface Runnable {
  readonly check: Check;
  readonly disposition: Disposition;
  readonly limits: Limits;
}

/** What came of one step. */
export interface Outcome<S extends Runnable = Step> {
  readonly step: S;
  readonly verdict: Verdict | { readonly kind: "skip"; readonly sentence: string };
  /** Absent where nothing was observed. */
  readonly seen?: Json;
  /** How long its observation took; shared by the checks that judge it. */
  readonly tookMs: number;
  /** Unknown because the whole run ended early: a ban, the budget, a signal. */
  readonly early?: true;
  /** Unknown because this machine was too busy for these findings, which rest on time. */
  readonly tooBusy?: readonly Found[];
}

export interface RunOptions {
  readonly effort: Effort;
  readonly seed: number;
  readonly parallel: number;
  readonly timeoutMs: number;
  readonly budgetMs: number;
  /** Absent: the server has no other users. */
  readonly production?: boolean;
  /** Keep the scratch namespaces. */
  readonly keep: boolean;
  /** Ends the run early: checks in progress and checks to come are unknown, for the signal's reason. */
  readonly signal: AbortSignal;
  /** The wire of the checks: the session's, or one with a fault in it. */
  readonly wire: Wire;
  /** Watches this machine during each observation. Absent: it is really watched. */
  readonly watch?: Watch;
  readonly onStart?: (check: Check) => void;
  readonly onDone?: (outcome: Outcome<Runnable>) => void;
}

/** One outcome per step, in the order of the plan, whatever happens. */
export async function run<S extends Runnable>(
  steps: readonly S[],
  session: Session,
  options: RunOptions,
): Promise<Outcome<S>[]> {
  const outcomes = new Map<S, Outcome<S>>();
  const settle = (outcome: Outcome<S>): void => {
    outcomes.set(outcome.step, outcome);
    options.onDone?.(outcome);
  };

  const groups = new Map<Observation, S[]>();
  for (const step of steps) {
    const { disposition } = step;
    if (disposition.kind !== "run")
      settle({ step, verdict: { kind: disposition.kind, sentence: disposition.reason }, tookMs: 0 });
    else groups.set(step.check.observation, [...(groups.get(step.check.observation) ?? []), step]);
  }

  const deadline = performance.now() + options.budgetMs;
  const observer = new Observer(session, options);
  const observe = async ([observation, group]: [Observation, S[]]): Promise<void> => {
    const why = endedEarly(session, options, deadline);
    if (why !== undefined) {
      for (const step of group) settle({ step, verdict: { kind: "unknown", sentence: why }, tookMs: 0, early: true });
      return;
    }
    for (const step of group) options.onStart?.(step.check);
    const startedAt = performance.now();
    const stopWatching = (options.watch ?? watchMachine)();
    const observed = await observer.observe(observation, deadline);
    const strain = stopWatching();
    const tookMs = performance.now() - startedAt;
    for (const step of group) {
      if ("sentence" in observed) {
        const { sentence, ...early } = observed;
        settle({ step, verdict: { kind: "unknown", sentence }, tookMs, ...early });
      } else {
        const { seen } = observed;
        settle({ step, ...withoutHaste(step.check, judge(step, seen), strain), seen, tookMs });
      }
    }
  };

  const waiting = [...groups].filter(([observation]) => observation.alone !== true);
  // The longest begin first, so that the run does not end with one long check alone.
  if (options.parallel > 1) waiting.sort(([one], [other]) => other.estimateMs - one.estimateMs);
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await observe(next);
  };
  await Promise.all(Array.from({ length: options.parallel }, worker));
  for (const group of [...groups].filter(([observation]) => observation.alone === true)) await observe(group);

  return steps.map(
    (step) => outcomes.get(step) ?? { step, verdict: { kind: "unknown", sentence: "it was not reached" }, tookMs: 0 },
  );
}

function endedEarly(session: Session, options: RunOptions, deadline: number): string | undefined {
  if (options.signal.aborted) return String(options.signal.reason);
  if (session.rate.banned) return "the server has banned this address: the run ended early";
  if (performance.now() >= deadline) return `the budget of ${durationText(options.budgetMs)} was spent before it began`;
  return undefined;
}

/** Judges evidence; a judge that throws gives unknown. */
export function judge(step: Pick<Runnable, "check" | "limits">, seen: Json): Verdict {
  try {
    return step.check.judge(seen, step.limits);
  } catch (error) {
    return { kind: "unknown", sentence: `the check could not judge its evidence: ${wordsOf(error)}` };
  }
}

/** A finding that rests on time shows nothing if this machine was too busy; the other findings stay. */
function withoutHaste(check: Check, verdict: Verdict, strain: Strain): Pick<Outcome, "verdict" | "tooBusy"> {
  const why = whyTooBusy(strain);
  if (why === undefined || verdict.kind !== "fail") return { verdict };
  const found = verdict.found.filter(({ name }) => findingOf(check, name)?.timed !== true);
  if (found.length === verdict.found.length) return { verdict };
  return found.length > 0
    ? { verdict: { kind: "fail", found } }
    : { verdict: { kind: "unknown", sentence: why }, tooBusy: verdict.found };
}

/** Why an observation ended: what its check still waits for is rejected with it. */
class ObservationOver extends Error {}

// A check that was ended leaves pending promises that nothing awaits. Their rejections must not end the process before it
// has cleaned up; every other unhandled rejection is a defect.
process.on("unhandledRejection", (reason) => {
  if (!(reason instanceof ObservationOver)) throw reason;
});

/** The longest delay of a timer; a longer one fires at once. */
const timerMsMax = 2 ** 31 - 1;

/** Runs an observation with its scratch namespace, accounts, time limit, and a target that stops with it. */
class Observer {
  readonly #session: Session;
  readonly #options: RunOptions;

  constructor(session: Session, options: RunOptions) {
    this.#session = session;
    this.#options = options;
  }

  async observe(
    observation: Observation,
    deadline: number,
  ): Promise<{ seen: Json } | { sentence: string; early?: true }> {
    const { accounts } = this.#session;
    const holder = {};
    const ownMs = observation.timeoutMs ?? 0;
    const checkMs = Math.max(this.#options.timeoutMs, ownMs);
    const budgetMs = Math.max(1, deadline - performance.now());
    const late =
      checkMs <= budgetMs
        ? `timed out after ${durationText(checkMs)}`
        : `the budget of ${durationText(this.#options.budgetMs)} was spent before it ended`;
    const over = new AbortController();
    // Each request in flight listens to it; fifty listeners are no leak.
    setMaxListeners(0, over.signal);
    const timer = setTimeout(() => over.abort(new ObservationOver(late)), Math.min(checkMs, budgetMs, timerMsMax));
    const stop = (): void => over.abort(new ObservationOver(String(this.#options.signal.reason)));
    this.#options.signal.addEventListener("abort", stop, { once: true });
    let scratch = "";
    try {
      if (observation.touches !== "nothing") scratch = await this.#makeScratch();
      const target = makeTarget(this.#session, { wire: this.#options.wire, signal: over.signal, holder });
      const context = this.#context(observation, scratch, over.signal);
      // An observation that ignores the signal is abandoned; its target is closed, so it can do no more.
      const seen = await Promise.race([observation.observe(target, context), rejection(over.signal)]);
      // What was observed under a ban shows nothing about the server.
      if (this.#session.rate.banned) return { sentence: "the server has banned this address", early: true };
      // Judges get the evidence as it is saved, after JSON may have changed it.
      return { seen: JSON.parse(JSON.stringify(seen)) as Json };
    } catch (error) {
      if (over.signal.aborted) {
        const early = this.#options.signal.aborted || checkMs > budgetMs ? ({ early: true } as const) : {};
        return { sentence: wordsOf(over.signal.reason), ...early };
      }
      if (error instanceof SetupError) return { sentence: error.message };
      return { sentence: `the check failed with an error: ${wordsOf(error)}` };
    } finally {
      clearTimeout(timer);
      this.#options.signal.removeEventListener("abort", stop);
      // What still runs of this observation finds its target closed.
      if (!over.signal.aborted) over.abort(new ObservationOver("the observation is over"));
      await accounts.release(holder);
      // The clean-up of the run checks that it is gone; this only keeps objects from accumulating in a long run.
      if (scratch !== "" && !this.#options.keep)
        await drop(this.#session.sender, this.#session.login, { kind: "namespace", name: scratch }).catch(
          () => undefined,
        );
    }
  }

  async #makeScratch(): Promise<string> {
    const { ledger, sender, login, nextName } = this.#session;
    const name = nextName();
    ledger.enter({ kind: "namespace", name });
    const made = await sender.sql(login, `CREATE NAMESPACE ${name}`);
    if (made.kind !== "ok") throw new SetupError(`the set-up failed: CREATE NAMESPACE ${name}: ${outcomeOf(made)}`);
    return name;
  }

  #context(observation: Observation, scratch: string, signal: AbortSignal): Context {
    const { effort, seed, production = false } = this.#options;
    const { ledger } = this.#session;
    const streams = new Map<string, () => number>();
    return {
      scratch,
      production,
      effort,
      signal,
      random(name) {
        const stream = streams.get(name) ?? randomFrom(`${seed} ${observation.id} ${name}`);
        streams.set(name, stream);
        return stream;
      },
      need,
      size: (sizes) => sizes[effort],
      name(suffix) {
        const name = `${scratch}_${suffix}`;
        ledger.enter({ kind: "namespace", name });
        return name;
      },
      claim(name) {
        ledger.enter({ kind: "namespace", name });
      },
      accountName(suffix) {
        const name = `${scratch}_${suffix}`;
        ledger.enter({ kind: "account", name });
        return name;
      },
      async poll(ask, done, { withinMs, everyMs }) {
        const until = performance.now() + withinMs;
        for (;;) {
          const answer = await ask();
          if (done(answer) || performance.now() + everyMs > until) return answer;
          await sleep(everyMs, signal);
        }
      },
    };
  }
}

/** Throws SetupError if a result that the observation needs is missing. */
function need<T>(outcome: T, otherwise: string): Exclude<T, Unmet> {
  const why = whyNot(outcome);
  if (why !== undefined) throw new SetupError(`${otherwise}${why === "" ? "" : `: ${why}`}`);
  return outcome as Exclude<T, Unmet>;
}

/** Why an outcome is not usable; undefined if it is. */
function whyNot(outcome: unknown): string | undefined {
  if (outcome === undefined || outcome === null) return "";
  if (typeof outcome !== "object") return undefined;
  const { kind, why, message } = outcome as Readonly<Record<string, unknown>>;
  if (kind === "refused" || kind === "unsure") {
    // An answer has its outcome; a summary of one, or the start of a live query, has its own words.
    if ("tookMs" in outcome) return outcomeOf(outcome as Answer);
    return [message, why, kind].find((one) => typeof one === "string" && one !== "") as string;
  }
  const isUnmet = kind === "failed" || kind === undefined;
  return isUnmet && typeof why === "string" ? why : undefined;
}

async function rejection(signal: AbortSignal): Promise<never> {
  return await new Promise((_, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

/** Numbers from 0 to below 1, the same for the same text: mulberry32 over a hash of it (FNV-1a). */
export function randomFrom(text: string): () => number {
  let state = 2_166_136_261;
  for (const character of text) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 16_777_619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
