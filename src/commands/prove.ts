/** `kalam-ready prove`: each check against its faults: green, red by name, green. On a given server, or on the sandbox. */
import { loadCategories, loadProof } from "../../checks/index.ts";
import type { Check } from "../check.ts";
import type { ExitName } from "../exit.ts";
import { columns } from "../formats/columns.ts";
import { effectiveProfile } from "../profile/effective.ts";
import { readProfile } from "../profile/read.ts";
import { proveLive, proveOnPaper, type LiveProof } from "../proof.ts";
import { select } from "../selector.ts";
import { Recording } from "../session/recording.ts";
import { newRunId } from "../session/scratch.ts";
import { attach } from "./attach.ts";
import { planned, profileName, type CheckFlags } from "./check.ts";
import { findCredentials } from "./credentials.ts";
import { selected } from "./list.ts";
import { Output } from "./output.ts";
import { mustBeRunnable } from "./files.ts";
import { sandboxProgram, startSandbox } from "./sandbox.ts";
import { handleSignals } from "./signals.ts";

const signs = { proven: "✔", missed: "✖", impossible: "?", onPaperOnly: "✔" } as const;
const says = { proven: "proven", missed: "MISSED", impossible: "not here", onPaperOnly: "on paper" } as const;

export async function prove(
  selectors: readonly string[],
  flags: CheckFlags,
  environment: NodeJS.ProcessEnv,
): Promise<ExitName> {
  const output = new Output(flags, environment);
  const categories = await loadCategories();
  const chosen = selected(() =>
    select(selectors.length === 0 ? categories.map((category) => category.id) : selectors, categories),
  );
  const source = readProfile(profileName(flags, environment), {
    categories,
    environment,
    onSecret: (value) => output.redactor.add(value),
  });
  const { profile } = effectiveProfile(source, flags, environment, categories);
  const onSandbox = profile.url === undefined && profile.serverBin === undefined;
  mustBeRunnable(profile);
  // The sandbox has a small stand-in for kalam, so that all can be proven where KalamDB is not installed.
  const kalamBin = profile.kalamBin ?? (onSandbox ? sandboxProgram("kalam-stand-in.js") : undefined);
  // On our own sandbox everything may be touched: it is there to be broken.
  const allowed = onSandbox
    ? {
        ...profile,
        kalamBin,
        allow: ["nothing", "scratch", "load", "process", "disk"] as const,
        skip: new Map<string, string>(),
      }
    : profile;
  const credentials =
    onSandbox || profile.serverBin !== undefined
      ? undefined
      : await findCredentials(profile.user, flags, source.document, environment, output);
  const signals = handleSignals({
    first: () => output.complain("interrupted: cleaning up"),
    leaving: () => "kalam-ready: left without cleaning up; kalam-ready cleanup removes what this run made",
  });
  const server = onSandbox ? await startSandbox({ signal: signals.signal }) : undefined;
  let attached: Awaited<ReturnType<typeof attach>> | undefined;
  try {
    attached = await attach({
      profile: allowed,
      server,
      run: newRunId(),
      credentials,
      environment,
      output,
      recording: new Recording(),
      signal: signals.signal,
    });
    if ("ended" in attached) {
      output.complain(attached.ended.sentence);
      return attached.ended.exit;
    }
    const { steps } = planned({ ...allowed, only: chosen }, categories, {
      ownServer: onSandbox || profile.serverBin !== undefined,
      kalam: kalamBin !== undefined,
    });
    const proofs: LiveProof[] = [];
    for (const { check, disposition } of steps) {
      output.progress(check.id);
      const results =
        disposition.kind === "run"
          ? await proveOne(check, attached, { ...profile, seed: 1, keep: false, signal: signals.signal })
          : [{ check: check.id, finding: "", fault: "", kind: "impossible" as const, sentence: disposition.reason }];
      for (const result of results) {
        proofs.push(result);
        if (flags.json !== true) output.out(`${signs[result.kind]} ${says[result.kind].padEnd(8)} ${line(result)}\n`);
      }
    }
    const cleanUp = await attached.cleanUp({ keep: false });
    if (cleanUp.kind === "left" || cleanUp.kind === "unclear")
      output.complain(`something may be left behind: ${cleanUp.kind}`);
    const count = (kind: LiveProof["kind"]): number => proofs.filter((one) => one.kind === kind).length;
    if (flags.json === true) output.out(`${JSON.stringify(proofs, undefined, 2)}\n`);
    else
      output.out(
        `\n${count("proven")} proven, ${count("missed")} missed, ${count("impossible")} not provable here, ${count("onPaperOnly")} on paper only\n`,
      );
    const ended = signals.ended();
    if (ended !== undefined) return ended.exit;
    return count("missed") > 0 ? "notReady" : count("impossible") > 0 ? "cannotTell" : "ready";
  } finally {
    output.done();
    try {
      if (attached !== undefined && "detach" in attached) await attached.detach();
    } finally {
      await server?.stop();
      signals.release();
    }
  }
}

async function proveOne(
  check: Check,
  attached: Extract<Awaited<ReturnType<typeof attach>>, { session: unknown }>,
  options: Parameters<typeof proveLive>[3],
): Promise<LiveProof[]> {
  const proof = await loadProof(check.id);
  const problems = proveOnPaper(proof);
  if (problems.length > 0)
    return problems.map((sentence) => ({ check: check.id, finding: "", fault: "", kind: "missed", sentence }));
  return await proveLive(proof, attached.session, attached.wire, options);
}

function line({ check, finding, fault, sentence }: LiveProof): string {
  return columns([[`${check} ${finding}`.trim(), [fault, sentence].filter((part) => part !== "").join(": ")]], {
    widths: [66, 2 + fault.length + sentence.length + 4],
  }).trimEnd();
}
