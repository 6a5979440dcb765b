import { accessSync, constants, cpSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Creates the PGlite data folder unless it exists. Initializing one takes seconds, so a template made by `make` is cached and
 * copied; `key` identifies its contents. Each step ends with a rename, so that concurrent processes do not conflict and a
 * killed one leaves nothing incomplete under the final name.
 */
export async function ensureDataFolder(
  folder: string,
  key: string,
  make: (folder: string) => Promise<void>,
): Promise<void> {
  if (existsSync(folder)) return;
  const template = path.join(cache(), key);
  if (!existsSync(template)) {
    const made = `${template}.${process.pid}`;
    rmSync(made, { recursive: true, force: true });
    await make(made);
    renameInto(made, template);
  }
  // The data folder is locked, so anything here is left over from a killed process.
  const copied = `${folder}.new`;
  rmSync(copied, { recursive: true, force: true });
  cpSync(template, copied, { recursive: true, mode: constants.COPYFILE_FICLONE });
  renameInto(copied, folder);
}

function renameInto(made: string, final: string): void {
  try {
    renameSync(made, final);
  } catch (error) {
    if (!existsSync(final)) throw error;
    rmSync(made, { recursive: true, force: true });
  }
}

/** In node_modules, where a fresh install removes it; in the temporary folder if that is not writable. */
function cache(): string {
  for (let at = path.dirname(fileURLToPath(import.meta.url)); at !== path.dirname(at); at = path.dirname(at)) {
    const modules = path.join(at, "node_modules");
    if (existsSync(modules) && isWritable(modules)) return makeFolder(path.join(modules, ".cache", "kalam-ready"));
  }
  return makeFolder(path.join(tmpdir(), "kalam-ready-cache"));
}

function makeFolder(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
