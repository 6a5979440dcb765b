/**
 * JUnit XML for pipelines. Never greener than the exit code: reasons without a test case of their own (a required check
 * that was excluded, a run without a pass, an early end) are in the additional test case `run/verdict`.
 */
import type { Report, Result, Unfinished } from "../report.ts";
import { nameOf, sentLine, sentMax } from "./finding.ts";

export function formatJunit(report: Report): string {
  const suites = [...new Set([...report.results.map((result) => result.category), "run"])].map((category) => {
    const cases = report.results
      .filter((result) => result.category === category)
      .map((result) => testCase(result, report));
    return category === "run"
      ? suite(category, [...cases, verdictCase(report)], report.run.startedAt)
      : suite(category, cases, report.run.startedAt);
  });
  return document(suites, report.run.tookMs);
}

/** Nothing but the additional test case, as an error. */
export function formatUnfinishedJunit({ verdict, exit, error }: Unfinished, at: Date): string {
  return document([suite("run", [verdictCase({ verdict, exit, reasons: [error.message] })], at.toISOString())], 0);
}

function document(suites: readonly Suite[], tookMs: number): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="kalam-ready" ${sums(suites.flatMap((one) => one.cases))} time="${seconds(tookMs)}">\n${suites
    .map((one) => one.xml)
    .join("\n")}\n</testsuites>\n`;
}

type Outcome = "passed" | "failure" | "error" | "skipped";
interface Case {
  readonly outcome: Outcome;
  readonly xml: string;
}

interface Suite {
  readonly xml: string;
  readonly cases: readonly Case[];
}

function suite(name: string, cases: readonly Case[], startedAt: string): Suite {
  const xml = `  <testsuite name="${attribute(name)}" ${sums(cases)} timestamp="${attribute(startedAt)}">\n${cases
    .map((one) => one.xml)
    .join("\n")}\n  </testsuite>`;
  return { xml, cases };
}

function sums(cases: readonly Case[]): string {
  const count = (outcome: Outcome): number => cases.filter((one) => one.outcome === outcome).length;
  return `tests="${cases.length}" failures="${count("failure")}" errors="${count("error")}" skipped="${count("skipped")}"`;
}

function testCase(result: Result, report: Report): Case {
  const open = `    <testcase classname="${attribute(result.category)}" name="${attribute(result.check)}" time="${seconds(result.tookMs)}">`;
  const outcome = outcomeOf(result, report);
  const details = [
    result.title,
    ...result.findings.flatMap((finding) => [
      `${nameOf(finding)}: ${finding.sentence}${finding.restsOn === undefined ? "" : ` (${finding.restsOn})`}`,
      ...finding.sent.slice(0, sentMax).map((exchange) => `sent: ${sentLine(exchange)}`),
    ]),
    ...new Set(result.findings.map(({ risk }) => `risk: ${risk}`)),
    ...new Set(result.findings.map(({ remedy }) => `remedy: ${remedy}`)),
    ...againLines(result),
  ];
  const body =
    outcome === "passed"
      ? `<system-out>${content(result.findings.length > 0 ? details.join("\n") : result.sentence)}</system-out>`
      : outcome === "skipped"
        ? `<skipped message="${attribute(result.sentence)}"/>`
        : `<${outcome} message="${attribute(result.sentence)}" type="${attribute(result.findings[0]?.name ?? result.kind)}">${content(details.join("\n"))}</${outcome}>`;
  return { outcome, xml: `${open}\n      ${body}\n    </testcase>` };
}

function againLines({ again }: Result): readonly string[] {
  if (again === undefined) return [];
  return [`again: ${again.command}`, ...(again.needs.length === 0 ? [] : [`with ${again.needs.join(", ")}`])];
}

function outcomeOf({ kind, effect }: Result, report: Report): Outcome {
  const strict = report.profile.failOn === "warn";
  if (effect === "blocks") return "failure";
  if (effect === "undetermined") return "error";
  if (effect === "warns" && strict) return kind === "fail" ? "failure" : "error";
  if (kind === "skip" || kind === "unknown") return "skipped";
  return "passed";
}

function verdictCase(report: Pick<Report, "verdict" | "exit" | "reasons">): Case {
  const open = `    <testcase classname="run" name="run/verdict" time="0">`;
  const outcome: Outcome = report.exit === 0 ? "passed" : report.exit === 1 ? "failure" : "error";
  const verdict = `${report.verdict}, exit ${report.exit}`;
  const why = content([verdict, ...report.reasons].join("\n"));
  const body =
    outcome === "passed"
      ? `<system-out>${why}</system-out>`
      : `<${outcome} message="${attribute(verdict)}" type="verdict">${why}</${outcome}>`;
  return { outcome, xml: `${open}\n      ${body}\n    </testcase>` };
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

/** Characters that XML cannot contain even escaped: control characters and lone surrogates. */
const notXml =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

function content(text: string): string {
  return text.replace(notXml, "\ufffd").replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function attribute(text: string): string {
  return content(text)
    .replaceAll('"', "&quot;")
    .replaceAll("\n", "&#10;")
    .replaceAll("\r", "&#13;")
    .replaceAll("\t", "&#9;");
}
