/** Which checks a run makes, and why it leaves out the others. Pure. */
import type { Category, Check, Limits, Touches } from "./check.ts";
import type { Profile } from "./profile/effective.ts";
import { UsageError } from "./profile/usage.ts";
import type { Account } from "./server/sender.ts";

/**
 * `skip`: not wanted or not applicable here. `unknown`: wanted and impossible, so that nothing missing can make a run
 * green.
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
  /** Required checks that `only` leaves out. */
  readonly requiredButLeftOut: readonly string[];
  /** Checks that `only` leaves out. */
  readonly leftOut: number;
  readonly estimateMs: number;
  readonly estimateRequests: number;
}

/** What there is to run checks with. */
export interface Means {
  /** kalam-ready starts the server itself. */
  readonly ownServer: boolean;
  /** There is a `kalam` command line to run. */
  readonly kalam: boolean;
  /** Absent before the login: nothing is concluded from a role that is not known. */
  readonly login?: Account;
}

/** Throws UsageError where a required check touches what is not allowed: the profile contradicts itself. */
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
      const disposition = dispositionOf(check, profile, means);
      const { touches } = check.observation;
      if (required && !profile.allow.includes(touches)) {
        throw new UsageError(
          "requiredNotAllowed",
          `${check.id} is required, but it touches ${touches}, and only ${profile.allow.join(", ")} is allowed`,
          { check: check.id, touches },
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
  scratch: "creating objects on this server is not allowed (--allow scratch)",
  load: "load on this server is not allowed (--allow load)",
  process: "stopping this server or starting another is not allowed (--allow process)",
  disk: "touching this server's disk is not allowed (--allow disk)",
};

/** Whether a check runs. The only place that decides it, before the login and after. */
function dispositionOf(check: Check, profile: Pick<Profile, "skip" | "allow">, means: Means): Disposition {
  const chosen = profile.skip.get(check.id);
  if (chosen !== undefined) return { kind: "skip", reason: chosen };
  const { touches, needs } = check.observation;
  if (!profile.allow.includes(touches)) return { kind: "skip", reason: howToAllow[touches] };
  if (needs?.includes("own-server") === true && !means.ownServer) {
    return { kind: "skip", reason: "only on a server that kalam-ready starts (--server-bin)" };
  }
  if (needs?.includes("kalam") === true && !means.kalam) {
    return { kind: "skip", reason: "no kalam command line given (--kalam-bin)" };
  }
  const { login } = means;
  const needsDba = touches !== "nothing" || needs?.includes("dba") === true;
  if (needsDba && login !== undefined && login.role !== "dba" && login.role !== "system") {
    const reason = `${login.name} has the role ${login.role}; this check needs a login with the role dba`;
    return { kind: "unknown", reason };
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
