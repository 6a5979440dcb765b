/** `kalam-ready prove`: each check against its faults (green, red by name, green), on a given server or on the sandbox. */
import { loadProof } from "../../checks/index.ts";
import { touchesOrder, type Check } from "../check.ts";
import type { ExitName } from "../exit.ts";
import { columns } from "../formats/columns.ts";
import type { Plan } from "../plan.ts";
import type { Profile } from "../profile/effective.ts";
import type { Flags } from "../profile/settings.ts";
import { proveLive, proveOnPaper, type LiveProof } from "../proof.ts";
import { select } from "../selector.ts";
import { Recording } from "../session/recording.ts";
import { newRunId } from "../session/scratch.ts";
import { attach, type Attached } from "./attach.ts";
import { mustBeRunnable } from "./files.ts";
import type { Output } from "./output.ts";
import { planFor, prepare } from "./preparation.ts";
import { sandboxProgram, startSandbox } from "./sandbox.ts";
import { interruptible } from "./signals.ts";

const signs = { proven: "✔", missed: "✖", impossible: "?", onPaperOnly: "✔" } as const;
const says = { proven: "proven", missed: "MISSED", impossible: "not here", onPaperOnly: "on paper" } as const;

export async function prove(
  selectors: readonly string[],
  flags: Flags,
  environment: NodeJS.ProcessEnv,
): Promise<ExitName> {
  const { output, categories, ...prepared } = await prepare(flags, environment);
  const only = select(selectors.length === 0 ? categories.map((category) => category.id) : selectors, categories);
  const onSandbox = prepared.profile.url === undefined && prepared.profile.serverBin === undefined;
  mustBeRunnable(prepared.profile);
  const profile = {
    ...prepared.profile,
    only,
    // Everything on the sandbox may be touched, and it has a stand-in for kalam: proofs need no KalamDB.
    ...(onSandbox
      ? {
          kalamBin: prepared.profile.kalamBin ?? sandboxProgram("kalam-stand-in.js"),
          allow: touchesOrder,
          skip: new Map<string, string>(),
        }
      : {}),
  };
  const own = onSandbox || profile.serverBin !== undefined;
  const credentials = own ? undefined : await prepared.credentials();
  const options = {
    first: () => output.complain("interrupted: cleaning up; interrupt again to leave at once"),
    leaving: () => "left without cleaning up; kalam-ready cleanup removes what this run created",
  };
  return await interruptible(options, async ({ signal }) => {
    const server = onSandbox ? await startSandbox({ signal }) : undefined;
    try {
      const run = newRunId();
      const recording = new Recording();
      const attached = await attach({ profile, server, run, credentials, environment, output, recording, signal });
      if ("ended" in attached) {
        output.complain(attached.ended.sentence);
        return attached.ended.exit;
      }
      try {
        return await proveAll(planFor(profile, categories, { own, login: attached.session.login }), attached, {
          profile,
          signal,
          output,
          json: flags.json === true,
        });
      } finally {
        output.done();
        await attached.detach();
      }
    } finally {
      await server?.stop();
    }
  });
}

async function proveAll(
  { steps }: Plan,
  attached: Attached,
  options: {
    readonly profile: Profile;
    readonly signal: AbortSignal;
    readonly output: Output;
    readonly json: boolean;
  },
): Promise<ExitName> {
  const { profile, signal, output, json } = options;
  const proofs: LiveProof[] = [];
  for (const { check, disposition } of steps) {
    output.progress(check.id);
    const results =
      disposition.kind === "run"
        ? await proveOne(check, attached, { ...profile, seed: 1, keep: false, signal })
        : [{ check: check.id, finding: "", fault: "", kind: "impossible" as const, sentence: disposition.reason }];
    for (const result of results) {
      proofs.push(result);
      if (!json) output.line(`${signs[result.kind]} ${says[result.kind].padEnd(8)} ${line(result)}`);
    }
  }
  const count = (kind: LiveProof["kind"]): number => proofs.filter((one) => one.kind === kind).length;
  if (json) output.out(`${JSON.stringify(proofs, undefined, 2)}\n`);
  else
    output.out(
      `\n${count("proven")} proven, ${count("missed")} missed, ${count("impossible")} not provable here, ${count("onPaperOnly")} on paper only\n`,
    );
  return count("missed") > 0 ? "notReady" : count("impossible") > 0 ? "cannotTell" : "ready";
}

async function proveOne(
  check: Check,
  attached: Attached,
  options: Parameters<typeof proveLive>[3],
): Promise<LiveProof[]> {
  const proof = await loadProof(check.id);
  const problems = proveOnPaper(proof);
  if (problems.length > 0)
    return problems.map((sentence) => ({ check: check.id, finding: "", fault: "", kind: "missed", sentence }));
  return await proveLive([proof], attached.session, attached.wire, options);
}

function line({ check, finding, fault, sentence }: LiveProof): string {
  return columns([[`${check} ${finding}`.trim(), [fault, sentence].filter((part) => part !== "").join(": ")]], {
    widths: [66, 2 + fault.length + sentence.length + 4],
  }).trimEnd();
}
