/** `kalam-ready demo`: starts the sandbox, checks it, then breaks it in one way and shows what red looks like. Needs nothing but the repository. */
import { loadCategories, loadProof } from "../../checks/index.ts";
import { exits, type ExitName } from "../exit.ts";
import { effectiveProfile } from "../profile/effective.ts";
import { readProfile } from "../profile/read.ts";
import { checkServer } from "./check.ts";
import { Output, type OutputFlags } from "./output.ts";
import { startSandbox } from "./sandbox.ts";

/** The check that is shown red, and the finding by which. */
const shown = { check: "configuration/bad-namespace-refused", finding: "trailingTextIgnored" };

export async function demo(flags: OutputFlags, environment: NodeJS.ProcessEnv): Promise<ExitName> {
  const output = new Output(flags, environment);
  const categories = await loadCategories();
  const broken = (await loadProof(shown.check)).breaks[shown.finding];
  if (broken === undefined || !("fault" in broken)) throw new Error(`${shown.check} has no fault for ${shown.finding}`);
  output.tell("1. A sandbox: our own KalamDB-compatible server, started as a process of its own.");
  const server = await startSandbox();
  try {
    const source = readProfile("standard", { categories, environment: {}, onSecret: () => {} });
    const profileFor = (words: { only?: readonly string[] }) =>
      effectiveProfile(source, { url: server.url, user: "root", allow: ["process"], ...words }, {}, categories).profile;
    const common = { categories, credentials: undefined, server, environment, output, seed: 1, keep: false };

    output.tell(`2. Checking it at ${server.url}.\n`);
    const first = await checkServer({ ...common, profile: profileFor({}), again: ["--url", server.url] });

    output.tell(
      `\n3. The same server behind a fault, "${broken.fault.name}": it takes CREATE NAMESPACE kr_x ns for CREATE NAMESPACE kr_x.\n`,
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
        `the demo did not show what it should: ${exits[first].says}, then ${exits[second].says}, the fault fired ${fired} times`,
      );
      return "internal";
    }
    output.tell(
      "\n4. Red by name, because the fault was there: every check has such a proof (kalam-ready prove shows them all).",
    );
    output.tell("   Now with a server of yours:");
    output.tell("     export KALAM_READY_USER=root KALAM_READY_PASSWORD=…");
    output.tell("     npx kalam-ready check --url http://127.0.0.1:8080");
    return "ready";
  } finally {
    output.done();
    await server.stop();
  }
}
