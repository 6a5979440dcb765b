/** The table: one line per check, with details only for failures. */
import { Chalk, type ChalkInstance } from "chalk";
import type { Category } from "../check.ts";
import { cleanUpId, type ReportedFinding, type Report, type Result } from "../report.ts";
import { appearanceOf, type Appearance } from "./appearance.ts";
import { columns } from "./columns.ts";
import { groupMembers, groupNotRun, groupTitle, type Group } from "./grouping.ts";
import { nameOf, sentLine, sentMax } from "./finding.ts";
import { unprintable } from "./printable.ts";

export interface TableOptions {
  /** 0: none. */
  readonly colors: 0 | 1 | 2 | 3;
  readonly ascii: boolean;
  /** The width of the terminal; if absent, output is not a terminal and nothing is wrapped. */
  readonly width?: number;
  /** For the promise of each category. */
  readonly categories: readonly Pick<Category, "id" | "promise">[];
}

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
  const { rows, groups } = groupNotRun(report.results);
  const blocks = [
    header(report, chalk),
    ...categoryBlocks({ ...report, results: rows }, options, chalk),
    ...groupBlocks(groups, report, options, chalk),
    footer({ ...report, reasons: report.reasons.map((reason) => withoutSentence(reason, groups)) }, chalk),
  ];
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
  const lowered = Object.entries(server.lowered ?? {}).map(([name, to]) => `${name} ${to}`);
  const forSpeed = lowered.length === 0 ? "" : `; set for speed: ${lowered.join(", ")}`;
  const own = server.own ? ` (started for this run${forSpeed})` : "";
  const proxy = server.proxy === undefined ? "" : ` through proxy ${server.proxy}`;
  const insecure = server.insecure === true ? " (certificate not verified)" : "";
  const isKnown = server.login !== null || server.version !== null || run.limitedBy !== undefined;
  const who = server.login === null ? "without a login" : `as ${server.login.user}`;
  const serverAndUser = isKnown ? [`${version} ${who}`] : [];
  const parts = [
    `${tool.name} ${tool.version}`,
    profile.name,
    `${server.url ?? ""}${own}${proxy}${insecure}`,
    ...serverAndUser,
    `run ${run.id}`,
    `seed ${run.seed}`,
  ];
  const limits = [server.basis, run.limitedBy].flatMap((one) => (one === undefined ? [] : [`${chalk.yellow(one)}\n`]));
  return `${chalk.bold(parts.join("  "))}\n${limits.join("")}`;
}

function categoryBlocks(report: Report, options: TableOptions, chalk: ChalkInstance): string[] {
  const shown = report.results.filter((result) => !result.ofTheRun || result.kind !== "pass");
  const form = formOf(shown, options.width);
  const blocks: string[] = [];
  for (const id of new Set(shown.map((result) => result.category))) {
    const promise = options.categories.find((category) => category.id === id)?.promise;
    blocks.push(promise === undefined ? chalk.bold(id) : `${chalk.bold(id)} · ${promise}`);
    for (const result of shown.filter((one) => one.category === id)) {
      blocks.push(row(result, form, options, chalk));
      blocks.push(...details(result, options.width, chalk));
    }
  }
  return blocks;
}

/** How wide the columns of a row are, and whether its id and its sentence are on lines of their own. */
interface RowForm {
  readonly stacked: boolean;
  readonly wrap: boolean;
  readonly sign: number;
  readonly id: number;
  readonly title: number;
  readonly time: number;
  readonly sentence: number;
}

/** Narrower than this, a sentence in a column of its own wraps too often to be read. */
const sentenceMin = 60;

/**
 * Outside a terminal each row is one line, so that it can be grepped. On one, text wraps within its column; if the columns
 * do not fit beside each other, the id and the sentence move to the line below.
 */
function formOf(shown: readonly Result[], width: number | undefined): RowForm {
  const longest = (textOf: (result: Result) => string): number =>
    Math.max(0, ...shown.map((result) => columnsOf(textOf(result))));
  const [sign, id, time] = [4, longest(({ check }) => check) + 2, Math.max(12, longest(timeOf) + 2)];
  const [title, sentence] = [longest((result) => result.title) + 2, longest(wordsOf) + 2];
  const form = { sign, id, title, time, sentence, wrap: width !== undefined, stacked: false };
  if (width === undefined) return form;
  const left = width - sign - id - title - time;
  if (left >= Math.min(sentence, sentenceMin)) return { ...form, sentence: left };
  return { ...form, stacked: true, title: Math.min(title, width - sign - time), sentence: width - sign };
}

/** The checks that were not run, under the rows of those that were. The reason is left out if the verdict gives it. */
function groupBlocks(
  groups: readonly Group[],
  report: Report,
  options: TableOptions,
  chalk: ChalkInstance,
): readonly string[] {
  const blocks = groups.map((group) => {
    const { sign, ascii, color } = symbols[group.kind];
    const title = color(chalk)(groupTitle(group));
    const reason = report.reasons.includes(group.sentence) ? "" : `: ${group.sentence}`;
    const line = (first: string, text: string): string =>
      columns([[first, text]], {
        widths: [4, options.width === undefined ? columnsOf(text) + 1 : options.width - 5],
        wrap: options.width !== undefined,
        gaps: [0, 1],
      }).trimEnd();
    return [
      line(`  ${color(chalk)(options.ascii ? ascii : sign)}`, `${title}${reason}`),
      line("", chalk.dim(groupMembers(group))),
    ].join("\n");
  });
  return blocks.length === 0 ? [] : [["not run", ...blocks].join("\n")];
}

/** The line of a group has the sentence already. */
function withoutSentence(reason: string, groups: readonly Group[]): string {
  const group = groups.find(({ sentence }) => reason.endsWith(` could not be determined: ${sentence}`));
  return group === undefined ? reason : reason.slice(0, -`: ${group.sentence}`.length);
}

/** An upper bound of the terminal columns of a text: some characters are two columns wide. */
function columnsOf(text: string): number {
  return text.length + (text.match(/[^\u0000-\u10ff]/g)?.length ?? 0);
}

function timeOf({ tookMs }: Result): string {
  return tookMs > 0 ? `${tookMs.toLocaleString("en-US")} ms` : "";
}

function row(result: Result, form: RowForm, options: TableOptions, chalk: ChalkInstance): string {
  const appearance = appearanceOf(result);
  const { sign: unicode, ascii, color } = symbols[appearance];
  const sign = `  ${color(chalk)(options.ascii ? ascii : unicode)}`;
  const passed = appearance === "pass";
  const title = passed ? result.title : color(chalk)(result.title);
  const id = passed ? chalk.dim(result.check) : color(chalk)(result.check);
  const time = chalk.dim(timeOf(result));
  const words = appearance === "skip" ? chalk.dim(wordsOf(result)) : wordsOf(result);
  const line = (cells: string[], widths: number[], timeAt: number): string =>
    columns([cells], {
      widths,
      wrap: form.wrap,
      alignments: cells.map((_, at) => (at === timeAt ? "right" : "left")),
      gaps: cells.map((_, at) => (at === timeAt ? 2 : 1)),
    }).trimEnd();
  if (!form.stacked) {
    const widths = [form.sign, form.id, form.title, form.time, form.sentence];
    return line([sign, id, title, time, words], widths, 3);
  }
  return [
    line([sign, title, time], [form.sign, form.title, form.time], 2),
    line(["", words === "" ? id : `${id}  ${words}`], [form.sign, form.sentence], -1),
  ].join("\n");
}

function wordsOf({ kind, sentence }: Result): string {
  if (kind === "fail") return "";
  return kind === "skip" ? `skipped: ${sentence}` : sentence;
}

function details(result: Result, width: number | undefined, chalk: ChalkInstance): string[] {
  const times = (result.timeline ?? []).map(({ what, ms }) => `${what} ${ms.toLocaleString("en-US")} ms`);
  const timeline = times.length === 0 ? [] : [`      ${chalk.dim(`time    ${times.join(" · ")}`)}`];
  if (result.kind !== "fail") return timeline;
  /** Text to copy: never wrapped by us. */
  const line = (name: string, text: string): string => `      ${chalk.dim(name.padEnd(7))} ${text}`;
  const indented = (indent: number, first: string, text: string): string =>
    width === undefined
      ? `${first}${text}`
      : columns([[first, text]], {
          widths: [indent, Math.max(20, width - indent)],
          gaps: [0, 1],
          wrap: true,
        }).trimEnd();
  const lines: string[] = [...timeline];
  // If all findings share risk and remedy, print them once, at the end.
  const adviceOf = ({ risk, remedy }: ReportedFinding): string => `${risk}\n${remedy}`;
  const shared = new Set(result.findings.map(adviceOf)).size < 2;
  const advice = ({ risk, remedy }: Pick<Result, "risk" | "remedy">): void => {
    if (risk !== undefined) lines.push(indented(14, line("risk", ""), risk));
    // Results of the run itself are no checks.
    const more = result.ofTheRun ? "" : ` (kalam-ready explain ${result.check})`;
    if (remedy !== undefined) lines.push(indented(14, line("remedy", ""), `${remedy}${more}`));
  };
  for (const [at, finding] of result.findings.entries()) {
    lines.push(
      indented(
        6,
        " ".repeat(6),
        `${chalk.bold(nameOf(finding))}  ${finding.sentence}${note(finding)}${rests(finding)}`,
      ),
    );
    for (const exchange of finding.sent.slice(0, sentMax)) lines.push(line("sent", sentLine(exchange)));
    if (finding.sent.length > sentMax)
      lines.push(line("", chalk.dim(`and ${finding.sent.length - sentMax} more in --report json`)));
    const next = result.findings[at + 1];
    // Of several in a row that share both, the last one prints them.
    const isLast = next === undefined || next.accepted !== undefined || adviceOf(next) !== adviceOf(finding);
    if (!shared && finding.accepted === undefined && isLast) advice(finding);
  }
  if (result.effect === "accepted") return lines;
  if (shared) advice(result);
  if (result.again !== undefined) {
    lines.push(line("again", result.again.command));
    if (result.again.needs.length > 0) lines.push(line("", `with ${result.again.needs.join(", ")}`));
  }
  return lines;
}

function note(finding: ReportedFinding): string {
  if (finding.accepted !== undefined) return ` (accepted until ${finding.accepted.until}: ${finding.accepted.reason})`;
  if (finding.expired !== undefined)
    return ` (was accepted until ${finding.expired.until}; expired, so it counts again)`;
  return finding.level === "warn" ? " (warn)" : "";
}

function rests({ restsOn }: ReportedFinding): string {
  return restsOn === undefined ? "" : ` (${restsOn})`;
}

/** The rows show all of them; these are for readers who start at the end. */
const reasonsMax = 5;

function footer(report: Report, chalk: ChalkInstance): string {
  const { totals, run, exit, verdict, results } = report;
  const paint = exit === 0 ? chalk.green.bold : exit === 1 ? chalk.red.bold : chalk.magenta.bold;
  const counts = (["passed", "failed", "warned", "accepted", "unknown", "skipped"] as const).filter(
    (name) => totals[name] > 0 || name === "passed",
  );
  const left = results.find((result) => result.check === cleanUpId);
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
  lines.push(...notRunLines(report), `exit ${exit}`);
  return lines.join("\n");
}

function busyLine({ timersLateMs, cpuWaitedPercent, undetermined }: Report["run"]["machine"]): string {
  const waited = cpuWaitedPercent === null ? "" : `, processes waited for a CPU ${cpuWaitedPercent} % of the time`;
  return `this machine was busy: timers up to ${timersLateMs.toLocaleString("en-US")} ms late${waited}; ${checkCount(undetermined)} undetermined for it`;
}

/** How many checks did not run, and why: a green run says nothing about those. Groups have a line of their own already. */
function notRunLines({ results, leftOut }: Report): string[] {
  const counts = new Map<string, number>();
  for (const { kind, ofTheRun, sentence } of groupNotRun(results).rows)
    if (kind === "skip" && !ofTheRun) counts.set(sentence, (counts.get(sentence) ?? 0) + 1);
  const reasons = [...counts].toSorted(([, one], [, other]) => other - one);
  const lines = reasons.slice(0, reasonsMax).map(([reason, count]) => `${checkCount(count)} did not run: ${reason}`);
  const others = reasons.slice(reasonsMax).reduce((sum, [, count]) => sum + count, 0);
  if (others > 0) lines.push(`${checkCount(others)} did not run for other reasons`);
  if (leftOut > 0) lines.push(`${checkCount(leftOut)} ${leftOut === 1 ? "was" : "were"} not selected`);
  return lines;
}

function checkCount(count: number): string {
  return count === 1 ? "1 check" : `${count} checks`;
}
