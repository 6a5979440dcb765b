/** The table that people read: one line per check, details only under what is not green. */
import { Chalk, type ChalkInstance } from "chalk";
import type { Category, Touches } from "../check.ts";
import type { ReportedFinding, Report, Result } from "../report.ts";
import { columns } from "./columns.ts";
import { nameOf, sentLine, sentMax } from "./finding.ts";
import { unprintable } from "./printable.ts";
import { commandText } from "./shell.ts";

export interface TableOptions {
  /** 0: none. */
  readonly colors: 0 | 1 | 2 | 3;
  readonly ascii: boolean;
  /** Columns of the terminal; absent where it is none, and then nothing is cut or wrapped. */
  readonly width?: number;
  /** For the promises of the categories. */
  readonly categories: readonly Pick<Category, "id" | "promise">[];
}

type Look = "pass" | "fail" | "warn" | "accepted" | "unknown" | "skip";
const symbols: Readonly<Record<Look, { sign: string; ascii: string; color: (chalk: ChalkInstance) => ChalkInstance }>> =
  {
    pass: { sign: "✔", ascii: "+", color: (chalk) => chalk.green },
    fail: { sign: "✖", ascii: "x", color: (chalk) => chalk.red },
    warn: { sign: "!", ascii: "!", color: (chalk) => chalk.yellow },
    accepted: { sign: "~", ascii: "~", color: (chalk) => chalk.yellow },
    unknown: { sign: "?", ascii: "?", color: (chalk) => chalk.magenta },
    skip: { sign: "–", ascii: "-", color: (chalk) => chalk.dim },
  };

export function formatTable(told: Report, options: TableOptions): string {
  const chalk = new Chalk({ level: options.colors });
  const report = flattened(told);
  const blocks = [header(report, chalk), ...categoryBlocks(report, options, chalk), footer(report, chalk)];
  const text = blocks.filter((block) => block !== "").join("\n");
  const plain = options.ascii
    ? text.replace(/[·–…•]/g, (sign) => ({ "·": "-", "–": "-", "…": "...", "•": "*" })[sign] ?? sign)
    : text;
  return `${plain
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n")}\n`;
}

/** The report with every text on one line and in plain signs: what a server says must not look like what we say. */
function flattened(report: Report): Report {
  const plain = (_: string, value: unknown): unknown =>
    typeof value === "string" ? value.replace(/[\t\r\n]+/g, " ").replace(unprintable, "\ufffd") : value;
  return JSON.parse(JSON.stringify({ ...report, evidence: {} }), plain) as Report;
}

function header(report: Report, chalk: ChalkInstance): string {
  const { server, run, tool, profile } = report;
  const version = server.version === null ? "a KalamDB that does not tell its version" : `KalamDB ${server.version}`;
  const own = server.own ? " (started for this run)" : "";
  const who = server.login === null ? [] : [`${version} as ${server.login.user}`];
  const parts = [
    `${tool.name} ${tool.version}`,
    profile.name,
    `${server.url ?? ""}${own}`,
    ...who,
    `run ${run.id}`,
    `seed ${run.seed}`,
  ];
  return chalk.bold(parts.join("  ")) + "\n";
}

function categoryBlocks(report: Report, options: TableOptions, chalk: ChalkInstance): string[] {
  const shown = report.results.filter((result) => !result.ofTheRun || result.kind !== "pass");
  const { width } = options;
  const longest = (textOf: (result: Result) => string): number =>
    Math.max(0, ...shown.map((result) => columnsOf(textOf(result))));
  const [signWidth, timeWidth] = [4, Math.max(12, longest(timeOf) + 1)];
  const longestTitle = longest(({ title }) => title) + 2;
  const longestWords = longest(wordsOf) + 2;
  // A narrow terminal shares what it has, and text goes on below; elsewhere a line is a line, so that it can be grepped.
  const titleWidth =
    width === undefined ? longestTitle : Math.min(longestTitle, Math.max(24, Math.floor(width * 0.45)));
  const sentenceWidth =
    width === undefined
      ? longestWords
      : Math.min(longestWords, Math.max(16, width - signWidth - titleWidth - timeWidth - 1));
  const blocks: string[] = [];
  for (const id of new Set(shown.map((result) => result.category))) {
    const promise = options.categories.find((category) => category.id === id)?.promise;
    blocks.push(promise === undefined ? chalk.bold(id) : `${chalk.bold(id)} · ${promise}`);
    for (const result of shown.filter((one) => one.category === id)) {
      blocks.push(row(result, [signWidth, titleWidth, sentenceWidth, timeWidth], options, chalk));
      blocks.push(...details(result, report, chalk));
    }
  }
  return blocks;
}

/** At least the columns that a text takes up on a terminal: some signs are twice as wide. */
function columnsOf(text: string): number {
  return text.length + (text.match(/[^\u0000-\u10ff]/g)?.length ?? 0);
}

function timeOf({ tookMs }: Result): string {
  return tookMs > 0 ? `${tookMs.toLocaleString("en-US")} ms` : "";
}

function row(result: Result, widths: number[], options: TableOptions, chalk: ChalkInstance): string {
  const look = lookOf(result);
  const { sign, ascii, color } = symbols[look];
  const words = wordsOf(result);
  const painted = look === "pass" ? result.title : color(chalk)(result.title);
  const cells = [
    `  ${color(chalk)(options.ascii ? ascii : sign)}`,
    painted,
    look === "skip" ? chalk.dim(words) : words,
    chalk.dim(timeOf(result)),
  ];
  return columns([cells], {
    widths,
    alignments: ["left", "left", "left", "right"],
    wrap: options.width !== undefined,
    gap: 1,
  }).trimEnd();
}

function wordsOf({ kind, sentence }: Result): string {
  if (kind === "fail") return "";
  return kind === "skip" ? `skipped: ${sentence}` : sentence;
}

export function lookOf(result: Result): Look {
  if (result.kind !== "fail") return result.kind;
  return result.effect === "accepted" ? "accepted" : result.effect === "warns" ? "warn" : "fail";
}

function details(result: Result, report: Report, chalk: ChalkInstance): string[] {
  if (result.kind !== "fail") return [];
  const line = (name: string, text: string): string => `      ${chalk.dim(name.padEnd(7))} ${text}`;
  const lines: string[] = [];
  // Risk and remedy that all share stand once, at the end.
  const shared = new Set(result.findings.map(({ risk, remedy }) => `${risk}\n${remedy}`)).size < 2;
  const advice = ({ risk, remedy }: Pick<Result, "risk" | "remedy">): void => {
    if (risk !== undefined) lines.push(line("risk", risk));
    if (remedy !== undefined) lines.push(line("remedy", `${remedy} (kalam-ready explain ${result.check})`));
  };
  for (const finding of result.findings) {
    lines.push(`      ${chalk.bold(nameOf(finding))}  ${finding.sentence}${note(finding)}`);
    for (const exchange of finding.sent.slice(0, sentMax)) lines.push(line("sent", sentLine(exchange)));
    if (finding.sent.length > sentMax)
      lines.push(line("", chalk.dim(`and ${finding.sent.length - sentMax} more in --report json`)));
    if (!shared && finding.accepted === undefined) advice(finding);
  }
  if (result.effect === "accepted") return lines;
  if (shared) advice(result);
  if (!result.ofTheRun) lines.push(line("again", againCommand(report, result.check)));
  return lines;
}

function note(finding: ReportedFinding): string {
  if (finding.accepted !== undefined) return ` (accepted until ${finding.accepted.until}: ${finding.accepted.reason})`;
  if (finding.expired !== undefined)
    return ` (was accepted until ${finding.expired.until}; that is over, so it counts again)`;
  return finding.level === "warn" ? " (warn)" : "";
}

/** A command that shows this check again from nothing. */
export function againCommand(report: Report, check: string): string {
  return commandText([
    "kalam-ready",
    "check",
    ...report.run.again,
    "--only",
    check,
    "--seed",
    String(report.run.seed),
    "-v",
  ]);
}

/** The rows above tell them all; these are for who reads the end first. */
const reasonsMax = 5;

function footer(report: Report, chalk: ChalkInstance): string {
  const { totals, run, exit, verdict, results } = report;
  const paint = exit === 0 ? chalk.green.bold : exit === 1 ? chalk.red.bold : chalk.magenta.bold;
  const counts = (["passed", "failed", "warned", "accepted", "unknown", "skipped"] as const).filter(
    (name) => totals[name] > 0 || name === "passed",
  );
  const left = results.find((result) => result.ofTheRun);
  const facts = [
    `${(run.tookMs / 1000).toFixed(1)} s`,
    `${run.requests.toLocaleString("en-US")} requests`,
    ...(left === undefined
      ? []
      : [
          left.kind === "pass" ? "nothing left behind" : left.kind === "fail" ? "something left behind" : left.sentence,
        ]),
    ...(run.rateRefusals > 0 ? [`${run.rateRefusals} times told to go slower`] : []),
  ];
  const lines = [
    "",
    `${paint(verdict)}   ${counts.map((name) => `${totals[name]} ${name}`).join("  ")}     ${facts.join("  ")}`,
  ];
  const [told, more] = [report.reasons.slice(0, reasonsMax), report.reasons.length - reasonsMax];
  for (const reason of told) lines.push(`because ${reason}`);
  if (more > 0) lines.push(`        and ${more} more like it`);
  lines.push([notCoveredLine(report), `exit ${exit}`].filter((part) => part !== "").join("   "));
  return lines.join("\n");
}

function notCoveredLine(report: Report): string {
  const parts = (Object.entries(report.notCovered) as [Touches, number][]).map(
    ([touches, count]) => `${touches} (${count})`,
  );
  if (report.leftOut > 0) parts.push(`left out by --only (${report.leftOut})`);
  return parts.length === 0 ? "" : `not covered: ${parts.join(", ")}`;
}
