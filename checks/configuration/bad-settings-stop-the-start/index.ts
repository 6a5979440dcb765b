import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import type { SettingChanges, TrialOutcome, TrialSettings } from "../../../src/wire/control.ts";

const withinMs = 10_000;

/** `names`: how a text on stderr can name what is wrong. */
interface Case {
  readonly name: string;
  readonly settings: (runningPort: number) => TrialSettings;
  readonly names: RegExp;
}

const changed = (changes: SettingChanges) => (): TrialSettings => ({ kind: "changed", changes });

/** All on loopback: a server that accepts what it should refuse must not be open to anybody. */
const cases: readonly Case[] = [
  { name: "missing file", settings: () => ({ kind: "noFile" }), names: /server\.toml|config|settings/i },
  {
    name: "broken TOML",
    settings: () => ({ kind: "text", text: "[server\nport = 1\n" }),
    names: /toml|parse|syntax|line 1/i,
  },
  { name: "port 0", settings: changed({ "server.port": 0 }), names: /port/i },
  {
    name: "port in use",
    settings: (port) => ({ kind: "changed", changes: { "server.port": port } }),
    names: /port|address|in use|bind/i,
  },
  { name: "bad log level", settings: changed({ "logging.level": "shouting" }), names: /shouting|log.?level/i },
  {
    name: "default limit above the maximum",
    settings: changed({ "limits.max_query_limit": 10, "limits.default_query_limit": 50 }),
    names: /default_query_limit|max_query_limit|query limit/i,
  },
  { name: "wrong type", settings: changed({ "server.port": "eighty" }), names: /eighty|port/i },
  {
    name: "data path below a regular file",
    settings: changed({ "storage.data_path": "{file}/data" }),
    names: /data_path|data path|data (folder|directory)|regular-file/i,
  },
];

type Trial = {
  readonly case: string;
  readonly outcome: Pick<TrialOutcome, "answered" | "exitCode" | "tookMs" | "leftListening"> & {
    readonly stderr: string;
  };
};

export const badSettingsStopTheStart = defineCheck({
  id: "configuration/bad-settings-stop-the-start",
  title: "A server with bad settings does not start, and says why",
  failureTitle: "A server with bad settings starts, hangs, or is silent",
  description: `Starts the same binary ${cases.length} times with settings it cannot honour (${cases.map((one) => one.name).join(", ")}). Each must end by itself within 10 s with an exit code other than 0, name the setting on stderr and leave nothing listening. One with good settings must start.`,
  blindTo: "It tries one wrong value for each setting, and only on a server that kalam-ready starts itself.",
  risk: "A server comes up other than it was configured, or a supervisor restarts it for ever without anybody seeing why.",
  remedy:
    "Look at the first lines on stderr after each change of settings, and check with --server-bin before you roll them out.",
  covers: ["CFG-13"],
  touches: "process",
  needs: ["own-server"],
  level: "block",
  estimateMs: 6_000,
  estimateRequests: 0,
  timeoutMs: (cases.length + 1) * 2 * withinMs,
  findings: {
    startedAnyway: { say: (d: { case: string }) => `${d.case}: it started all the same` },
    silent: {
      say: (d: { case: string; exitCode: number; stderr: string }) =>
        d.exitCode === 0
          ? `${d.case}: it ended with exit code 0, which tells a supervisor that all is well`
          : `${d.case}: stderr does not name it: ${d.stderr === "" ? "nothing" : d.stderr}`,
    },
    hung: {
      say: (d: { case: string; withinMs: number }) =>
        `${d.case}: it neither started nor ended within ${d.withinMs / 1000} s`,
    },
  },
  async observe(target) {
    const { control } = target;
    const trials: Trial[] = [];
    if (control === undefined) return { trials, good: null };
    for (const one of cases) {
      trials.push({ case: one.name, outcome: kept(await control.trial(one.settings(control.port), withinMs)) });
    }
    return { trials, good: kept(await control.trial({ kind: "changed", changes: {} }, withinMs)) };
  },
  judge({ trials, good }) {
    const started = trials.filter(({ outcome }) => outcome.answered || outcome.leftListening);
    const found = started.map(({ case: name }) => ({
      name: "startedAnyway" as const,
      case: name,
      data: { case: name },
    }));
    const quiet = trials.filter((one) => !started.includes(one));
    const hung = quiet
      .filter(({ outcome }) => outcome.exitCode === null)
      .map(({ case: name }) => ({ name: "hung" as const, case: name, data: { case: name, withinMs } }));
    const silent = quiet.flatMap(({ case: name, outcome: { exitCode, stderr } }) => {
      const named = cases.find((one) => one.name === name)?.names.test(stderr) === true;
      if (exitCode === null || (exitCode !== 0 && named)) return [];
      return [
        {
          name: "silent" as const,
          case: name,
          data: { case: name, exitCode, stderr: stderr.replace(/\s+/g, " ").slice(0, 200) },
        },
      ];
    });
    if (found.length + hung.length + silent.length > 0) return fail(...found, ...hung, ...silent);
    if (good?.answered !== true)
      return unknown("a server with good settings did not start either, so the refusals show nothing");
    if (trials.length < cases.length) return unknown(`only ${trials.length} of ${cases.length} settings were tried`);
    const slowest = Math.max(...trials.map(({ outcome }) => outcome.tookMs));
    return pass(
      `${trials.length} of ${trials.length} bad settings refused by name within ${slowest} ms, a good one starts`,
    );
  },
});

/** A stack trace names half the program; only what stands before it was written for people. */
function kept({ answered, exitCode, tookMs, leftListening, stderr }: TrialOutcome): Trial["outcome"] {
  return {
    answered,
    exitCode,
    tookMs,
    leftListening,
    stderr: stderr.split(/\n\s*(?:Stack backtrace|stack backtrace|Caused by|at )/)[0]?.slice(0, 1_000) ?? "",
  };
}
