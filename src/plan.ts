/** Which checks a run makes, and why it leaves out the others. Pure: nothing is asked of the server. */
import type { Category, Check, Limits, Touches } from "./check.ts";
import type { Profile } from "./profile/effective.ts";

/**
 * `skip` is a choice or not applicable here, `unknown` is wanted and cannot be had: a run must not turn green because
 * something was missing.
 */
export type Disposition =
  | { readonly kind: "run" }
  | { readonly kind: "skip"; readonly reason: string }
  | { readonly kind: "unknown"; readonly reason: string };

export interface Step {
  readonly category: Category;
  readonly check: Check;
  readonly disposition: Disposition;
  readonly limits: Limits;
  readonly required: boolean;
}

export interface Plan {
  readonly steps: readonly Step[];
  /** Required checks that `only` leaves out: nothing will be seen of them. */
  readonly requiredButLeftOut: readonly string[];
  /** Checks that `only` leaves out. */
  readonly leftOut: number;
  readonly estimateMs: number;
  readonly estimateRequests: number;
}

/** What the plan has to know of the server before it is asked: how we come to it. */
export interface Means {
  /** kalam-ready starts the server itself. */
  readonly ownServer: boolean;
  /** There is a `kalam` command line to run. */
  readonly kalam: boolean;
}

/** A required check that what may be touched rules out: the profile contradicts itself. */
export class ContradictionError extends Error {}

/** Throws ContradictionError. */
export function makePlan(profile: Profile, categories: readonly Category[], means: Means): Plan {
  const steps: Step[] = [];
  const requiredButLeftOut: string[] = [];
  let leftOut = 0;
  for (const category of categories) {
    for (const check of category.checks) {
      const required = profile.require.has(check.id);
      if (profile.only !== undefined && !profile.only.has(check.id)) {
        leftOut += 1;
        if (required) requiredButLeftOut.push(check.id);
        continue;
      }
      const disposition = dispose(check, profile, means);
      const { touches } = check.observation;
      if (required && !profile.allow.includes(touches)) {
        throw new ContradictionError(
          `${check.id} is required, but it touches ${touches}, which is not allowed here (${profile.allow.join(", ")})`,
        );
      }
      const limits = { ...check.limits, ...profile.checks[check.id]?.limits };
      steps.push({ category, check, disposition, limits, required });
    }
  }
  const observations = new Set(
    steps.filter((step) => step.disposition.kind === "run").map((step) => step.check.observation),
  );
  return {
    steps,
    requiredButLeftOut,
    leftOut,
    estimateMs: estimate([...observations], profile.parallel),
    estimateRequests: [...observations].reduce((sum, one) => sum + one.estimateRequests, 0),
  };
}

const howToAllow: Readonly<Record<Touches, string>> = {
  nothing: "",
  scratch: "nothing may be created on this server (--allow scratch)",
  load: "this server may not be put under load (--allow load)",
  process: "nothing may stop this server or start another (--allow process)",
  disk: "nothing may touch this server's disk (--allow disk)",
};

function dispose(check: Check, profile: Profile, means: Means): Disposition {
  const chosen = profile.skip.get(check.id);
  if (chosen !== undefined) return { kind: "skip", reason: chosen };
  const { touches, needs } = check.observation;
  if (!profile.allow.includes(touches)) return { kind: "skip", reason: howToAllow[touches] };
  if (needs?.includes("own-server") === true && !means.ownServer) {
    return { kind: "skip", reason: "only on a server that kalam-ready starts itself (--server-bin)" };
  }
  if (needs?.includes("kalam") === true && !means.kalam) {
    return { kind: "skip", reason: "no kalam command line was named (--kalam-bin)" };
  }
  return { kind: "run" };
}

function estimate(observations: readonly { estimateMs: number; alone?: boolean }[], parallel: number): number {
  const sum = (some: readonly { estimateMs: number }[]): number =>
    some.reduce((total, one) => total + one.estimateMs, 0);
  const together = observations.filter((one) => one.alone !== true);
  const longest = Math.max(0, ...together.map((one) => one.estimateMs));
  return sum(observations.filter((one) => one.alone === true)) + Math.max(longest, sum(together) / parallel);
}
