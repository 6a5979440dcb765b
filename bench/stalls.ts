/**
 * `npm run bench -- stalls`: the delays that our open loop measures at a server that stalls for half a second every five seconds,
 * beside those of autocannon (a closed loop) and k6 (an open one), each against the truth.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { delaysOf, openLoop, type Delays } from "../checks/vocabulary/open-loop.ts";
import { httpWire } from "../src/wire/http.ts";
import { loadTools } from "./load-tools.ts";
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
    for (const tool of loadTools) {
      const measured = await tool.measure({ url: stalls.url, perSecond, seconds: forMs / 1_000, clients: inFlightMax });
      if ("why" in measured) print(`stalls: ${tool.name}`, measured.why, "");
      else for (const [name, delays] of measured.delays) show(`stalls: ${name}`, delays);
    }
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
