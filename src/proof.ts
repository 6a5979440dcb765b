/**
 * Proofs: that a check passes when it should, fails by the right name when it should, and is unknown when it should be.
 * On paper against written evidence; live against a server with a fault in front of it.
 */
import { say, type Check, type CheckOf, type Findings, type Limits } from "./check.ts";
import type { Watch } from "./session/machine.ts";
import { whyElsewhere, type Values } from "./server/dialect.ts";
import type { Json } from "./wire/json.ts";
import { judge, run, type Outcome, type RunOptions } from "./run.ts";
import type { Session } from "./session/session.ts";
import type { Wire } from "./wire/wire.ts";
import { watch } from "./wire/watching.ts";

/** Makes a healthy server misbehave in one way. Calls `fired` each time it changes something. */
export interface Fault {
  /** A verb phrase: `dropOneChangeInFifty`. */
  readonly name: string;
  wrap(wire: Wire, fired: () => void): Wire;
}

/** What the verdict must be besides red by that finding. */
interface Bound {
  /** Other findings that may come with it. Where absent there may be none. */
  readonly also?: readonly string[];
  /** The case of the finding, or of one of them. */
  readonly case?: string;
  /** Matches the sentence of the finding, or of one of them: what was there before and after, and whose it is. */
  readonly says?: RegExp;
  /** Values of the server's dialect without which there is nothing to find. */
  readonly where?: Partial<Values>;
}

export type Break<Seen extends Json = Json> = Bound &
  (
    | { readonly seen: Seen; readonly fault: Fault }
    /** Shown by evidence alone, for this reason: there is nothing that a fault could change. */
    | { readonly seen: Seen; readonly onPaperOnly: string }
  );

type NonEmpty<T> = readonly [T, ...T[]];

export interface Proof {
  readonly check: Check;
  /** Evidence that must pass. */
  readonly holds: readonly Json[];
  /** Evidence that must be unknown. */
  readonly cannotTell: readonly Json[];
  /** For each finding: evidence that must fail with it, and a fault that causes it. */
  readonly breaks: Readonly<Record<string, Break>>;
  /** What it may lose and pass all the same: one of many whose number it tells, or a step that only cleans up. */
  readonly mayBeLost?: readonly MayBeLost[];
}

export interface MayBeLost {
  /** Matches a statement, `GET /path`, `kalam …`, `live connection 3` or `frame {…}`. */
  readonly what: RegExp;
  readonly because: string;
}

/** A proof does not compile without an entry for each finding, evidence that passes, and evidence that is unknown. */
export function proveCheck<Seen extends Json, const F extends Findings, L extends Limits>(
  check: CheckOf<Seen, F, L>,
  proof: {
    readonly holds: NonEmpty<Seen>;
    readonly cannotTell: NonEmpty<Seen>;
    readonly breaks: { readonly [Name in keyof F & string]: Break<Seen> };
    readonly mayBeLost?: readonly MayBeLost[];
  },
): Proof {
  return { check, ...proof };
}

/** Judges the written evidence of a proof; returns the problems, or an empty list. */
export function proveOnPaper(proof: Proof): string[] {
  const { check } = proof;
  const problems: string[] = [];
  const expect = (seen: Json, what: string, holds: (verdict: ReturnType<typeof judge>) => boolean): void => {
    // In a run a judge that breaks is unknown; here it is a defect.
    try {
      const verdict = check.judge(JSON.parse(JSON.stringify(seen)) as Json, check.limits);
      if (!holds(verdict)) problems.push(`${check.id}: ${what}, but the verdict is ${JSON.stringify(verdict)}`);
    } catch (error) {
      problems.push(`${check.id}: ${what}, but the judge broke: ${String(error)}`);
    }
  };
  proof.holds.forEach((seen, at) => expect(seen, `holds[${at}] should pass`, (verdict) => verdict.kind === "pass"));
  proof.cannotTell.forEach((seen, at) =>
    expect(seen, `cannotTell[${at}] should be unknown`, (verdict) => verdict.kind === "unknown"),
  );
  for (const [name, one] of Object.entries(proof.breaks)) {
    const by = { check, name, bound: one };
    expect(one.seen, `the evidence of ${name} should fail with that finding`, (verdict) => failsBy(verdict, name));
    const odd = oddIn(judge({ check, limits: check.limits }, JSON.parse(JSON.stringify(one.seen)) as Json), by);
    if (odd !== undefined) problems.push(`${check.id}: the evidence of ${name}: ${odd}`);
  }
  return problems;
}

/** For each finding, its sentence for the evidence that proves it: an example that is always up to date. */
export function examples({ check, breaks }: Proof): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(breaks).map(([name, { seen }]) => {
      const verdict = judge({ check, limits: check.limits }, JSON.parse(JSON.stringify(seen)) as Json);
      const found = verdict.kind === "fail" ? verdict.found.find((one) => one.name === name) : undefined;
      return [name, found === undefined ? "" : say(check, found)];
    }),
  );
}

export interface Conclusions {
  /** What it says when it passes, and why it cannot tell: each sentence once. */
  readonly pass: readonly string[];
  readonly unknown: readonly string[];
}

/** What the check concludes from the evidence of its proof that shows no fault. */
export function conclusions({ check, holds, cannotTell }: Proof): Conclusions {
  const sentences = (of: readonly Json[]): string[] => {
    const verdicts = of.map((seen) => judge({ check, limits: check.limits }, JSON.parse(JSON.stringify(seen)) as Json));
    return [...new Set(verdicts.flatMap((verdict) => (verdict.kind === "fail" ? [] : [verdict.sentence])))];
  };
  return { pass: sentences(holds), unknown: sentences(cannotTell) };
}

/** Proofs of checks that share an observation: they are proven together. */
export function groupsOf(proofs: readonly Proof[]): Proof[][] {
  const groups = new Map<unknown, Proof[]>();
  for (const proof of proofs) {
    const { observation } = proof.check;
    groups.set(observation, [...(groups.get(observation) ?? []), proof]);
  }
  return [...groups.values()];
}

function failsBy(verdict: Outcome["verdict"], name: string): boolean {
  return verdict.kind === "fail" && verdict.found.some((found) => found.name === name);
}

interface By {
  readonly check: Check;
  readonly name: string;
  readonly bound: Bound;
}

/** What of a red verdict is not as its proof says; undefined where all of it is, or it is not red by that name. */
function oddIn(verdict: Outcome["verdict"], { check, name, bound }: By): string | undefined {
  if (verdict.kind !== "fail" || !failsBy(verdict, name)) return undefined;
  const other = verdict.found.find((found) => found.name !== name && bound.also?.includes(found.name) !== true);
  if (other !== undefined) return `${other.name} was found, too: ${say(check, other)}`;
  const own = verdict.found.filter((found) => found.name === name);
  if (bound.case !== undefined && !own.some((found) => found.case === bound.case))
    return `the case is ${own[0]?.case ?? "none"} instead of ${bound.case}`;
  if (bound.says !== undefined && !own.some((found) => bound.says?.test(say(check, found)) === true))
    return `it does not say ${String(bound.says)}: ${own.map((found) => say(check, found)).join("; ")}`;
  return undefined;
}

export interface LiveProof {
  readonly check: string;
  readonly finding: string;
  readonly fault: string;
  /** `proven`: green, red by name after the fault fired, green. `missed`: the check did not find the fault. `impossible`: not on this server. */
  readonly kind: "proven" | "missed" | "impossible" | "onPaperOnly";
  /** It is not proven because a verdict was `unknown`: too little was seen, for instance on a machine that is too busy. */
  readonly undetermined?: true;
  readonly sentence: string;
}

export interface LiveOptions extends Omit<RunOptions, "wire" | "onStart" | "onDone"> {
  /**
   * `each` where absent: green before and after each fault. `once`: green before the first and after the last, which takes
   * half the time; a fault that does lasting damage is then not told from the others.
   */
  readonly greens?: "each" | "once";
}

/** For runs with a fault: however busy the machine is, the fault is what makes it late. */
export const idleMachine: Watch = () => () => ({ timersLateMs: 0, cpuWaited: 0, slowdown: 1 });

type Verdicts = ReadonlyMap<Check, Outcome["verdict"]>;

/**
 * Proves checks on a server: for each finding green, red by its name, green again, each with a fresh scratch namespace. Where
 * the signal is aborted, what was proven until then.
 * Several at once share their greens, so they must share an observation.
 */
export async function proveLive(
  proofs: readonly Proof[],
  session: Session,
  wire: Wire,
  options: LiveOptions,
): Promise<LiveProof[]> {
  const steps = proofs.map(({ check }) => ({ check, disposition: { kind: "run" }, limits: check.limits }) as const);
  if (new Set(steps.map(({ check }) => check.observation)).size > 1)
    throw new Error("checks that are proven together must share an observation");
  const observed = async (over: Wire, rest: Pick<RunOptions, "watch"> = {}): Promise<Verdicts> => {
    const outcomes = await run(steps, session, { ...options, ...rest, wire: over });
    return new Map(outcomes.map(({ step, verdict }) => [step.check, verdict]));
  };
  const results: LiveProof[] = [];
  /** Red by name; whether it is green afterwards is still to be seen. */
  let red: Found[] = [];
  const settle = (after: Verdicts): void => {
    for (const { check, finding, fault, fired } of red) {
      const verdict = verdictIn(after, check);
      const sentence = `red by name, the fault fired ${fired} times`;
      results.push(
        verdict.kind === "pass"
          ? { check: check.id, finding, fault: fault.name, kind: "proven", sentence }
          : notProven(check, finding, fault, "missed", "not green again after the fault: ", verdict),
      );
    }
    red = [];
  };

  // The green after one finding is the green before the next.
  let before: Verdicts | undefined;
  for (const { check, breaks } of proofs) {
    for (const [finding, broken] of Object.entries(breaks)) {
      if ("onPaperOnly" in broken) {
        results.push({ check: check.id, finding, fault: "", kind: "onPaperOnly", sentence: broken.onPaperOnly });
        continue;
      }
      const elsewhere = whyElsewhere(session.learned.dialect, { ...check.appliesWhere, ...broken.where });
      if (elsewhere !== undefined) {
        const sentence = `not proven here: ${elsewhere}`;
        results.push({ check: check.id, finding, fault: broken.fault.name, kind: "onPaperOnly", sentence });
        continue;
      }
      const { fault } = broken;
      before ??= await observed(wire);
      // What was interrupted shows nothing.
      if (options.signal.aborted) return results;
      const green = verdictIn(before, check);
      if (green.kind !== "pass") {
        results.push(notProven(check, finding, fault, "impossible", "it is not green without the fault: ", green));
        continue;
      }
      const sides = watchBothSides(wire, fault);
      // However busy the machine is, the fault is what makes it late: the greens show what it does without.
      const verdict = verdictIn(await observed(sides.wire, { watch: idleMachine }), check);
      if (options.signal.aborted) return results;
      const fired = sides.fired();
      if (fired === 0 || !sides.changed()) {
        const why = fired === 0 ? "did not fire" : "fired and changed nothing on the wire";
        results.push(
          notProven(
            check,
            finding,
            fault,
            "missed",
            `the fault ${why}, so it proves nothing; the verdict was `,
            verdict,
          ),
        );
      } else if (!failsBy(verdict, finding)) {
        results.push(
          notProven(check, finding, fault, "missed", `the fault fired ${fired} times and the verdict was `, verdict),
        );
      } else if (oddIn(verdict, { check, name: finding, bound: broken }) !== undefined) {
        const sentence = `red by name, and ${oddIn(verdict, { check, name: finding, bound: broken })}`;
        results.push({ check: check.id, finding, fault: fault.name, kind: "missed", sentence });
      } else {
        red.push({ check, finding, fault, fired });
        if (options.greens !== "once") {
          const after = await observed(wire);
          if (options.signal.aborted) return results;
          settle(after);
          before = verdictIn(after, check).kind === "pass" ? after : undefined;
        }
      }
    }
  }
  if (red.length === 0) return results;
  const last = await observed(wire);
  if (!options.signal.aborted) settle(last);
  return results;
}

interface Found {
  readonly check: Check;
  readonly finding: string;
  readonly fault: Fault;
  readonly fired: number;
}

function verdictIn(verdicts: Verdicts, check: Check): Outcome["verdict"] {
  return verdicts.get(check) ?? { kind: "unknown", sentence: "nothing was run" };
}

function notProven(
  check: Check,
  finding: string,
  fault: Fault,
  kind: "missed" | "impossible",
  what: string,
  verdict: Outcome["verdict"],
): LiveProof {
  const sentence = `${what}${wordsOf(verdict)}`;
  const undetermined = verdict.kind === "unknown" ? ({ undetermined: true } as const) : {};
  return { check: check.id, finding, fault: fault.name, kind, sentence, ...undetermined };
}

function wordsOf(verdict: Outcome["verdict"]): string {
  if (verdict.kind !== "fail") return `${verdict.kind}: ${verdict.sentence}`;
  return `fail: ${verdict.found.map((found) => `${found.name} ${JSON.stringify(found.data)}`).join(", ")}`;
}

/**
 * Records both sides of the fault. If the check sent and received the same as the server received and sent, the fault
 * changed nothing, even if it counts as fired.
 */
function watchBothSides(wire: Wire, fault: Fault): { wire: Wire; fired: () => number; changed: () => boolean } {
  let fired = 0;
  const inside = watch(wire);
  const outside = watch(
    fault.wrap(inside.wire, () => {
      fired += 1;
    }),
  );
  return { wire: outside.wire, fired: () => fired, changed: () => inside.text() !== outside.text() };
}
