/** `kalam-ready demo`: starts the sandbox, checks it, then breaks it in one way to show a failure. Needs only the repository. */
import { loadCategories, loadProof } from "../../checks/index.ts";
import { exits, type ExitName } from "../exit.ts";
import { effectiveProfile } from "../profile/effective.ts";
import { readProfile } from "../profile/read.ts";
import { checkServer } from "./check-run.ts";
import { Output, type OutputFlags } from "./output.ts";
import { startSandbox } from "./sandbox.ts";
import { interruptible } from "./signals.ts";

/** The check that is shown failing, and its finding. */
const shown = { check: "configuration/bad-namespace-refused", finding: "trailingTextIgnored" };

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
      const profileFor = (words: { only?: readonly string[] }) =>
        effectiveProfile(source, { url: server.url, user: "root", allow: ["process"], ...words }, {}, categories)
          .profile;
      const common = { categories, credentials: undefined, server, environment, output, seed: 1, keep: false };

      output.tell(`2. Checking it at ${server.url}.\n`);
      const first = await checkServer({ ...common, profile: profileFor({}), again: ["--url", server.url] });

      if (signal.aborted) return first;
      output.tell(
        `\n3. The same server with a fault in front, "${broken.fault.name}": it runs CREATE NAMESPACE kr_x ns as CREATE NAMESPACE kr_x.\n`,
      );
      let fired = 0;
      const second = await checkServer({
        ...common,
        profile: profileFor({ only: [shown.check] }),
        again: ["--url", server.url],
        breakWire: (wire) => broken.fault.wrap(wire, () => (fired += 1)),
      });

      if (first !== "ready" || second !== "notReady" || fired === 0) {
        output.complain(
          `the demo did not work: ${exits[first].says}, then ${exits[second].says}; the fault fired ${fired} times`,
        );
        return "internal";
      }
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
