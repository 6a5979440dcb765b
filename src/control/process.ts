/** Runs servers as child processes: a binary, a free loopback port, a fresh folder. */
import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { makeFolder } from "../session/folders.ts";
import { sleep } from "../session/pacing.ts";
import { httpWire } from "../wire/http.ts";
import type { Control, SettingChanges, TrialOutcome, TrialSettings } from "../wire/control.ts";
import { settingsFile } from "./settings-file.ts";

export interface OwnServer {
  readonly url: string;
  readonly pid: number;
  readonly rootPassword: string;
  readonly dataFolder: string;
  readonly control: Control;
  /** Asks it to stop, kills it if it does not, removes its folder. Its exit code; null where a signal ended it. */
  stop(): Promise<number | null>;
  /** SIGKILL: nothing more of it runs. Removes its folder. */
  kill(): Promise<void>;
  isRunning(): boolean;
  /** The first 4,000 characters that it wrote to stderr. */
  stderr(): string;
  /** The end of its output, for error messages about a server that died. */
  lastWords(): string;
}

/** Notified of each folder before it is created and after it is removed, so that the leftovers of a killed run can be cleaned up. */
export interface FolderBook {
  made(folder: string): void;
  gone(folder: string): void;
}

/** The server did not start. */
export class StartError extends Error {
  readonly code: StartCode;

  constructor(code: StartCode, message: string) {
    super(message);
    this.code = code;
  }
}

type StartCode = "portInUse" | "serverEnded" | "startAborted" | "startTimedOut";

const keptOutput = 4_000;
const stopWithinMs = 10_000;
const pollEveryMs = 25;

/** Running servers and their folders; killed however this process ends, so that no server outlives its run. */
const running = new Map<ChildProcess, string>();
process.on("exit", () => {
  for (const [child, folder] of running) {
    killGroup(child, "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});

/** The binary may be a script that starts the server: both are in one process group. */
function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    child.kill(signal);
  }
}

export interface StartOptions {
  /** The user's own settings file. */
  readonly config?: string;
  /** Settings for the file that is written where the user gives none. */
  readonly changes?: SettingChanges;
  readonly environment?: Readonly<Record<string, string>>;
  /** A free one where absent. */
  readonly port?: number;
  /** Kept when the server ends. A fresh one where absent, which is removed. */
  readonly dataFolder?: string;
  /** A random one where absent; null: none, so that the server asks for its setup. */
  readonly rootPassword?: string | null;
  readonly withinMs: number;
  readonly signal?: AbortSignal;
  readonly book: FolderBook;
}

/**
 * Starts the binary and waits until it answers. With the user's settings file, only the address, folders and secrets
 * are ours, set through the environment.
 * Throws StartError.
 */
export async function startServer(binary: string, options: StartOptions): Promise<OwnServer> {
  const { book } = options;
  const port = options.port ?? (await freePort());
  // The answer of another process on that port would be taken for this server's.
  if (await answers(port)) throw new StartError("portInUse", `port ${port} is already in use`);
  const folder = newFolder(book);
  const dataFolder = options.dataFolder ?? path.join(folder, "data");
  const rootPassword = options.rootPassword === undefined ? newPassword() : (options.rootPassword ?? "");
  const file = options.config ?? path.join(folder, "server.toml");
  if (options.config === undefined) writeFileSync(file, settingsFile(folder, port, options.changes ?? {}));
  // Where there is a folder, its parent at least is not the server's to make.
  if (options.dataFolder !== undefined) makeFolder(path.dirname(dataFolder));
  const child = start(binary, [file], folder, {
    KALAMDB_SERVER_HOST: "127.0.0.1",
    KALAMDB_SERVER_PORT: String(port),
    KALAMDB_DATA_DIR: dataFolder,
    KALAMDB_LOGS_DIR: path.join(folder, "logs"),
    ...(rootPassword === "" ? {} : { KALAMDB_ROOT_PASSWORD: rootPassword }),
    KALAMDB_JWT_SECRET: randomBytes(32).toString("hex"),
    ...options.environment,
  });
  const url = `http://127.0.0.1:${port}`;
  const came = await waitUntilAnswers(child, port, options.withinMs, options.signal);
  if (!came || child.process.pid === undefined) {
    const [code, why] = notStarted(child.ended()?.how, options);
    await end(child, book);
    throw new StartError(code, `${binary} ${why}: ${child.lastWords()}`);
  }
  return {
    url,
    pid: child.process.pid,
    rootPassword,
    dataFolder,
    control: {
      kind: "process",
      port,
      trial: async (settings, withinMs) => await trial(binary, settings, withinMs, book),
    },
    stop: async () => await end(child, book),
    async kill() {
      killGroup(child.process, "SIGKILL");
      await end(child, book);
    },
    isRunning: () => child.ended() === undefined,
    stderr: child.stderr,
    lastWords: child.lastWords,
  };
}

function notStarted(exit: string | undefined, { signal, withinMs }: StartOptions): readonly [StartCode, string] {
  if (exit !== undefined) return ["serverEnded", `ended with ${exit}`];
  if (signal?.aborted === true) return ["startAborted", "was stopped before it answered"];
  return ["startTimedOut", `did not answer within ${withinMs} ms`];
}

async function trial(
  binary: string,
  settings: TrialSettings,
  withinMs: number,
  book: FolderBook,
): Promise<TrialOutcome> {
  const folder = newFolder(book);
  const port = await freePort();
  const file = path.join(folder, "server.toml");
  const regular = path.join(folder, "regular-file");
  writeFileSync(regular, "");
  const fill = (text: string): string => text.replaceAll("{folder}", folder).replaceAll("{file}", regular);
  let listensOn = port;
  if (settings.kind === "text") writeFileSync(file, fill(settings.text));
  if (settings.kind === "changed") {
    const changes = Object.entries(settings.changes).map(
      ([key, value]) => [key, typeof value === "string" ? fill(value) : value] as const,
    );
    writeFileSync(file, settingsFile(folder, port, Object.fromEntries(changes)));
    const changed = settings.changes["server.port"];
    if (typeof changed === "number" && changed > 0) listensOn = changed;
  }
  // Where the port is already in use, an answer there says nothing about this server.
  const takenBefore = await answers(listensOn);
  const startedAt = performance.now();
  const child = start(binary, [file], folder, {
    KALAMDB_ROOT_PASSWORD: newPassword(),
  });
  const answered = takenBefore
    ? (await ended(child, withinMs), false)
    : await waitUntilAnswers(child, listensOn, withinMs);
  const exit = child.ended();
  const tookMs = Math.round(performance.now() - startedAt);
  await end(child, book);
  return {
    answered,
    exitCode: exit?.code ?? null,
    tookMs,
    stderr: child.stderr(),
    stdout: child.stdout(),
    leftListening: !takenBefore && (await answers(listensOn)),
  };
}

function newPassword(): string {
  return `Kr1-${randomBytes(18).toString("base64url")}`;
}

interface Child {
  readonly process: ChildProcess;
  readonly folder: string;
  /** Set once it has ended. */
  ended(): { readonly code: number | null; readonly how: string } | undefined;
  stdout(): string;
  stderr(): string;
  lastWords(): string;
}

function start(
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
      output[stream] = (output[stream] + text).slice(0, keptOutput);
      last = (last + text).slice(-600);
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
    process: child,
    folder,
    ended: () => exit,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    lastWords: () => (output.stderr.trim() === "" ? last : output.stderr).trim().slice(0, 600),
  };
}

/** What a program needs to run, without anything that would change its settings or leak a secret to it. */
export function bareEnvironment(): Record<string, string> {
  const kept = ["PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "SystemRoot"];
  const switches = Object.keys(process.env).filter((name) => name.startsWith("KALAM_SANDBOX_"));
  return Object.fromEntries(
    [...kept, ...switches].flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

async function waitUntilAnswers(child: Child, port: number, withinMs: number, signal?: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline && signal?.aborted !== true) {
    if (child.ended() !== undefined) return false;
    if (await answers(port)) return child.ended() === undefined;
    await sleep(pollEveryMs);
  }
  return false;
}

async function ended(child: Child, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (child.ended() === undefined && performance.now() < deadline) await sleep(pollEveryMs);
  return child.ended() !== undefined;
}

async function end(child: Child, book: FolderBook): Promise<number | null> {
  if (child.ended() === undefined) {
    killGroup(child.process, "SIGTERM");
    if (!(await ended(child, stopWithinMs))) killGroup(child.process, "SIGKILL");
    await ended(child, stopWithinMs);
  }
  rmSync(child.folder, { recursive: true, force: true });
  book.gone(child.folder);
  return child.ended()?.code ?? null;
}

/** Whether a server on that port answers the setup status over HTTP. */
async function answers(port: number): Promise<boolean> {
  if (port <= 0) return false;
  const wire = httpWire(`http://127.0.0.1:${port}`, { connections: 1 });
  try {
    const answer = await wire.exchange({ method: "GET", path: "/v1/api/auth/status", headers: {}, timeoutMs: 1_000 });
    return answer.kind === "answered" && answer.status < 500;
  } finally {
    await wire.close();
  }
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
