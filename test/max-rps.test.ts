/** `--max-rps` is a promise to whoever runs the server: counted by a proxy in front of it. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { expect, test } from "vitest";
import { proxyTo } from "./proxy.ts";
import { env, run, server, useSandbox, wholeRuns } from "./runs.ts";
import { kalamStandIn } from "./sandbox.ts";

useSandbox("max-rps");

/** One check or two of each category, among them those with many clients, and those that run `kalam`. */
const chosen = [
  "configuration/parallel-answers-not-mixed",
  "configuration/answers-sql",
  "validation/not-null-holds",
  "observability/namespaces-listed",
  "subscriptions/snapshot-then-changes",
  "backpressure/rapid-queries-all-served",
  "cli/batch-stops-at-failure",
  "cli/kalam-exits-right",
];

/** The most arrivals in any window of so many milliseconds. */
function fullest(arrivals: readonly number[], windowMs: number): number {
  let from = 0;
  return arrivals.reduce((most, at, to) => {
    while (at - (arrivals[from] ?? at) >= windowMs) from += 1;
    return Math.max(most, to - from + 1);
  }, 0);
}

test("the fullest window is found", () => {
  expect(fullest([0, 10, 900, 1_000, 1_005, 1_009], 1_000)).toBe(5);
  expect(fullest([0, 1_000, 2_000], 1_000)).toBe(1);
});

const most = 20;
const stallMs = 1_500;

test("no second has more requests than --max-rps allows, whatever the server does", wholeRuns, async () => {
  const arrivals: number[] = [];
  const lateness = monitorEventLoopDelay({ resolution: 5 });
  const arrive = (): undefined => void arrivals.push(performance.now());
  // Every three seconds nothing is answered for a while: what was held up must not be sent all at once then.
  const stall = async (): Promise<void> => {
    const sinceMs = performance.now() % 3_000;
    if (sinceMs < stallMs) await new Promise((resolve) => setTimeout(resolve, stallMs - sinceMs));
  };
  const proxy = await proxyTo(server.url, { instead: arrive, insteadOfUpgrade: arrive, delay: stall });
  try {
    lateness.enable();
    // Required ones run at light effort, too, where they are left to a higher one.
    const only = chosen.flatMap((id) => ["--only", id, "--require", id]);
    const args = [
      "check",
      "--max-rps",
      String(most),
      "--effort",
      "light",
      "--parallel",
      "8",
      "--kalam-bin",
      kalamStandIn,
    ];
    const { stdout } = await run([...args, ...only, "--json"], { env: { ...env, KALAM_READY_URL: proxy.url } });
    lateness.disable();
    // What came while this process was late is recorded late, so a window that is so much shorter holds only what came within a second.
    const lateMs = Math.min(900, lateness.max / 1e6);
    expect(fullest(arrivals, 1_000 - lateMs)).toBeLessThanOrEqual(most);
    const report = JSON.parse(stdout) as { results: { check: string; kind: string; sentence?: string }[] };
    expect(report.results.filter(({ kind }) => kind === "fail")).toEqual([]);
    expect(arrivals.length).toBeGreaterThan(5 * most);
  } finally {
    await proxy.close();
  }
});
