/** `kalam-ready explain <id>`: everything about one check. Offline. */
import { loadCategories, loadProof } from "../../checks/index.ts";
import { findingOf, levelOf, needDescriptions, type Check, type Need } from "../check.ts";
import type { ExitName } from "../exit.ts";
import { didYouMean } from "../nearest.ts";
import { examples } from "../proof.ts";
import { UsageError } from "../profile/usage.ts";
import { Output, type OutputFlags } from "./output.ts";

export async function explain(id: string, flags: OutputFlags, environment: NodeJS.ProcessEnv): Promise<ExitName> {
  const output = new Output(flags, environment);
  const checks = (await loadCategories()).flatMap((category) => category.checks);
  // The name alone is enough if only one category has it.
  const found = checks.filter((check) => check.id === id || check.id.endsWith(`/${id}`));
  const [check] = found;
  if (check === undefined || found.length > 1) {
    const ids = checks.map((one) => one.id);
    throw new UsageError("unknownCheck", `no check is called ${JSON.stringify(id)}${didYouMean(id, ids)}`);
  }
  output.out(page(check, examples(await loadProof(check.id))));
  return "ready";
}

/** The flag that provides a need, if there is one. */
const needFlags: Readonly<Record<Need, string>> = {
  dba: "",
  "own-server": " --server-bin PATH",
  kalam: " --kalam-bin PATH",
};

/** `sentences`: an example for each finding, by its name. */
export function page(check: Check, sentences: Readonly<Record<string, string>>): string {
  const { observation } = check;
  const limits = Object.entries(check.limits);
  const sections: [string, string][] = [
    ["does", check.description],
    ["passes", `${check.title}.`],
    ["does not show", check.blindTo],
    ["risk", check.risk],
    ["remedy", check.remedy],
    ["touches", `${observation.touches}${observation.alone === true ? ", and runs alone" : ""}`],
    [
      "needs",
      (observation.needs ?? []).map((need) => needDescriptions[need]).join("; ") ||
        "only the server's address and a login",
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
