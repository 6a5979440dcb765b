/**
 * What a check is. Read this file first: everything else connects checks to a server, runs them, or reports what they found.
 *
 * A check observes a target, then judges what it saw. `observe` talks to the server and decides nothing; `judge` is a pure
 * function from evidence to a verdict, so it can be tested on hundreds of histories without a server.
 */
import type { Need } from "./needs.ts";
import type { FieldName, Values } from "./server/facts.ts";
import type { OwnRole, Target } from "./server/target.ts";
import type { Journal } from "./history/journal.ts";
import type { Span } from "./history/timeline.ts";
import type { Json } from "./wire/json.ts";

/** What a check may touch, from the least invasive to the most. */
export const touchesOrder = ["nothing", "scratch", "load", "process", "disk"] as const;
export type Touches = (typeof touchesOrder)[number];

export const efforts = ["light", "standard", "deep"] as const;
export type Effort = (typeof efforts)[number];

export const levels = ["block", "warn"] as const;
/** `block` fails the gate; `warn` is reported and fails it only with `--fail-on warn`. */
export type Level = (typeof levels)[number];

/** One defect: the name of the finding, its data, and the case where there are several. */
export interface Found<Name extends string = string, Data = unknown> {
  readonly name: Name;
  readonly data: Data;
  /** The case that showed it; an acceptance in a profile may name it. */
  readonly case?: string;
  /** Numbers of the exchanges that show it (`Answer.exchange`), so that the report can print the requests. */
  readonly sent?: readonly number[];
}

export type Verdict<F extends Found = Found> =
  | { readonly kind: "pass"; readonly sentence: string }
  | { readonly kind: "unknown"; readonly sentence: string }
  | { readonly kind: "fail"; readonly found: readonly F[] };

/** The title is true. The sentence gives the sample: how much was seen. */
export function pass(sentence: string): { readonly kind: "pass"; readonly sentence: string } {
  return { kind: "pass", sentence };
}

/** Too little was seen to decide. */
export function unknown(sentence: string): { readonly kind: "unknown"; readonly sentence: string } {
  return { kind: "unknown", sentence };
}

/** A way to fail: its sentence, and where it differs from the check it belongs to. */
export interface Finding<Data = never> {
  /** The sentence for the data of one occurrence. */
  readonly say: (data: Data) => string;
  /** Where it differs from the check's level. */
  readonly level?: Level;
  /** Who is hurt and how, where it differs from the check's risk: a lost answer is not a leak. */
  readonly risk?: string;
  /** The next thing to do, where it differs from the check's remedy. */
  readonly remedy?: string;
  /**
   * It rests on time, so a busy machine can cause it: then it is unknown instead. A `trend` compares moments with each other, so
   * a machine that was busy at one of them and not at the other is enough.
   */
  readonly timed?: true | "trend";
  /** Values of the server's dialect with which it promises otherwise; without them it is only a warning. */
  readonly promised?: Partial<Values>;
}

export type Findings = Readonly<Record<string, Finding>>;
type DataOf<F> = F extends Finding<infer Data> ? Data : never;
/** The union of what a check with these findings may report: the name determines the type of the data. */
export type FoundOf<F extends Findings> = {
  [Name in keyof F & string]: Found<Name, DataOf<F[Name]>>;
}[keyof F & string];

/** Anything that carries the number of an exchange: an answer, the record kept of one, a subscription. */
interface Exchanged {
  readonly exchange: number;
}

/** The case, and the exchanges that show it. */
export interface Shown {
  readonly case?: string | undefined;
  readonly sent?: Exchanged | readonly (number | Exchanged)[] | undefined;
}

/** Reports a finding: one function for each finding of the check, so that a wrong name or wrong data does not compile. */
export type Collector<F extends Findings> = {
  readonly [Name in keyof F & string]: (data: DataOf<F[Name]>, shown?: Shown) => void;
};

/** What a judge gets besides the evidence. */
export interface Judging<F extends Findings, L extends Limits> {
  readonly found: Collector<F>;
  readonly limits: L;
}

/** What a judge returns. Any finding takes precedence over it: fail, then `unknown`, then `pass`. */
export type Conclusion = ReturnType<typeof pass> | ReturnType<typeof unknown>;

export type Limits = Readonly<Record<string, number>>;

/** Outcomes that `need` rejects. `whole`: the reason is a sentence that needs no other before it. */
export type Unmet =
  | undefined
  | null
  | { readonly kind: "refused" | "unsure" | "failed" }
  | { readonly why: string; readonly kind?: never; readonly whole?: boolean };

/** What an `observe` gets besides the target. */
export interface Context {
  /** The scratch namespace, created for this observation and dropped after it. Empty if the observation touches nothing. */
  readonly scratch: string;
  /** A name for another namespace, entered in the ledger before it is returned: `kr_<run>_<n>_<suffix>`. */
  name(suffix: string): string;
  /**
   * Enters in the ledger a namespace that the server should reject, in case it does not. Only for names without our
   * prefix (a leading digit, a reserved word) that were not listed before.
   */
  claim(name: string): void;
  /** A name for a topic of the scratch namespace, entered in the ledger before it is returned. */
  topicName(suffix: string): string;
  /** A name for an account that a statement may create, entered in the ledger before it is returned: `kr_<run>_<n>_<suffix>`. */
  accountName(suffix: string): string;
  /** The profile marks this server as production: nothing may be tried that would give anyone more privileges, even briefly. */
  readonly production: boolean;
  readonly effort: Effort;
  /** The size for this run's effort. */
  size(sizes: Readonly<Record<Effort, number>>): number;
  /**
   * A stream of numbers in [0, 1), determined by `--seed`, the observation and the name; asking for the same name again
   * continues the same stream. Concurrent work needs a stream for each task: a shared one would be consumed in the order
   * of arrival, which no seed can repeat.
   */
  random(name: string): () => number;
  /**
   * Returns a prerequisite: an answer that must be `ok`, a connection, a value that must exist. Otherwise ends the
   * observation as `unknown`, with this sentence and the reason. Not for loops that may already have seen something:
   * those return the evidence they have.
   */
  need<T>(outcome: T, otherwise: string): Exclude<T, Unmet>;
  /**
   * A file of this observation on our disk, for what a workload that the server may not survive was told: an acknowledgement is
   * on record there before the next request is sent.
   */
  journal(): Journal;
  /**
   * For an observation that is `lasting`: resolves when all others of the run have ended, or with little of the budget left,
   * but not before this many milliseconds.
   */
  othersDone(leastMs: Readonly<Record<Effort, number>>): Promise<void>;
  /** Aborted on timeout or when the run is interrupted; from then on the target rejects every call. */
  readonly signal: AbortSignal;
  /** Repeats `ask` every `everyMs` until `done` returns true or `withinMs` have passed; returns the last answer either way. */
  poll<T>(
    ask: () => Promise<T>,
    done: (answer: T) => boolean,
    times: { withinMs: number; everyMs: number },
  ): Promise<T>;
}

export type Uses = Readonly<Partial<Record<OwnRole, number>>>;

/** What an observation touches, needs and costs: printed by `plan`, used by the scheduler. */
interface ObservationTraits {
  readonly touches: Touches;
  readonly needs?: readonly Need[];
  /**
   * How many of the run's own accounts of each role must have been answered: with fewer a pass is unknown, because one
   * account in place of several shows nothing about what is between them.
   */
  readonly uses?: Uses;
  /** `none`: it also runs where nobody logged in (`target.login` is null), and then claims only what that can show. */
  readonly login?: "none";
  /** Runs alone, because concurrent checks would disturb it or be disturbed by it. One that needs control does so anyway, at the end. */
  readonly alone?: boolean;
  /** Of those that run alone: before all others, while the run holds nothing open that it would count. */
  readonly first?: boolean;
  /** Most of it is waiting: it begins at the start, beside the checks that work, and takes none of their places. */
  readonly waits?: boolean;
  /** Begins before all others but those that run first, and ends after them; its time limit begins when they have ended. Must disturb nobody. */
  readonly lasting?: boolean;
  /**
   * It tests limits of rates, by going above them, and so only where the server takes us for a client on its own machine. A server
   * that kalam-ready starts then keeps its limits for the whole run; otherwise they are lifted there, so that no check waits for its
   * turn.
   */
  readonly testsRates?: boolean;
  readonly estimateMs: number;
  readonly estimateRequests: number;
  /** Its own time limit, where the run's would be too short. */
  readonly timeoutMs?: number;
  /** Where a lower effort leaves it out: the effort from which on it is made, and what it needs that a lower one has not. */
  readonly from?: { readonly effort: Effort; readonly needs: string };
}

/** An `observe` that several checks share: one workload, one body of evidence, several judges. */
export interface Observation<Seen extends Json = Json> extends ObservationTraits {
  readonly id: string;
  observe(target: Target, context: Context): Promise<Seen>;
}

/** The text of a check. */
interface CheckText {
  /** `category/good-state`, its folder under `checks/`, where checks of one kind may be one folder deeper. */
  readonly id: string;
  /** True when it passes. */
  readonly title: string;
  /** True when it fails. */
  readonly failureTitle: string;
  /** For `explain`: what is sent and what must hold. */
  readonly description: string;
  /** What a pass does not show; printed by `explain`, so that a green row is not taken for more than it is. */
  readonly blindTo: string;
  readonly risk: string;
  readonly remedy: string;
  /** The tests of KalamDB's production plan that it covers. */
  readonly covers: readonly string[];
  readonly level: Level;
  /** Values of the server's dialect without which there is nothing to check: where one is another, it is skipped. */
  readonly appliesWhere?: Partial<Values>;
  /** Fields of the server's dialect that decide what it expects: where one is not known, it is not run and `unknown`. */
  readonly expects?: readonly FieldName[];
}

/** A check as the runner sees it, with the types of its evidence and findings erased; `CheckOf` has them. */
export interface Check extends CheckText {
  readonly findings: Findings;
  /** Numbers that a profile may change; the unit is in the name. */
  readonly limits: Limits;
  readonly observation: Observation;
  /** What happened in which time, for the line under its row. */
  timeline?(seen: Json): readonly Span[];
  judge(seen: Json, limits: Limits): Verdict;
}

export interface CheckOf<Seen extends Json, F extends Findings, L extends Limits> extends CheckText {
  readonly findings: F;
  readonly limits: L;
  readonly observation: Observation<Seen>;
  timeline?(seen: Seen): readonly Span[];
  judge(seen: Seen, limits: L): Verdict<FoundOf<F>>;
}

interface CheckSpec<Seen extends Json, F extends Findings, L extends Limits> extends CheckText {
  readonly findings: F;
  readonly limits?: L;
  timeline?(seen: Seen): readonly Span[];
  judge(seen: Seen, judging: Judging<F, L>): Conclusion;
}

export function defineObservation<Seen extends Json>(observation: Observation<Seen>): Observation<Seen> {
  return observation;
}

/** Defines a check with its own `observe`. */
export function defineCheck<
  Seen extends Json,
  const F extends Findings,
  const L extends Limits = Record<never, number>,
>(
  spec: CheckSpec<Seen, F, L> & ObservationTraits & { observe(target: Target, context: Context): Promise<Seen> },
): CheckOf<Seen, F, L> {
  const { observe, touches, needs, uses, login, alone, first, waits, lasting, testsRates, ...others } = spec;
  const { estimateMs, estimateRequests, timeoutMs, from, limits, ...rest } = others;
  const observation: Observation<Seen> = {
    id: spec.id,
    touches,
    estimateMs,
    estimateRequests,
    ...(needs === undefined ? {} : { needs }),
    ...(uses === undefined ? {} : { uses }),
    ...(login === undefined ? {} : { login }),
    ...(alone === undefined ? {} : { alone }),
    ...(first === undefined ? {} : { first }),
    ...(waits === undefined ? {} : { waits }),
    ...(lasting === undefined ? {} : { lasting }),
    ...(testsRates === undefined ? {} : { testsRates }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(from === undefined ? {} : { from }),
    observe,
  };
  return { ...rest, limits: limits ?? ({} as L), observation, judge: judgeOf(spec) };
}

/** Defines a check on an observation that several checks share. */
export function defineCheckOf<
  Seen extends Json,
  const F extends Findings,
  const L extends Limits = Record<never, number>,
>(observation: Observation<Seen>, spec: CheckSpec<Seen, F, L>): CheckOf<Seen, F, L> {
  return { ...spec, limits: spec.limits ?? ({} as L), observation, judge: judgeOf(spec) };
}

/** Combines a judge's findings and its conclusion into a verdict: the one place where that is decided. */
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

/** One readiness category: a promise, and the checks that test it. */
export interface Category {
  readonly id: string;
  readonly promise: string;
  readonly checks: readonly Check[];
}

/** The level of a finding, before a profile overrides it. */
export function levelOf(check: Check, finding: string): Level {
  return findingOf(check, finding)?.level ?? check.level;
}

/** Undefined for a name that the check does not have, such as one in a report from an older version. */
export function findingOf(check: Check, name: string): Finding | undefined {
  return Object.hasOwn(check.findings, name) ? check.findings[name] : undefined;
}

/** The sentence of a finding. Data from a saved report may not fit the current check; then the sentence says so. */
export function say(check: Check, found: Found): string {
  const finding = findingOf(check, found.name);
  if (finding === undefined) return found.name;
  try {
    return finding.say(found.data as never);
  } catch {
    return `${found.name} (no sentence can be made from ${JSON.stringify(found.data)})`;
  }
}
