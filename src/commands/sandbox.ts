/** `kalam-ready sandbox`: our own KalamDB-compatible server in the foreground, for trying profiles and pipelines. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { startServer, StartError, type OwnServer, type StartOptions } from "../control/process.ts";
import type { ExitName } from "../exit.ts";
import { packageFolder } from "../package.ts";
import { UsageError } from "../profile/usage.ts";
import { sleep } from "../session/pacing.ts";
import { Output, type OutputFlags } from "./output.ts";
import { handleSignals } from "./signals.ts";

export const sandboxBinary: string = path.join(packageFolder, "bin", "kalam-sandbox.js");
/** A small `kalam` that talks to the sandbox; undefined in an installed package, which does not bring it. */
export function kalamStandIn(): string | undefined {
  const file = path.join(packageFolder, "test", "kalam-stand-in.js");
  return existsSync(file) ? file : undefined;
}

/** Its database and its parser are development dependencies: whoever only checks servers does not need 20 MB of PostgreSQL. */
const needed = ["@electric-sql/pglite", "libpg-query", "smol-toml"];

/** Throws UsageError where what it needs is not installed, and where it does not start. */
export async function startSandbox(options: Partial<StartOptions> = {}): Promise<OwnServer> {
  const missing = needed.filter((name) => !isInstalled(name));
  if (missing.length > 0) {
    throw new UsageError(
      "sandboxNotInstalled",
      `the sandbox needs ${missing.join(", ")}, which ${missing.length === 1 ? "is" : "are"} not installed: npm install ${missing.join(" ")}`,
    );
  }
  try {
    return await startServer(sandboxBinary, { withinMs: 60_000, book: { made: () => {}, gone: () => {} }, ...options });
  } catch (error) {
    if (error instanceof StartError)
      throw new UsageError("sandboxNotStarted", `the sandbox did not start: ${error.message}`);
    throw error;
  }
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(`${name}/package.json`);
    return true;
  } catch (error) {
    // A package that does not export its package.json is there all the same.
    return (error as NodeJS.ErrnoException).code === "ERR_PACKAGE_PATH_NOT_EXPORTED";
  }
}

export interface SandboxFlags extends OutputFlags {
  readonly port?: string;
}

export async function sandbox(flags: SandboxFlags, environment: NodeJS.ProcessEnv): Promise<ExitName> {
  const output = new Output(flags, environment);
  const port = flags.port === undefined ? undefined : Number(flags.port);
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65_536)) {
    throw new UsageError("invalidPort", `--port: a number from 1 to 65535, not ${JSON.stringify(flags.port)}`);
  }
  const signals = handleSignals({ first: () => output.tell("stopping"), leaving: () => "kalam-ready: left" });
  const server = await startSandbox({ signal: signals.signal, ...(port === undefined ? {} : { port }) });
  output.out(
    `export KALAM_READY_URL=${server.url} KALAM_READY_USER=root KALAM_READY_PASSWORD=${server.rootPassword}\n`,
  );
  output.tell("The sandbox runs until Ctrl-C. It is no database for anyone's data: what is in it goes when it stops.");
  output.tell("In another terminal: eval the line above, then kalam-ready check");
  while (!signals.signal.aborted) {
    if (!server.isRunning()) {
      output.complain(`the sandbox ended by itself: ${server.lastWords()}`);
      break;
    }
    await sleep(100);
  }
  const ended = signals.ended();
  await server.stop();
  signals.release();
  return ended === undefined ? "internal" : "ready";
}
