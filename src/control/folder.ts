/** The folders of processes that kalam-ready starts. */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { makeFolder } from "../session/folders.ts";

/** Notified of each folder before it is created and after it is removed, so that the leftovers of a killed run can be cleaned up. */
export interface FolderBook {
  made(folder: string): void;
  gone(folder: string): void;
}

/** Creates a fresh folder. It is recorded first, so that `removeLeftServer` finds it if this run is killed. */
export function newFolder(book: FolderBook): string {
  const folder = path.join(tmpdir(), `kalam-ready-${randomBytes(6).toString("hex")}`);
  book.made(folder);
  makeFolder(folder, { mode: 0o700 });
  return folder;
}

/**
 * Kills the server that an earlier, killed run left in this folder, and removes the folder. The name must be one of
 * ours. Processes are found by their working folder, because their ids may have been reused; without /proc, only the
 * folder is removed.
 */
export function removeLeftServer(folder: string): void {
  if (!/^kalam-ready-[0-9a-f]{12}$/.test(path.basename(folder))) return;
  for (const pid of existsSync("/proc") ? readdirSync("/proc").filter((name) => /^\d+$/.test(name)) : []) {
    try {
      if (readlinkSync(`/proc/${pid}/cwd`) === folder) process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended meanwhile, or we may not inspect it.
    }
  }
  rmSync(folder, { recursive: true, force: true });
}
