/** Files that were asked for: looked at before the run, so that an hour's work is not lost to a mistyped folder, and written whole or not at all. */
import { accessSync, constants, existsSync, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { UsageError } from "../profile/effective.ts";

/** Exit 73. The message names the file. */
export class CannotWriteError extends Error {}

/** Throws UsageError: a mistyped path must not turn into checks that cannot tell. */
export function mustBeRunnable(kalamBin: string | undefined): void {
  if (kalamBin === undefined) return;
  try {
    accessSync(kalamBin, constants.X_OK);
    if (statSync(kalamBin).isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
  } catch (error) {
    throw new UsageError(
      `--kalam-bin: ${kalamBin} cannot be run: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
    );
  }
}

/** Throws CannotWriteError. Makes the folder where it is missing. */
export function mustBeWritable(file: string): void {
  guard(file, () => {
    const folder = path.dirname(path.resolve(file));
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    if (!existsSync(file)) return;
    if (statSync(file).isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    accessSync(file, constants.W_OK);
  });
}

/** Throws CannotWriteError. */
export function writeWhole(file: string, text: string): void {
  guard(file, () => {
    // Anything but a regular file (a pipe, /dev/stdout) is written to as it is; it cannot be replaced.
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
    throw new CannotWriteError(`${file} cannot be written: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}
