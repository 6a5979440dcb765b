/**
 * The report of a run without a verdict: it did not finish, or it ended before the first request. It takes the place of a
 * report of an earlier run, which a pipeline would otherwise read again.
 */
import { formatUnfinishedJunit } from "./junit.ts";
import type { Unfinished } from "../report.ts";
import type { FormatName } from "./names.ts";

export function formatUnfinished(format: FormatName, unfinished: Unfinished, at: Date): string {
  switch (format) {
    case "json":
      return `${JSON.stringify(unfinished, undefined, 2)}\n`;
    case "junit":
      return formatUnfinishedJunit(unfinished, at);
    case "table":
      return `${unfinished.verdict}\nbecause ${unfinished.error.message}\nexit ${unfinished.exit}\n`;
  }
}
