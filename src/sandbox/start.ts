import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Sections of a settings file: `{ auth: { bcrypt_cost: 4 } }`. */
export type SettingsSections = Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>>;

export interface SandboxOptions {
  /** Put over the settings that `startSandbox` chooses itself. */
  readonly settings?: SettingsSections;
  /** Names of server faults to switch on. */
  readonly faults?: readonly string[];
  /** Kept when the sandbox ends. Without it a temporary one is used and removed. */
  readonly dataFolder?: string;
  readonly port?: number;
  /** `undefined`: one that nobody knows; `null`: none, so that the server asks for its setup. */
  readonly rootPassword?: string | null;
}

export interface Sandbox {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly rootPassword: string;
  readonly dataFolder: string;
  /** Ends it as an operator would, and tells its exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL: nothing more of it runs. */
  kill(): Promise<void>;
  /** What it has written to stderr so far. */
  stderr(): string;
}

/** A port that nothing listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** The program, from wherever this module was bundled to. */
export function sandboxProgram(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "bin", "kalam-sandbox.js"))) {
    if (folder === dirname(folder)) throw new Error("bin/kalam-sandbox.js was not found");
    folder = dirname(folder);
  }
  return join(folder, "bin", "kalam-sandbox.js");
}

/** A settings file's text. JSON's strings, numbers and booleans are TOML's, too. */
export function toToml(sections: SettingsSections): string {
  return Object.entries(sections)
    .map(([name, values]) =>
      [`[${name}]`, ...Object.entries(values).map(([key, value]) => `${key} = ${JSON.stringify(value)}`), ""].join(
        "\n",
      ),
    )
    .join("\n");
}

/** Starts the sandbox as a process of its own and waits until it answers SQL. Throws with its stderr if it ends before. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const own = mkdtempSync(join(tmpdir(), "kalam-sandbox-"));
  const dataFolder = options.dataFolder ?? join(own, "data");
  const port = options.port ?? (await freePort());
  const rootPassword =
    options.rootPassword === undefined ? `root-${crypto.randomUUID()}` : (options.rootPassword ?? "");
  const chosen: SettingsSections = {
    server: { host: "127.0.0.1", port },
    storage: { data_path: dataFolder },
    limits: {},
    logging: { logs_path: join(own, "logs") },
    performance: {},
    auth: { bcrypt_cost: 4 },
    files: { staging_path: join(own, "staging") },
  };
  const names = new Set([...Object.keys(chosen), ...Object.keys(options.settings ?? {})]);
  const settings = Object.fromEntries(
    [...names].map((name) => [name, { ...chosen[name], ...options.settings?.[name] }]),
  );
  const file = join(own, "server.toml");
  mkdirSync(dataFolder, { recursive: true });
  writeFileSync(file, toToml(settings));

  const child = spawn(process.execPath, [sandboxProgram(), file], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      KALAM_SANDBOX_FAULTS: options.faults?.join(",") ?? "",
      ...(rootPassword === "" ? {} : { KALAMDB_ROOT_PASSWORD: rootPassword }),
    },
  });
  const [output, errors] = [collect(child.stdout), collect(child.stderr)];
  // Nobody is left to stop it when this process ends.
  const reap = (): boolean => child.kill("SIGKILL");
  process.once("exit", reap);
  const ended = once(child, "exit").finally(() => {
    process.off("exit", reap);
    rmSync(own, { recursive: true, force: true });
  });
  const url = await readyUrl(child, output);
  if (url === undefined) throw new Error(`the sandbox did not start:\n${errors()}`);
  return {
    url,
    port: Number(new URL(url).port),
    pid: child.pid ?? 0,
    rootPassword,
    dataFolder,
    async stop() {
      child.kill("SIGTERM");
      await ended;
      return child.exitCode;
    },
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
    stderr: errors,
  };
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  let text = "";
  stream?.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  return () => text;
}

/** The address in the ready line, or nothing if the process ends without one. */
function readyUrl(child: ChildProcess, output: () => string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const look = (): void => {
      const url = /ready on (\S+)\n/.exec(output())?.[1];
      if (url !== undefined) resolve(url);
    };
    child.stdout?.on("data", look);
    child.once("close", () => resolve(undefined));
    child.once("error", () => resolve(undefined));
  });
}
