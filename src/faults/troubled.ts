/**
 * Proves that checks say "cannot tell": under every trouble of src/faults/trouble.ts a check must not fail, and must not pass
 * where something was lost that mattered.
 */
import { truncated } from "../formats/printable.ts";
import { counted, oneTrouble, troublesFor, type Loss, type Trouble } from "./trouble.ts";
import type { LiveOptions, LiveProof, Proof } from "../proof.ts";
import { run, type Outcome, type Runnable } from "../run.ts";
import { whyElsewhere } from "../server/dialect.ts";
import type { Session } from "../session/session.ts";
import type { Wire } from "../wire/wire.ts";
import { randomFrom } from "../session/random.ts";

export interface TroubleOptions extends LiveOptions {
  /** These; or `one`, which the seed chooses; or `all`: each request in turn, and more. */
  readonly troubles: readonly Trouble[] | "one" | "all";
}

/** The name of these proofs where others have that of a finding. */
export const troubleName = "(cannot tell)";

/**
 * Proves checks that share an observation. One `proven` result for each check, or a `missed` one for each trouble under
 * which it failed or passed although something was lost.
 */
export async function proveTroubled(
  all: readonly Proof[],
  session: Session,
  wire: Wire,
  { troubles: which, ...options }: TroubleOptions,
): Promise<LiveProof[]> {
  const proofs = all.filter(
    ({ check }) => whyElsewhere(session.learned.dialect, check.appliesWhere ?? {}) === undefined,
  );
  const steps = proofs.map(({ check }) => ({ check, disposition: { kind: "run" }, limits: check.limits }) as const);
  const observe = async (over: Wire): Promise<Outcome<(typeof steps)[number]>[]> =>
    await run(steps, session, { ...options, wire: over });
  const [first] = proofs;
  if (first === undefined) return [];
  const random = randomFrom(`${options.seed} ${first.check.id} trouble`);
  let troubles = which === "one" ? [oneTrouble(Math.max(1, first.check.observation.estimateRequests), random)] : which;
  if (troubles === "all") {
    const count = counted(wire);
    const green = await observe(count.wire);
    const bad = green.find(({ verdict }) => verdict.kind !== "pass");
    if (bad !== undefined) return [impossible(bad)];
    troubles = troublesFor(count.traffic(), random);
  }
  const tally = new Map(proofs.map(({ check }) => [check, { unknown: 0, pass: 0, problems: [] as LiveProof[] }]));
  for (const trouble of troubles) {
    const losses: Loss[] = [];
    for (const { step, verdict } of await observe(trouble.wrap(wire, (loss) => losses.push(loss)))) {
      const proof = proofs.find(({ check }) => check === step.check);
      const count = tally.get(step.check);
      if (proof === undefined || count === undefined) continue;
      if (verdict.kind === "unknown" || verdict.kind === "pass") count[verdict.kind] += 1;
      const sentence = problemOf(proof, verdict, losses);
      if (sentence !== undefined)
        count.problems.push({
          check: step.check.id,
          finding: troubleName,
          fault: trouble.name,
          kind: "missed",
          sentence,
        });
    }
  }
  return [...tally].flatMap(([check, { unknown, pass, problems }]) =>
    problems.length > 0
      ? problems
      : {
          check: check.id,
          finding: troubleName,
          fault: troubles.length === 1 ? (troubles[0]?.name ?? "") : `${troubles.length} troubles`,
          kind: "proven" as const,
          sentence: `never red; unknown ${unknown} times, and passed ${pass} times without what was lost`,
        },
  );
}

/** Nobody reads its answer: it opens a connection, or shows how fast the server is at that moment. */
const asksNothing = /^SELECT 1 AS (warm|pace)$/;

/** Why the verdict is not one that may be reached without what was lost; undefined if it is. */
export function problemOf(
  { mayBeLost = [] }: Pick<Proof, "mayBeLost">,
  verdict: Outcome<Runnable>["verdict"],
  losses: readonly Loss[],
): string | undefined {
  if (verdict.kind === "fail") {
    const found = verdict.found.map(({ name, data }) => `${name} ${JSON.stringify(data)}`).join(", ");
    return `it fails although only answers were lost (${wordsOf(losses)}): ${found}`;
  }
  if (verdict.kind !== "pass") return undefined;
  const missed = losses.filter(
    ({ what, done, again }) =>
      !done && !again && !asksNothing.test(what) && !mayBeLost.some(({ what: pattern }) => pattern.test(what)),
  );
  return missed.length === 0
    ? undefined
    : `it passes although this was lost, and not sent again: ${wordsOf(missed)}; it says: ${verdict.sentence}`;
}

function impossible({ step, verdict }: Outcome<Runnable>): LiveProof {
  const words = verdict.kind === "fail" ? "fail" : `${verdict.kind}: ${verdict.sentence}`;
  const undetermined = verdict.kind === "unknown" ? ({ undetermined: true } as const) : {};
  const sentence = `it is not green without trouble: ${words}`;
  return { check: step.check.id, finding: troubleName, fault: "", kind: "impossible", sentence, ...undetermined };
}

function wordsOf(losses: readonly Loss[]): string {
  const some = losses.slice(0, 3).map(({ what }) => truncated(what, 120));
  return `${some.join("; ")}${losses.length > some.length ? `; and ${losses.length - some.length} more` : ""}`;
}
