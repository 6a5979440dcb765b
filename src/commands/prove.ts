/** `kalam-ready prove`: each check against its faults (green, red by name, green), on a given server or on the sandbox. */
import { loadProof } from "../../checks/index.ts";
import { touchesOrder, type Check } from "../check.ts";
import type { ExitName } from "../exit.ts";
import { columns } from "../formats/columns.ts";
import { testsRates, type Plan } from "../plan.ts";
import type { Flags } from "../profile/settings.ts";
import { groupsOf, proveLive, proveOnPaper, type LiveProof } from "../proof.ts";
import { proveTroubled, troubleName } from "../faults/troubled.ts";
import { UsageError } from "../profile/usage.ts";
import { select } from "../selector.ts";
import { Recording } from "../session/recording.ts";
import { newRunId } from "../session/scratch.ts";
import { planAsking } from "./asking.ts";
import { attach, type Attached } from "./attach.ts";
import { mustBeRunnable } from "./files.ts";
import { proveGallery, selectFaults, type Proving } from "./prove-gallery.ts";
import { planFor, prepare } from "./preparation.ts";
import { sandboxProgram, startSandbox } from "./sandbox.ts";
import { interruptible } from "./signals.ts";

const signs = { proven: "✔", missed: "✖", impossible: "?", onPaperOnly: "✔" } as const;
const says = { proven: "proven", missed: "MISSED", impossible: "not here", onPaperOnly: "on paper" } as const;

export interface ProveFlags extends Flags {
  readonly trouble?: boolean;
  readonly gallery?: boolean;
  readonly quick?: boolean;
}

export async function prove(
  selectors: readonly string[],
  flags: ProveFlags,
  environment: NodeJS.ProcessEnv,
): Promise<ExitName> {
  const { output, categories, ...prepared } = await prepare(flags, environment);
  const members = flags.gallery === true ? selectFaults(selectors) : undefined;
  if (flags.quick === true && members === undefined)
    throw new UsageError("quickWithoutGallery", "--quick needs --gallery");
  const all = selectors.length === 0 || members !== undefined;
  const only = select(all ? categories.map((category) => category.id) : selectors, categories);
  const onSandbox = prepared.profile.url === undefined && prepared.profile.serverBin === undefined;
  mustBeRunnable(prepared.profile);
  const profile = {
    ...prepared.profile,
    only,
    // Everything on the sandbox may be touched, and it has stand-ins for kalam and for an older release: proofs need no KalamDB.
    ...(onSandbox
      ? {
          olderServerBin: sandboxProgram("kalam-sandbox-older.js"),
          kalamBin: prepared.profile.kalamBin ?? sandboxProgram("kalam-stand-in.js"),
          allow: touchesOrder,
          skip: new Map<string, string>(),
        }
      : {}),
  };
  const own = onSandbox || profile.serverBin !== undefined;
  const way = own ? undefined : prepared.way();
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
      const rates = testsRates(planFor(profile, categories, { own, way }));
      const parts = {
        profile,
        server,
        run,
        way,
        credentials,
        environment,
        output,
        recording,
        signal,
        testsRates: rates,
      };
      const attached = await attach(parts);
      if ("ended" in attached) {
        output.complain(attached.ended.sentence);
        return attached.ended.exit;
      }
      try {
        const plan = await planAsking(attached, { profile, categories, own, way, output, signal });
        const proving = { profile, signal, output, json: flags.json === true, trouble: flags.trouble === true };
        return members === undefined
          ? await proveAll(plan, attached, proving)
          : await proveGallery(members, plan, attached, { ...proving, quick: flags.quick === true });
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
  options: Proving & { readonly trouble: boolean },
): Promise<ExitName> {
  const { profile, signal, output, json, trouble } = options;
  const proofs: LiveProof[] = [];
  const tell = (results: readonly LiveProof[]): void => {
    for (const result of results) {
      proofs.push({ ...result, sentence: output.redactor.redact(result.sentence) });
      const shown = { ...result, sentence: output.oneLine(result.sentence) };
      if (!json) output.document(`${signs[result.kind]} ${says[result.kind].padEnd(8)} ${line(shown)}\n`);
    }
  };
  const how = { ...profile, seed: 1, keep: false, signal, leastMs: 3_000 };
  for (const { check, disposition } of steps) {
    output.progress(check.id);
    const results =
      disposition.kind === "run"
        ? await proveOne(check, attached, how)
        : [{ check: check.id, finding: "", fault: "", kind: "impossible" as const, sentence: disposition.reason }];
    tell(results);
    if (signal.aborted) break;
  }
  const troubled = trouble ? steps.filter(({ disposition }) => disposition.kind === "run") : [];
  for (const group of groupsOf(await Promise.all(troubled.map(async ({ check }) => await loadProof(check.id))))) {
    if (signal.aborted) break;
    output.progress(`${group[0]?.check.id ?? ""} ${troubleName}`);
    const results = await proveTroubled(group, attached.session, attached.wire, { ...how, troubles: "all" });
    if (!signal.aborted) tell(results);
  }
  const count = (kind: LiveProof["kind"]): number => proofs.filter((one) => one.kind === kind).length;
  if (json) output.document(`${JSON.stringify(proofs, undefined, 2)}\n`);
  else
    output.document(
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
