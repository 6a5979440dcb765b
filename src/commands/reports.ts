/** Writes the reports that a profile asks for. */
import type { Category } from "../check.ts";
import { exits } from "../exit.ts";
import type { FormatName } from "../formats/names.ts";
import type { Profile } from "../profile/effective.ts";
import type { Report } from "../report.ts";
import { CannotWriteError, writeWhole } from "./files.ts";
import type { Output } from "./output.ts";

/**
 * Of a report that is masked already; the documents are not masked again. The files first, so that the report on stdout can say that one of them could not be written; then every report says so,
 * like the exit code. Returns that error.
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
    output.done();
    process.stdout.write(text);
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

/** With -v: the request that showed each finding, as a command to send it again by hand. */
export async function writeRequests(report: Report, output: Output): Promise<void> {
  const { curlText } = await import("../formats/shell.ts");
  for (const result of report.results) {
    for (const exchange of result.findings.flatMap((finding) => finding.sent).slice(0, 5)) {
      const curl = report.server.url === null ? undefined : curlText(report.server.url, exchange);
      if (curl !== undefined) output.detail(`${result.check}: ${curl}`);
    }
  }
}
