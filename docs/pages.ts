/** The generated pages as text, by file name. Pure, so that a test can compare them with the committed files. */
import { loadCategories, loadProofs } from "../checks/index.ts";
import { levelOf, needDescriptions, type Check } from "../src/check.ts";
import { exits } from "../src/exit.ts";
import { reportSchema } from "../src/formats/report-schema.ts";
import { profileSchemaText } from "../src/profile/keys.ts";
import { defaultOf, settings, type Setting } from "../src/profile/settings.ts";
import { examples } from "../src/proof.ts";

export async function generatedPages(readme: string): Promise<Record<string, string>> {
  const categories = await loadCategories();
  const sentences = new Map((await loadProofs()).map((proof) => [proof.check, examples(proof)] as const));
  const sections = categories.map(
    ({ id, promise, checks }) =>
      `## ${id}\n\n${promise}\n\n${checks.map((check) => checkSection(check, sentences.get(check) ?? {})).join("\n")}`,
  );
  return {
    "docs/checks.md": `<!-- Made by npm run generate from the checks themselves. -->\n\n# The checks\n\n${sections.join("\n")}`,
    "schemas/profile.schema.json": profileSchemaText(categories),
    "schemas/report.schema.json": `${JSON.stringify(reportSchema, undefined, 2)}\n`,
    "README.md": between(between(readme, "exit codes", exitTable()), "settings", settingsTable()),
  };
}

/** `sentences`: an example for each finding, by its name. */
function checkSection(check: Check, sentences: Readonly<Record<string, string>>): string {
  const { observation } = check;
  const findings = Object.keys(check.findings).map(
    (name) => `  - \`${name}\`${levelOf(check, name) === "warn" ? " (warn)" : ""}: ${escaped(sentences[name] ?? "")}`,
  );
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
