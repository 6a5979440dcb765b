/** `kalam-ready explain <selector>`: everything about a check, or about each of several. Offline. */
import { loadCategories, loadProof } from "../../checks/index.ts";
import { findingOf, levelOf, type Check, type Observation } from "../check.ts";
import { needDescriptions, type Need } from "../needs.ts";
import type { ExitName } from "../exit.ts";
import type { ExplainedCheck } from "../formats/explained.ts";
import { examples } from "../proof.ts";
import { select } from "../selector.ts";
import { Output, type OutputFlags } from "./output.ts";

/** `sentences`: an example for each finding, by its name. */
type Sentences = Readonly<Record<string, string>>;

export async function explain(
  selector: string,
  flags: OutputFlags & { json?: boolean },
  environment: NodeJS.ProcessEnv,
): Promise<ExitName> {
  const output = new Output(flags, environment);
  const categories = await loadCategories();
  const ids = select([selector], categories);
  const checks = categories.flatMap((category) => category.checks).filter(({ id }) => ids.has(id));
  const sentences = await Promise.all(checks.map(async ({ id }) => examples(await loadProof(id))));
  const each = <T>(make: (check: Check, own: Sentences) => T): T[] =>
    checks.map((check, at) => make(check, sentences[at] ?? {}));
  if (flags.json === true) output.document(`${JSON.stringify(each(explained), undefined, 2)}\n`);
  else output.document(each(page).join("\n"));
  return "ready";
}

export function explained(check: Check, sentences: Sentences): ExplainedCheck {
  const { id, title, failureTitle, description, blindTo, risk, remedy, level, limits, covers, observation } = check;
  const { touches, needs = [], alone = false, estimateMs, estimateRequests } = observation;
  const findings = Object.entries(check.findings).map(([name, finding]) => ({
    name,
    level: levelOf(check, name),
    example: sentences[name] ?? "",
    risk: finding.risk ?? risk,
    remedy: finding.remedy ?? remedy,
    timed: finding.timed !== undefined,
  }));
  const text = { id, title, failureTitle, description, blindTo, risk, remedy };
  return { ...text, level, touches, needs, alone, estimateMs, estimateRequests, limits, findings, covers };
}

/** The flag that provides a need, if there is one. */
const needFlags: Readonly<Record<Need, string>> = {
  dba: "",
  "own-server": " --server-bin PATH",
  "older-server": " --older-server-bin PATH",
  trace: "",
  kalam: " --kalam-bin PATH",
  postgres: "",
  control: " --server-bin PATH",
};

export function page(check: Check, sentences: Sentences): string {
  const { observation } = check;
  const limits = Object.entries(check.limits);
  const sections: [string, string][] = [
    ["does", check.description],
    ["passes", `${check.title}.`],
    ["does not show", check.blindTo],
    ["risk", check.risk],
    ["remedy", check.remedy],
    ["touches", `${observation.touches}${aloneOf(observation)}`],
    [
      "needs",
      (observation.needs ?? []).map((need) => needDescriptions[need]).join("; ") ||
        (observation.login === "none" ? "only the server's address" : "only the server's address and a login"),
    ],
    ["sends", `about ${observation.estimateRequests} requests in ${(observation.estimateMs / 1000).toFixed(1)} s`],
    ["level", check.level],
    ["limits", limits.map(([name, value]) => `${name}: ${value}`).join("\n") || "none"],
    [
      "findings",
      Object.keys(check.findings)
        .flatMap((name) => findingLines(check, name, sentences[name] ?? ""))
        .join("\n"),
    ],
    ["covers", check.covers.join(", ") || "none of the production plan's tests; this check is additional"],
    [
      "run",
      `kalam-ready check --only ${check.id}${observation.touches === "nothing" || observation.touches === "scratch" ? "" : ` --allow ${observation.touches}`}${(observation.needs ?? []).map((need) => needFlags[need]).join("")}`,
    ],
    ["proof", `kalam-ready prove ${check.id}`],
  ];
  return `${check.id}\n\n${sections.map(([name, text]) => section(name, text)).join("\n")}\n`;
}

function aloneOf({ alone, first }: Observation): string {
  if (alone !== true) return "";
  return first === true ? ", and runs alone before the others" : ", and runs alone";
}

/** The finding with its example, and with its own level, risk and remedy if it has them. */
function findingLines(check: Check, name: string, example: string): string[] {
  const { risk, remedy } = findingOf(check, name) ?? {};
  const level = levelOf(check, name);
  return [
    `${name}${level === check.level ? "" : ` (${level})`}: ${example}`,
    ...(risk === undefined ? [] : [`  risk: ${risk}`]),
    ...(remedy === undefined ? [] : [`  remedy: ${remedy}`]),
  ];
}

const textWidth = 96;
const nameWidth = 15;

function section(name: string, text: string): string {
  const lines = text.split("\n").flatMap((paragraph) => wrap(paragraph, textWidth));
  return lines.map((line, at) => `${(at === 0 ? name : "").padEnd(nameWidth)}${line}`).join("\n");
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
