/** One run of the checks against one server: attach, plan, run, clean up, report. */
import type { Category } from "../check.ts";
import type { Ended, ExitName } from "../exit.ts";
import { watchMachine } from "../session/machine.ts";
import { maskReport } from "../formats/masked.ts";
import { packageVersion } from "../package.ts";
import { testsRates, type Plan } from "../plan.ts";
import type { Profile } from "../profile/effective.ts";
import { makeReport, type CleanUp, type Report, type ReportParts } from "../report.ts";
import { run, type Outcome } from "../run.ts";
import { Recording, type Exchange } from "../session/recording.ts";
import { newRunId } from "../session/scratch.ts";
import type { Session } from "../session/session.ts";
import type { Wire } from "../wire/wire.ts";
import { planAsking } from "./asking.ts";
import { attach, type Attached, type AttachParts } from "./attach.ts";
import type { SecretPlace } from "./by-hand.ts";
import type { Output } from "./output.ts";
import { planFor, warnOfBudget } from "./preparation.ts";
import { showProgress } from "./progress.ts";
import { writeReports, writeRequests } from "./reports.ts";
import { handleSignals, type Signals } from "./signals.ts";

export interface CheckRun {
  readonly profile: Profile;
  readonly categories: readonly Category[];
  readonly credentials: AttachParts["credentials"];
  readonly server?: AttachParts["server"];
  readonly way?: AttachParts["way"];
  readonly environment: NodeJS.ProcessEnv;
  readonly output: Output;
  readonly seed: number;
  readonly keep: boolean;
  readonly again: ReportParts["again"];
  /** Where the reader of -v has the secret of the login. Absent: the server cannot be reached with curl after the run. */
  readonly secret?: SecretPlace | undefined;
  /** Puts a fault between the checks and the server, for `demo`. */
  readonly breakWire?: (wire: Wire) => Wire;
  /** The report, before it is written. */
  readonly onReport?: (report: Report) => void;
}

/** What came of the plan. */
interface Ran {
  readonly plan: Plan;
  readonly outcomes: readonly Outcome[];
  readonly cleanUp: CleanUp;
  readonly ended?: Ended | undefined;
}

/** The name of the exit. Throws UsageError and CannotWriteError. */
export async function checkServer(parts: CheckRun): Promise<ExitName> {
  const { profile, output, categories } = parts;
  const own = profile.serverBin !== undefined || parts.server !== undefined;
  // Before the login: a profile that contradicts itself is reported before anything is sent.
  const plan = planFor(profile, categories, { own, way: parts.way });
  const id = newRunId();
  const startedAt = new Date();
  const beganAt = performance.now();
  const recording = new Recording((exchange) => output.trace(traceLine(exchange)));
  let attached: Awaited<ReturnType<typeof attach>> | undefined;
  const signals = handleSignals({
    first: () => output.complain("interrupted: cleaning up; interrupt again to leave at once"),
    leaving: () => leaving(id, profile.url ?? null, attached),
  });
  const detach = async (): Promise<void> => {
    if (attached !== undefined && "detach" in attached) await attached.detach();
  };
  const stopWatching = watchMachine();
  let ran: Ran;
  let tookMs: number;
  try {
    try {
      attached = await attach({ ...parts, run: id, recording, signal: signals.signal, testsRates: testsRates(plan) });
      ran =
        "session" in attached
          ? await runPlan(
              parts,
              attached,
              await planAsking(attached, { profile, categories, own, way: parts.way, output, signal: signals.signal }),
              signals,
            )
          : notRun(plan, signals.ended() ?? attached.ended, output);
      tookMs = Math.round(performance.now() - beganAt);
    } finally {
      // Before the reports: what fails here must not follow a report that says otherwise.
      await detach();
    }
    const strain = stopWatching();
    const { report, exit } = makeReport({
      tool: { name: "kalam-ready", version: packageVersion },
      run: {
        id,
        seed: parts.seed,
        startedAt: startedAt.toISOString(),
        tookMs,
        effort: profile.effort,
        requests: recording.count,
        rateRefusals: "session" in attached ? attached.session.rate.refusals : 0,
        ...(ran.plan.limitedBy === undefined ? {} : { limitedBy: ran.plan.limitedBy }),
        machine: {
          timersLateMs: strain.timersLateMs,
          cpuWaitedPercent: strain.cpuWaited === null ? null : Math.round(strain.cpuWaited * 100),
          undetermined: ran.outcomes.filter(({ tooBusy }) => tooBusy !== undefined).length,
        },
      },
      server: { ...serverOf(attached, own), ...wayOf(parts.way) },
      profile,
      plan: ran.plan,
      outcomes: ran.outcomes,
      cleanUp: ran.cleanUp,
      ...contradictionsOf(attached),
      exchange: (number) => recording.get(number),
      again: parts.again,
      today: startedAt.toISOString().slice(0, 10),
      ...(ran.ended === undefined ? {} : { ended: ran.ended }),
    });
    parts.onReport?.(report);
    const masked = maskReport(report, output.redactor);
    if ("session" in attached) await writeByHand(report, parts, attached.session, recording);
    const failure = await writeReports(masked, profile, categories, output);
    if (failure === undefined) return exit;
    output.complain(failure.message);
    return "cannotWrite";
  } finally {
    output.done();
    signals.release();
  }
}

async function runPlan(parts: CheckRun, attached: Attached, plan: Plan, signals: Signals): Promise<Ran> {
  const { profile, output } = parts;
  const { session, wire } = attached;
  if (plan.limitedBy !== undefined) output.tell(plan.limitedBy);
  warnOfBudget(plan, profile, output);
  const { onStart, onDone, end } = showProgress(plan, profile, output);
  const outcomes = await run(plan.steps, session, {
    ...profile,
    seed: parts.seed,
    keep: parts.keep,
    signal: signals.signal,
    wire: parts.breakWire?.(wire) ?? wire,
    onStart,
    onDone,
  }).finally(end);
  tellNotBegun(outcomes, output);
  output.progress("cleaning up");
  const isCutShort = signals.signal.aborted || outcomes.some(({ early }) => early === true);
  const cleanUp = await attached.cleanUp({ keep: parts.keep, hurry: isCutShort });
  return { plan, outcomes, cleanUp, ended: signals.ended() };
}

async function writeByHand(report: Report, parts: CheckRun, session: Session, recording: Recording): Promise<void> {
  const { secret, keep, output } = parts;
  // What was kept would be in the way of the same names.
  if (secret === undefined || keep || !output.isVerbose) return;
  const { makeByHand } = await import("./by-hand.ts");
  const { url, run: id, login, capabilities } = session;
  if (login === null) return;
  const redact = (text: string): string => output.redactor.redact(text);
  const byHand = makeByHand({ url, run: id, login, loginField: capabilities.loginField, secret, recording, redact });
  writeRequests(report, byHand, secret, output);
}

/** One line for the checks that the end of the run left out. */
function tellNotBegun(outcomes: readonly Outcome[], output: Output): void {
  const notBegun = outcomes.filter(({ early, tookMs }) => early === true && tookMs === 0);
  const [first] = notBegun;
  if (first?.verdict.kind !== "unknown") return;
  const checks = notBegun.length === 1 ? "1 check was" : `${notBegun.length} checks were`;
  output.tell(`${checks} not run: ${first.verdict.sentence}`);
}

/** Without a session every step is unknown. */
function notRun(plan: Plan, ended: Ended, output: Output): Ran {
  const { sentence } = ended;
  output.complain(sentence);
  const outcomes = plan.steps.map((step) => ({ step, verdict: { kind: "unknown", sentence }, tookMs: 0 }) as const);
  return { plan, outcomes, cleanUp: { kind: "none" }, ended };
}

function serverOf(
  attached: Attached | { readonly ended: Ended; readonly url: string | null },
  own: boolean,
): Report["server"] {
  if (!("session" in attached)) return { url: attached.url, version: null, own, login: null };
  const { login, capabilities, learned } = attached.session;
  const lowered = attached.wire.control?.own?.lowered ?? {};
  return {
    url: attached.url,
    version: capabilities.version ?? null,
    // Without a login the server tells no version, and no check depends on one.
    ...(learned.basis === "" || login === null ? {} : { basis: learned.basis }),
    dialect: learned.dialect,
    own,
    ...(Object.keys(lowered).length === 0 ? {} : { lowered }),
    login: login === null ? null : { user: login.name, role: login.role },
  };
}

/** What is unusual about the way to the server. */
function wayOf(way: AttachParts["way"]): Pick<Report["server"], "proxy" | "insecure"> {
  return {
    ...(way?.proxy === undefined ? {} : { proxy: way.proxy.name }),
    ...(way?.insecure === true ? { insecure: true } : {}),
  };
}

/** Of the login, the set-up of checks and the clean-up; outcomes have those of checks. */
function contradictionsOf(attached: object): Pick<ReportParts, "contradictory"> {
  if (!("session" in attached)) return {};
  const { contradictions } = (attached as Attached).session;
  const contradictory = contradictions.take(contradictions.ofTheRun);
  return contradictory === undefined ? {} : { contradictory };
}

function leaving(id: string, url: string | null, attached: object | undefined): string {
  const where = url === null ? "" : ` --url ${url}`;
  const sentence = `left without cleaning up; kalam-ready cleanup${where} --run ${id} removes what this run created`;
  // One of our own ends with us.
  const control = attached !== undefined && "session" in attached ? (attached as Attached).wire.control : undefined;
  const isLeft = control?.own === undefined && control?.lifecycle?.isLeft() === true;
  return isLeft ? `this run has stopped the server, and it does not run as before: start it; ${sentence}` : sentence;
}

function traceLine({ number, at, as, method, path, text, params, outcome, tookMs }: Exchange): string {
  const what = [text, params].filter((part) => part !== undefined).join("  ");
  return `#${number} ${at} ms  ${method} ${path}${as === undefined ? "" : ` as ${as}`}  ${what}  -> ${outcome}  (${tookMs} ms)`;
}
