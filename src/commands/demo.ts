/** `kalam-ready demo`: starts the sandbox, checks it, then breaks it in one way to show a failure. Needs only the repository. */
import { loadCategories, loadProof } from "../../checks/index.ts";
import type { ExitName } from "../exit.ts";
import { effectiveProfile } from "../profile/effective.ts";
import { readProfile } from "../profile/read.ts";
import type { Report } from "../report.ts";
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

export async function demo(flags: OutputFlags, environment: NodeJS.ProcessEnv): Promise<ExitName> {
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
    const server = await startSandbox({ signal });
    try {
      const source = readProfile("standard", { categories, environment: {}, onSecret: () => {} });
      const run = async (only: readonly string[], rest: Pick<Parameters<typeof checkServer>[0], "breakWire"> = {}) => {
        const words = { url: server.url, user: "root", effort: "light", only };
        const { profile } = effectiveProfile(source, words, {}, categories);
        const parts = { categories, credentials: undefined, server, environment, output, seed: 1, keep: false };
        let report: Report | undefined;
        const onReport = (made: Report): void => void (report = made);
        const exit = await checkServer({ ...parts, ...rest, profile, again: ["--url", server.url], onReport });
        return { exit, report };
      };

      const all = categories.reduce((sum, { checks }) => sum + checks.length, 0);
      output.tell(`2. Checking it at ${server.url} with ${chosen.length} quick ones of the ${all} checks.\n`);
      const { exit: first } = await run(chosen);
      if (isInterrupted(first)) return first;
      if (first === "notReady") {
        output.complain("the demo did not work: a check failed on a healthy sandbox; please report it");
        return "internal";
      }
      if (first !== "ready")
        output.tell(
          "\nUnknown rows come from a busy machine. A real run would exit with 2 for them; the demo goes on.",
        );

      output.tell(
        `\n3. The same server with a fault in front, "${broken.fault.name}": it runs CREATE NAMESPACE kr_x ns as CREATE NAMESPACE kr_x.\n`,
      );
      for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
        if (attempt > 1) output.tell(`\nThe check could not be determined; attempt ${attempt} of ${attemptsMax}.\n`);
        let fired = 0;
        const { exit, report } = await run([shown.check], {
          breakWire: (wire) => broken.fault.wrap(wire, () => (fired += 1)),
        });
        if (isInterrupted(exit)) return exit;
        if (isRedByName(report)) {
          output.tell(
            "\n4. The check found the fault and names it. Every check has such a proof; kalam-ready prove runs them all.",
          );
          output.tell("   To check your own server:");
          output.tell("     export KALAM_READY_USER=root KALAM_READY_PASSWORD=…");
          output.tell("     npx kalam-ready check --url http://127.0.0.1:8080");
          return "ready";
        }
        if (exit === "ready" || exit === "notReady") {
          output.complain(
            `the demo did not work: the check did not find the fault, which fired ${fired} times; please report it`,
          );
          return "internal";
        }
      }
      output.complain(
        `the demo could not show the failure: the check was undetermined ${attemptsMax} times. This machine is probably too busy; try again later.`,
      );
      return "cannotTell";
    } finally {
      output.done();
      await server.stop();
    }
  });
}

function isInterrupted(exit: ExitName): boolean {
  return ["interrupted", "terminated", "hungUp", "quit"].includes(exit);
}

function isRedByName(report: Report | undefined): boolean {
  const result = report?.results.find(({ check }) => check === shown.check);
  return result?.findings.some(({ name }) => name === shown.finding) === true;
}
