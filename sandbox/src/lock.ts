import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

const file = (folder: string): string => path.join(folder, "kalam-sandbox.lock");

/** `takenOver`: the lock of a process that did not release it, so it was killed. */
type Lock = { readonly problem: string } | { readonly takenOver: boolean };

/**
 * Locks the data folder for this process, or returns why it cannot. Two processes on one folder would silently lose rows.
 * The lock of a dead process is taken over.
 */
export function takeLock(folder: string): Lock {
  mkdirSync(folder, { recursive: true });
  // Linked once it has its content: a lock without any is what a power loss left.
  const made = `${file(folder)}.${process.pid}`;
  try {
    writeFileSync(made, String(process.pid));
    for (let takenOver = false; ; takenOver = true) {
      try {
        linkSync(made, file(folder));
        return { takenOver };
      } catch (error) {
        if (codeOf(error) !== "EEXIST") throw error;
        const holder = readHolder(folder);
        if (holder > 0 && holder !== process.pid && isAlive(holder)) return { problem: `in use by process ${holder}` };
        rmSync(file(folder), { force: true });
      }
    }
  } catch (error) {
    return { problem: String(error) };
  } finally {
    rmSync(made, { force: true });
  }
}

export const releaseLock = (folder: string): void => rmSync(file(folder), { force: true });

function readHolder(folder: string): number {
  try {
    return Number(readFileSync(file(folder), "utf8"));
  } catch {
    return process.pid;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.code : undefined);
