import { changeOutcome, kalamFault } from "../../../src/faults/kalam.ts";
import { proveCheck } from "../../../src/proof.ts";
import { kalamExitsRight } from "./index.ts";

const run = (name: string, exitCode: number, change: object = {}) => ({
  case: name,
  exitCode: exitCode as number | null,
  overdue: false,
  tookMs: 40,
  stdout: exitCode === 0,
  stderr: exitCode !== 0,
  trouble: null as string | null,
  outcome: `exit ${exitCode}`,
  exchange: 1,
  ...change,
});
const runs = [
  run("a query", 0),
  run("a query of a plain user", 0),
  run("a missing table", 1),
  run("bad syntax", 1),
  run("a file that fails in the middle", 1, { stdout: true }),
  run("a missing file", 1),
  run("an unknown flag", 2),
  run("a flag without its value", 2),
  run("an unknown command", 1),
  run("an empty command", 1),
  run("a wrong password", 1),
  run("nobody listens", 1),
  run("a silent server", 1),
  run("a silent server, with --timeout alone", 1),
];
const sound = { version: "kalam 0.4.3-rc.4", runs, waitedMs: 10_000, controlMs: 40 as number | null };
const having = (name: string, change: object) => ({
  ...sound,
  runs: runs.map((one) => (one.case === name ? { ...one, ...change } : one)),
});
const missing = /\.absent$/;

export default proveCheck(kalamExitsRight, {
  holds: [sound, having("a missing file", { exitCode: 2 })],
  cannotTell: [
    { version: "", runs: [], waitedMs: 10_000, controlMs: null },
    { ...sound, version: "GNU true" },
    { ...sound, runs: runs.slice(1) },
    // kalam itself is slow here.
    { ...having("a silent server", { overdue: true, exitCode: null }), controlMs: 1_001 },
    { ...having("a silent server", { overdue: true, exitCode: null }), waitedMs: 30_000, controlMs: 3_001 },
    having("a query", { exitCode: 1, trouble: "exit 1, stderr: Error: Server error (503)" }),
    having("a query", { exitCode: null, trouble: "kalam could not be started: spawn EACCES" }),
  ],
  breaks: {
    wrongCode: {
      seen: having("a missing table", { exitCode: 0 }),
      fault: changeOutcome("alwaysExitZero", missing, () => ({ exitCode: 0 })),
    },
    wrongStream: {
      seen: having("a missing table", { stdout: true }),
      fault: changeOutcome("printErrorsOnStdout", missing, ({ stderr }) => ({ stdout: stderr, stderr: "" })),
    },
    timeoutIgnored: {
      seen: having("a silent server, with --timeout alone", { overdue: true, exitCode: null }),
      fault: kalamFault("ignoreTimeout", async (asked, kalam) => {
        if (asked.at !== "silence" || asked.args.includes("--receive-timeout")) return undefined;
        return { ...(await kalam()), exitCode: null, endedBySignal: "SIGKILL", overdue: true, stderr: "" };
      }),
    },
  },
  mayBeLost: [
    { what: / -f absent\.sql$| --absent | -c ?$| -c \\absent$/, because: "kalam gives up before it connects" },
  ],
});
