/** What tests of the command line begin with: a sandbox, and runs against it. */
import { mkdtempSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll } from "vitest";
import type { OwnServer } from "../src/control/process.ts";
import { cli, type CliOptions, type CliResult } from "./cli.ts";
import { leftOn, startSandbox } from "./sandbox.ts";

/** The server of the test file that called `useSandbox`, a folder of its own, and the environment that leads a run to them. */
export let server: OwnServer;
export let folder: string;
export let env: Record<string, string>;

/** Starts a sandbox for the tests of a file, and stops it after them. */
export function useSandbox(name: string): void {
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), `kalam-ready-${name}-`));
    server = await startSandbox();
    env = {
      KALAM_READY_URL: server.url,
      KALAM_READY_USER: "root",
      KALAM_READY_PASSWORD: server.rootPassword,
      KALAM_READY_STATE: path.join(folder, "state"),
    };
  }, 60_000);
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });
}

/** Starting node takes its time on a busy machine, and a whole category of checks takes seconds. */
export const processes = { timeout: 60_000 };
export const wholeRuns = { timeout: 120_000 };

export const quick = ["--only", "configuration/answers-sql", "--only", "configuration/drop-missing-refused"];
/** Enough for what happens around checks; the checks themselves are proven elsewhere. */
export const category = ["--only", "configuration"];

export async function run(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return await cli(args, { ...options, env: { ...env, ...options.env } });
}

export const leftOnServer = async (): Promise<string[]> => await leftOn(server, path.join(folder, "look"));

/** Passes requests on to the sandbox and sets its clock forward a minute on the way back. */
export async function relay(
  request: IncomingMessage,
  response: ServerResponse,
  change: (text: string) => string = (text) => text,
): Promise<void> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk);
  const answer = await fetch(`${server.url}${request.url ?? ""}`, {
    method: request.method ?? "GET",
    headers: {
      authorization: request.headers.authorization ?? "",
      "content-type": request.headers["content-type"] ?? "",
    },
    ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
  });
  const text = (await answer.text()).replace(/\b1[0-9]{18}\b/, (digits) => String(BigInt(digits) + 60_000_000_000n));
  response.writeHead(answer.status, { "content-type": "application/json" }).end(change(text));
}

/** The codes of the errors that it printed; only --debug shows them. */
export function codesOf({ stderr }: CliResult): string[] {
  return [...stderr.matchAll(/\[(\w+)\]$/gm)].map(([, code = ""]) => code);
}

/** A module that Node loads first: the way to make a defect. */
export const preload = (source: string): Record<string, string> => ({
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(source)}`,
});

/** An error that nothing catches, so long after the start, but not before the program has begun. */
export const boomAfter = (ms: number): Record<string, string> =>
  preload(`setTimeout(function boom() {
    if (process.listenerCount("uncaughtException") === 0) return void setTimeout(boom, 10);
    throw new Error("boom");
  }, ${ms})`);
