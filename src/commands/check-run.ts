/** One run of the checks against one server: attach, plan, run, clean up, report. */
import type { Category } from "../check.ts";
import type { Ended, ExitName } from "../exit.ts";
import { watchMachine } from "../session/machine.ts";
import { maskReport } from "../formats/masked.ts";
import { packageVersion } from "../package.ts";
import type { Plan } from "../plan.ts";
import type { Profile } from "../profile/effective.ts";
import { makeReport, type CleanUp, type Report } from "../report.ts";
import { run, type Outcome } from "../run.ts";
import { Recording, type Exchange } from "../session/recording.ts";
import { newRunId } from "../session/scratch.ts";
import type { Wire } from "../wire/wire.ts";
import { attach, type Attached, type AttachParts } from "./attach.ts";
import type { Output } from "./output.ts";
import { planFor } from "./preparation.ts";
import { writeReports, writeRequests } from "./reports.ts";
import { handleSignals, type Signals } from "./signals.ts";

export interface CheckRun {
  readonly profile: Profile;
  readonly categories: readonly Category[];
  readonly credentials: AttachParts["credentials"];
  readonly server?: AttachParts["server"];
  readonly environment: NodeJS.ProcessEnv;
  readonly output: Output;
  readonly seed: number;
  readonly keep: boolean;
  readonly again: readonly string[];
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
  const plan = planFor(profile, categories, { own });
  const id = newRunId();
  const startedAt = new Date();
  const beganAt = performance.now();
  const recording = new Recording((exchange) => output.trace(traceLine(exchange)));
  const signals = handleSignals({
    first: () => output.complain("interrupted: cleaning up; interrupt again to leave at once"),
    leaving: () => leaving(id, profile.url ?? null),
  });
  let attached: Awaited<ReturnType<typeof attach>> | undefined;
  const detach = async (): Promise<void> => {
    if (attached !== undefined && "detach" in attached) await attached.detach();
  };
  const stopWatching = watchMachine();
  let ran: Ran;
  let tookMs: number;
  try {
    try {
      attached = await attach({ ...parts, run: id, recording, signal: signals.signal });
      ran =
        "session" in attached
          ? await runPlan(
              parts,
              attached,
              planFor(profile, categories, { own, login: attached.session.login }),
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
        again: parts.again,
        machine: {
          timersLateMs: strain.timersLateMs,
          cpuWaitedPercent: strain.cpuWaited === null ? null : Math.round(strain.cpuWaited * 100),
          undetermined: ran.outcomes.filter(({ tooBusy }) => tooBusy !== undefined).length,
        },
      },
      server: serverOf(attached, own),
      profile,
      plan: ran.plan,
      outcomes: ran.outcomes,
      cleanUp: ran.cleanUp,
      exchange: (number) => recording.get(number),
      today: startedAt.toISOString().slice(0, 10),
      ...(ran.ended === undefined ? {} : { ended: ran.ended }),
    });
    parts.onReport?.(report);
    const masked = maskReport(report, output.redactor);
    await writeRequests(masked, output);
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
  const running = new Set<string>();
  const progress = (): void => output.progress([...running].join(", "));
  const outcomes = await run(plan.steps, session, {
    ...profile,
    seed: parts.seed,
    keep: parts.keep,
    signal: signals.signal,
    wire: parts.breakWire?.(wire) ?? wire,
    onStart({ id }) {
      running.add(id);
      progress();
    },
    onDone({ step, verdict, tookMs }) {
      running.delete(step.check.id);
      const said = verdict.kind === "fail" ? verdict.found.map((found) => found.name).join(", ") : verdict.sentence;
      if (verdict.kind !== "skip")
        output.finished(`${verdict.kind.padEnd(7)} ${step.check.id}  ${said}  ${Math.round(tookMs)} ms`);
      progress();
    },
  });
  const cleanUp = await attached.cleanUp({ keep: parts.keep });
  return { plan, outcomes, cleanUp, ended: signals.ended() };
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
  const { login, capabilities } = attached.session;
  return {
    url: attached.url,
    version: capabilities.version ?? null,
    own,
    login: { user: login.name, role: login.role },
  };
}

function leaving(id: string, url: string | null): string {
  const where = url === null ? "" : ` --url ${url}`;
  return `left without cleaning up; kalam-ready cleanup${where} --run ${id} removes what this run created`;
}

function traceLine({ number, at, as, method, path, text, params, outcome, tookMs }: Exchange): string {
  const what = [text, params].filter((part) => part !== undefined).join("  ");
  return `#${number} ${at} ms  ${method} ${path}${as === undefined ? "" : ` as ${as}`}  ${what}  -> ${outcome}  (${tookMs} ms)`;
}
