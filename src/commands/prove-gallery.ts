/** `kalam-ready prove --gallery`: the checks against each fault of the gallery, and the table of what was found. */
import type { ExitName } from "../exit.ts";
import { gallery, type Member } from "../faults/gallery.ts";
import { columns } from "../formats/columns.ts";
import { tryGallery, type Tried } from "../faults/gallery-run.ts";
import { didYouMean } from "../nearest.ts";
import type { Plan } from "../plan.ts";
import type { Profile } from "../profile/effective.ts";
import { UsageError } from "../profile/usage.ts";
import type { Attached } from "./attach.ts";
import type { Output } from "./output.ts";

export interface Proving {
  readonly profile: Profile;
  readonly signal: AbortSignal;
  readonly output: Output;
  readonly json: boolean;
}

/** The faults of these names, or all of them. Throws UsageError. */
export function selectFaults(names: readonly string[]): readonly Member[] {
  const known = gallery.map(({ fault }) => fault.name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new UsageError(
      "unknownFault",
      `unknown fault ${JSON.stringify(unknown)}; expected a name from the table in PROOFS.md${didYouMean(unknown, known)}`,
    );
  return names.length === 0 ? gallery : gallery.filter(({ fault }) => names.includes(fault.name));
}

const signs = { found: "✔", missed: "✖", unjudged: "?" } as const;
const says = { found: "found", missed: "MISSED", unjudged: "not here" } as const;

export async function proveGallery(
  members: readonly Member[],
  { steps }: Plan,
  attached: Attached,
  { profile, signal, output, json, quick }: Proving & { readonly quick: boolean },
): Promise<ExitName> {
  const runnable = steps.filter(({ disposition }) => disposition.kind === "run");
  const attempt = async (some: readonly Member[], atOnce: number): Promise<Tried[]> =>
    await tryGallery(some, runnable, attached.session, attached.wire, {
      ...profile,
      seed: 1,
      keep: false,
      signal,
      quick,
      atOnce,
      onBegin: (name) => output.progress(name),
      onTried: (one) => {
        if (!json) output.line(line(one));
      },
    });
  const first = await attempt(members, profile.parallel);
  const notFound = new Set(first.filter(({ kind }) => kind !== "found").map(({ fault }) => fault));
  // Beside others a check may see too little: what was not found has one more try, alone, and the table says so.
  const again = notFound.size === 0 ? [] : await attempt(selectFaults([...notFound]), 1);
  const tried = first.map((one) => {
    const second = again.find(({ fault }) => fault === one.fault);
    return second === undefined ? one : { ...second, sentence: `second try, alone: ${second.sentence}` };
  });
  const count = (kind: Tried["kind"]): number => tried.filter((one) => one.kind === kind).length;
  if (json)
    output.document(
      `${JSON.stringify(
        tried.map((one) => ({ ...one, sentence: output.redactor.redact(one.sentence) })),
        undefined,
        2,
      )}\n`,
    );
  else output.document(`\n${count("found")} found, ${count("missed")} missed, ${count("unjudged")} not judged here\n`);
  if (count("missed") > 0) return "notReady";
  return count("unjudged") > 0 || tried.length < members.length ? "cannotTell" : "ready";
}

function line({ kind, topic, fault, sentence }: Tried): string {
  const row = columns([[`${topic.padEnd(9)} ${fault}`, sentence]], { widths: [44, sentence.length + 4] });
  return `${signs[kind]} ${says[kind].padEnd(8)} ${row.trimEnd()}`;
}
