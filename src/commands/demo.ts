/** `kalam-ready demo`: starts the sandbox, checks it, then breaks it in one way to show a failure. Needs only the repository. */
import { loadCategories, loadProof } from "../../checks/index.ts";
import type { Check } from "../check.ts";
import type { ExitName } from "../exit.ts";
import { commandText } from "../formats/shell.ts";
import { effectiveProfile } from "../profile/effective.ts";
import { readProfile } from "../profile/read.ts";
import type { Report } from "../report.ts";
import { StartError, type OwnServer } from "../control/process.ts";
import { UsageError } from "../profile/usage.ts";
import { whyTooBusy } from "../session/machine.ts";
import { startedAs } from "./again.ts";
import { checkServer } from "./check-run.ts";
import { Output, type OutputFlags } from "./output.ts";
import { startSandbox } from "./sandbox.ts";
import { interruptible } from "./signals.ts";

/** Some of each category, none of which takes long or waits for a time limit of the server. */
const chosen = [
  "configuration/answers-sql",
  "configuration/bad-namespace-refused",
  "configuration/namespaces-kept-apart",
  "configuration/primary-key-required",
  "validation/not-null-holds",
  "validation/duplicate-columns-refused",
  "validation/injection-stays-data",
  "observability/version-told",
  "observability/namespaces-listed",
  "observability/health-tells-truth",
  "subscriptions/snapshot-then-changes",
  "subscriptions/unsubscribe-silences",
  "subscriptions/own-events-only",
  "cli/batch-stops-at-failure",
  "cli/long-result-complete",
  "cli/namespace-scripts-repeat",
];

/** The check that is shown failing, and its finding. */
const shown = { check: "configuration/bad-namespace-refused", finding: "trailingTextIgnored" };
const attemptsMax = 3;
const tooBusy = "This machine is probably too busy; try again later.";

/** What tests replace. */
export interface DemoParts {
  readonly startSandbox: typeof startSandbox;
  readonly checkServer: typeof checkServer;
}

interface Attempt {
  readonly exit: ExitName;
  readonly report: Report | undefined;
}

export async function demo(
  flags: OutputFlags,
  environment: NodeJS.ProcessEnv,
  parts: DemoParts = { startSandbox, checkServer },
): Promise<ExitName> {
  const output = new Output(flags, environment);
  const categories = await loadCategories();
  const broken = (await loadProof(shown.check)).breaks[shown.finding];
  if (broken === undefined || !("fault" in broken)) throw new Error(`${shown.check} has no fault for ${shown.finding}`);
  output.tell("1. Starting the sandbox, a KalamDB-compatible server for tests.");
  const signals = {
    first: () => output.complain("interrupted: stopping the sandbox"),
    leaving: () => "left; the sandbox has ended",
  };
  return await interruptible(signals, async ({ signal }) => {
    const server = await started(parts, signal);
    if (server === undefined) {
      output.complain(`the demo could not begin: the sandbox did not start in time. ${tooBusy}`);
      return "cannotTell";
    }
    try {
      // The sandbox of the demo is gone by then.
      const program = startedAs(process.argv[1] ?? "", environment);
      const again = ({ id }: Check) => ({ command: commandText([...program, "prove", id]), needs: [] });
      const source = readProfile("standard", { categories, environment: {}, onSecret: () => {} });
      const run = async (only: readonly string[], rest: Pick<Parameters<typeof checkServer>[0], "breakWire"> = {}) => {
        const words = { url: server.url, user: "root", effort: "light", only };
        const { profile } = effectiveProfile(source, words, {}, categories);
        const common = { categories, credentials: undefined, server, environment, output, seed: 1, keep: false };
        let report: Report | undefined;
        const onReport = (made: Report): void => void (report = made);
        const exit = await parts.checkServer({ ...common, ...rest, profile, again, onReport });
        return { exit, report };
      };

      const all = categories.reduce((sum, { checks }) => sum + checks.length, 0);
      output.tell(`2. Checking it at ${server.url} with ${chosen.length} quick ones of the ${all} checks.\n`);
      const healthy = await persist(output, async () => {
        const { exit, report } = await run(chosen);
        return { exit, report, shown: ["ready", "cannotTell"].includes(exit), refuted: exit === "notReady" };
      });
      if (healthy.end === "refuted") {
        output.complain("the demo did not work: a check failed on a healthy sandbox; please report it");
        return "internal";
      }
      if (healthy.end !== "shown") return healthy.end;
      if (healthy.exit === "cannotTell")
        output.tell(
          "\nUnknown rows come from a busy machine. A real run would exit with 2 for them; the demo goes on.",
        );

      output.tell(
        `\n3. The same server with a fault in front, "${broken.fault.name}": it runs CREATE NAMESPACE kr_x ns as CREATE NAMESPACE kr_x.\n`,
      );
      let fired = 0;
      const broke = await persist(output, async () => {
        fired = 0;
        const { exit, report } = await run([shown.check], {
          breakWire: (wire) => broken.fault.wrap(wire, () => (fired += 1)),
        });
        const isRed = isRedByName(report);
        return { exit, report, shown: isRed, refuted: !isRed && ["ready", "notReady"].includes(exit) };
      });
      if (broke.end === "refuted") {
        output.complain(
          `the demo did not work: the check did not find the fault, which fired ${fired} times; please report it`,
        );
        return "internal";
      }
      if (broke.end !== "shown") return broke.end;
      output.tell(
        "\n4. The check found the fault and names it. Every check has such a proof; kalam-ready prove runs them all.",
      );
      output.tell("   To check your own server:");
      output.tell("     export KALAM_READY_USER=root KALAM_READY_PASSWORD=…");
      output.tell("     npx kalam-ready check --url http://127.0.0.1:8080");
      return "ready";
    } finally {
      output.done();
      await server.stop();
    }
  });
}

/** Undefined if it did not answer in time. Throws UsageError if it is not installed, or ended by itself. */
async function started(parts: DemoParts, signal: AbortSignal): Promise<OwnServer | undefined> {
  try {
    return await parts.startSandbox({ signal });
  } catch (error) {
    if (error instanceof UsageError && error.cause instanceof StartError && error.cause.code === "startTimedOut")
      return undefined;
    throw error;
  }
}

/** One attempt of a run that is to show something. `refuted`: its verdict says the opposite of what must be shown. */
interface Tried extends Attempt {
  readonly shown: boolean;
  readonly refuted: boolean;
}

/**
 * Tries until it is shown or refuted. On a busy machine nothing is refuted, and after the last attempt the demo cannot tell;
 * `end` is then the exit, as it is after an interruption.
 */
async function persist(
  output: Output,
  attempt: () => Promise<Tried>,
): Promise<{ readonly end: "shown" | "refuted" | ExitName; readonly exit: ExitName }> {
  for (let made = 1; ; made += 1) {
    const { exit, report, shown: isShown, refuted } = await attempt();
    if (isInterrupted(exit)) return { end: exit, exit };
    if (isShown) return { end: "shown", exit };
    if (refuted && !wasBusy(report)) return { end: "refuted", exit };
    if (made === attemptsMax) {
      output.complain(`the demo could not show it: ${attemptsMax} attempts could not be judged. ${tooBusy}`);
      return { end: "cannotTell", exit };
    }
    output.tell(`\nThis could not be judged; attempt ${made + 1} of ${attemptsMax}.\n`);
  }
}

function wasBusy(report: Report | undefined): boolean {
  if (report === undefined) return false;
  const { timersLateMs, cpuWaitedPercent } = report.run.machine;
  const cpuWaited = cpuWaitedPercent === null ? null : cpuWaitedPercent / 100;
  return whyTooBusy({ timersLateMs, cpuWaited, slowdown: null }) !== undefined;
}

function isInterrupted(exit: ExitName): boolean {
  return ["interrupted", "terminated", "hungUp", "quit"].includes(exit);
}

function isRedByName(report: Report | undefined): boolean {
  const result = report?.results.find(({ check }) => check === shown.check);
  return result?.findings.some(({ name }) => name === shown.finding) === true;
}
