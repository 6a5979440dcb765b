/** Makes the report from the outcomes: plain JSON, the source of every format and of the exit code. Pure. */
import { findingOf, levelOf, say, type Check, type Found, type Level, type Limits, type Touches } from "./check.ts";
import type { Span } from "./history/timeline.ts";
import type { SettingChanges } from "./wire/control.ts";
import type { Json } from "./wire/json.ts";
import { truncated } from "./formats/printable.ts";
import { shortened } from "./formats/shortened.ts";
import { fieldNames, hasValues, restsOn, type Dialect } from "./server/dialect.ts";
import { conclude, exits, type Effect, type Ended, type ExitName } from "./exit.ts";
import { certificateResult, cleanUpResult, consistencyResult, type CleanUp } from "./own-results.ts";
import type { Plan } from "./plan.ts";
import type { Acceptance, CheckSettings, Profile } from "./profile/effective.ts";
import type { Outcome } from "./run.ts";
import type { Contradictory } from "./session/contradictions.ts";
import type { Exchange } from "./session/recording.ts";

export { cleanUpId, consistencyId, type CleanUp } from "./own-results.ts";

export interface ReportedFinding {
  readonly name: string;
  readonly level: Level;
  readonly case?: string;
  readonly sentence: string;
  readonly data: Json;
  /** The finding's risk and remedy, or else the check's. */
  readonly risk: string;
  readonly remedy: string;
  readonly sent: readonly Exchange[];
  /** What was never verified on a server and decides this finding; absent where nothing is. */
  readonly restsOn?: string;
  readonly accepted?: { readonly reason: string; readonly until: string };
  /** An acceptance that covered it until it expired. */
  readonly expired?: { readonly reason: string; readonly until: string };
}

export interface Result {
  readonly check: string;
  readonly category: string;
  /** The check's title, or its failure title. */
  readonly title: string;
  readonly kind: "pass" | "fail" | "unknown" | "skip";
  readonly effect: Effect;
  readonly required: boolean;
  /** About the run itself, not the server; not counted as a pass. */
  readonly ofTheRun: boolean;
  readonly sentence: string;
  readonly findings: readonly ReportedFinding[];
  /** For a failure: of the most severe finding. */
  readonly risk?: string;
  readonly remedy?: string;
  readonly touches: Touches;
  readonly limits: Limits;
  /** Key into `evidence`. */
  readonly observation?: string;
  readonly tookMs: number;
  /** What happened in which time, in order; absent where the check tells none. */
  readonly timeline?: readonly Span[];
  /** For a failure. */
  readonly again?: Again;
}

/** How to run one check again. */
export interface Again {
  /** A command for a POSIX shell, in any folder. */
  readonly command: string;
  /** What the command needs besides and does not contain, such as `KALAM_READY_PASSWORD set`. */
  readonly needs: readonly string[];
}

export interface Report {
  readonly schemaVersion: 1;
  readonly tool: { readonly name: "kalam-ready"; readonly version: string };
  readonly run: {
    readonly id: string;
    readonly seed: number;
    readonly startedAt: string;
    readonly tookMs: number;
    readonly effort: string;
    readonly requests: number;
    /** How often the server answered that its rate limit was exceeded. */
    readonly rateRefusals: number;
    /** What the login could not do, and the number of checks that need it; absent if it was enough for all of them. */
    readonly limitedBy?: string;
    /** How busy the machine was that kalam-ready ran on. */
    readonly machine: {
      readonly timersLateMs: number;
      /** The part of the time in which a process waited for a CPU; null where it is not known. */
      readonly cpuWaitedPercent: number | null;
      /** The number of checks whose findings rest on time and were not judged for that reason. */
      readonly undetermined: number;
    };
  };
  readonly profile: { readonly name: string; readonly allow: readonly Touches[]; readonly failOn: Level };
  readonly server: {
    readonly url: string | null;
    readonly version: string | null;
    /** What the checks were verified on, where that is not this version. */
    readonly basis?: string;
    /** What is known of its version and from where; absent where no server answered. */
    readonly dialect?: Dialect;
    /** Started by kalam-ready. */
    readonly own: boolean;
    /** Settings that kalam-ready chose for speed; absent where there are none. */
    readonly lowered?: SettingChanges;
    /** The proxy on the way to it, as `host:port`. */
    readonly proxy?: string;
    /** Its certificate was not verified (--insecure). */
    readonly insecure?: true;
    readonly login: { readonly user: string; readonly role: string } | null;
  };
  readonly verdict: string;
  readonly exit: number;
  readonly reasons: readonly string[];
  readonly totals: Readonly<Record<"passed" | "failed" | "warned" | "accepted" | "unknown" | "skipped", number>>;
  /** The number of skipped checks, by what they would have touched. */
  readonly notCovered: Readonly<Partial<Record<Touches, number>>>;
  /** The number of checks excluded by --only. */
  readonly leftOut: number;
  readonly results: readonly Result[];
  readonly evidence: Readonly<Record<string, Json>>;
}

/** What stands in a report's place if the run did not finish, or ended before the first request. */
export interface Unfinished {
  readonly schemaVersion: 1;
  readonly verdict: string;
  /** Never 0. */
  readonly exit: number;
  readonly error: { readonly code: string; readonly message: string };
}

export interface ReportParts {
  readonly tool: Report["tool"];
  readonly run: Report["run"];
  readonly server: Report["server"];
  readonly profile: Profile;
  readonly plan: Plan;
  readonly outcomes: readonly Outcome[];
  readonly cleanUp: CleanUp;
  /** Answers to the run itself that disagree with themselves. */
  readonly contradictory?: Contradictory;
  readonly exchange: (number: number) => Exchange | undefined;
  readonly again: (check: Check) => Again;
  /** As YYYY-MM-DD: acceptances are valid through their last day. */
  readonly today: string;
  readonly ended?: Ended;
}

/** What the result of one outcome depends on. */
export interface ResultParts extends Pick<ReportParts, "exchange" | "today"> {
  readonly dialect?: Dialect | undefined;
  readonly profile: Pick<Profile, "accept" | "checks">;
  readonly again?: ReportParts["again"];
}

/** The report, and the name of the exit, of which the report has the code. */
export function makeReport(parts: ReportParts): { readonly report: Report; readonly exit: ExitName } {
  const { profile, plan, outcomes, ended } = parts;
  const results = [
    ...outcomes.map((outcome) => resultOf(outcome, { ...parts, dialect: parts.server.dialect })),
    ...(parts.server.insecure === true ? [certificateResult()] : []),
    consistencyResult(parts),
    cleanUpResult(parts.cleanUp),
  ];
  const conclusion = conclude({
    results,
    failOn: profile.failOn,
    requiredButLeftOut: plan.requiredButLeftOut,
    ...(ended === undefined ? {} : { ended }),
  });
  const counted = results.filter((result) => !result.ofTheRun || result.kind !== "pass");
  const count = (holds: (result: Result) => boolean): number => counted.filter(holds).length;
  const notCovered: Partial<Record<Touches, number>> = {};
  for (const { kind, touches, ofTheRun } of results)
    if (kind === "skip" && !ofTheRun) notCovered[touches] = (notCovered[touches] ?? 0) + 1;
  const report: Report = {
    schemaVersion: 1,
    tool: parts.tool,
    run: parts.run,
    profile: { name: profile.name, allow: profile.allow, failOn: profile.failOn },
    server: parts.server,
    verdict: conclusion.verdict,
    exit: exits[conclusion.exit].code,
    reasons: conclusion.reasons,
    totals: {
      passed: count((result) => result.kind === "pass"),
      failed: count((result) => result.effect === "blocks"),
      warned: count((result) => result.kind === "fail" && result.effect === "warns"),
      accepted: count((result) => result.effect === "accepted"),
      unknown: count((result) => result.kind === "unknown"),
      skipped: count((result) => result.kind === "skip"),
    },
    notCovered,
    leftOut: plan.leftOut,
    results,
    evidence: Object.fromEntries(
      outcomes.flatMap(({ step, seen }) => (seen === undefined ? [] : [[step.check.observation.id, seen]])),
    ),
  };
  return { report, exit: conclusion.exit };
}

/** Of one finding: characters of its sentence and of its data as JSON, and requests. */
const sentenceMax = 4_000;
const dataMax = 16 * 1024;
const sentMax = 50;

export function resultOf(outcome: Outcome, parts: ResultParts): Result {
  const { step, verdict } = outcome;
  const { check, category, required, limits } = step;
  const settings = parts.profile.checks[check.id];
  const { dialect } = parts;
  const common = {
    check: check.id,
    category: category.id,
    required,
    ofTheRun: false,
    touches: check.observation.touches,
    limits,
    ...(outcome.seen === undefined ? {} : { observation: check.observation.id }),
    tookMs: Math.round(outcome.tookMs),
    ...(outcome.timeline === undefined ? {} : { timeline: outcome.timeline }),
  };
  if (verdict.kind !== "fail") {
    const effect = verdict.kind === "unknown" ? effectOfUnknown(outcome, parts) : "none";
    return { ...common, title: check.title, kind: verdict.kind, effect, sentence: verdict.sentence, findings: [] };
  }
  const findings = verdict.found.map((found): ReportedFinding => {
    const acceptance = acceptanceOf(check, found, parts);
    const { reason = "", until = "" } = acceptance ?? {};
    const holds =
      acceptance === undefined
        ? {}
        : until >= parts.today
          ? { accepted: { reason, until } }
          : { expired: { reason, until } };
    return {
      name: found.name,
      level: effectiveLevel(check, found.name, settings, dialect),
      ...(found.case === undefined ? {} : { case: found.case }),
      sentence: truncated(say(check, found), sentenceMax),
      data: shortened(found.data as Json, dataMax),
      risk: findingOf(check, found.name)?.risk ?? check.risk,
      remedy: findingOf(check, found.name)?.remedy ?? check.remedy,
      sent: (found.sent ?? []).slice(0, sentMax).flatMap((number) => parts.exchange(number) ?? []),
      ...restOf(check, found.name, dialect),
      ...holds,
    };
  });
  const open = findings.filter((finding) => finding.accepted === undefined);
  // A failure without findings has nothing that could be accepted.
  const blocks = open.some((finding) => finding.level === "block") || findings.length === 0;
  const effect = blocks ? "blocks" : open.length > 0 ? "warns" : "accepted";
  // The row shows the most severe finding.
  const first = open.find((finding) => finding.level === "block") ?? open[0] ?? findings[0];
  const more = findings.length > 1 ? ` (and ${findings.length - 1} more)` : "";
  return {
    ...common,
    title: check.failureTitle,
    kind: "fail",
    effect,
    sentence: `${first?.sentence ?? ""}${more}`,
    findings,
    risk: first?.risk ?? check.risk,
    remedy: first?.remedy ?? check.remedy,
    ...(parts.again === undefined ? {} : { again: parts.again(check) }),
  };
}

/** As that of the findings that were not judged; without them, of any finding that the check may have. */
function effectOfUnknown({ step: { check }, early, tooBusy }: Outcome, parts: ResultParts): Effect {
  if (early === true) return "undetermined";
  const settings = parts.profile.checks[check.id];
  if (tooBusy === undefined) return canBlock(check, settings, parts.dialect) ? "undetermined" : "warns";
  const open = tooBusy.filter((found) => !((acceptanceOf(check, found, parts)?.until ?? "") >= parts.today));
  if (open.some(({ name }) => effectiveLevel(check, name, settings, parts.dialect) === "block")) return "undetermined";
  return open.length > 0 ? "warns" : "accepted";
}

/** If several cover it, one that is still valid. */
function acceptanceOf(check: Check, found: Found, { profile, today }: ResultParts): Acceptance | undefined {
  const covering = profile.accept.filter((one) => covers(one, check.id, found));
  return covering.find((one) => one.until >= today) ?? covering[0];
}

function effectiveLevel(check: Check, name: string, settings: CheckSettings | undefined, dialect?: Dialect): Level {
  const { promised = {} } = findingOf(check, name) ?? {};
  const own = dialect === undefined || hasValues(dialect, promised) ? levelOf(check, name) : "warn";
  return settings?.findings?.[name] ?? settings?.level ?? own;
}

/** What a finding rests on that was never verified on a server. */
function restOf(check: Check, name: string, dialect: Dialect | undefined): Pick<ReportedFinding, "restsOn"> {
  if (dialect === undefined) return {};
  const { promised = {} } = findingOf(check, name) ?? {};
  const rests = restsOn(dialect, [...(check.expects ?? []), ...fieldNames.filter((field) => field in promised)]);
  return rests === undefined ? {} : { restsOn: rests };
}

function covers(acceptance: Acceptance, check: string, found: { name: string; case?: string }): boolean {
  if (acceptance.check !== check || acceptance.finding !== found.name) return false;
  return acceptance.case === undefined || acceptance.case === found.case;
}

/** Whether any of its findings could fail the gate; only then does an unknown leave the verdict undetermined. */
function canBlock(check: Check, settings: CheckSettings | undefined, dialect: Dialect | undefined): boolean {
  return Object.keys(check.findings).some((name) => effectiveLevel(check, name, settings, dialect) === "block");
}
