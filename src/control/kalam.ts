/** Runs the `kalam` command line as a child process, in a home folder of its own: it must not read or leave any settings. */
import { spawn, type ChildProcess } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import path from "node:path";
import { truncated } from "../formats/printable.ts";
import type { Kalam, KalamOutcome, KalamRun } from "../wire/kalam.ts";
import { bareEnvironment, freePort } from "./child.ts";
import { newFolder, type FolderBook } from "./folder.ts";

const keptOutput = 256 * 1024;

/** Running children and their folders; killed and removed however this process ends. */
const running = new Map<ChildProcess, string>();
process.on("exit", () => {
  for (const [child, folder] of running) {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});

export function kalamOf(binary: string, url: string, book: FolderBook): Kalam {
  return async (run) => {
    const silence = run.at === "silence" ? await listenSilently() : undefined;
    const address = run.at === "server" ? url : `http://127.0.0.1:${silence?.port ?? (await freePort())}`;
    const folder = newFolder(book);
    try {
      for (const [name, text] of Object.entries(run.files ?? {})) writeFileSync(path.join(folder, name), text);
      return await runIn(folder, binary, ["-u", address, ...run.args], run);
    } finally {
      rmSync(folder, { recursive: true, force: true });
      book.gone(folder);
      silence?.close();
    }
  };
}

async function runIn(folder: string, binary: string, args: readonly string[], run: KalamRun): Promise<KalamOutcome> {
  const startedAt = performance.now();
  // Its own process group: Ctrl-C in a terminal must reach only us; we forward the interrupts meant for the child.
  const child = spawn(binary, args, {
    cwd: folder,
    detached: true,
    stdio: "pipe",
    env: { ...bareEnvironment(), HOME: folder },
  });
  running.set(child, folder);
  const output = { stdout: "", stderr: "" };
  let cutAt: number | undefined;
  let overdue = false;
  const closeStdout = (): void => {
    cutAt ??= performance.now();
    child.stdout.destroy();
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.stdout = truncated(output.stdout + text, keptOutput);
    run.onStdout?.(output.stdout);
    if (run.closeStdout === "after the first") closeStdout();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.stderr = truncated(output.stderr + text, keptOutput);
  });
  // The child may ignore stdin (EPIPE).
  child.stdin.on("error", () => {}).end(run.input ?? "");
  if (run.closeStdout === "at once") closeStdout();

  const interrupt = (): void => {
    cutAt ??= performance.now();
    child.kill("SIGINT");
  };
  const kill = (): void => void child.kill("SIGKILL");
  if (run.interrupt?.aborted === true) interrupt();
  run.interrupt?.addEventListener("abort", interrupt, { once: true });
  run.signal?.addEventListener("abort", kill, { once: true });
  const timer = setTimeout(() => {
    overdue = true;
    kill();
  }, run.timeoutMs);
  const ended = await new Promise<{ code: number | null; signal: string | null; why: string | null }>((resolve) => {
    child.on("error", (error) => {
      if (child.pid === undefined) resolve({ code: null, signal: null, why: error.message });
    });
    child.on("close", (code, signal) => resolve({ code, signal, why: null }));
  });
  const doneAt = performance.now();
  clearTimeout(timer);
  run.interrupt?.removeEventListener("abort", interrupt);
  run.signal?.removeEventListener("abort", kill);
  running.delete(child);
  return {
    notStarted: ended.why,
    exitCode: ended.code,
    endedBySignal: ended.signal,
    overdue,
    ...output,
    tookMs: Math.round(doneAt - startedAt),
    endedAfterMs: cutAt === undefined ? null : Math.round(doneAt - cutAt),
  };
}

/** Accepts connections on loopback, reads everything and never answers. */
async function listenSilently(): Promise<{ port: number; close(): void }> {
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    open.add(socket);
    socket
      .on("error", () => {})
      .on("close", () => open.delete(socket))
      .resume();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}
