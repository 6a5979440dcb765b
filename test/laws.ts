/** The laws that a reader would otherwise have to remember. Pure, over a listing of the repository, so that they can be tried on an untidy one. */
import type { Category } from "../src/check.ts";
import type { Proof } from "../src/proof.ts";

export interface Tree {
  /** Text of each source file, by its path from the root. */
  readonly files: ReadonlyMap<string, string>;
  readonly categories: readonly Category[];
  readonly proofs: readonly Proof[];
  /** Tests of the production plan that no check stands for yet. */
  readonly toCome: readonly string[];
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
/** Everything that stands in a folder: files, tests, proofs, folders. The largest category has 26 checks. */
const entriesMax = 32;
/** Names under which anything can hide. */
const nondescript = /(^|\/)(utils?|helpers?|common|core|manager|misc)(\/|\.ts$)/;

/** What is untidy; empty if nothing is. */
export function untidy(tree: Tree): string[] {
  return [
    ...checksAreListed(tree),
    ...checksAreProven(tree),
    ...textsNameWhatIsThere(tree),
    ...planIsCovered(tree),
    ...importsAreAllowed(tree),
    ...roomsAreSmall(tree),
    ...testsRun(tree),
  ];
}

function checksAreListed({ files, categories }: Tree): string[] {
  const ids = categories.flatMap((category) => category.checks.map((check) => check.id));
  const problems = ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `${id} is there twice`);
  for (const { id: category, checks } of categories) {
    for (const { id, title, failureTitle } of checks) {
      for (const text of [title, failureTitle])
        if (text.length > titleMax) problems.push(`${id}: "${text}" is too long for a row of the table`);
      if (!id.startsWith(`${category}/`)) problems.push(`${id} stands in the category ${category}`);
      if (!files.has(`checks/${id}/index.ts`)) problems.push(`${id} has no file checks/${id}/index.ts`);
    }
  }
  for (const [file, text] of files) {
    const id = /^checks\/(.+?)(\/index)?\.ts$/.exec(file)?.[1];
    if (id !== undefined && !file.endsWith(".test.ts") && /\bdefineCheck(Of)?\(/.test(text) && !ids.includes(id))
      problems.push(`${file} defines a check that is in no category`);
  }
  return problems;
}

function checksAreProven({ files, categories, proofs }: Tree): string[] {
  const problems: string[] = [];
  for (const check of categories.flatMap((category) => category.checks)) {
    const proof = proofs.find((one) => one.check === check);
    if (proof === undefined) problems.push(`${check.id} has no proof`);
    else if (!files.has(`checks/${check.id}/proof.ts`))
      problems.push(`the proof of ${check.id} does not stand beside it`);
    for (const name of Object.keys(check.findings)) {
      if (proof !== undefined && proof.breaks[name] === undefined) problems.push(`${check.id} has no proof of ${name}`);
    }
  }
  return problems;
}

const categoryNames =
  "configuration|durability|concurrency|backpressure|validation|observability|subscriptions|cli|security|performance|cluster";
/** A check's id, or what can only be a check's name: three words or more with hyphens between them. */
const namesACheck = new RegExp(`\\b(?:(?:${categoryNames})/[a-z]+(?:-[a-z]+)*|[a-z]+(?:-[a-z]+){2,})\\b`, "g");
/** English that looks like a name. */
const compounds = new Set(["end-to-end", "day-to-day", "check-then-act"]);

/** A text that sends its reader to a check must not send him to one that does not exist. */
function textsNameWhatIsThere({ categories }: Tree): string[] {
  const checks = categories.flatMap((category) => category.checks);
  const known = new Set(checks.flatMap(({ id }) => [id, id.slice(id.indexOf("/") + 1)]));
  return checks.flatMap(({ id, findings, ...check }) => {
    const { title, failureTitle, description, blindTo, risk, remedy } = check;
    const ofFindings = Object.values(findings).flatMap((finding) => [finding.risk ?? "", finding.remedy ?? ""]);
    const texts = [title, failureTitle, description, blindTo, risk, remedy, ...ofFindings].join("\n");
    return [...texts.matchAll(namesACheck)]
      .map(([name]) => name)
      .filter((name) => !known.has(name) && !compounds.has(name))
      .map((name) => `${id}: a text names ${name}, which is no check`);
  });
}

function planIsCovered({ categories, toCome }: Tree): string[] {
  const covered = new Set(categories.flatMap((category) => category.checks.flatMap((check) => check.covers)));
  return [
    ...[...covered].filter((id) => !productionPlan.includes(id)).map((id) => `${id} is no test of the production plan`),
    ...productionPlan
      .filter((id) => !covered.has(id) && !toCome.includes(id))
      .map((id) => `${id} is neither covered nor still to come`),
    ...toCome
      .filter((id) => covered.has(id) || !productionPlan.includes(id))
      .map((id) => `${id} is not to come any more: take it off the list`),
  ];
}

/** Who may import from where: the first pattern that matches the file decides. */
const allowed: readonly { readonly file: RegExp; readonly from: RegExp; readonly law: string }[] = [
  {
    file: /^checks\/.*\/proof\.ts$/,
    from: /^(checks\/|src\/(check|proof|wire|server|history|faults)\b)/,
    law: "a proof imports checks and faults",
  },
  {
    file: /^checks\/([^/]+\/)?index\.ts$/,
    from: /^(checks\/|src\/(category|proof)\.ts)/,
    law: "a list of checks imports checks",
  },
  { file: /^checks\/.*\.test\.ts$/, from: /./, law: "" },
  {
    file: /^checks\//,
    from: /^(checks\/|src\/(check\.ts|server\/|history\/|wire\/(json|control|kalam)\.ts))/,
    law: "a check imports src/check.ts, src/server, src/history",
  },
  { file: /^src\/.*\.test\.ts$/, from: /./, law: "" },
  {
    file: /^sandbox\/.*\.test\.ts$/,
    from: /^(sandbox\/|test\/sandbox\.ts|src\/control\/)/,
    law: "the sandbox stands alone",
  },
  { file: /^sandbox\//, from: /^sandbox\//, law: "the sandbox stands alone" },
  {
    file: /^src\/commands\//,
    from: /^(checks\/index\.ts|src\/)/,
    law: "commands import checks through checks/index.ts, and never the sandbox",
  },
  {
    file: /^src\//,
    from: /^src\/(?!commands\/)/,
    law: "only commands import checks, and nobody the sandbox",
  },
];

function importsAreAllowed({ files }: Tree): string[] {
  const problems: string[] = [];
  for (const [file, text] of files) {
    const law = allowed.find((one) => one.file.test(file));
    if (law === undefined || file === "src/cli.ts") continue;
    for (const [, specifier = ""] of text.matchAll(/\bfrom "(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/g)) {
      const from = resolve(file, specifier);
      if (specifier !== "" && !law.from.test(from)) problems.push(`${file} imports ${from}: ${law.law}`);
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

function roomsAreSmall({ files }: Tree): string[] {
  const problems: string[] = [];
  const entries = new Map<string, Set<string>>();
  for (const [file, text] of files) {
    if (nondescript.test(file)) problems.push(`${file}: this name says nothing of what is in it`);
    const lines = text.split("\n").length;
    if (!file.endsWith(".test.ts") && lines > linesMax)
      problems.push(`${file} has ${lines} lines: is there a noun hiding in it?`);
    const parts = file.split("/");
    for (let depth = 1; depth < parts.length; depth += 1) {
      const folder = parts.slice(0, depth).join("/");
      entries.set(folder, (entries.get(folder) ?? new Set()).add(parts[depth] ?? ""));
    }
  }
  for (const [folder, names] of entries)
    if (names.size > entriesMax) problems.push(`${folder} has ${names.size} entries`);
  return problems;
}

function testsRun({ files }: Tree): string[] {
  return [...files]
    .filter(
      ([file, text]) => file.endsWith(".test.ts") && /\b(it|test|describe)\.(only|skip|todo|skipIf|runIf)\b/.test(text),
    )
    .map(([file]) => `${file} has a test that does not run, or keeps others from running`);
}
