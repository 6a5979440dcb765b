/** The text of a finding, as all formats print it. */
import type { ReportedFinding } from "../report.ts";
import { truncated } from "./printable.ts";
import type { Exchange } from "../session/recording.ts";

/** The requests printed for a finding; the JSON report has them all. */
export const sentMax = 2;

/** The finding's name, with its case if it has one: what an acceptance refers to. */
export function nameOf({ name, case: of }: ReportedFinding): string {
  return of === undefined ? name : `${name} [${of}]`;
}

/** One line for a request and its outcome. */
export function sentLine({ method, path, as, text, params, outcome }: Exchange): string {
  const sql = text === undefined ? "" : `  ${oneLine(text, 160)}`;
  const bound = params === undefined ? "" : `  params ${oneLine(params, 80)}`;
  return `${method} ${path}${as === undefined ? "" : ` as ${as}`}${sql}${bound}   ${oneLine(outcome, 160)}`;
}

function oneLine(text: string, max: number): string {
  return truncated(text.replace(/\s+/g, " "), max);
}
