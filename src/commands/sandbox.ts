/** `kalam-ready sandbox`: our own KalamDB-compatible server in the foreground, for trying profiles and pipelines. */
import { createRequire } from "node:module";
import path from "node:path";
import { startServer, StartError, type OwnServer, type StartOptions } from "../control/process.ts";
import type { ExitName } from "../exit.ts";
import { packageVersion } from "../package.ts";
import { UsageError } from "../profile/usage.ts";
import { sleep } from "../session/pacing.ts";
import { Output, type OutputFlags } from "./output.ts";
import { handleSignals } from "./signals.ts";

const sandboxPackage = "kalam-ready-sandbox";

/**
 * A program of the sandbox's package: the server, or a small `kalam` that talks to it. The package is an optional companion:
 * checking a server does not need 20 MB of PostgreSQL. Throws UsageError where it is not installed.
 */
export function sandboxProgram(name: "kalam-sandbox.js" | "kalam-stand-in.js"): string {
  try {
    const manifest = createRequire(import.meta.url).resolve(`${sandboxPackage}/package.json`);
    return path.join(path.dirname(manifest), "bin", name);
  } catch {
    throw new UsageError(
      "sandboxNotInstalled",
      `the sandbox is not installed; install the version tested with this one: npm install ${sandboxPackage}@${packageVersion}`,
    );
  }
}

/** Throws UsageError where it is not installed or does not start. */
export async function startSandbox(options: Partial<StartOptions> = {}): Promise<OwnServer> {
  const program = sandboxProgram("kalam-sandbox.js");
  try {
    return await startServer(program, { withinMs: 60_000, book: { made: () => {}, gone: () => {} }, ...options });
  } catch (error) {
    if (error instanceof StartError)
      throw new UsageError("sandboxNotStarted", `the sandbox did not start: ${error.message}`);
    throw error;
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
