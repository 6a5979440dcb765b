/**
 * `npm run bench -- stalls`: the delays that our open loop measures at a server that stalls for half a second every five seconds,
 * beside those of autocannon (a closed loop), each against the truth.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { delaysOf, openLoop, type Delays } from "../checks/vocabulary/open-loop.ts";
import { httpWire } from "../src/wire/http.ts";
import { print } from "./print.ts";

const [everyMs, stallMs] = [5_000, 500];
const perSecond = 200;
const forMs = 20_000;
/** Enough for all that is due within a stall. */
const inFlightMax = 120;
/** One request in ten falls into a stall and waits for what is left of it: evenly from 0 to 500 ms. */
const truth: Omit<Delays, "count"> = { p50: 0, p95: 250, p99: 450, max: 500 };

export async function measureStalls(): Promise<void> {
  const stalls = await startStalling();
  const show = (who: string, { p50, p95, p99, max }: Omit<Delays, "count">, more = ""): void =>
    print(who, `p50 ${p50}, p95 ${p95}, p99 ${p99}, max ${max} ms${more}`, "");
  try {
    show(`stalls: truth at ${perSecond}/s`, truth);
    const ours = await ourDelays(stalls.url);
    show("stalls: open loop", ours.delays, ` (${ours.delays.count} requests, own lateness p99 ${ours.ownLateMs} ms)`);
    const theirs = autocannon(stalls.url);
    if ("why" in theirs) print("stalls: autocannon", theirs.why, "");
    for (const [name, delays] of "why" in theirs ? [] : await theirs.measure()) show(`stalls: ${name}`, delays);
  } finally {
    stalls.close();
  }
}

/** Every answer waits until the stall is over. */
async function startStalling(): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((_, response) => {
    const at = performance.now() % everyMs;
    const answer = (): void => void response.end("{}");
    if (at < stallMs) setTimeout(answer, stallMs - at);
    else answer();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function ourDelays(url: string): Promise<{ readonly delays: Delays; readonly ownLateMs: number }> {
  const wire = httpWire(url, { connections: inFlightMax });
  const request = { method: "GET", path: "/", headers: {}, timeoutMs: 15_000 };
  try {
    const schedule = { perSecond, forMs, inFlightMax };
    const { shots, ownLateMs } = await openLoop(schedule, async () => await wire.exchange(request), sleep);
    const delays = delaysOf(shots.map(({ delayMs }) => delayMs));
    if (delays === undefined) throw new Error("nothing was answered");
    return { delays, ownLateMs };
  } finally {
    await wire.close();
  }
}

type Named = readonly (readonly [string, Omit<Delays, "count">])[];

/** Installed from npm into a folder of its own, which is removed afterwards. */
function autocannon(url: string): { readonly why: string } | { measure(): Promise<Named> } {
  const folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-bench-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    execFileSync(
      "npm",
      ["install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", "autocannon@8"],
      {
        stdio: "ignore",
        timeout: 120_000,
      },
    );
  } catch (error) {
    remove();
    return { why: `cannot be installed from npm: ${error instanceof Error ? error.message : String(error)}` };
  }
  return {
    async measure() {
      try {
        const seconds = String(forMs / 1_000);
        const connections = ["-c", "10", "-d", seconds, "-j"];
        const bin = path.join(folder, "node_modules", "autocannon", "autocannon.js");
        const free = await latencies(bin, [...connections, url]);
        const paced = await latencies(bin, ["-R", String(perSecond), ...connections, url]);
        return [
          ["autocannon -c 10", free],
          [`autocannon -c 10 -R ${perSecond}`, paced],
        ];
      } finally {
        remove();
      }
    },
  };
}

/** Not waited for synchronously: the server is in this process. autocannon tells no p95; its p97.5, which is higher, stands in for it. */
async function latencies(bin: string, args: readonly string[]): Promise<Omit<Delays, "count">> {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ["ignore", "pipe", "ignore"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => (text += part));
  await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  const { latency } = JSON.parse(text) as {
    latency: { p50: number; p90: number; p97_5: number; p99: number; max: number };
  };
  return { p50: latency.p50, p95: latency.p97_5, p99: latency.p99, max: latency.max };
}
