/**
 * `npm run bench`: measures what a user waits for, together with a baseline, because milliseconds do not compare across
 * machines. Nothing is asserted; the goals are printed next to the measurements. With names only those: `npm run bench -- aborts`.
 * `npm run bench -- healthy [runs] [effort]`: what is false on a healthy server in trouble (healthy.ts).
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { measureAborts } from "./aborts.ts";
import { measureEvents } from "./events.ts";
import { measureHostile } from "./hostile.ts";
import { print } from "./print.ts";
import { measureJudges } from "./judges.ts";
import { measureStalls } from "./stalls.ts";
import { startSandbox } from "../src/commands/sandbox.ts";
import type { OwnServer } from "../src/control/process.ts";
import { healthyRuns } from "./healthy.ts";
import { packageFolder } from "../src/package.ts";

const bin = path.join(packageFolder, "bin", "kalam-ready.js");
const sandboxBin = path.join(packageFolder, "sandbox", "bin", "kalam-sandbox.js");
const rounds = 15;
interface WholeRun {
  readonly name: string;
  readonly flags: readonly string[];
  readonly goal: string;
  /** On a sandbox that the run starts itself, with its limits lifted, instead of a running one. */
  readonly own?: true;
}

const only = (...categories: readonly string[]): string[] => categories.flatMap((category) => ["--only", category]);
/** Of one run of `check` each. */
const wholeRuns: readonly WholeRun[] = [
  { name: "configuration", flags: only("configuration"), goal: "goal ≤ 5 s" },
  { name: "validation + cli", flags: only("validation", "cli"), goal: "goal ≤ 8 s" },
  { name: "observability + subscriptions", flags: only("observability", "subscriptions"), goal: "goal ≤ 20 s" },
  {
    name: "concurrency + backpressure",
    flags: only("concurrency", "backpressure"),
    goal: "goal ≤ 15 s",
    own: true,
  },
  {
    name: "durability, with crashes and damage",
    flags: [...only("durability"), "--allow", "process,disk"],
    goal: "goal ≤ 60 s",
    own: true,
  },
  { name: "all at light", flags: ["--effort", "light"], goal: "goal ≤ 10 s", own: true },
  { name: "all at standard", flags: [], goal: "goal ≤ 30 s", own: true },
];

const measurements: Readonly<Record<string, () => Promise<void>>> = {
  "start-up": startUp,
  events: liveEvents,
  judges: () => Promise.resolve(concurrentHistories()),
  "first-request": firstRequest,
  runs: wholeRun,
  aborts: measureAborts,
  hostile: measureHostile,
  stalls: measureStalls,
};
/** Minutes each, so only by name. */
const long = new Set(["aborts", "hostile", "stalls"]);
const [first, runCount = "6", effort = "light"] = process.argv.slice(2);
const isHealthy = first === "healthy";
if (isHealthy) process.exitCode = await healthyRuns(Number(runCount), effort);
const chosen = isHealthy ? [] : process.argv.slice(2);
const unknown = chosen.filter((name) => !Object.hasOwn(measurements, name));
if (unknown.length > 0)
  throw new Error(`no measurement ${unknown.join(", ")}; there are ${Object.keys(measurements).join(", ")}`);
for (const [name, measure] of isHealthy ? [] : Object.entries(measurements))
  if (chosen.length === 0 ? !long.has(name) : chosen.includes(name)) await measure();

/** `--help` against an empty Node process, alternating. */
async function startUp(): Promise<void> {
  const [bare, help] = [[] as number[], [] as number[]];
  for (let n = 0; n <= rounds; n += 1) {
    const pair = [timed(["-e", "0"]), timed([bin, "--help"])] as const;
    // The first round fills the file cache.
    if (n > 0) {
      bare.push(pair[0]);
      help.push(pair[1]);
    }
  }
  print(
    "--help",
    `${ms(median(help))}, node alone ${ms(median(bare))}, ratio ${ratio(help, bare)}`,
    `+${(median(help) - median(bare)).toFixed(0)} ms (goal ≤ +25 ms)`,
  );
}

function timed(args: readonly string[]): number {
  const startedAt = performance.now();
  spawnSync(process.execPath, args, { stdio: "ignore" });
  return performance.now() - startedAt;
}

/** Live events that one core receives and judges. */
async function liveEvents(): Promise<void> {
  const { received, parsedOnly, judged } = await measureEvents();
  const thousands = (count: number): string => `${Math.round(count / 1_000)}k/s`;
  print(
    "events received",
    `${thousands(received)}, JSON.parse alone ${thousands(parsedOnly)}, ratio ${(parsedOnly / received).toFixed(1)}`,
    "",
  );
  print("events judged", `${thousands(judged)} by all four judges`, "goal ≥ 100k/s");
}

/** The judges of concurrent histories, a hundred thousand operations each. */
function concurrentHistories(): void {
  const figures = Object.entries(measureJudges()).map(([judge, tookMs]) => `${judge} ${ms(tookMs)}`);
  print("100,000 operations judged", figures.join(", "), "goal ≤ 1 s each");
}

/** From process start to its first request, against a Node process that only connects. */
async function firstRequest(): Promise<void> {
  const bareRequest = "require('net').connect(process.argv[1]).write('GET / HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n')";
  const [bare, ours] = [[] as number[], [] as number[]];
  for (let n = 0; n <= rounds; n += 1) {
    const pair = [
      await untilRequest((port) => ["-e", bareRequest, String(port)]),
      await untilRequest((port) => [bin, "check", "--url", `http://127.0.0.1:${port}`, "--user", "x"]),
    ] as const;
    if (n > 0) {
      bare.push(pair[0]);
      ours.push(pair[1]);
    }
  }
  print(
    "first request",
    `${ms(median(ours))}, node alone ${ms(median(bare))}, ratio ${ratio(ours, bare)}`,
    `+${(median(ours) - median(bare)).toFixed(0)} ms (goal ≤ +160 ms)`,
  );
}

async function untilRequest(args: (port: number) => string[]): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer((_, response) => {
      const tookMs = performance.now() - startedAt;
      response.end();
      child?.kill("SIGKILL");
      server.close(() => resolve(tookMs));
      server.closeAllConnections();
    });
    let startedAt = 0;
    let child: ChildProcess | undefined;
    server.listen(0, "127.0.0.1", () => {
      startedAt = performance.now();
      const { port } = server.address() as AddressInfo;
      child = spawn(process.execPath, args(port), {
        stdio: "ignore",
        env: { ...process.env, KALAM_READY_PASSWORD: "x" },
      });
      child.on("error", reject);
    });
  });
}

/** `check` on the sandbox. */
async function wholeRun(): Promise<void> {
  for (const { name, flags, goal, own } of wholeRuns) {
    const server = own === true ? undefined : await startSandbox();
    try {
      const walls: number[] = [];
      const lines = new Set<string>();
      for (let n = 0; n < 3; n += 1) {
        const { wallMs, line } = checkOnce(server, flags);
        walls.push(wallMs);
        lines.add(line);
      }
      print(
        `check: ${name}`,
        `${ms(median(walls))} (${walls.map((wall) => (wall / 1000).toFixed(1)).join(", ")} s)`,
        goal,
      );
      for (const line of lines) print("", line, "");
    } finally {
      await server?.stop();
    }
  }
}

/** `server` absent: the run starts its own, whose memory would be measured for the run's, so none is told. */
function checkOnce(server: OwnServer | undefined, flags: readonly string[]): { wallMs: number; line: string } {
  const where = server === undefined ? ["--server-bin", sandboxBin] : ["--url", server.url, "--user", "root"];
  const startedAt = performance.now();
  const { stdout, stderr } = spawnSync(
    "/usr/bin/env",
    ["time", "-f", "%M", process.execPath, bin, "check", ...where, "--json", "-q", ...flags],
    {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
      env: {
        ...process.env,
        ...(server === undefined ? {} : { KALAM_READY_PASSWORD: server.rootPassword }),
      },
    },
  );
  const wallMs = performance.now() - startedAt;
  const report = JSON.parse(stdout) as { run: { requests: number }; verdict: string };
  const peak = Math.round(Number(stderr.trim().split("\n").at(-1)) / 1024);
  const memory = server === undefined ? "" : `, ${peak} MiB peak memory`;
  return { wallMs, line: `${report.verdict}, ${report.run.requests} requests${memory}` };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** The median of the pairwise ratios: both measurements of a pair saw the same load on the machine. */
function ratio(ours: readonly number[], theirs: readonly number[]): string {
  return median(ours.map((value, at) => value / (theirs[at] ?? Number.NaN))).toFixed(2);
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}
