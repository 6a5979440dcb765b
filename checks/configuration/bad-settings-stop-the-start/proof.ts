import type { TrialSettings } from "../../../src/wire/control.ts";
import { trialFault } from "../../../src/faults/control.ts";
import { proveCheck } from "../../../src/proof.ts";
import { badSettingsStopTheStart } from "./index.ts";

const texts: Readonly<Record<string, string>> = {
  "missing file": "Config file not found: server.toml",
  "broken TOML": "TOML parse error at line 1",
  "port 0": "Server port cannot be 0",
  "port in use": "Address already in use",
  "bad log level": "Invalid log level 'shouting'",
  "default limit above the maximum": "default_query_limit (50) cannot exceed max_query_limit (10)",
  "wrong type": 'invalid type: string "eighty"',
  "data path below a regular file": "data_path: not a directory",
};
const ended = { answered: false, exitCode: 1 as number | null, tookMs: 300, leftListening: false };
const trials = Object.entries(texts).map(([name, stderr]) => ({
  case: name,
  pace: { waitedMs: 10_000, controlMs: 300 },
  outcome: { ...ended, stderr },
}));
const good = { ...ended, answered: true, exitCode: null, stderr: "" };
const sound = { trials, good };
const first = (change: object) => ({
  ...sound,
  trials: trials.map((one, at) => (at === 0 ? { ...one, outcome: { ...one.outcome, ...change } } : one)),
});
const isWrongType = (settings: TrialSettings): boolean =>
  settings.kind === "changed" && settings.changes["server.port"] === "eighty";

export default proveCheck(badSettingsStopTheStart, {
  holds: [sound],
  cannotTell: [
    { ...sound, good: { ...good, answered: false } },
    { ...sound, trials: trials.slice(1) },
    // Starting takes nearly as long with valid settings.
    {
      ...sound,
      trials: trials.map((one, at) =>
        at === 0
          ? { ...one, pace: { waitedMs: 60_000, controlMs: 9_000 }, outcome: { ...one.outcome, exitCode: null } }
          : one,
      ),
    },
  ],
  breaks: {
    startedAnyway: {
      seen: first({ answered: true, exitCode: null }),
      fault: trialFault("startWithDefaults", (settings, trial) =>
        isWrongType(settings) ? trial({ kind: "changed", changes: {} }) : undefined,
      ),
    },
    silent: {
      seen: first({ stderr: "Error: something went wrong" }),
      fault: trialFault("emptyStderr", (settings, trial) =>
        isWrongType(settings) ? trial(settings).then((outcome) => ({ ...outcome, stderr: "" })) : undefined,
      ),
    },
    hung: {
      seen: first({ exitCode: null }),
      fault: trialFault("neverExit", (settings, trial) =>
        isWrongType(settings) ? trial(settings).then((outcome) => ({ ...outcome, exitCode: null })) : undefined,
      ),
    },
  },
});
