/** Load generators of others, installed from their registries into a folder that is removed afterwards. */
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { Delays } from "../checks/vocabulary/open-loop.ts";

/** In milliseconds. */
type Quantiles = Omit<Delays, "count">;

export interface Load {
  readonly url: string;
  readonly perSecond: number;
  readonly seconds: number;
  /** How many requests may be in flight at once, in an open loop. */
  readonly clients: number;
}

export type Measured = { readonly why: string } | { readonly delays: readonly (readonly [string, Quantiles])[] };

export interface LoadTool {
  readonly name: string;
  /** `why`: it cannot be had on this machine. */
  measure(load: Load): Promise<Measured>;
}

const closedLoopClients = 10;

/** wrk2 is in none of the registries. */
export const loadTools: readonly LoadTool[] = [
  {
    name: "autocannon",
    async measure({ url, perSecond, seconds }) {
      return await inFolder(async (folder) => {
        await run("npm", [
          "install",
          "--prefix",
          folder,
          "--no-audit",
          "--no-fund",
          "--ignore-scripts",
          "autocannon@8",
        ]);
        const bin = path.join(folder, "node_modules", "autocannon", "autocannon.js");
        const options = ["-c", String(closedLoopClients), "-d", String(seconds), "-j"];
        const name = `autocannon -c ${closedLoopClients}`;
        return [
          [name, await autocannon([bin, ...options, url])],
          [`${name} -R ${perSecond}`, await autocannon([bin, "-R", String(perSecond), ...options, url])],
        ];
      });
    },
  },
  {
    name: "k6",
    async measure(load) {
      return await inFolder(async (folder) => {
        await run("go", ["install", "go.k6.io/k6@v1.8.1"], { GOBIN: folder, GOFLAGS: "-mod=mod" });
        const script = path.join(folder, "load.js");
        writeFileSync(script, k6Script(load));
        const text = await output(path.join(folder, "k6"), ["run", "--quiet", "--no-usage-report", script]);
        return [[`k6 constant-arrival-rate ${load.perSecond}/s`, JSON.parse(text) as Quantiles]];
      });
    },
  },
];

async function inFolder(measure: (folder: string) => Promise<(readonly [string, Quantiles])[]>): Promise<Measured> {
  const folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-bench-"));
  try {
    return { delays: await measure(folder) };
  } catch (error) {
    return {
      why: `cannot be installed or run here: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  await promisify(execFile)(program, args, { env: { ...process.env, ...environment }, timeout: 900_000 });
}

/** What it prints on stdout. Not waited for synchronously: the server is in this process. */
async function output(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => (text += part));
  await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  return text;
}

/** It tells no p95; its p97.5, which is higher, stands in for it. */
async function autocannon(args: readonly string[]): Promise<Quantiles> {
  const { latency } = JSON.parse(await output(process.execPath, args)) as {
    latency: { p50: number; p97_5: number; p99: number; max: number };
  };
  return { p50: latency.p50, p95: latency.p97_5, p99: latency.p99, max: latency.max };
}

function k6Script({ url, perSecond, seconds, clients }: Load): string {
  return `
import http from "k6/http";
export const options = {
  summaryTrendStats: ["med", "p(95)", "p(99)", "max"],
  scenarios: {
    load: {
      executor: "constant-arrival-rate",
      rate: ${perSecond},
      duration: "${seconds}s",
      preAllocatedVUs: ${clients},
    },
  },
};
export default function () {
  http.get(${JSON.stringify(url)});
}
export function handleSummary({ metrics }) {
  const of = metrics.http_req_duration.values;
  const [p50, p95, p99, max] = ["med", "p(95)", "p(99)", "max"].map((name) => Math.round(of[name]));
  return { stdout: JSON.stringify({ p50, p95, p99, max }) };
}
`;
}
