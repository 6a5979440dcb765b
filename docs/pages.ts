/** The generated pages as text, by file name; nothing is written, so that a test can compare them with the committed files. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { loadCategories, loadProofs } from "../checks/index.ts";
import type { ProvenCategory } from "../src/category.ts";
import { levelOf, type Check } from "../src/check.ts";
import { needDescriptions } from "../src/needs.ts";
import { exits } from "../src/exit.ts";
import { explainedSchema } from "../src/formats/explained.ts";
import { reportSchema } from "../src/formats/report-schema.ts";
import { profileSchemaText } from "../src/profile/keys.ts";
import { defaultOf, settings, type Setting } from "../src/profile/settings.ts";
import {
  fieldNames,
  fieldWords,
  knownVersions,
  probedNames,
  verifiedOn,
  type FieldName,
  type KnownVersion,
} from "../src/server/facts.ts";
import { packageFolder } from "../src/package.ts";
import { conclusions, examples, type Conclusions } from "../src/proof.ts";
import { proofsPage, type Measured } from "./proofs-page.ts";

/** Tests in KalamDB's production plan: VAL-01 to VAL-12, CFG-01 to CFG-13 and so on. */
const plannedTests = 75;

export async function generatedPages(readme: string): Promise<Record<string, string>> {
  const categories = await loadCategories();
  const proofs = await loadProofs();
  const sentences = new Map(
    proofs.map((proof) => [proof.check, { ...conclusions(proof), findings: examples(proof) }] as const),
  );
  const nothing: Sentences = { pass: [], unknown: [], findings: {} };
  const sections = categories.map(
    ({ id, promise, checks }) =>
      `## ${id}\n\n${promise}\n\n${checks.map((check) => checkSection(check, sentences.get(check) ?? nothing)).join("\n")}`,
  );
  return {
    "docs/checks.md": `<!-- Made by npm run generate from the checks themselves. -->\n\n# The checks\n\n${sections.join("\n")}`,
    "PROOFS.md": proofsPage(categories, proofs, JSON.parse(measuredText()) as Measured),
    "schemas/profile.schema.json": profileSchemaText(categories),
    "schemas/explain.schema.json": `${JSON.stringify(explainedSchema, undefined, 2)}\n`,
    "schemas/report.schema.json": `${JSON.stringify(reportSchema, undefined, 2)}\n`,
    "README.md": [
      ["exit codes", exitTable()] as const,
      ["settings", settingsTable()] as const,
      ["categories", categoryTable(categories)] as const,
      ["versions", versionsTable()] as const,
    ].reduce((text, [name, inner]) => between(text, name, inner), readme),
  };
}

/** Where versions differ, and from where kalam-ready knows it. */
function versionsTable(): string {
  const cell = (fact: KnownVersion["facts"][FieldName]): string => {
    if (fact === undefined) return "not known";
    const value = Array.isArray(fact.value) ? fact.value.join(", ") || "those of 0.4.3" : String(fact.value);
    return fact.from === "seen" ? value : `${value} (${fact.from})`;
  };
  const rows = fieldNames.map((name) => {
    const known = knownVersions.map(({ facts }) => cell(facts[name]));
    const others = (probedNames as readonly FieldName[]).includes(name) ? "probed" : "not known";
    return [fieldWords[name], ...known, others];
  });
  const how = knownVersions.map(({ facts }) =>
    fieldNames.some((name) => facts[name]?.from === "seen")
      ? `on ${verifiedOn}, a real server`
      : "by documentation and published types, never on a server",
  );
  return [
    ["", ...knownVersions.map(({ name }) => name), "other versions"],
    Array.from({ length: knownVersions.length + 2 }, () => "---"),
    ["checks verified", ...how, "no"],
    ...rows,
  ]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

function measuredText(): string {
  return readFileSync(path.join(packageFolder, "docs", "gallery.json"), "utf8");
}

interface Sentences extends Conclusions {
  /** An example for each finding, by its name. */
  readonly findings: Readonly<Record<string, string>>;
}

function checkSection(check: Check, sentences: Sentences): string {
  const { observation } = check;
  const findings = Object.keys(check.findings).map(
    (name) =>
      `  - \`${name}\`${levelOf(check, name) === "warn" ? " (warn)" : ""}: ${escaped(sentences.findings[name] ?? "")}`,
  );
  const items = (of: readonly string[]): string[] => of.map((sentence) => `  - ${escaped(sentence)}`);
  const limits = Object.entries(check.limits).map(([name, value]) => `\`${name}\` ${value}`);
  const facts = [
    `touches ${observation.touches}`,
    ...(observation.needs === undefined
      ? []
      : [`needs ${observation.needs.map((need) => needDescriptions[need]).join(" and ")}`]),
    ...(check.covers.length === 0 ? [] : [`covers ${check.covers.join(", ")} of the production plan`]),
    `about ${observation.estimateRequests} requests`,
  ];
  const lines = [
    `### ${check.id}`,
    "",
    `**${check.title}.** ${check.description}`,
    "",
    "- Findings, each with an example:",
    ...findings,
    "- Passes, for example:",
    ...items(sentences.pass),
    "- Unknown, for example:",
    ...items(sentences.unknown),
    ...(limits.length === 0 ? [] : [`- Limits: ${limits.join(", ")}`]),
    `- Does not show: ${check.blindTo}`,
    `- Risk: ${check.risk}`,
    `- Remedy: ${check.remedy}`,
    `- ${facts.join("; ")}`,
    "",
  ];
  return lines.join("\n");
}

/** Text from a server may look like Markdown or HTML. */
function escaped(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\\`*_<>[\]|]/g, (character) => `\\${character}`);
}

function categoryTable(categories: readonly ProvenCategory[]): string {
  const planned = new Set(categories.flatMap(({ checks }) => checks.flatMap(({ covers }) => covers)));
  const rows = categories.map(({ id, promise, checks }) => `| \`${id}\` | ${checks.length} | ${promise} |`);
  const count = categories.reduce((sum, { checks }) => sum + checks.length, 0);
  return (
    `| category | checks | promise |\n| --- | --- | --- |\n${rows.join("\n")}\n\n` +
    `The ${count} checks cover ${planned.size} of the ${plannedTests} tests in KalamDB's production plan, and more that the plan does not name.`
  );
}

function exitTable(): string {
  const rows = Object.values(exits).map(({ code, says, means }) => `| ${code} | ${says} | ${means} |`);
  return `| exit | says | means |\n| --- | --- | --- |\n${rows.join("\n")}`;
}

function settingsTable(): string {
  const code = (text: string | undefined): string => (text === undefined ? "" : `\`${text.replaceAll("|", "\\|")}\``);
  const rows = Object.values(settings).map((setting: Setting) => {
    const cells = [
      code(setting.flag),
      code(setting.variable),
      code(setting.key),
      defaultOf(setting) ?? "",
      setting.about,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return `| flag | environment | profile | default | meaning |\n| --- | --- | --- | --- | --- |\n${rows.join("\n")}`;
}

/** Replaces the text between `<!-- name -->` and `<!-- /name -->`. Throws if the markers are missing. */
function between(text: string, name: string, inner: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(open), text.indexOf(close)];
  if (from === -1 || to < from) throw new Error(`README.md has no ${open} … ${close}`);
  return `${text.slice(0, from + open.length)}\n${inner}\n${text.slice(to)}`;
}
