/** `kalam-ready sandbox`: our own KalamDB-compatible server in the foreground, for trying profiles and pipelines. */
import { createRequire } from "node:module";
import path from "node:path";
import { freePort } from "../control/child.ts";
import { startServer, StartError, type OwnServer, type StartOptions } from "../control/process.ts";
import { unsynced } from "../control/settings-file.ts";
import type { ExitName } from "../exit.ts";
import { packageVersion } from "../package.ts";
import { UsageError } from "../profile/usage.ts";
import { sleep } from "../session/pacing.ts";
import { nameOf } from "../wire/postgres/postgres.ts";
import { Output, type OutputFlags } from "./output.ts";
import { hasCrashed, interruptible } from "./signals.ts";

const sandboxPackage = "kalam-ready-sandbox";

/**
 * A program of the sandbox's package: the server, the same in the part of an older release, or a small `kalam` that talks to it.
 * The package is an optional companion: checking a server does not need 20 MB of PostgreSQL. Throws UsageError where it is not
 * installed.
 */
export function sandboxProgram(name: "kalam-sandbox.js" | "kalam-sandbox-older.js" | "kalam-stand-in.js"): string {
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

/** Throws UsageError where it is not installed or does not start. Where its dialect has a PostgreSQL port, that is open. */
export async function startSandbox(options: Partial<StartOptions> = {}): Promise<OwnServer> {
  const program = sandboxProgram("kalam-sandbox.js");
  const olderBinary = sandboxProgram("kalam-sandbox-older.js");
  const dialect = options.environment?.["KALAM_SANDBOX_DIALECT"] ?? process.env["KALAM_SANDBOX_DIALECT"];
  const postgres = dialect === "0.8" ? { "postgres_wire.enabled": true, "postgres_wire.port": await freePort() } : {};
  const changes = { ...unsynced, ...postgres, ...options.changes };
  const book = { made: () => {}, gone: () => {} };
  try {
    return await startServer(program, { withinMs: 60_000, olderBinary, book, ...options, changes });
  } catch (error) {
    if (error instanceof StartError)
      throw new UsageError("sandboxNotStarted", `the sandbox did not start: ${error.message}`, {}, { cause: error });
    throw error;
  }
}

/** The versions of KalamDB whose SQL and frames the sandbox speaks. */
const dialects = ["0.4.3", "0.8"];

export interface SandboxFlags extends OutputFlags {
  readonly dialect?: string;
  readonly port?: string;
}

export async function sandbox(flags: SandboxFlags, environment: NodeJS.ProcessEnv): Promise<ExitName> {
  const output = new Output(flags, environment);
  const port = flags.port === undefined ? undefined : Number(flags.port);
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port < 65_536)) {
    throw new UsageError(
      "invalidPort",
      `--port: a number from 0, for a free one, to 65535, not ${JSON.stringify(flags.port)}`,
    );
  }
  const { dialect = environment["KALAM_SANDBOX_DIALECT"] ?? "0.4.3" } = flags;
  if (!dialects.includes(dialect)) {
    throw new UsageError(
      "invalidDialect",
      `--dialect: expected ${dialects.join(" or ")}, not ${JSON.stringify(flags.dialect)}`,
    );
  }
  const signals = { first: () => output.tell("stopping"), leaving: () => "left; the sandbox has ended" };
  let stopped = false;
  const exit = await interruptible(signals, async ({ signal }) => {
    const server = await startSandbox({
      signal,
      environment: { KALAM_SANDBOX_DIALECT: dialect },
      ...(port === undefined || port === 0 ? {} : { port }),
    });
    stopped = await serveUntil(signal, server, output);
    return "internal";
  });
  // For a server in the foreground a signal is the normal end.
  return stopped && !hasCrashed() ? "ready" : exit;
}

/** Whether it was stopped; it may also end by itself. */
async function serveUntil(signal: AbortSignal, server: OwnServer, output: Output): Promise<boolean> {
  const postgres = server.postgres === undefined ? "" : ` KALAM_READY_POSTGRES=${nameOf(server.postgres)}`;
  output.document(
    `export KALAM_READY_URL=${server.url} KALAM_READY_USER=root KALAM_READY_PASSWORD=${server.rootPassword}${postgres}\n`,
  );
  output.tell("The sandbox runs until Ctrl-C. It is no database for anyone's data: what is in it goes when it stops.");
  output.tell("In another terminal: eval the line above, then kalam-ready check");
  while (!signal.aborted) {
    if (!server.isRunning()) {
      output.complain(`the sandbox ended by itself: ${server.lastWords()}`);
      break;
    }
    await sleep(100);
  }
  await server.stop();
  return signal.aborted;
}
