/** The repository's rules, enforced by tidy.test.ts. Pure functions of a file listing, so that they can be tested on a bad one. */
import type { Category } from "../src/check.ts";
import type { Proof } from "../src/proof.ts";

export interface Repository {
  /** The text of each source file, by its path from the root. */
  readonly files: ReadonlyMap<string, string>;
  readonly categories: readonly Category[];
  readonly proofs: readonly Proof[];
  /** Tests of the production plan that no check covers yet. */
  readonly notYetCovered: readonly string[];
}

/** KalamDB's production plan: 75 tests in eight categories. */
export const productionPlan: readonly string[] = Object.entries({
  CFG: 13,
  DUR: 6,
  CON: 6,
  BP: 7,
  VAL: 12,
  OBS: 10,
  SUB: 10,
  CLI: 11,
}).flatMap(([category, count]) =>
  Array.from({ length: count }, (_, at) => `${category}-${String(at + 1).padStart(2, "0")}`),
);

const titleMax = 64;
const linesMax = 350;
/** Files and folders in a folder. The largest category has 33 checks. */
const entriesMax = 36;
/** Names that say nothing about the content. */
const nondescript = /(^|\/)(utils?|helpers?|common|core|manager|misc)(\/|\.ts$)/;

/** Every violation of a rule. */
export function violations(repository: Repository): string[] {
  return [
    ...checksAreListed(repository),
    ...checksAreProven(repository),
    ...textsNameExistingChecks(repository),
    ...planIsCovered(repository),
    ...importsAreAllowed(repository),
    ...foldersAreSmall(repository),
    ...noTestIsDisabled(repository),
    ...textsAreTruncatedWithASign(repository),
  ];
}

/** `checks/category/check/index.ts`. Checks of one kind may share a folder: `checks/category/kind/check/index.ts`. */
const ofCheck = /^checks\/([^/]+)\/(?:[^/]+\/)?([^/]+)\/(index|proof)\.ts$/;

function hasFile(files: Repository["files"], id: string, name: "index" | "proof"): boolean {
  return [...files.keys()].some((file) => file.replace(ofCheck, "$1/$2 $3") === `${id} ${name}`);
}

function checksAreListed({ files, categories }: Repository): string[] {
  const ids = categories.flatMap((category) => category.checks.map((check) => check.id));
  const problems = ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `${id} is listed twice`);
  for (const { id: category, checks } of categories) {
    for (const { id, title, failureTitle } of checks) {
      for (const text of [title, failureTitle])
        if (text.length > titleMax) problems.push(`${id}: "${text}" is longer than ${titleMax} characters`);
      if (!id.startsWith(`${category}/`)) problems.push(`${id} is listed in the category ${category}`);
      if (!hasFile(files, id, "index")) problems.push(`${id} has no file checks/${id}/index.ts`);
    }
  }
  for (const [file, text] of files) {
    const id = /^checks\/(.+?)(\/index)?\.ts$/.exec(file.replace(ofCheck, "checks/$1/$2/$3.ts"))?.[1];
    if (id !== undefined && !file.endsWith(".test.ts") && /\bdefineCheck(Of)?\(/.test(text) && !ids.includes(id))
      problems.push(`${file} defines a check that no category lists`);
  }
  return problems;
}

function checksAreProven({ files, categories, proofs }: Repository): string[] {
  const problems: string[] = [];
  for (const check of categories.flatMap((category) => category.checks)) {
    const proof = proofs.find((one) => one.check === check);
    if (proof === undefined) problems.push(`${check.id} has no proof`);
    else if (!hasFile(files, check.id, "proof")) problems.push(`${check.id} has no file checks/${check.id}/proof.ts`);
    for (const name of Object.keys(check.findings)) {
      if (proof !== undefined && proof.breaks[name] === undefined)
        problems.push(`${check.id} has no proof for the finding ${name}`);
    }
  }
  return problems;
}

const categoryNames =
  "configuration|durability|concurrency|backpressure|validation|observability|subscriptions|cli|security|performance|cluster";
/** A check's id, or its name without the category: at least three hyphenated words. */
const namesACheck = new RegExp(`\\b(?:(?:${categoryNames})/[a-z]+(?:-[a-z]+)*|[a-z]+(?:-[a-z]+){2,})\\b`, "g");
/** Hyphenated English that is not a check's name. */
const compounds = new Set(["end-to-end", "day-to-day", "check-then-act"]);

/** Texts that refer to other checks must refer to existing ones. */
function textsNameExistingChecks({ categories }: Repository): string[] {
  const checks = categories.flatMap((category) => category.checks);
  const known = new Set(checks.flatMap(({ id }) => [id, id.slice(id.indexOf("/") + 1)]));
  return checks.flatMap(({ id, findings, ...check }) => {
    const { title, failureTitle, description, blindTo, risk, remedy } = check;
    const ofFindings = Object.values(findings).flatMap((finding) => [finding.risk ?? "", finding.remedy ?? ""]);
    const texts = [title, failureTitle, description, blindTo, risk, remedy, ...ofFindings].join("\n");
    return [...texts.matchAll(namesACheck)]
      .map(([name]) => name)
      .filter((name) => !known.has(name) && !compounds.has(name))
      .map((name) => `${id}: a text names ${name}, which is not a check`);
  });
}

function planIsCovered({ categories, notYetCovered }: Repository): string[] {
  const covered = new Set(categories.flatMap((category) => category.checks.flatMap((check) => check.covers)));
  return [
    ...[...covered]
      .filter((id) => !productionPlan.includes(id))
      .map((id) => `${id} is not a test of the production plan`),
    ...productionPlan
      .filter((id) => !covered.has(id) && !notYetCovered.includes(id))
      .map((id) => `${id} is neither covered nor listed as not yet covered`),
    ...notYetCovered
      .filter((id) => covered.has(id) || !productionPlan.includes(id))
      .map((id) => `${id} is covered or unknown: remove it from the list of tests not yet covered`),
  ];
}

/** Allowed imports: the first pattern that matches the importing file applies. */
const allowed: readonly { readonly file: RegExp; readonly from: RegExp; readonly rule: string }[] = [
  {
    file: /^checks\/.*\/proof\.ts$/,
    from: /^(checks\/|src\/(check|proof|wire|server|history|faults)\b)/,
    rule: "a proof may import only checks, faults and what they need",
  },
  {
    file: /^checks\/([^/]+\/)?index\.ts$/,
    from: /^(checks\/|src\/(category|proof)\.ts)/,
    rule: "a list of checks may import only checks",
  },
  { file: /^checks\/.*\.test\.ts$/, from: /./, rule: "" },
  {
    file: /^checks\//,
    from: /^(checks\/|src\/(check\.ts|server\/|history\/|wire\/(json|control|kalam)\.ts))/,
    rule: "a check may import only checks, src/check.ts, src/server, src/history and the types of src/wire",
  },
  { file: /^src\/.*\.test\.ts$/, from: /./, rule: "" },
  {
    file: /^sandbox\/.*\.test\.ts$/,
    from: /^(sandbox\/|test\/sandbox\.ts|src\/control\/)/,
    rule: "the sandbox may import only itself",
  },
  { file: /^sandbox\//, from: /^sandbox\//, rule: "the sandbox may import only itself" },
  {
    file: /^src\/commands\//,
    from: /^(checks\/index\.ts|src\/)/,
    rule: "commands may import checks only through checks/index.ts, and never the sandbox",
  },
  {
    file: /^src\//,
    from: /^src\/(?!commands\/)/,
    rule: "only commands may import checks, and nothing may import the sandbox",
  },
];

function importsAreAllowed({ files }: Repository): string[] {
  const problems: string[] = [];
  for (const [file, text] of files) {
    const entry = allowed.find((one) => one.file.test(file));
    if (entry === undefined || file === "src/cli.ts") continue;
    for (const [, specifier = ""] of text.matchAll(/\bfrom "(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/g)) {
      const from = resolve(file, specifier);
      if (specifier !== "" && !entry.from.test(from)) problems.push(`${file} imports ${from}: ${entry.rule}`);
    }
  }
  return problems;
}

function resolve(file: string, specifier: string): string {
  const parts = file.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

function foldersAreSmall({ files }: Repository): string[] {
  const problems: string[] = [];
  const entries = new Map<string, Set<string>>();
  for (const [file, text] of files) {
    if (nondescript.test(file)) problems.push(`${file}: the name says nothing about the content`);
    const lines = text.split("\n").length;
    if (!file.endsWith(".test.ts") && lines > linesMax)
      problems.push(`${file} has ${lines} lines, more than ${linesMax}: move one of its concepts to a file of its own`);
    const parts = file.split("/");
    for (let depth = 1; depth < parts.length; depth += 1) {
      const folder = parts.slice(0, depth).join("/");
      entries.set(folder, (entries.get(folder) ?? new Set()).add(parts[depth] ?? ""));
    }
  }
  for (const [folder, names] of entries)
    if (names.size > entriesMax) problems.push(`${folder} has ${names.size} entries, more than ${entriesMax}`);
  return problems;
}

function noTestIsDisabled({ files }: Repository): string[] {
  return [...files]
    .filter(
      ([file, text]) => file.endsWith(".test.ts") && /\b(it|test|describe)\.(only|skip|todo|skipIf|runIf)\b/.test(text),
    )
    .map(([file]) => `${file} disables a test (only, skip, todo or a condition)`);
}

/** A text, and no list, by its length or by the name of the limit. */
const cutText = /\.(?:slice|substring|substr)\(0, (?:[1-9]\d{2}|[6-9]\d\b|\d+_|\w*(?:text|message|output)\w*\))/i;

/**
 * A text of a server may end within a secret. The redactor masks what is left of the secret, but only where it sees that the
 * text was truncated.
 */
function textsAreTruncatedWithASign({ files }: Repository): string[] {
  return [...files]
    .filter(([file]) => /^(src|checks)\//.test(file) && !/(\.test|\/proof|\/printable)\.ts$/.test(file))
    .flatMap(([file, text]) => {
      const cut = text.split("\n").find((line) => cutText.test(line));
      return cut === undefined ? [] : [`${file} cuts a text without a sign of it; use truncated: ${cut.trim()}`];
    });
}
