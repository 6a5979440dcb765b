/** Writes the reports that a profile asks for. */
import type { Category } from "../check.ts";
import type { FormatName } from "../formats/names.ts";
import type { Profile } from "../profile/effective.ts";
import type { Report } from "../report.ts";
import { writeWhole } from "./files.ts";
import type { Output } from "./output.ts";

/** Throws CannotWriteError, after every other report was written. */
export async function writeReports(
  report: Report,
  profile: Profile,
  categories: readonly Category[],
  output: Output,
): Promise<void> {
  const wanted = profile.reports.some((one) => one.path === undefined)
    ? profile.reports
    : [...profile.reports, { format: "table" as const }];
  const failures: unknown[] = [];
  for (const { format, path } of wanted) {
    const text = await formatted(format, report, categories, output, path !== undefined);
    try {
      if (path === undefined) output.out(text);
      else writeWhole(path, output.redactor.redact(text));
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
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
