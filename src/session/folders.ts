/** Folders: made step by step, and the user's own where the system names none. */
import { existsSync, lstatSync, mkdirSync, statSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";

/** The folder for the user's state may have been made by somebody else. The message says what to do. */
export class NotOwnError extends Error {}

/**
 * Makes a folder and those above it. Not with Node's `recursive`: where a folder refuses new entries with ENOENT, as /proc
 * does, it tries for ever. Throws the error of the file system.
 */
export function makeFolder(folder: string, options: { readonly mode?: number } = {}): void {
  const missing: string[] = [];
  for (let at = path.resolve(folder); !existsSync(at); at = path.dirname(at)) missing.push(at);
  // A file in its place: the system's own error says so.
  if (missing.length === 0 && !statSync(folder).isDirectory()) mkdirSync(folder);
  for (const one of missing.toReversed()) {
    try {
      mkdirSync(one, options);
    } catch (error) {
      // Another run may have made it meanwhile.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || !existsSync(one)) throw error;
    }
  }
}

/**
 * Where a program keeps its state between runs. A user of a container may have neither HOME nor an entry in the list of
 * users; for this one it is a folder of the temporary folder.
 */
export function stateFolder(environment: NodeJS.ProcessEnv): string {
  const state = environment["XDG_STATE_HOME"];
  if (state !== undefined && state !== "") return state;
  try {
    const home = homedir();
    if (home !== "") return path.join(home, ".local", "state");
  } catch {
    // There is no such user.
  }
  return temporaryFolder();
}

function temporaryFolder(): string {
  return path.join(tmpdir(), `kalam-ready-${process.getuid?.() ?? "state"}`);
}

/**
 * Throws NotOwnError if this folder is in the temporary folder, where any user may make one of any name, and is not this
 * user's alone: its files could have been put there, and the names in them would be removed. A missing folder is nobody's.
 */
export function mustBeOwn(folder: string): void {
  const shared = temporaryFolder();
  const user = process.getuid?.();
  if (user === undefined || path.dirname(path.resolve(folder)) !== shared) return;
  const found = lstatSync(shared, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (found.isDirectory() && found.uid === user && (found.mode & 0o077) === 0) return;
  const what = found.isDirectory() ? `it has mode ${(found.mode & 0o777).toString(8)}` : "it is no folder";
  const why = found.uid === user ? what : `it belongs to user ${found.uid}`;
  throw new NotOwnError(
    `${shared} is not a folder of this user alone: ${why}, so others may have written to it; set KALAM_READY_STATE to another folder, or remove it`,
  );
}
