/** A server as a child process, in a process group of its own. */
import { spawn, type ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { truncated } from "../formats/printable.ts";
import { sleep } from "../session/pacing.ts";

export interface Child {
  readonly folder: string;
  /** Of the child and of its process group; undefined if it could not be started. */
  readonly pid: number | undefined;
  /** To its whole group: the binary may be a script that starts the server. */
  signal(signal: NodeJS.Signals): void;
  /** Set once it has ended. */
  ended(): { readonly code: number | null; readonly how: string } | undefined;
  /** The first 4,000 characters of each. */
  stdout(): string;
  stderr(): string;
  lastWords(): string;
}

const keptOutput = 4_000;
const lastWordsMax = 600;
export const pollEveryMs = 25;

/** Running servers and their folders; killed however this process ends, so that no server outlives its run. */
const running = new Map<ChildProcess, string>();
process.on("exit", () => {
  for (const [child, folder] of running) {
    signalGroup(child, "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    child.kill(signal);
  }
}

/** `folder`: its working folder, which is removed if this process ends first. */
export function startChild(
  binary: string,
  args: readonly string[],
  folder: string,
  settings: Readonly<Record<string, string>>,
): Child {
  // Its own process group: Ctrl-C in a terminal goes to a whole group, and the server must outlive our clean-up.
  const child = spawn(binary, args, {
    cwd: folder,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...bareEnvironment(), ...settings },
  });
  running.set(child, folder);
  const output = { stdout: "", stderr: "" };
  let last = "";
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream]?.setEncoding("utf8").on("data", (text: string) => {
      output[stream] = truncated(output[stream] + text, keptOutput);
      last = lastOf(last + text);
    });
  }
  let exit: { code: number | null; how: string } | undefined;
  child.on("error", (error) => {
    exit ??= { code: null, how: error.message };
  });
  child.on("close", (code, signal) => {
    exit ??= { code, how: signal === null ? `exit code ${code}` : `signal ${signal}` };
    running.delete(child);
  });
  return {
    folder,
    pid: child.pid,
    signal: (signal) => signalGroup(child, signal),
    ended: () => exit,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    lastWords: () => truncated((output.stderr.trim() === "" ? last : output.stderr).trim(), lastWordsMax),
  };
}

/** Its end, from the beginning of a line or word: the end of a secret alone could not be recognised. */
function lastOf(text: string): string {
  return text.length <= lastWordsMax ? text : text.slice(-lastWordsMax).replace(/^(?:.*\n|\S*\s?)/, "…");
}

/** What a program needs to run, without anything that would change its settings or leak a secret to it. */
export function bareEnvironment(): Record<string, string> {
  const kept = ["PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "SystemRoot"];
  const switches = Object.keys(process.env).filter((name) => name.startsWith("KALAM_SANDBOX_"));
  return Object.fromEntries(
    [...kept, ...switches].flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

/** Whether it ended in time. */
export async function endsWithin(child: Child, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (child.ended() === undefined && performance.now() < deadline) await sleep(pollEveryMs);
  return child.ended() !== undefined;
}

/** A loopback port that is free at this moment. */
export async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
