/** Runs the command line as a user does: the built files, as a process of its own, with an environment of its own. */
import { spawn, type ChildProcess } from "node:child_process";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { packageFolder } from "../src/package.ts";

const bin = path.join(packageFolder, "bin", "kalam-ready.js");

export interface CliResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  /** Called with the process as soon as it runs. */
  readonly meanwhile?: (child: ChildProcess) => void;
}

export async function cli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return await new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...args], {
      cwd: options.cwd ?? packageFolder,
      // Nothing of the machine's own settings gets in.
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: process.env["HOME"] ?? "",
        TMPDIR: process.env["TMPDIR"] ?? "/tmp",
        ...options.env,
      },
      stdio: "pipe",
    });
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, ...output }));
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
    options.meanwhile?.(child);
  });
}

/** A web server for one test, whatever it answers. */
export async function webServer(answer: RequestListener): Promise<{ url: string; close(): void }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The moment something appears on a stream of the process. */
export async function until(child: ChildProcess, stream: "stdout" | "stderr", pattern: RegExp): Promise<void> {
  await new Promise<void>((resolve) => {
    let seen = "";
    child[stream]?.on("data", (text: string) => {
      seen += text;
      if (pattern.test(seen)) resolve();
    });
  });
}
