/** Runs checks against each fault of the gallery: which finding comes, and whether it is one that fits. */
import { efforts, levelOf, type Check, type Effort, type Limits } from "../check.ts";
import type { Member } from "./gallery.ts";
import { run, type Outcome, type Runnable, type RunOptions } from "../run.ts";
import { idleMachine } from "../proof.ts";
import type { Session } from "../session/session.ts";
import type { Wire } from "../wire/wire.ts";

/** A check of the plan that is to run; without a fault in the wire it was green, or what it found is known. */
export interface GalleryStep {
  readonly check: Check;
  readonly limits: Limits;
}

export interface Tried {
  readonly fault: string;
  readonly topic: string;
  readonly does: string;
  /**
   * `found`: not ready, with a finding that fits. `missed`: the checks ran and none of the findings that fit came.
   * `unjudged`: the fault does not show on this server, or a check that may see it could not tell.
   */
  readonly kind: "found" | "missed" | "unjudged";
  /** The findings that fit and came, as `category/check/finding`. */
  readonly findings: readonly string[];
  /** Other findings that came with the fault and not without it. */
  readonly others: readonly string[];
  readonly fired: number;
  readonly sentence: string;
}

export interface GalleryOptions extends Omit<RunOptions, "wire" | "onStart" | "onDone"> {
  /** Run only the checks that the findings of a fault name; otherwise all of the steps run for each fault. */
  readonly quick: boolean;
  /** How many faults are tried concurrently: most of what checks do is waiting. */
  readonly atOnce: number;
}

type Outcomes = readonly Outcome<Runnable>[];

/** The check of a finding, `category/check`. */
function checkOf(finding: string): string {
  return finding.slice(0, finding.lastIndexOf("/"));
}

/** The steps that a fault needs. */
export function stepsFor(
  { fits }: Pick<Member, "fits">,
  steps: readonly GalleryStep[],
  quick: boolean,
): readonly GalleryStep[] {
  const named = new Set(fits.map(checkOf));
  return quick ? steps.filter(({ check }) => named.has(check.id)) : steps;
}

function findingsIn(outcomes: Outcomes): string[] {
  return outcomes.flatMap(({ step, verdict }) =>
    verdict.kind === "fail" ? [...new Set(verdict.found.map(({ name }) => `${step.check.id}/${name}`))] : [],
  );
}

function blocks(outcomes: Outcomes, finding: string): boolean {
  const step = outcomes.find((one) => one.step.check.id === checkOf(finding))?.step;
  return step !== undefined && levelOf(step.check, finding.slice(finding.lastIndexOf("/") + 1)) === "block";
}

/**
 * Tries each fault. What the checks find without any fault is seen first: a server that has a defect already
 * cannot show that the defect would be found.
 */
export async function tryGallery(
  members: readonly Member[],
  steps: readonly GalleryStep[],
  session: Session,
  wire: Wire,
  options: GalleryOptions & { readonly onTried?: (tried: Tried) => void; readonly onBegin?: (name: string) => void },
): Promise<Tried[]> {
  const { quick, atOnce, onTried, onBegin, ...rest } = options;
  const observe = async (some: readonly GalleryStep[], over: Wire, from: Effort = rest.effort): Promise<Outcomes> =>
    await run(
      some.map((step) => ({ ...step, disposition: { kind: "run" } as const })),
      session,
      // However busy the machine is, the fault is what makes it late: the run without it shows what it does otherwise.
      { ...rest, effort: atLeast(from, rest.effort), wire: over, watch: idleMachine },
    );
  const needed = new Set(members.flatMap((member) => stepsFor(member, steps, quick)));
  onBegin?.("no fault");
  const before = await observe([...needed], wire);
  const tried = new Map<Member, Tried>();
  const tryOne = async (member: Member): Promise<void> => {
    onBegin?.(member.fault.name);
    let fired = 0;
    const faulty = member.fault.wrap(wire, () => (fired += 1));
    const one = judgeTried(member, {
      before,
      after: await observe(stepsFor(member, steps, quick), faulty, member.from),
      fired,
    });
    tried.set(member, one);
    onTried?.(one);
  };
  const waiting = members.filter((member) => !isAlone(member, steps, quick));
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined && !rest.signal.aborted; next = waiting.shift())
      await tryOne(next);
  };
  await Promise.all(Array.from({ length: Math.max(1, atOnce) }, work));
  for (const member of members.filter((one) => isAlone(one, steps, quick)))
    if (!rest.signal.aborted) await tryOne(member);
  return members.flatMap((member) => tried.get(member) ?? []);
}

function atLeast(one: Effort, other: Effort): Effort {
  return efforts.indexOf(one) < efforts.indexOf(other) ? other : one;
}

/** Others would disturb its checks, or be disturbed by them. */
function isAlone(member: Member, steps: readonly GalleryStep[], quick: boolean): boolean {
  return stepsFor(member, steps, quick).some(({ check }) => check.observation.alone === true);
}

/** The verdict on one fault. Pure. */
export function judgeTried(
  { fits, topic, does, fault }: Member,
  { before, after, fired }: { readonly before: Outcomes; readonly after: Outcomes; readonly fired: number },
): Tried {
  const known = new Set(findingsIn(before));
  const all = findingsIn(after);
  const findings = all.filter((finding) => fits.includes(finding) && !known.has(finding));
  const others = all.filter((finding) => !fits.includes(finding) && !known.has(finding));
  const verdict = (kind: Tried["kind"], sentence: string): Tried => ({
    fault: fault.name,
    topic,
    does,
    kind,
    findings,
    others,
    fired,
    sentence,
  });
  if (findings.length > 0) {
    return [...findings, ...others].some((finding) => blocks(after, finding))
      ? verdict("found", `found by ${findings.join(", ")}`)
      : verdict("missed", `found by ${findings.join(", ")}, which only warns: the run would be READY`);
  }
  if (fired === 0) return verdict("unjudged", "nothing was sent that it could change, so it proves nothing");
  const named = after.filter(({ step }) => fits.some((finding) => checkOf(finding) === step.check.id));
  const already = fits.filter((finding) => known.has(finding));
  if (already.length > 0) return verdict("unjudged", `without the fault there is already ${already.join(", ")}`);
  const open = named.filter(({ verdict: { kind } }) => kind === "unknown" || kind === "skip");
  if (named.length === 0 || open.length > 0)
    return verdict(
      "unjudged",
      open.map(({ step, verdict: of }) => `${step.check.id}: ${"sentence" in of ? of.sentence : ""}`).join("; ") ||
        "none of its checks can run here",
    );
  const instead = others.length === 0 ? "green" : `only ${others.join(", ")}`;
  return verdict("missed", `it fired ${fired} times and the verdict was ${instead}, not ${fits.join(" or ")}`);
}
