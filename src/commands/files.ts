/** Files that were asked for: tested before the run, so that a mistyped folder does not cost an hour's work, and written atomically. */
import { accessSync, constants, existsSync, renameSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { makeFolder } from "../session/folders.ts";
import { UsageError } from "../profile/usage.ts";
import { UserError } from "../user-error.ts";

/** A file that was asked for, or the ledger, cannot be written. */
export class CannotWriteError extends UserError<"fileNotWritable" | "ledgerNotWritable" | "stateFolderNotOwn"> {
  readonly exit = "cannotWrite";
}

/** Throws UsageError: a mistyped path is reported before the run, and not as checks that are unknown. */
export function mustBeRunnable(programs: {
  readonly serverBin: string | undefined;
  readonly olderServerBin: string | undefined;
  readonly kalamBin: string | undefined;
}): void {
  if (programs.serverBin !== undefined) programPath("--server-bin", programs.serverBin);
  if (programs.olderServerBin !== undefined) programPath("--older-server-bin", programs.olderServerBin);
  if (programs.kalamBin !== undefined) programPath("--kalam-bin", programs.kalamBin);
}

/**
 * Absolute, because programs are started in folders of their own. A bare name is searched in PATH, then in this folder.
 * Throws UsageError.
 */
export function programPath(flag: string, named: string): string {
  const folders = path.basename(named) === named ? (process.env["PATH"] ?? "").split(path.delimiter) : [];
  let why = "";
  for (const file of [...folders.map((folder) => path.join(folder, named)), path.resolve(named)]) {
    try {
      accessSync(file, constants.X_OK);
      if (!statSync(file).isDirectory()) return file;
      why = "EISDIR";
    } catch (error) {
      why = (error as NodeJS.ErrnoException).code ?? String(error);
    }
  }
  throw new UsageError("notExecutable", `${flag}: cannot run ${named}: ${why}`, { setting: flag, file: named });
}

/** Throws UsageError. */
export function settingsPath(flag: string, named: string): string {
  const file = path.resolve(named);
  if (!existsSync(file)) throw new UsageError("noSuchFile", `${flag}: no such file: ${file}`, { setting: flag, file });
  return file;
}

/** Throws CannotWriteError. Creates the folder if it is missing. */
export function mustBeWritable(file: string): void {
  guard(file, () => {
    const folder = path.dirname(path.resolve(file));
    makeFolder(folder);
    accessSync(folder, constants.W_OK);
    if (!existsSync(file)) return;
    if (statSync(file).isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    accessSync(file, constants.W_OK);
  });
}

/** Throws CannotWriteError. */
export function writeWhole(file: string, text: string): void {
  guard(file, () => {
    // Anything but a regular file (a pipe, /dev/stdout) is written in place; it cannot be replaced.
    if (existsSync(file) && !statSync(file).isFile()) {
      writeFileSync(file, text);
      return;
    }
    const unfinished = `${file}.${process.pid}.part`;
    writeFileSync(unfinished, text);
    renameSync(unfinished, file);
  });
}

function guard(file: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new CannotWriteError("fileNotWritable", `cannot write ${file}: ${why}`, { file });
  }
}
