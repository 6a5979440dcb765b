import { defineCheck, pass, unknown } from "../../../src/check.ts";
import type { TrialOutcome } from "../../../src/wire/control.ts";
import { cases } from "./cases.ts";
import { truncated } from "../../../src/server/target.ts";
import { isLate, lateTimes, type Pace } from "../../vocabulary/pace.ts";

const withinMsMin = 10_000;
const withinMsMax = 60_000;

type Trial = {
  readonly case: string;
  /** How long it was given; the control is the start with valid settings. */
  readonly pace: Pace;
  readonly outcome: Pick<TrialOutcome, "answered" | "exitCode" | "tookMs" | "leftListening"> & {
    readonly stderr: string;
  };
};

export const badSettingsStopTheStart = defineCheck({
  id: "configuration/bad-settings-stop-the-start",
  title: "A server with bad settings does not start, and says why",
  failureTitle: "A server with bad settings starts, hangs, or does not say why",
  description: `Starts the same binary ${cases.length} times with invalid settings (${cases.map((one) => one.name).join(", ")}). Each process must exit within 10 s with a non-zero exit code, name the setting on stderr and leave nothing listening. With valid settings it must start.`,
  blindTo: "It tries one invalid value per setting, and only on a server that kalam-ready starts itself.",
  risk: "The server runs with other settings than the configured ones, for example on another port or without a limit.",
  remedy: "Try new settings on a test server first, and compare system.settings with the file after each start.",
  covers: ["CFG-13"],
  touches: "process",
  needs: ["own-server"],
  level: "block",
  estimateMs: 6_000,
  estimateRequests: 0,
  timeoutMs: (cases.length + 1) * 2 * withinMsMin,
  findings: {
    startedAnyway: { say: (d: { case: string }) => `${d.case}: the server started anyway` },
    silent: {
      say: (d: { case: string; exitCode: number; stderr: string }) =>
        d.exitCode === 0
          ? `${d.case}: the server exited with code 0, which means success to a supervisor`
          : `${d.case}: stderr does not name the cause: ${d.stderr === "" ? "it is empty" : d.stderr}`,
      risk: "A supervisor restarts the server forever, or not at all, and the log does not say why.",
      remedy: "Look at the first lines on stderr after each change of settings, and alert on restarts.",
    },
    hung: {
      say: (d: { case: string; pace: Pace }) =>
        `${d.case}: the server neither started nor exited within ${d.pace.waitedMs} ms; with valid settings it started within ${d.pace.controlMs} ms`,
      risk: "A supervisor sees a running process that serves nothing.",
      remedy: "Let the supervisor probe the server's health, and give the start a time limit.",
      timed: true,
    },
  },
  async observe(target, context) {
    const control = context.need(target.control?.own, "the server's process cannot be controlled");
    const good = kept(await control.trial({ kind: "changed", changes: {} }, withinMsMax));
    const controlMs = Math.round(good.tookMs);
    const waitedMs = Math.min(withinMsMax, Math.max(withinMsMin, lateTimes * controlMs));
    const trials: Trial[] = [];
    for (const { name, settings } of cases) {
      const outcome = kept(await control.trial(settings(control.port), waitedMs));
      trials.push({ case: name, pace: { waitedMs, controlMs }, outcome });
    }
    return { trials, good };
  },
  judge({ trials, good }, { found }) {
    const started = trials.filter(({ outcome }) => outcome.answered || outcome.leftListening);
    for (const { case: name } of started) found.startedAnyway({ case: name }, { case: name });
    const stopped = trials.filter((one) => !started.includes(one));
    const open = stopped.filter(({ outcome }) => outcome.exitCode === null);
    for (const { case: name, pace } of open.filter((one) => isLate(one.pace) && good.answered))
      found.hung({ case: name, pace }, { case: name });
    for (const { case: name, outcome } of stopped) {
      const { exitCode, stderr } = outcome;
      const isNamed = cases.find((one) => one.name === name)?.names.test(stderr) === true;
      if (exitCode === null || (exitCode !== 0 && isNamed)) continue;
      found.silent({ case: name, exitCode, stderr: truncated(stderr.replace(/\s+/g, " "), 200) }, { case: name });
    }
    if (!good.answered)
      return unknown("the server did not start with valid settings either, so the failed starts prove nothing");
    if (open[0] !== undefined)
      return unknown(
        `${open[0].case}: no end within ${open[0].pace.waitedMs} ms, but starting with valid settings takes ${open[0].pace.controlMs} ms`,
      );
    if (trials.length < cases.length) return unknown(`only ${trials.length} of ${cases.length} settings were tried`);
    const slowest = Math.max(...trials.map(({ outcome }) => outcome.tookMs));
    return pass(
      `${trials.length} of ${trials.length} invalid settings rejected by name within ${slowest} ms; valid settings start`,
    );
  },
});

/** Without the stack trace, which contains so many words that any cause would seem to be named. */
function kept({ answered, exitCode, tookMs, leftListening, stderr }: TrialOutcome): Trial["outcome"] {
  return {
    answered,
    exitCode,
    tookMs,
    leftListening,
    stderr: truncated(stderr.split(/\n\s*(?:Stack backtrace|stack backtrace|Caused by|at )/)[0] ?? "", 1_000),
  };
}
