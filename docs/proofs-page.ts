/** PROOFS.md: for each finding the fault that proves it, and the gallery with what was measured of it. */
import type { ProvenCategory } from "../src/category.ts";
import { gallery } from "../src/faults/gallery.ts";
import type { Proof } from "../src/proof.ts";

/** `docs/gallery.json`: what `npm run measure:gallery` saw. */
export interface Measured {
  readonly date: string;
  readonly versions: { readonly "kalam-ready": string; readonly node: string; readonly server: string };
  readonly effort: string;
  /** By fault: how often it was tried and found, and the findings that fit and came. */
  readonly faults: {
    readonly [fault: string]: {
      readonly tries: number;
      readonly found: number;
      readonly findings: readonly string[];
    };
  };
}

export function proofsPage(
  categories: readonly ProvenCategory[],
  proofs: readonly Proof[],
  measured: Measured,
): string {
  const { date, versions, effort } = measured;
  return `<!-- Made by npm run generate from the proofs, the gallery and docs/gallery.json. -->

# Proofs

Each finding has a fault that makes a healthy server fail with that finding. \`npm test\` proves each of them at effort light with every change: green, red by its name, green again.
\`kalam-ready prove\` does the same on any server.

## The gallery

${gallery.length} faults of a server, as an enemy would think of them. They go by the shape of statements and frames, not by what a check calls its tables.
\`kalam-ready prove --gallery\` runs all checks against each, which must be NOT READY with a finding that fits; with \`--quick\` only the checks that should find it run.

Measured on ${date} at effort ${effort} with \`--quick\`: kalam-ready ${versions["kalam-ready"]}, ${versions.server}, Node.js ${versions.node}.
The last column says in how many of the tries a finding that fits came.

| topic | fault | what the server does | found by | tries |
| --- | --- | --- | --- | --- |
${galleryRows(measured)}

## The findings

${categories.map((category) => categorySection(category, proofs)).join("\n")}`;
}

function galleryRows({ faults }: Measured): string {
  return gallery
    .map(({ topic, does, fits, fault }) => {
      const seen = faults[fault.name];
      const by = (seen === undefined || seen.findings.length === 0 ? fits : seen.findings).map((one) => `\`${one}\``);
      const tries = seen === undefined ? "not measured" : `${seen.found} of ${seen.tries}`;
      return `| ${topic} | \`${fault.name}\` | ${inCell(does)} | ${by.join(", ")} | ${tries} |`;
    })
    .join("\n");
}

function categorySection({ id, checks }: ProvenCategory, proofs: readonly Proof[]): string {
  const rows = checks.flatMap((check) => {
    const { breaks = {} } = proofs.find((proof) => proof.check === check) ?? {};
    return Object.entries(breaks).map(([finding, broken]) => {
      const how = "fault" in broken ? `\`${broken.fault.name}\`` : `on paper only: ${inCell(broken.onPaperOnly)}`;
      const name = check.id.slice(check.id.indexOf("/") + 1);
      return `| ${name} | \`${finding}\` | ${how} |`;
    });
  });
  return `### ${id}\n\n| check | finding | fault |\n| --- | --- | --- |\n${rows.join("\n")}\n`;
}

function inCell(text: string): string {
  return text.replaceAll("|", "\\|");
}
