/** What a run shows while it runs: on a terminal one line that is rewritten, elsewhere a line for what is not green. */
import type { Check, Observation } from "../check.ts";
import { durationAbout } from "../duration.ts";
import { appearanceOf, type Appearance } from "../formats/appearance.ts";
import { estimate, type Plan } from "../plan.ts";
import type { Profile } from "../profile/effective.ts";
import { resultOf } from "../report.ts";
import type { Outcome, RunOptions } from "../run.ts";
import type { Output } from "./output.ts";

/** How far a run is. */
export interface Status {
  readonly done: number;
  readonly of: number;
  /** Names of checks that block so far. */
  readonly red: readonly string[];
  readonly unknown: number;
  /** Names of checks in progress, the longest first. */
  readonly running: readonly string[];
  /** Undefined: what is in progress takes longer than estimated, so nothing is known. */
  readonly leftMs: number | undefined;
}

export interface Progress extends Required<Pick<RunOptions, "onStart" | "onDone">> {
  /** Must be called, whatever happens. */
  readonly end: () => void;
}

const redMax = 2;
/** The part of a plan after which what the run has shown counts as much as the plan's estimates. */
const planTrust = 0.25;
/** How often it is shown again where nothing happens: the time left changes, and a log shows that the run goes on. */
const everyMs = { line: 500, log: 10_000 } as const;

export function showProgress(
  plan: Plan,
  profile: Pick<Profile, "parallel" | "budgetMs" | "accept" | "checks">,
  output: Pick<Output, "progressForm" | "progress" | "tellLine" | "isVerbose">,
): Progress {
  const today = new Date().toISOString().slice(0, 10);
  const form = output.progressForm;
  const run = watchRun(plan, profile, () => performance.now());
  const show = (): void => output.progress(statusText(run.now()));
  const tell = (): void => output.tellLine(statusText(run.now()));
  const timer = form === "none" ? undefined : setInterval(form === "line" ? show : tell, everyMs[form]).unref();
  return {
    onStart(check) {
      run.onStart(check);
      show();
    },
    onDone(done) {
      const step = plan.steps.find(({ check }) => check === done.step.check);
      if (step?.disposition.kind !== "run") return;
      const outcome = { ...done, step };
      const appearance = appearanceOf(resultOf(outcome, { profile, today, exchange: () => undefined }));
      run.onDone(outcome, appearance);
      // The report lists every check: here only what is not green. What a run that ended did not reach is told once.
      const isNews = form === "log" && appearance !== "pass" && outcome.early !== true;
      const notBegun = outcome.early === true && outcome.tookMs === 0;
      if (form !== "none" && (isNews || (output.isVerbose && !notBegun)))
        output.tellLine(finishedText(outcome, appearance));
      show();
    },
    end: () => clearInterval(timer),
  };
}

function finishedText({ step, verdict, tookMs }: Outcome, appearance: Appearance): string {
  const said = verdict.kind === "fail" ? verdict.found.map((found) => found.name).join(", ") : verdict.sentence;
  return `${appearance.padEnd(8)} ${step.check.id}  ${said}  ${Math.round(tookMs)} ms`;
}

/** Follows a run. `clock` in milliseconds. */
export function watchRun(
  { steps }: Pick<Plan, "steps">,
  { parallel, budgetMs }: Pick<Profile, "parallel" | "budgetMs">,
  clock: () => number,
): { onStart(check: Check): void; onDone(outcome: Outcome, appearance: Appearance): void; now(): Status } {
  const checks = steps.filter(({ disposition }) => disposition.kind === "run").map(({ check }) => check);
  const begunAt = clock();
  const waiting = new Set<Observation>(checks.map(({ observation }) => observation));
  const startedAt = new Map<Observation, number>();
  const running = new Set<Check>();
  const red: string[] = [];
  // At first the plan is trusted, as if a part of it had taken as long as estimated.
  const trustedMs = planTrust * [...waiting].reduce((sum, { estimateMs }) => sum + estimateMs, 0);
  const seen = { tookMs: trustedMs, estimatedMs: trustedMs };
  let [done, unknown] = [0, 0];

  /** What is left of it; nothing is known of one that takes longer than expected. */
  const leftOf = (observation: Observation): number => {
    const expectedMs = observation.estimateMs * (seen.tookMs / Math.max(1, seen.estimatedMs));
    return Math.max(0, expectedMs - (clock() - (startedAt.get(observation) ?? clock())));
  };
  return {
    onStart(check) {
      running.add(check);
      if (!startedAt.has(check.observation)) startedAt.set(check.observation, clock());
    },
    onDone({ step: { check }, tookMs, early }, appearance) {
      done += 1;
      running.delete(check);
      if (appearance === "fail") red.push(nameOf(check));
      if (appearance === "unknown") unknown += 1;
      // Several checks may share it.
      if (!waiting.delete(check.observation) || early === true) return;
      seen.tookMs += tookMs;
      seen.estimatedMs += check.observation.estimateMs;
    },
    now() {
      const left = [...waiting].map((one) => ({
        estimateMs: leftOf(one),
        alone: one.alone === true,
        lasting: one.lasting === true,
      }));
      const leftMs = Math.min(estimate(left, parallel), Math.max(0, begunAt + budgetMs - clock()));
      const names = [...running]
        .toSorted((one, other) => (startedAt.get(one.observation) ?? 0) - (startedAt.get(other.observation) ?? 0))
        .map(nameOf);
      const isOverdue = leftMs === 0 && running.size > 0;
      return { done, of: checks.length, red, unknown, running: names, leftMs: isOverdue ? undefined : leftMs };
    },
  };
}

/** The most important first: it may be truncated. */
export function statusText({ done, of, red, unknown, running, leftMs }: Status): string {
  const more = red.length > redMax ? ` and ${red.length - redMax} more` : "";
  const parts = [
    `${done} of ${of} checks`,
    ...(red.length > 0 ? [`${red.length} red: ${red.slice(0, redMax).join(", ")}${more}`] : []),
    ...(unknown > 0 ? [`${unknown} unknown`] : []),
    ...(done === of ? [] : [leftMs === undefined ? "longer than estimated" : `about ${durationAbout(leftMs)} left`]),
    ...(running.length > 0 ? [`running ${running.join(", ")}`] : []),
  ];
  return parts.join("; ");
}

/** The id without the category, which is long and rarely needed. */
function nameOf({ id }: Check): string {
  return id.slice(id.indexOf("/") + 1);
}
