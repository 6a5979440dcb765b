/** What the demo makes of runs that a busy machine spoils. The demo as a user runs it is in test/. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { StartError, type OwnServer } from "../control/process.ts";
import type { ExitName } from "../exit.ts";
import { UsageError } from "../profile/usage.ts";
import type { Report } from "../report.ts";
import type { checkServer } from "./check-run.ts";
import { demo } from "./demo.ts";

let said = "";
beforeEach(() => {
  said = "";
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, "write").mockImplementation((text) => {
      said += String(text);
      return true;
    });
});
afterEach(() => void vi.restoreAllMocks());

const quiet = { timersLateMs: 20, cpuWaitedPercent: 40, undetermined: 0 };
const busy = { timersLateMs: 3_000, cpuWaitedPercent: null, undetermined: 1 };
const red = [{ check: "configuration/bad-namespace-refused", findings: [{ name: "trailingTextIgnored" }] }];

interface Ending {
  readonly exit: ExitName;
  readonly machine?: Report["run"]["machine"];
  readonly results?: unknown;
}

/** Plays these endings of runs, the last one for ever. */
async function playing(endings: readonly Ending[]): Promise<{ exit: ExitName; runs: number; stopped: boolean }> {
  let runs = 0;
  let stopped = false;
  const server = {
    url: "http://127.0.0.1:1",
    stop() {
      stopped = true;
      return Promise.resolve(0);
    },
  } as unknown as OwnServer;
  const check: typeof checkServer = ({ onReport }) => {
    const { exit, machine = quiet, results = [] } = endings[Math.min(runs, endings.length - 1)] as Ending;
    runs += 1;
    onReport?.({ run: { machine }, results } as unknown as Report);
    return Promise.resolve(exit);
  };
  const exit = await demo({}, {}, { startSandbox: () => Promise.resolve(server), checkServer: check });
  return { exit, runs, stopped };
}

const ready: Ending = { exit: "ready" };
const shown: Ending = { exit: "notReady", results: red };

test.for<readonly [string, readonly Ending[], ExitName, number, RegExp]>([
  ["green, and red by name", [ready, shown], "ready", 2, /4\. The check found the fault/],
  [
    "unknown rows in the first run",
    [{ exit: "cannotTell" }, shown],
    "ready",
    2,
    /Unknown rows come from a busy machine/,
  ],
  ["a first run that got no answer", [{ exit: "unreachable" }, ready, shown], "ready", 3, /attempt 2 of 3/],
  [
    "a red first run on a busy machine",
    [{ exit: "notReady", machine: busy }, ready, shown],
    "ready",
    3,
    /attempt 2 of 3/,
  ],
  ["a fault that was not judged at first", [ready, { exit: "cannotTell" }, shown], "ready", 3, /attempt 2 of 3/],
  [
    "a fault that was not judged twice",
    [ready, { exit: "cannotTell" }, { exit: "cannotTell" }, shown],
    "ready",
    4,
    /attempt 3 of 3/,
  ],
  ["red on time beside the finding", [ready, { ...shown, machine: busy }], "ready", 2, /4\. The check found/],
  [
    "a fault that is never judged",
    [ready, { exit: "cannotTell" }],
    "cannotTell",
    4,
    /could not show it: .* too busy; try again later/,
  ],
  [
    "a fault that is missed on a busy machine",
    [ready, { exit: "ready", machine: busy }],
    "cannotTell",
    4,
    /too busy; try again/,
  ],
  ["red for ever on a busy machine", [{ exit: "notReady", machine: busy }], "cannotTell", 3, /too busy; try again/],
  ["no answer for ever", [{ exit: "unreachable" }], "cannotTell", 3, /too busy; try again/],
  [
    "a red first run on a quiet machine",
    [{ exit: "notReady" }],
    "internal",
    1,
    /failed on a healthy sandbox; please report/,
  ],
  [
    "a fault that is missed on a quiet machine",
    [ready, ready],
    "internal",
    2,
    /did not find the fault, which fired 0 times/,
  ],
  ["another finding on a quiet machine", [ready, { exit: "notReady" }], "internal", 2, /did not find the fault/],
  ["an interruption of the first run", [{ exit: "interrupted" }], "interrupted", 1, /1\. Starting/],
  ["an interruption of the second", [ready, { exit: "terminated" }], "terminated", 2, /3\. The same server/],
])("%s", async ([, endings, exit, runs, words]) => {
  expect(await playing(endings)).toEqual({ exit, runs, stopped: true });
  expect(said).toMatch(words);
  if (exit !== "internal") expect(said).not.toContain("please report");
});

const failing = (code: ConstructorParameters<typeof StartError>[0]) => async (): Promise<never> =>
  await Promise.reject(
    new UsageError("sandboxNotStarted", "it did not", {}, { cause: new StartError(code, "it did not") }),
  );
const noCheck = (): Promise<never> => Promise.reject(new Error("there is nothing to check"));

test("a sandbox that does not answer in time is a busy machine; one that ends is not", async () => {
  expect(await demo({}, {}, { startSandbox: failing("startTimedOut"), checkServer: noCheck })).toBe("cannotTell");
  expect(said).toMatch(/the sandbox did not start in time\. This machine is probably too busy/);
  const broken = demo({}, {}, { startSandbox: failing("serverEnded"), checkServer: noCheck });
  await expect(broken).rejects.toThrow(UsageError);
});
