/** Which checks a run makes, and why it leaves out the others. Pure. */
import { efforts, type Category, type Check, type Limits, type Observation, type Touches } from "./check.ts";
import type { Profile } from "./profile/effective.ts";
import { settings } from "./profile/settings.ts";
import { UsageError } from "./profile/usage.ts";
import { fieldNames, whyElsewhere, whyNotKnown, type Dialect } from "./server/dialect.ts";
import type { Account } from "./server/sender.ts";

/**
 * `skip`: not wanted or not applicable here. `unknown`: wanted and impossible, so that nothing missing can make a run
 * green.
 */
export type Disposition =
  | { readonly kind: "run" }
  | { readonly kind: "skip"; readonly reason: string }
  | { readonly kind: "unknown"; readonly reason: string };

/** Why the login keeps checks from running: there is none, or its role is too weak. */
interface Limited {
  /** The reason of each of these checks. */
  readonly reason: string;
  /** The sentence for all of them. */
  readonly sentence: (checks: number) => string;
}

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
  /** What the login cannot do, and the number of checks that need it; absent if it is enough for all of them. */
  readonly limitedBy?: string;
  readonly estimateMs: number;
  readonly estimateRequests: number;
}

/** What there is to run checks with. */
export interface Means {
  /** kalam-ready starts the server itself. */
  readonly ownServer: boolean;
  /** There is an older release of it to start. */
  readonly olderServer?: boolean;
  /** Why nothing that a server writes can be traced here; absent where it can, or nobody wants to. */
  readonly whyNoTrace?: string;
  /** The server can be stopped and started again. Absent: it cannot. */
  readonly control?: boolean;
  /** There is a `kalam` command line to run. */
  readonly kalam: boolean;
  /** The server takes us for a client on another machine, as far as is known: it may ban an address that is too fast. */
  readonly remote?: boolean;
  /** Why it cannot reach the server as we do. */
  readonly whyNoKalam?: string;
  /** Why there is no PostgreSQL port to look at. Absent before it was looked for. */
  readonly whyNoPostgres?: string;
  /** Absent before the login: nothing is concluded from a role that is not known. Null: nobody will log in. */
  readonly login?: Account | null;
  /** Absent before the server was asked. */
  readonly dialect?: Dialect;
}

/** Whether any check that runs tests limits of rates. */
export function testsRates({ steps }: Pick<Plan, "steps">): boolean {
  return steps.some(({ check, disposition }) => disposition.kind === "run" && check.observation.testsRates === true);
}

/** Throws UsageError where a required check touches what is not allowed: the profile contradicts itself. */
export function makePlan(profile: Profile, categories: readonly Category[], means: Means): Plan {
  const steps: Step[] = [];
  const limited = limitOf(means.login);
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
      const disposition = dispositionOf(check, profile, means, limited);
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
  const lacking = steps.filter(({ disposition }) => disposition.kind === "unknown");
  return {
    steps,
    requiredButLeftOut,
    leftOut,
    ...(limited === undefined || lacking.length === 0 ? {} : { limitedBy: limited.sentence(lacking.length) }),
    estimateMs: estimate([...observations], profile.parallel),
    estimateRequests: [...observations].reduce((sum, one) => sum + one.estimateRequests, 0),
  };
}

const wouldBeBanned =
  "it goes above the server's rate limits, and the server is not on this machine, so it could ban this address";

const howToAllow: Readonly<Record<Touches, string>> = {
  nothing: "",
  scratch: "creating objects on this server is not allowed (--allow scratch)",
  load: "load on this server is not allowed (--allow load)",
  process: "stopping this server or starting another is not allowed (--allow process)",
  disk: "touching this server's disk is not allowed (--allow disk)",
};

const noControl =
  "nothing is known about how to stop and start this server: name its container (--container) or its commands (control in the profile), let kalam-ready start one (--server-bin), or leave out --allow process";

/** Whether a check runs. The only place that decides it, before the login and after. */
function dispositionOf(
  check: Check,
  profile: Pick<Profile, "skip" | "allow" | "effort" | "require">,
  means: Means,
  limited: Limited | undefined,
): Disposition {
  const chosen = profile.skip.get(check.id);
  if (chosen !== undefined) return { kind: "skip", reason: chosen };
  const { touches, needs } = check.observation;
  if (!profile.allow.includes(touches)) return { kind: "skip", reason: howToAllow[touches] };
  if (needs?.includes("own-server") === true && !means.ownServer) {
    return { kind: "skip", reason: "only on a server that kalam-ready starts (--server-bin)" };
  }
  if (needs?.includes("older-server") === true && means.olderServer !== true) {
    return { kind: "skip", reason: "no older release of the server given (--older-server-bin)" };
  }
  if (needs?.includes("trace") === true && means.whyNoTrace !== undefined)
    return { kind: "skip", reason: means.whyNoTrace };
  if (needs?.includes("kalam") === true && !means.kalam) {
    return { kind: "skip", reason: "no kalam command line given (--kalam-bin)" };
  }
  if (needs?.includes("kalam") === true && means.whyNoKalam !== undefined)
    return { kind: "skip", reason: means.whyNoKalam };
  if (check.observation.testsRates === true && means.remote === true) return { kind: "skip", reason: wouldBeBanned };
  const { from } = check.observation;
  if (
    from !== undefined &&
    efforts.indexOf(profile.effort) < efforts.indexOf(from.effort) &&
    !profile.require.has(check.id)
  )
    return { kind: "skip", reason: `needs ${from.needs}; run it with --effort ${from.effort}` };
  // Allowed, so it is wanted: nothing missing can make a run green.
  if (needs?.includes("control") === true && means.control !== true) return { kind: "unknown", reason: noControl };
  const needsDba = touches !== "nothing" || needs?.includes("dba") === true;
  const isEnough = means.login === null ? check.observation.login === "none" : !needsDba;
  if (limited !== undefined && !isEnough) return { kind: "unknown", reason: limited.reason };
  if (means.dialect !== undefined) {
    const { expects = [], appliesWhere = {} } = check;
    const notKnown = whyNotKnown(means.dialect, [...expects, ...fieldNames.filter((name) => name in appliesWhere)]);
    if (notKnown !== undefined) return { kind: "unknown", reason: notKnown };
    const elsewhere = whyElsewhere(means.dialect, appliesWhere);
    if (elsewhere !== undefined) return { kind: "skip", reason: elsewhere };
  }
  if (needs?.includes("postgres") === true && means.whyNoPostgres !== undefined)
    return { kind: "skip", reason: `no PostgreSQL port: ${means.whyNoPostgres}` };
  return { kind: "run" };
}

const loginVariables = `${settings.user.variable} and ${settings.password.variable}, or ${settings.token.variable}`;

/** What the login keeps from running; undefined if it may do everything or is not known. */
function limitOf(login: Account | null | undefined): Limited | undefined {
  if (login === undefined || login?.role === "dba" || login?.role === "system") return undefined;
  if (login === null) {
    const needOne = (checks: number): string => (checks === 1 ? "1 check needs one" : `${checks} checks need one`);
    return {
      reason: `no login was given (set ${loginVariables})`,
      sentence: (checks) => `no login was given; ${needOne(checks)}: set ${loginVariables}`,
    };
  }
  const who = `${login.name} has the role ${login.role}`;
  return {
    reason: `${who}, and a login with the role dba is needed`,
    sentence: (checks) => `${who}; ${checks === 1 ? "1 check needs" : `${checks} checks need`} dba`,
  };
}

/** How long they take together, in ms. */
export function estimate(
  observations: readonly Pick<Observation, "estimateMs" | "alone" | "waits" | "lasting">[],
  parallel: number,
): number {
  const sum = (some: typeof observations): number => some.reduce((total, one) => total + one.estimateMs, 0);
  const longest = (some: typeof observations): number => Math.max(0, ...some.map((one) => one.estimateMs));
  const together = observations.filter((one) => one.alone !== true && one.lasting !== true);
  const working = together.filter((one) => one.waits !== true || parallel === 1);
  const others =
    sum(observations.filter((one) => one.alone === true)) + Math.max(longest(together), sum(working) / parallel);
  // What lasts as long as the run, too.
  return Math.max(others, longest(observations));
}
