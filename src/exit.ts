/** The exit codes and what leads to which. One table; the help, the README, the reports and the tests are made from it. */
import type { Level } from "./check.ts";
import type { Result } from "./report.ts";

export const exits = {
  ready: { code: 0, says: "READY", means: "ready: every check that counts has passed" },
  notReady: { code: 1, says: "NOT READY", means: "not ready: at least one finding fails the gate" },
  cannotTell: { code: 2, says: "CANNOT TELL", means: "cannot tell: too little was seen to call it ready or not" },
  usage: { code: 64, says: "USAGE", means: "usage: a flag, a command, a selector or an address is wrong" },
  unreachable: {
    code: 69,
    says: "UNREACHABLE",
    means: "unreachable: the server never answered; trying again may help",
  },
  internal: { code: 70, says: "INTERNAL", means: "internal: a defect of kalam-ready" },
  cannotWrite: {
    code: 73,
    says: "CANNOT WRITE",
    means: "cannot write: a file that was asked for could not be written",
  },
  denied: { code: 77, says: "DENIED", means: "denied: the server answered and refused the login" },
  badProfile: { code: 78, says: "BAD PROFILE", means: "bad profile: the profile says something that cannot be used" },
  interrupted: { code: 130, says: "INTERRUPTED", means: "interrupted by Ctrl-C, after cleaning up" },
  terminated: { code: 143, says: "TERMINATED", means: "terminated by SIGTERM, after cleaning up" },
} as const;
export type ExitName = keyof typeof exits;

/** Why a run ended before it could conclude. */
export interface Ended {
  readonly exit: ExitName;
  readonly sentence: string;
}

export interface Conclusion {
  readonly exit: ExitName;
  /** `READY`, `READY, WITH WARNINGS`, `NOT READY` … */
  readonly verdict: string;
  /** What decided it, most weighty first; empty for READY. */
  readonly reasons: readonly string[];
}

export interface Concluding {
  readonly results: readonly Result[];
  readonly failOn: Level;
  readonly requiredButLeftOut: readonly string[];
  readonly ended?: Ended;
}

/** The conditions of the verdict, the first that holds decides. */
export function conclude({ results, failOn, requiredButLeftOut, ended }: Concluding): Conclusion {
  const named = (some: readonly Result[], why: string): string[] => some.map((result) => `${result.check} ${why}`);
  const conclusion = (exit: ExitName, reasons: readonly string[], verdict: string = exits[exit].says): Conclusion => ({
    exit,
    verdict,
    reasons,
  });

  if (ended !== undefined) return conclusion(ended.exit, [ended.sentence]);

  const blocking = results.filter((result) => result.effect === "blocks");
  if (blocking.length > 0) return conclusion("notReady", named(blocking, "failed"));

  // A required check has to pass: one that was accepted, skipped or left out has shown nothing.
  const unmet = results.filter((result) => result.required && result.kind !== "pass");
  const untold = results.filter((result) => result.effect === "undetermined" && !unmet.includes(result));
  const passed = results.filter((result) => result.kind === "pass" && !result.ofTheRun);
  const doubts = [
    ...named(untold, "could not be determined"),
    ...unmet.map((result) => `${result.check} is required and ${unmetBecause[result.kind]}`),
    ...requiredButLeftOut.map((id) => `${id} is required and was left out`),
    ...(passed.length === 0 ? ["nothing passed at all"] : []),
  ];
  if (doubts.length > 0) return conclusion("cannotTell", doubts);

  const warnings = named(
    results.filter((result) => result.kind === "fail" && result.effect === "warns"),
    "warns",
  );
  const vague = named(
    results.filter((result) => result.kind === "unknown" && result.effect === "warns"),
    "could not be determined",
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

const unmetBecause: Readonly<Record<Result["kind"], string>> = {
  pass: "passed",
  fail: "failed",
  unknown: "could not be determined",
  skip: "was skipped",
};
