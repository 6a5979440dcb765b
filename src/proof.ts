/**
 * Proofs: that a check passes when it should, fails by the right name when it should, and is unknown when it should be.
 * On paper against written evidence; live against a server with a fault in front of it.
 */
import { say, type Check, type CheckOf, type Findings, type Limits } from "./check.ts";
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

export type Break<Seen extends Json = Json> =
  | { readonly seen: Seen; readonly fault: Fault }
  /** Shown by evidence alone, for this reason: there is nothing that a fault could change. */
  | { readonly seen: Seen; readonly onPaperOnly: string };

type NonEmpty<T> = readonly [T, ...T[]];

export interface Proof {
  readonly check: Check;
  /** Evidence that must pass. */
  readonly holds: readonly Json[];
  /** Evidence that must be unknown. */
  readonly cannotTell: readonly Json[];
  /** For each finding: evidence that must fail with it, and a fault that causes it. */
  readonly breaks: Readonly<Record<string, Break>>;
}

/** A proof does not compile without an entry for each finding, evidence that passes, and evidence that is unknown. */
export function proveCheck<Seen extends Json, const F extends Findings, L extends Limits>(
  check: CheckOf<Seen, F, L>,
  proof: {
    readonly holds: NonEmpty<Seen>;
    readonly cannotTell: NonEmpty<Seen>;
    readonly breaks: { readonly [Name in keyof F & string]: Break<Seen> };
  },
): Proof {
  return { check, ...proof };
}

/** Judges the written evidence of a proof; returns the problems, or an empty list. */
export function proveOnPaper(proof: Proof): string[] {
  const { check } = proof;
  const step = { check, limits: check.limits };
  const problems: string[] = [];
  const expect = (seen: Json, what: string, holds: (verdict: ReturnType<typeof judge>) => boolean): void => {
    const verdict = judge(step, JSON.parse(JSON.stringify(seen)) as Json);
    if (!holds(verdict)) problems.push(`${check.id}: ${what}, but the verdict is ${JSON.stringify(verdict)}`);
  };
  proof.holds.forEach((seen, at) => expect(seen, `holds[${at}] should pass`, (verdict) => verdict.kind === "pass"));
  proof.cannotTell.forEach((seen, at) =>
    expect(seen, `cannotTell[${at}] should be unknown`, (verdict) => verdict.kind === "unknown"),
  );
  for (const [name, { seen }] of Object.entries(proof.breaks)) {
    expect(seen, `the evidence of ${name} should fail with that finding`, (verdict) => failsBy(verdict, name));
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

function failsBy(verdict: Outcome["verdict"], name: string): boolean {
  return verdict.kind === "fail" && verdict.found.some((found) => found.name === name);
}

export interface LiveProof {
  readonly check: string;
  readonly finding: string;
  readonly fault: string;
  /** `proven`: green, red by name after the fault fired, green. `missed`: the check did not find the fault. `impossible`: not on this server. */
  readonly kind: "proven" | "missed" | "impossible" | "onPaperOnly";
  readonly sentence: string;
}

export type LiveOptions = Omit<RunOptions, "wire" | "onStart" | "onDone">;

/** Proves one check on a server: for each finding green, red by its name, green again, each in a new scratch namespace. */
export async function proveLive(
  proof: Proof,
  session: Session,
  wire: Wire,
  options: LiveOptions,
): Promise<LiveProof[]> {
  const { check } = proof;
  const observed = async (over: Wire): Promise<Outcome["verdict"]> => {
    const category = { id: check.id.split("/")[0] ?? "", promise: "", checks: [check] };
    const step = { category, check, disposition: { kind: "run" }, limits: check.limits, required: false } as const;
    const [outcome] = await run([step], session, { ...options, wire: over });
    return outcome?.verdict ?? { kind: "unknown", sentence: "nothing was run" };
  };
  const results: LiveProof[] = [];
  const record = (finding: string, fault: string, kind: LiveProof["kind"], sentence: string): void => {
    results.push({ check: check.id, finding, fault, kind, sentence });
  };

  // The green after one finding is the green before the next.
  let before: Outcome["verdict"] | undefined;
  for (const [finding, broken] of Object.entries(proof.breaks)) {
    if ("onPaperOnly" in broken) {
      record(finding, "", "onPaperOnly", broken.onPaperOnly);
      continue;
    }
    const { fault } = broken;
    before ??= await observed(wire);
    if (before.kind !== "pass") {
      record(finding, fault.name, "impossible", `it is not green without the fault: ${wordsOf(before)}`);
      continue;
    }
    const sides = watchBothSides(wire, fault);
    const red = await observed(sides.wire);
    if (sides.fired() === 0 || !sides.changed()) {
      const why = sides.fired() === 0 ? "did not fire" : "fired and changed nothing on the wire";
      record(finding, fault.name, "missed", `the fault ${why}, so it proves nothing; the verdict was ${wordsOf(red)}`);
    } else if (failsBy(red, finding)) {
      const after = await observed(wire);
      const green = after.kind === "pass";
      const sentence = green
        ? `red by name, the fault fired ${sides.fired()} times`
        : `not green again after the fault: ${wordsOf(after)}`;
      record(finding, fault.name, green ? "proven" : "missed", sentence);
      before = green ? after : undefined;
    } else {
      record(
        finding,
        fault.name,
        "missed",
        `the fault fired ${sides.fired()} times and the verdict was ${wordsOf(red)}`,
      );
    }
  }
  return results;
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
