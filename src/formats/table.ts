/** The table: one line per check, with details only for failures. */
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
  /** The width of the terminal; if absent, output is not a terminal and nothing is wrapped. */
  readonly width?: number;
  /** For the promise of each category. */
  readonly categories: readonly Pick<Category, "id" | "promise">[];
}

type Appearance = "pass" | "fail" | "warn" | "accepted" | "unknown" | "skip";
const symbols: Readonly<
  Record<Appearance, { sign: string; ascii: string; color: (chalk: ChalkInstance) => ChalkInstance }>
> = {
  pass: { sign: "✔", ascii: "+", color: (chalk) => chalk.green },
  fail: { sign: "✖", ascii: "x", color: (chalk) => chalk.red },
  warn: { sign: "!", ascii: "!", color: (chalk) => chalk.yellow },
  accepted: { sign: "~", ascii: "~", color: (chalk) => chalk.yellow },
  unknown: { sign: "?", ascii: "?", color: (chalk) => chalk.magenta },
  skip: { sign: "–", ascii: "-", color: (chalk) => chalk.dim },
};

export function formatTable(original: Report, options: TableOptions): string {
  const chalk = new Chalk({ level: options.colors });
  const report = flattened(original);
  const blocks = [header(report, chalk), ...categoryBlocks(report, options, chalk), footer(report, chalk)];
  const text = blocks.filter((block) => block !== "").join("\n");
  const plain = options.ascii
    ? text.replace(/[·–…•]/g, (character) => ({ "·": "-", "–": "-", "…": "...", "•": "*" })[character] ?? character)
    : text;
  return `${plain
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n")}\n`;
}

/** The report with every text on one line and printable, so that text from a server cannot look like output of kalam-ready. */
function flattened(report: Report): Report {
  const plain = (_: string, value: unknown): unknown =>
    typeof value === "string" ? value.replace(/[\t\r\n]+/g, " ").replace(unprintable, "\ufffd") : value;
  return JSON.parse(JSON.stringify({ ...report, evidence: {} }), plain) as Report;
}

function header(report: Report, chalk: ChalkInstance): string {
  const { server, run, tool, profile } = report;
  const version = server.version === null ? "KalamDB (version unknown)" : `KalamDB ${server.version}`;
  const own = server.own ? " (started for this run)" : "";
  const serverAndUser = server.login === null ? [] : [`${version} as ${server.login.user}`];
  const parts = [
    `${tool.name} ${tool.version}`,
    profile.name,
    `${server.url ?? ""}${own}`,
    ...serverAndUser,
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
  // On a terminal, text wraps within its column; elsewhere each row is one line, so that it can be grepped.
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

/** An upper bound of the terminal columns of a text: some characters are two columns wide. */
function columnsOf(text: string): number {
  return text.length + (text.match(/[^\u0000-\u10ff]/g)?.length ?? 0);
}

function timeOf({ tookMs }: Result): string {
  return tookMs > 0 ? `${tookMs.toLocaleString("en-US")} ms` : "";
}

function row(result: Result, widths: number[], options: TableOptions, chalk: ChalkInstance): string {
  const appearance = appearanceOf(result);
  const { sign, ascii, color } = symbols[appearance];
  const words = wordsOf(result);
  const painted = appearance === "pass" ? result.title : color(chalk)(result.title);
  const cells = [
    `  ${color(chalk)(options.ascii ? ascii : sign)}`,
    painted,
    appearance === "skip" ? chalk.dim(words) : words,
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

export function appearanceOf(result: Result): Appearance {
  if (result.kind !== "fail") return result.kind;
  return result.effect === "accepted" ? "accepted" : result.effect === "warns" ? "warn" : "fail";
}

function details(result: Result, report: Report, chalk: ChalkInstance): string[] {
  if (result.kind !== "fail") return [];
  const line = (name: string, text: string): string => `      ${chalk.dim(name.padEnd(7))} ${text}`;
  const lines: string[] = [];
  // If all findings share risk and remedy, print them once, at the end.
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
    return ` (was accepted until ${finding.expired.until}; expired, so it counts again)`;
  return finding.level === "warn" ? " (warn)" : "";
}

/** The command that repeats this check. */
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

/** The rows show all of them; these are for readers who start at the end. */
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
    ...(run.rateRefusals > 0 ? [`rate limited ${run.rateRefusals.toLocaleString("en-US")} times`] : []),
  ];
  const lines = [
    "",
    `${paint(verdict)}   ${counts.map((name) => `${totals[name]} ${name}`).join("  ")}     ${facts.join("  ")}`,
  ];
  const [shown, more] = [report.reasons.slice(0, reasonsMax), report.reasons.length - reasonsMax];
  for (const reason of shown) lines.push(`because ${reason}`);
  if (more > 0) lines.push(`        and ${more} more`);
  if (run.machine.undetermined > 0) lines.push(busyLine(run.machine));
  lines.push([notCoveredLine(report), `exit ${exit}`].filter((part) => part !== "").join("   "));
  return lines.join("\n");
}

function busyLine({ timersLateMs, cpuWaitedPercent, undetermined }: Report["run"]["machine"]): string {
  const waited = cpuWaitedPercent === null ? "" : `, processes waited for a CPU ${cpuWaitedPercent} % of the time`;
  const checks = undetermined === 1 ? "1 check" : `${undetermined} checks`;
  return `this machine was busy: timers up to ${timersLateMs.toLocaleString("en-US")} ms late${waited}; ${checks} undetermined for it`;
}

function notCoveredLine(report: Report): string {
  const parts = (Object.entries(report.notCovered) as [Touches, number][]).map(
    ([touches, count]) => `${touches} (${count})`,
  );
  if (report.leftOut > 0) parts.push(`excluded by --only (${report.leftOut})`);
  return parts.length === 0 ? "" : `not covered: ${parts.join(", ")}`;
}
