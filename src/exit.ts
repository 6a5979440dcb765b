/** The exit codes, and what leads to each. The help, the README, the reports and the tests use this one table. */
import type { Level } from "./check.ts";

export const exits = {
  ready: { code: 0, says: "READY", means: "ready: every check that counts has passed" },
  notReady: { code: 1, says: "NOT READY", means: "not ready: at least one finding fails the run" },
  cannotTell: { code: 2, says: "CANNOT TELL", means: "cannot tell: too little was observed for a verdict" },
  usage: { code: 64, says: "USAGE", means: "usage: a flag, command, selector or URL is wrong" },
  unreachable: {
    code: 69,
    says: "UNREACHABLE",
    means: "unreachable: the server never answered; retrying may help",
  },
  internal: { code: 70, says: "INTERNAL", means: "internal error: a defect of kalam-ready" },
  cannotWrite: {
    code: 73,
    says: "CANNOT WRITE",
    means: "cannot write: a requested file could not be written",
  },
  cannotConnect: {
    code: 76,
    says: "CANNOT CONNECT",
    means: "cannot connect: a certificate, the protocol or a proxy is in the way; retrying does not help",
  },
  denied: { code: 77, says: "DENIED", means: "denied: the server rejected the login" },
  badProfile: { code: 78, says: "BAD PROFILE", means: "bad profile: the profile is invalid" },
  hungUp: { code: 129, says: "HUNG UP", means: "the terminal or connection was closed, after cleaning up" },
  interrupted: { code: 130, says: "INTERRUPTED", means: "interrupted by Ctrl-C, after cleaning up" },
  quit: { code: 131, says: "QUIT", means: "quit by Ctrl-\\, after cleaning up" },
  terminated: {
    code: 143,
    says: "TERMINATED",
    means: "terminated by SIGTERM or another signal, after cleaning up",
  },
} as const;
export type ExitName = keyof typeof exits;

/** Why a run ended before its verdict. */
export interface Ended {
  readonly exit: ExitName;
  readonly sentence: string;
}

export interface Conclusion {
  readonly exit: ExitName;
  /** `READY`, `READY, WITH WARNINGS`, `NOT READY` … */
  readonly verdict: string;
  /** What decided it, the most important first; empty for READY. */
  readonly reasons: readonly string[];
}

/** What a result does to the verdict. `undetermined`: unknown where a finding would block, so the verdict is, too. */
export type Effect = "none" | "blocks" | "warns" | "undetermined" | "accepted";

/** What the verdict needs of a result. */
export interface Weighed {
  readonly check: string;
  /** Why, for an unknown; several with one sentence are one reason. */
  readonly sentence?: string;
  readonly kind: "pass" | "fail" | "unknown" | "skip";
  readonly effect: Effect;
  readonly required: boolean;
  readonly ofTheRun: boolean;
}

export interface Concluding {
  readonly results: readonly Weighed[];
  readonly failOn: Level;
  readonly requiredButLeftOut: readonly string[];
  readonly ended?: Ended;
}

/** The conditions of the verdict; the first that holds decides. */
export function conclude({ results, failOn, requiredButLeftOut, ended }: Concluding): Conclusion {
  const named = (some: readonly Weighed[], why: string): string[] => some.map((result) => `${result.check} ${why}`);
  const conclusion = (exit: ExitName, reasons: readonly string[], verdict: string = exits[exit].says): Conclusion => ({
    exit,
    verdict,
    reasons,
  });

  if (ended !== undefined) return conclusion(ended.exit, [ended.sentence]);

  const blocking = results.filter((result) => result.effect === "blocks");
  if (blocking.length > 0) return conclusion("notReady", named(blocking, "failed"));

  // A required check has to pass; an accepted failure, a skip or an unselected check is no pass.
  const unmet = results.filter((result) => result.required && result.kind !== "pass");
  const undetermined = results.filter((result) => result.effect === "undetermined" && !unmet.includes(result));
  const passed = results.filter((result) => result.kind === "pass" && !result.ofTheRun);
  const doubts = [
    ...notDetermined(undetermined, "checks that can block"),
    ...unmet.map((result) => `${result.check} is required and ${unmetBecause[result.kind]}`),
    ...requiredButLeftOut.map((id) => `${id} is required and was not selected`),
    ...(passed.length === 0 ? ["no check passed"] : []),
  ];
  if (doubts.length > 0) return conclusion("cannotTell", doubts);

  const warnings = named(
    results.filter((result) => result.kind === "fail" && result.effect === "warns"),
    "warns",
  );
  const vague = notDetermined(
    results.filter((result) => result.kind === "unknown" && result.effect === "warns"),
    "checks",
  );
  const verdict = "READY, WITH WARNINGS";
  if (warnings.length > 0)
    return conclusion(
      failOn === "warn" ? "notReady" : "ready",
      [...warnings, ...vague],
      failOn === "warn" ? undefined : verdict,
    );
  if (vague.length > 0)
    return conclusion(failOn === "warn" ? "cannotTell" : "ready", vague, failOn === "warn" ? undefined : verdict);
  return conclusion("ready", []);
}

/** So many with one sentence are told as one. */
export const togetherMin = 3;

function notDetermined(results: readonly Weighed[], what: string): string[] {
  const reasons = new Set<string>();
  for (const { check, sentence } of results) {
    const alike = sentence === undefined ? [] : results.filter((one) => one.sentence === sentence);
    reasons.add(
      alike.length < togetherMin
        ? `${check} could not be determined`
        : `${alike.length} ${what} could not be determined: ${sentence}`,
    );
  }
  return [...reasons];
}

const unmetBecause: Readonly<Record<Weighed["kind"], string>> = {
  pass: "passed",
  fail: "failed",
  unknown: "could not be determined",
  skip: "was skipped",
};
