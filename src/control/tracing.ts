/** Recording what a server does to its files, with strace. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { truncated } from "../formats/printable.ts";
import { traceFile } from "../wire/control.ts";
import { bareEnvironment } from "./child.ts";

/** What changes files or makes a change lasting, what tells which file and where, and what would do it unseen. */
const calls = [
  "open,openat,openat2,creat,close,dup,dup2,dup3,fcntl,lseek",
  "write,pwrite64,writev,pwritev,pwritev2,truncate,ftruncate,fallocate,copy_file_range,sendfile,splice,ioctl",
  "rename,renameat,renameat2,unlink,unlinkat,rmdir,link,linkat,symlink,symlinkat,mkdir,mkdirat",
  "fsync,fdatasync,sync,syncfs,mmap,msync,io_uring_setup,io_submit",
].join(",");
/** The longest write whose bytes are recorded. */
const bytesMax = 16 * 1024 * 1024;

/**
 * The command that runs a program under strace, which records into that folder. The process that is started becomes the program
 * itself: signals, exit code and parent are as without. strace is in a process group of its own, so that it sees the end.
 */
export function traced(folder: string, program: readonly string[]): readonly [string, ...string[]] {
  const how = ["-DD", "-f", "--seccomp-bpf", "-qq", "-y", "-ttt", "-T", "-s", String(bytesMax)];
  return ["strace", ...how, "-o", path.join(folder, traceFile), "-e", `trace=${calls}`, ...program];
}

const triedWithinMs = 10_000;
const detailMax = 160;

/** Why nothing can be traced here, in words; undefined where it can. */
export function whyNoTrace(): string | undefined {
  if (process.platform !== "linux") return "what a server writes can be traced only on Linux";
  const folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-trace-"));
  try {
    const [command, ...args] = traced(folder, ["true"]);
    const tried = spawnSync(command, args, { env: bareEnvironment(), timeout: triedWithinMs, encoding: "utf8" });
    if (tried.error !== undefined && "code" in tried.error && tried.error.code === "ENOENT")
      return "strace is not installed (Debian and Ubuntu: apt install strace)";
    const detail = tried.error?.message ?? tried.stderr.trim();
    if (tried.status === 0 && statSync(path.join(folder, traceFile)).isFile()) return undefined;
    return `strace may not trace here, or is older than 5.3: ${truncated(detail, detailMax)}`;
  } catch (error) {
    return `strace did not trace: ${String(error)}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
