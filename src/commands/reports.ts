/** Writes the reports that a profile asks for. */
import type { Category } from "../check.ts";
import { exits } from "../exit.ts";
import { nameOf } from "../formats/finding.ts";
import type { FormatName } from "../formats/names.ts";
import type { Profile } from "../profile/effective.ts";
import type { Report } from "../report.ts";
import { CannotWriteError, writeWhole } from "./files.ts";
import type { ByHand, SecretPlace } from "./by-hand.ts";
import type { Output } from "./output.ts";

/**
 * Of a report that is masked already. The files first, so that the report on stdout can say that one of them could not be
 * written; then every report says so, like the exit code. Returns that error.
 */
export async function writeReports(
  report: Report,
  profile: Profile,
  categories: readonly Category[],
  output: Output,
): Promise<CannotWriteError | undefined> {
  const wanted = profile.reports.some((one) => one.path === undefined)
    ? profile.reports
    : [...profile.reports, { format: "table" as const }];
  const writeFiles = async (written: Report): Promise<CannotWriteError | undefined> => {
    let failure: CannotWriteError | undefined;
    for (const { format, path } of wanted) {
      if (path === undefined) continue;
      const text = await formatted(format, written, categories, output, true);
      try {
        writeWhole(path, text);
      } catch (error) {
        if (!(error instanceof CannotWriteError)) throw error;
        failure ??= error;
      }
    }
    return failure;
  };

  const failure = await writeFiles(report);
  const final = failure === undefined ? report : notWritten(report, failure);
  if (failure !== undefined) await writeFiles(final);
  for (const { format, path } of wanted) {
    if (path !== undefined) continue;
    const text = await formatted(format, final, categories, output, false);
    output.document(text);
  }
  return failure;
}

function notWritten(report: Report, { message }: CannotWriteError): Report {
  const { code, says } = exits.cannotWrite;
  return { ...report, verdict: says, exit: code, reasons: [message, ...report.reasons] };
}

async function formatted(
  format: FormatName,
  report: Report,
  categories: readonly Category[],
  output: Output,
  toFile: boolean,
): Promise<string> {
  switch (format) {
    case "json":
      return (await import("../formats/json.ts")).formatJson(report);
    case "junit":
      return (await import("../formats/junit.ts")).formatJunit(report);
    case "table": {
      const { formatTable } = await import("../formats/table.ts");
      const { colors, ascii, width } = output;
      return formatTable(report, {
        colors: toFile ? 0 : colors,
        ascii,
        categories,
        ...(toFile || width === undefined ? {} : { width }),
      });
    }
  }
}

const triedMax = 5;
/** The scripts printed for a check; more would bury the report. */
const scriptsMax = 3;

/** With -v: the request that showed a finding, as commands to send it again by hand. Of an unmasked report. */
export function writeRequests(report: Report, byHand: ByHand, place: SecretPlace, output: Output): void {
  const secret = place.kind === "tokenFile" ? "" : `, with ${place.variable} set`;
  for (const { check, findings } of report.results) {
    const scripts = findings.flatMap((finding) => {
      // The last request that stands alone: it needs most of the others.
      for (const exchange of finding.sent.slice(0, triedMax).toReversed()) {
        const lines = byHand(exchange);
        if (lines !== undefined) return [{ name: nameOf(finding), lines }];
      }
      return [];
    });
    for (const { name, lines } of scripts.slice(0, scriptsMax)) {
      output.detail(`${check} ${name}: the request by hand${secret}:`);
      for (const line of lines) output.detail(`  ${line}`);
    }
  }
}
