import { accessSync, constants, cpSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

/**
 * A folder that PGlite can open, in place of `folder` if there is none yet. Making one takes seconds, so one is kept and
 * copied. `key` changes with everything that goes into it, and `make` makes it. Each step ends with a rename, so that of
 * two at once the later finds the work done, and a process that is killed leaves nothing half made under the final name.
 */
export async function provide(folder: string, key: string, make: (folder: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return;
  const template = path.join(cache(), key);
  if (!existsSync(template)) {
    const made = `${template}.${process.pid}`;
    rmSync(made, { recursive: true, force: true });
    await make(made);
    settle(made, template);
  }
  // Whoever gets here has the lock of the data folder, so what lies there is from one that was killed.
  const copied = `${folder}.new`;
  rmSync(copied, { recursive: true, force: true });
  cpSync(template, copied, { recursive: true, mode: constants.COPYFILE_FICLONE });
  settle(copied, folder);
}

function settle(made: string, final: string): void {
  try {
    renameSync(made, final);
  } catch (error) {
    if (!existsSync(final)) throw error;
    rmSync(made, { recursive: true, force: true });
  }
}

/** Beside the packages, where a fresh install throws it away; in the system's temporary folder if that cannot be written. */
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
