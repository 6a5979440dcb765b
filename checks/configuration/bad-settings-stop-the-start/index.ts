import { defineCheck, pass, unknown } from "../../../src/check.ts";
import type { TrialOutcome } from "../../../src/wire/control.ts";
import { cases } from "./cases.ts";

const withinMs = 10_000;

type Trial = {
  readonly case: string;
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
  timeoutMs: (cases.length + 1) * 2 * withinMs,
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
      say: (d: { case: string; withinMs: number }) =>
        `${d.case}: the server neither started nor exited within ${d.withinMs / 1000} s`,
      risk: "A supervisor sees a running process that serves nothing.",
      remedy: "Let the supervisor probe the server's health, and give the start a time limit.",
      timed: true,
    },
  },
  async observe(target, context) {
    const control = context.need(target.control, "the server's process cannot be controlled");
    const trials: Trial[] = [];
    for (const { name, settings } of cases)
      trials.push({ case: name, outcome: kept(await control.trial(settings(control.port), withinMs)) });
    return { trials, good: kept(await control.trial({ kind: "changed", changes: {} }, withinMs)) };
  },
  judge({ trials, good }, { found }) {
    const started = trials.filter(({ outcome }) => outcome.answered || outcome.leftListening);
    for (const { case: name } of started) found.startedAnyway({ case: name }, { case: name });
    const stopped = trials.filter((one) => !started.includes(one));
    for (const { case: name, outcome } of stopped)
      if (outcome.exitCode === null) found.hung({ case: name, withinMs }, { case: name });
    for (const { case: name, outcome } of stopped) {
      const { exitCode, stderr } = outcome;
      const isNamed = cases.find((one) => one.name === name)?.names.test(stderr) === true;
      if (exitCode === null || (exitCode !== 0 && isNamed)) continue;
      found.silent({ case: name, exitCode, stderr: stderr.replace(/\s+/g, " ").slice(0, 200) }, { case: name });
    }
    if (!good.answered)
      return unknown("the server did not start with valid settings either, so the failed starts prove nothing");
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
    stderr: stderr.split(/\n\s*(?:Stack backtrace|stack backtrace|Caused by|at )/)[0]?.slice(0, 1_000) ?? "",
  };
}
