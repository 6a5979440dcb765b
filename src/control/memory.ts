/** What processes hold in memory. */
import { readdirSync, readFileSync } from "node:fs";

/** Of all processes in a process group, since the binary may be a script that starts the server; undefined where /proc does not tell. */
export function residentBytesOf(group: number): number | undefined {
  let bytes = 0;
  try {
    for (const name of readdirSync("/proc")) if (/^\d+$/.test(name)) bytes += inGroup(name, group);
  } catch {
    return undefined;
  }
  return bytes === 0 ? undefined : bytes;
}

/** 0 for a process of another group, and for one that has ended meanwhile. */
function inGroup(pid: string, group: number): number {
  try {
    // The name in parentheses may contain anything; the state, the parent and the group follow it.
    const of = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ")[2];
    if (Number(of) !== group) return 0;
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(resident ?? 0) * 1024;
  } catch {
    return 0;
  }
}
