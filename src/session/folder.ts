/** Folders of our own. */
import { mkdirSync, statSync } from "node:fs";
import path from "node:path";

/**
 * Creates the folder and what is missing above it; by default for this user only. Step by step, because the recursive
 * mkdirSync of Node never returns below /proc.
 */
export function makeFolder(folder: string, mode = 0o700): void {
  if (isFolder(folder)) return;
  const parent = path.dirname(folder);
  if (parent !== folder) makeFolder(parent, mode);
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    // Another process may have created it meanwhile.
    if (!isFolder(folder)) throw error;
  }
}

function isFolder(name: string): boolean {
  return statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
