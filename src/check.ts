/**
 * What a check is. Read this file first: everything else makes targets for checks, runs them, or tells what they found.
 *
 * A check observes a target, then judges what it saw. `observe` talks to the server and holds no opinion; `judge` is a
 * pure function from evidence to a verdict, so it can be tried on hundreds of histories without a server.
 */
import type { Target } from "./server/target.ts";
import type { Json } from "./wire/json.ts";

/** What a check may disturb, from the mildest up. */
export const touchesOrder = ["nothing", "scratch", "load", "process", "disk"] as const;
export type Touches = (typeof touchesOrder)[number];

export const efforts = ["light", "standard", "deep"] as const;
export type Effort = (typeof efforts)[number];

export const levels = ["block", "warn"] as const;
/** `block` fails the gate; `warn` is told, and fails it only with `--fail-on warn`. */
export type Level = (typeof levels)[number];

/** What must be at hand besides SQL over HTTP. Declared, so that the plan can say what will be left out before anything is sent. */
export const needDescriptions = {
  dba: "a login with the role dba or system",
  "own-server": "a server that kalam-ready starts itself (--server-bin)",
  kalam: "the kalam command line of KalamDB (--kalam-bin)",
} as const;
export type Need = keyof typeof needDescriptions;

/** One thing that is wrong: which finding of the check, its data, and where there are several cases, which one. */
export interface Found<Name extends string = string, Data = unknown> {
  readonly name: Name;
  readonly data: Data;
  /** Which of the check's cases showed it; an acceptance in a profile may name it. */
  readonly case?: string;
  /** Numbers of the exchanges that show it (`Answer.exchange`), so that the report can print what was sent. */
  readonly sent?: readonly number[];
}

export type Verdict<F extends Found = Found> =
  | { readonly kind: "pass"; readonly sentence: string }
  | { readonly kind: "unknown"; readonly sentence: string }
  | { readonly kind: "fail"; readonly found: readonly F[] };

/** It holds. The sentence carries the numbers: how much was seen. */
export function pass(sentence: string): { readonly kind: "pass"; readonly sentence: string } {
  return { kind: "pass", sentence };
}

/** Too little was seen to say. */
export function unknown(sentence: string): { readonly kind: "unknown"; readonly sentence: string } {
  return { kind: "unknown", sentence };
}

/** A way to fail: its sentence, and what sets it apart from the check it belongs to. */
export interface Finding<Data = never> {
  /** The sentence for the data of one occurrence. */
  readonly say: (data: Data) => string;
  /** Where it differs from the check's. */
  readonly level?: Level;
  /** Who is hurt and how, where the check's own does not fit: a lost answer is not a leak. */
  readonly risk?: string;
  /** The next thing to do, where the check's own does not fit. */
  readonly remedy?: string;
}

export type Findings = Readonly<Record<string, Finding>>;
type DataOf<F> = F extends Finding<infer Data> ? Data : never;
/** The union of what a check with these findings may report: the name decides the type of the data. */
export type FoundOf<F extends Findings> = {
  [Name in keyof F & string]: Found<Name, DataOf<F[Name]>>;
}[keyof F & string];

/** Something that was sent under a number: an answer, what was said, a subscription. */
interface Exchanged {
  readonly exchange: number;
}

/** Which case it is about, and the exchanges that show it. */
export interface Shown {
  readonly case?: string | undefined;
  readonly sent?: Exchanged | readonly (number | Exchanged)[] | undefined;
}

/** Reports a finding: one function for each of the check's, so that wrong names and wrong data do not compile. */
export type Collector<F extends Findings> = {
  readonly [Name in keyof F & string]: (data: DataOf<F[Name]>, shown?: Shown) => void;
};

/** What a judge works with besides the evidence. */
export interface Judging<F extends Findings, L extends Limits> {
  readonly found: Collector<F>;
  readonly limits: L;
}

/** What a judge concludes where nothing was found. A finding beats `unknown`, and `unknown` beats `pass`. */
export type Conclusion = ReturnType<typeof pass> | ReturnType<typeof unknown>;

export type Limits = Readonly<Record<string, number>>;

/** What `need` does not let pass. */
export type Unmet =
  | undefined
  | null
  | { readonly kind: "refused" | "unsure" | "failed" }
  | { readonly why: string; readonly kind?: never };

/** What an `observe` gets besides the target. */
export interface Context {
  /** The scratch namespace, made for this observation and dropped after it. Empty where the observation touches nothing. */
  readonly scratch: string;
  /** The name of a further namespace of this run, entered in the ledger before it is returned: `kr_<run>_<n>_<suffix>`. */
  name(suffix: string): string;
  /**
   * Enters the name of a namespace that the server ought to refuse, in case it does not. Only for names that do not
   * begin like ours (a leading digit, a reserved word) and that were not listed before.
   */
  claim(name: string): void;
  /** The name of an account that a statement may make, entered in the ledger before it is returned: `kr_<run>_<n>_<suffix>`. */
  accountName(suffix: string): string;
  /** The profile says that people are using this server: nothing may be tried that would give anybody more rights, even for a moment. */
  readonly production: boolean;
  readonly effort: Effort;
  /** The size for this run's effort. */
  size(sizes: Readonly<Record<Effort, number>>): number;
  /**
   * A stream of numbers from 0 to below 1: the same for the same `--seed`, observation and name, and going on where it was
   * left when it is asked for again. What runs side by side takes streams of its own: one that is shared would be dealt
   * out in the order of arrival, and no seed repeats that.
   */
  random(name: string): () => number;
  /**
   * What the observation cannot do without: an answer that must be `ok`, a connection, a value that must be there. Ends
   * the observation as `unknown` with the sentence and the reason if it is not. Not for loops that may have seen something
   * already: those keep what they have.
   */
  need<T>(outcome: T, otherwise: string): Exclude<T, Unmet>;
  /** Aborted when the time is up or the run is interrupted; the target is dead from then on. */
  readonly signal: AbortSignal;
  /** Asks again every `everyMs` until `done` says so or `withinMs` are over; returns the last answer either way. */
  poll<T>(
    ask: () => Promise<T>,
    done: (answer: T) => boolean,
    times: { withinMs: number; everyMs: number },
  ): Promise<T>;
}

/** How an observation disturbs and what it costs; printed by `plan`, kept by the scheduler. */
interface Looking {
  readonly touches: Touches;
  readonly needs?: readonly Need[];
  /** Run by itself: what it measures or does to the server does not bear company. */
  readonly alone?: boolean;
  readonly estimateMs: number;
  readonly estimateRequests: number;
  /** Its own time limit where the run's would be too short. */
  readonly timeoutMs?: number;
}

/** An `observe` that several checks share: one workload, one evidence, many judges. */
export interface Observation<Seen extends Json = Json> extends Looking {
  readonly id: string;
  observe(target: Target, context: Context): Promise<Seen>;
}

/** What people read about a check. */
interface CheckText {
  /** `category/good-state`, the folder and the file it stands in. */
  readonly id: string;
  /** True when it passes. */
  readonly title: string;
  /** True when it fails. */
  readonly failureTitle: string;
  /** What it does, for `explain`: what is sent and what must hold. */
  readonly description: string;
  /** What a pass does not show; printed by `explain`, so that nobody reads more into a green row than there is. */
  readonly blindTo: string;
  readonly risk: string;
  readonly remedy: string;
  /** Tests of KalamDB's own production plan that it stands for. */
  readonly covers: readonly string[];
  readonly level: Level;
}

/** A check as the runner knows it: with any evidence, any findings. `CheckOf` is the same with its types. */
export interface Check extends CheckText {
  readonly findings: Findings;
  /** Numbers that a profile may change; the unit is in the name. */
  readonly limits: Limits;
  readonly observation: Observation;
  judge(seen: Json, limits: Limits): Verdict;
}

export interface CheckOf<Seen extends Json, F extends Findings, L extends Limits> extends CheckText {
  readonly findings: F;
  readonly limits: L;
  readonly observation: Observation<Seen>;
  judge(seen: Seen, limits: L): Verdict<FoundOf<F>>;
}

interface CheckSpec<Seen extends Json, F extends Findings, L extends Limits> extends CheckText {
  readonly findings: F;
  readonly limits?: L;
  judge(seen: Seen, judging: Judging<F, L>): Conclusion;
}

export function defineObservation<Seen extends Json>(observation: Observation<Seen>): Observation<Seen> {
  return observation;
}

/** Makes a check with an `observe` of its own. */
export function defineCheck<
  Seen extends Json,
  const F extends Findings,
  const L extends Limits = Record<never, number>,
>(
  spec: CheckSpec<Seen, F, L> & Looking & { observe(target: Target, context: Context): Promise<Seen> },
): CheckOf<Seen, F, L> {
  const { observe, touches, needs, alone, estimateMs, estimateRequests, timeoutMs, limits, ...rest } = spec;
  const observation: Observation<Seen> = {
    id: spec.id,
    touches,
    estimateMs,
    estimateRequests,
    ...(needs === undefined ? {} : { needs }),
    ...(alone === undefined ? {} : { alone }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    observe,
  };
  return { ...rest, limits: limits ?? ({} as L), observation, judge: judgeOf(spec) };
}

/** Makes a check that judges an observation which others judge, too. */
export function defineCheckOf<
  Seen extends Json,
  const F extends Findings,
  const L extends Limits = Record<never, number>,
>(observation: Observation<Seen>, spec: CheckSpec<Seen, F, L>): CheckOf<Seen, F, L> {
  return { ...spec, limits: spec.limits ?? ({} as L), observation, judge: judgeOf(spec) };
}

/** Decides, once for all checks, what a judge's findings and its conclusion make together. */
function judgeOf<Seen extends Json, const F extends Findings, L extends Limits>(
  spec: CheckSpec<Seen, F, L>,
): CheckOf<Seen, F, L>["judge"] {
  return (seen, limits) => {
    const all: FoundOf<F>[] = [];
    const collect = Object.keys(spec.findings).map((name) => [
      name,
      (data: unknown, shown: Shown = {}) => all.push(foundOf(name, data, shown) as FoundOf<F>),
    ]);
    const concluded = spec.judge(seen, { found: Object.fromEntries(collect) as Collector<F>, limits });
    return all.length > 0 ? { kind: "fail", found: all } : concluded;
  };
}

function foundOf(name: string, data: unknown, { case: of, sent }: Shown): Found {
  const exchanged = sent === undefined ? [] : "exchange" in sent ? [sent] : sent;
  const numbers = exchanged.map((one) => (typeof one === "number" ? one : one.exchange));
  return {
    name,
    data,
    ...(of === undefined ? {} : { case: of }),
    ...(numbers.length === 0 ? {} : { sent: numbers }),
  };
}

/** One readiness category: a promise, and the checks that hold the server to it. */
export interface Category {
  readonly id: string;
  readonly promise: string;
  readonly checks: readonly Check[];
}

/** The level at which a finding counts, before any profile has its say. */
export function levelOf(check: Check, finding: string): Level {
  return findingOf(check, finding)?.level ?? check.level;
}

/** Undefined for a name that the check does not know: of a report that an older version wrote. */
export function findingOf(check: Check, name: string): Finding | undefined {
  return Object.hasOwn(check.findings, name) ? check.findings[name] : undefined;
}

/** The sentence of a finding. Data of a saved report may be older than the check, so a sentence that cannot be made is told as such. */
export function say(check: Check, found: Found): string {
  const finding = findingOf(check, found.name);
  if (finding === undefined) return found.name;
  try {
    return finding.say(found.data as never);
  } catch {
    return `${found.name} (its sentence cannot be made from ${JSON.stringify(found.data)})`;
  }
}
