/**
 * The reports of a check, from before anything can fail until there is a verdict. A report file that was asked for says at
 * once that the run did not finish; the verdict, or the error that ended the run, replaces it. So no end of a run, not even
 * SIGKILL, leaves the green report of an earlier one in place.
 */
import { existsSync, statSync } from "node:fs";
import { parseDocument } from "yaml";
import { exits, type ExitName } from "../exit.ts";
import { formatNames, type FormatName } from "../formats/names.ts";
import { formatUnfinished } from "../formats/unfinished.ts";
import type { Unfinished } from "../report.ts";
import type { ReportWanted } from "../profile/effective.ts";
import { ownProfile } from "../profile/read.ts";
import { readText } from "../profile/bounded.ts";
import { settings, type Flags } from "../profile/settings.ts";
import { UserError } from "../user-error.ts";
import { mustBeWritable, writeWhole } from "./files.ts";
import { masked, writeDocument } from "./output.ts";

type ReportFlags = Pick<Flags, "report" | "json" | "profile">;

export class PendingReports {
  #wanted: readonly ReportWanted[] = [];
  readonly #placed = new Set<string>();

  /** Takes these reports as those that were asked for. Throws CannotWriteError, after every other one was put in place. */
  place(wanted: readonly ReportWanted[]): void {
    this.#wanted = wanted;
    const message = `the run that began at ${new Date().toISOString()} did not finish`;
    const unfinished = { ...ending("internal", "didNotFinish", message), verdict: "DID NOT FINISH" };
    const failures: unknown[] = [];
    for (const { format, path } of wanted) {
      if (path === undefined || this.#placed.has(path)) continue;
      try {
        mustBeWritable(path);
        // A pipe or a device keeps no report of an earlier run, and would show both documents.
        if (!existsSync(path) || statSync(path).isFile())
          writeWhole(path, formatUnfinished(format, unfinished, new Date()));
        this.#placed.add(path);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Every report says what ended the run: the files, and on stdout a format that is read by programs. */
  fail(exit: ExitName, error: Unfinished["error"]): void {
    const text = this.#failFiles(exit, error);
    const isPrinted = (one: FormatName): boolean =>
      this.#wanted.some(({ format, path }) => format === one && path === undefined);
    const printed = (["json", "junit"] as const).find(isPrinted);
    if (printed !== undefined) writeDocument(text(printed));
  }

  /** An error that nothing caught: the run cleans up and reports after it, if it can, so that stdout stays one document. */
  crash(): void {
    this.#failFiles("internal", internalError);
  }

  #failFiles(exit: ExitName, { code, message }: Unfinished["error"]): (format: FormatName) => string {
    const unfinished = ending(exit, code, message);
    const text = (format: FormatName): string => formatUnfinished(format, unfinished, new Date());
    for (const { format, path } of this.#wanted) {
      if (path === undefined) continue;
      try {
        writeWhole(path, text(format));
      } catch {
        // The error that ended the run is the one to report.
      }
    }
    return text;
  }
}

function ending(exit: ExitName, code: string, message: string): Unfinished {
  return {
    schemaVersion: 1,
    verdict: exits[exit].says,
    exit: exits[exit].code,
    error: { code, message: masked(message) },
  };
}

const internalError = { code: "internalError", message: "an internal error ended the run; see stderr" };

/** Runs a check whose reports are pending. It must not throw once it has printed a report. */
export async function withPendingReports(
  flags: ReportFlags,
  environment: NodeJS.ProcessEnv,
  action: (pending: PendingReports) => Promise<ExitName>,
): Promise<ExitName> {
  const pending = new PendingReports();
  // Before the listener that ends the process.
  const onDefect = (): void => pending.crash();
  process.prependListener("uncaughtException", onDefect);
  try {
    const flagged = flaggedReports(flags);
    pending.place(flagged.length > 0 ? flagged : profileReports(flags, environment));
    return await action(pending);
  } catch (error) {
    if (error instanceof UserError) pending.fail(error.exit, error);
    else pending.fail("internal", internalError);
    throw error;
  } finally {
    process.off("uncaughtException", onDefect);
  }
}

/** For a command line that did not lead to a check: finds its reports by hand; only `--json` where the command is another one. */
export function failUnparsed(
  argv: readonly string[],
  exit: ExitName,
  error: Unfinished["error"],
  options: { isCheck: boolean },
): void {
  const report = argv.flatMap((word, at) => {
    if (word === "--report") return argv[at + 1] ?? [];
    return word.startsWith("--report=") ? word.slice("--report=".length) : [];
  });
  const flagged = flaggedReports({
    json: argv.includes(settings.json.flag),
    ...(options.isCheck ? { report } : {}),
  });
  const pending = new PendingReports();
  try {
    pending.place(flagged);
  } catch {
    // The command line is the error to report.
  }
  pending.fail(exit, error);
}

/** What is wrong with a flag is reported when it is read in earnest. */
function flaggedReports({ report = [], json = false }: ReportFlags): ReportWanted[] {
  const words = [...report, ...(json ? ["json"] : [])];
  return words.flatMap((word) => {
    const [name, ...rest] = word.split("=");
    return wantedReport(name, rest.length === 0 ? undefined : rest.join("="));
  });
}

/** As far as the profile can be read: what is wrong with it is reported later, and by then these reports are in place. */
function profileReports({ profile }: ReportFlags, environment: NodeJS.ProcessEnv): ReportWanted[] {
  const file = profile ?? (environment[settings.profile.variable] || ownProfile);
  if (file === "-") return [];
  try {
    const document = parseDocument(readText(file), { uniqueKeys: false }).toJS() as {
      reports?: readonly { format?: unknown; path?: unknown }[];
    } | null;
    return (document?.reports ?? []).flatMap(({ format, path }) => wantedReport(format, path));
  } catch {
    return [];
  }
}

function wantedReport(name: unknown, path: unknown): ReportWanted[] {
  const format = formatNames.find((one) => one === name);
  if (format === undefined) return [];
  if (path === undefined) return [{ format }];
  // A reference is expanded when the profile is read.
  return typeof path === "string" && path !== "" && !path.includes("${") ? [{ format, path }] : [];
}
