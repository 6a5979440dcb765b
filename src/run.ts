/**
 * Runs a plan: the scheduler, the only time limit of a check, and the only place that catches what a check throws. Knows
 * no check by name, and never retries one.
 */
import { setMaxListeners } from "node:events";
import {
  findingOf,
  type Check,
  type Effort,
  type Found,
  type Limits,
  type Observation,
  type Verdict,
} from "./check.ts";
import type { Span } from "./history/timeline.ts";
import { makeContext } from "./session/context.ts";
import type { Json } from "./wire/json.ts";
import { durationText } from "./duration.ts";
import { evidenceKeeper, shortVerdict, type Seen } from "./formats/evidence.ts";
import { watchMachine, whyTooBusy, type Strain, type Watch } from "./session/machine.ts";
import type { Disposition, Step } from "./plan.ts";
import type { OpenJournal } from "./history/journal.ts";
import { SetupError } from "./session/accounts.ts";
import type { Contradictory } from "./session/contradictions.ts";
import { ObservationOver, rejection, timerMsMax } from "./session/over.ts";
import type { Session } from "./session/session.ts";
import { Scratches } from "./session/scratches.ts";
import { withAccounts } from "./server/coverage.ts";
import { makeTarget, type Account } from "./server/target.ts";
import { ControlError } from "./wire/control.ts";
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
  /** Absent where nothing was observed; shortened where it is large. */
  readonly seen?: Json;
  /** How long its observation took; shared by the checks that judge it. */
  readonly tookMs: number;
  /** What happened in which time; absent where the check tells none. */
  readonly timeline?: readonly Span[];
  /** Unknown because the whole run ended early: a ban, the budget, a signal. */
  readonly early?: true;
  /** Unknown because this machine was too busy for these findings, which rest on time. */
  readonly tooBusy?: readonly Found[];
  /** Answers to its observation that disagree with themselves; shared by the checks that judge it. */
  readonly contradictory?: Contradictory;
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
  /** How long lasting observations wait at least, whatever they ask for: a proof is as good with less. */
  readonly leastMs?: number;
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
  const keep = evidenceKeeper();
  const pooled = [...groups.keys()].filter((one) => one.touches !== "nothing" && !stopsServer(one));
  const observer = new Observer(session, options, pooled.length);
  const observe = async ([observation, group]: [Observation, S[]], othersDone = noOthers): Promise<void> => {
    const why = endedEarly(session, options, deadline);
    if (why !== undefined) {
      for (const step of group) settle({ step, verdict: { kind: "unknown", sentence: why }, tookMs: 0, early: true });
      return;
    }
    for (const step of group) options.onStart?.(step.check);
    const startedAt = performance.now();
    const stopWatching = (options.watch ?? watchMachine)();
    const holder = {};
    const observed = await observer.observe(observation, { deadline, othersDone, holder });
    const strain = stopWatching();
    const tookMs = performance.now() - startedAt;
    // However it ended: to a check, such an answer may look like none.
    const contradictory = session.contradictions.take(holder);
    const common = { tookMs, ...(contradictory === undefined ? {} : { contradictory }) };
    let kept: Json | undefined;
    for (const step of group) {
      if ("sentence" in observed) {
        const { sentence, ...early } = observed;
        settle({ step, verdict: { kind: "unknown", sentence }, ...common, ...early });
      } else {
        const verdict = withAccounts(step.check.observation, judge(step, observed.seen), observed.used);
        kept ??= keep(observed);
        settle({
          step,
          ...withoutHaste(step.check, shortVerdict(verdict), strain),
          seen: kept,
          ...common,
          ...timelineOf(step.check, observed.seen),
        });
      }
    }
  };

  const inPart = (part: Part): [Observation, S[]][] => [...groups].filter(([one]) => partOf(one) === part);
  for (const group of inPart("first")) await observe(group);
  const lasting = inPart("lasting");
  const { done: othersDone, resolve: endOthers } = othersUntil(deadline, options.budgetMs);
  const beside = Promise.all(lasting.map(async (group) => await observe(group, othersDone)));
  // One at a time is meant where one at a time is asked for.
  const isAside = ({ waits }: Observation): boolean => waits === true && options.parallel > 1;
  const aside = Promise.all(
    inPart("beside others")
      .filter(([one]) => isAside(one))
      .map(async (group) => await observe(group)),
  );
  const waiting = inPart("beside others").filter(([one]) => !isAside(one));
  // The longest begin first, so that the run does not end with one long check alone.
  if (options.parallel > 1) waiting.sort(([one], [other]) => other.estimateMs - one.estimateMs);
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await observe(next);
  };
  await Promise.all([aside, ...Array.from({ length: options.parallel }, worker)]);
  for (const group of inPart("alone")) await observe(group);
  endOthers();
  await beside;
  for (const group of inPart("last")) await observe(group);

  return steps.map(
    (step) => outcomes.get(step) ?? { step, verdict: { kind: "unknown", sentence: "it was not reached" }, tookMs: 0 },
  );
}

/** `last`: it stops the server, on which nobody else may depend then. */
type Part = "first" | "lasting" | "beside others" | "alone" | "last";

function partOf(observation: Observation): Part {
  if (stopsServer(observation)) return "last";
  if (observation.lasting === true) return "lasting";
  if (observation.alone !== true) return "beside others";
  return observation.first === true ? "first" : "alone";
}

export function stopsServer({ needs }: Pick<Observation, "needs">): boolean {
  return needs?.includes("control") === true;
}

const noOthers = Promise.resolve();
/** Samples of effort deep are about so many times as large as those that the time limits are made for. */
const deepTimes = 4;
/** A lasting observation gets this much of the budget for what it does at its end, at most, and a quarter at least. */
const lastingEndMs = 15_000;

/** Resolves when told so, or when the budget is nearly spent. */
function othersUntil(deadline: number, budgetMs: number): { done: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const done = new Promise<void>((given) => (resolve = given));
  const leftMs = deadline - performance.now() - Math.min(lastingEndMs, budgetMs / 4);
  const timer = setTimeout(resolve, Math.min(Math.max(0, leftMs), timerMsMax));
  void done.then(() => clearTimeout(timer));
  return { done, resolve };
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

function timelineOf(check: Check, seen: Json): Pick<Outcome, "timeline"> {
  try {
    const timeline = check.timeline?.(seen) ?? [];
    return timeline.length === 0 ? {} : { timeline };
  } catch {
    // Its judge says what is wrong with the evidence.
    return {};
  }
}

/** A finding that rests on time shows nothing if this machine was too busy; the other findings stay. */
function withoutHaste(check: Check, verdict: Verdict, strain: Strain): Pick<Outcome, "verdict" | "tooBusy"> {
  if (verdict.kind !== "fail") return { verdict };
  const whys = new Map(
    verdict.found.flatMap((one) => {
      const timed = findingOf(check, one.name)?.timed;
      const why = timed === undefined ? undefined : whyTooBusy(strain, timed);
      return why === undefined ? [] : [[one, why] as const];
    }),
  );
  const found = verdict.found.filter((one) => !whys.has(one));
  if (found.length === verdict.found.length) return { verdict };
  const sentence = whys.values().next().value ?? "";
  return found.length > 0
    ? { verdict: { kind: "fail", found } }
    : { verdict: { kind: "unknown", sentence }, tooBusy: verdict.found };
}

/** Runs an observation with its scratch namespace, accounts, time limit, and a target that stops with it. */
class Observer {
  readonly #session: Session;
  readonly #options: RunOptions;
  readonly #scratches: Scratches;

  constructor(session: Session, options: RunOptions, observations: number) {
    this.#session = session;
    this.#options = options;
    this.#scratches = new Scratches(session, observations);
  }

  async observe(
    observation: Observation,
    { deadline, othersDone, holder }: { deadline: number; othersDone: Promise<void>; holder: object },
  ): Promise<(Seen & { used: readonly Account[] }) | { sentence: string; early?: true }> {
    const over = new AbortController();
    // Each request in flight listens to it; fifty listeners are no leak.
    setMaxListeners(0, over.signal);
    let timer: NodeJS.Timeout | undefined;
    const limit = (checkMs: number): void => {
      clearTimeout(timer);
      const budgetMs = Math.max(1, deadline - performance.now());
      const late =
        checkMs <= budgetMs
          ? new ObservationOver(`timed out after ${durationText(checkMs)}`)
          : new ObservationOver(
              `the budget of ${durationText(this.#options.budgetMs)} was spent before it ended`,
              true,
            );
      timer = setTimeout(() => over.abort(late), Math.min(checkMs, budgetMs, timerMsMax));
    };
    const timesLonger = this.#options.effort === "deep" ? deepTimes : 1;
    const checkMs = Math.max(this.#options.timeoutMs, observation.timeoutMs ?? 0) * timesLonger;
    limit(observation.lasting === true ? Infinity : checkMs);
    if (observation.lasting === true) void othersDone.then(() => !over.signal.aborted && limit(checkMs));
    const stop = (): void => over.abort(new ObservationOver(String(this.#options.signal.reason), true));
    this.#options.signal.addEventListener("abort", stop, { once: true });
    let scratch = "";
    const used = new Set<Account>();
    const journals: OpenJournal[] = [];
    try {
      if (observation.touches !== "nothing")
        scratch = await this.#scratches.take(over.signal, { alone: stopsServer(observation) });
      const target = makeTarget(this.#session, {
        wire: this.#options.wire,
        signal: over.signal,
        holder,
        onUse: (as) => used.add(as),
      });
      const context = makeContext(this.#session, this.#options, {
        observation,
        scratch,
        signal: over.signal,
        othersDone,
        onJournal: (journal) => journals.push(journal),
      });
      // An observation that ignores the signal is abandoned; its target is closed, so it can do no more.
      const seen = await Promise.race([observation.observe(target, context), rejection(over.signal)]);
      // What was observed under a ban shows nothing about the server.
      if (this.#session.rate.banned) return { sentence: "the server has banned this address", early: true };
      // Judges get the evidence as it is saved, after JSON may have changed it.
      const text = JSON.stringify(seen);
      return { seen: JSON.parse(text) as Json, size: text.length, used: [...used] };
    } catch (error) {
      if (over.signal.aborted) {
        const { message, early } = over.signal.reason as ObservationOver;
        return { sentence: message, ...(early ? { early } : {}) };
      }
      if (error instanceof SetupError || error instanceof ControlError) return { sentence: error.message };
      return { sentence: `the check failed with an error: ${wordsOf(error)}` };
    } finally {
      clearTimeout(timer);
      this.#options.signal.removeEventListener("abort", stop);
      // What still runs of this observation finds its target closed.
      if (!over.signal.aborted) over.abort(new ObservationOver("the observation is over"));
      for (const journal of journals) journal.close();
      await this.#session.accounts.release(holder);
      // The end of the run does it again, and says so where it fails.
      if (stopsServer(observation) && !this.#options.signal.aborted)
        await this.#session.parts.wire.control?.lifecycle?.revive();
      const leftMs = Math.min(deadline - performance.now(), timerMsMax);
      if (scratch !== "" && !this.#options.keep && !this.#options.signal.aborted && leftMs >= 1)
        await this.#scratches.giveBack(scratch, Math.floor(leftMs));
    }
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
