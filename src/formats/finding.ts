/** The words of a finding that every format uses. */
import type { ReportedFinding } from "../report.ts";
import type { Exchange } from "../session/recording.ts";

/** What one request shows well, forty do not show better; the JSON report holds them all. */
export const sentMax = 2;

/** As an acceptance names it: the finding, and the case where there are several. */
export function nameOf({ name, case: of }: ReportedFinding): string {
  return of === undefined ? name : `${name} [${of}]`;
}

/** One line for what was sent and what came of it. */
export function sentLine({ method, path, as, text, params, outcome }: Exchange): string {
  const sql = text === undefined ? "" : `  ${oneLine(text, 160)}`;
  const bound = params === undefined ? "" : `  params ${oneLine(params, 80)}`;
  return `${method} ${path}${as === undefined ? "" : ` as ${as}`}${sql}${bound}   ${oneLine(outcome, 160)}`;
}

function oneLine(text: string, max: number): string {
  const flat = text.replace(/\s+/g, " ");
  return flat.length > max ? `${flat.slice(0, max)}…` : flat;
}
