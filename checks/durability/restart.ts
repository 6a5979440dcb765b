/** Restarts of the server under check: asked to end or killed, started again, and shown to be another process. */
import type { Context } from "../../src/check.ts";
import type { Span } from "../../src/history/timeline.ts";
import { integerText, rowsOf, type Account, type Target } from "../../src/server/target.ts";
import type { Lifecycle, Started } from "../../src/wire/control.ts";

/** Which process answers; null where nothing tells. */
export type Identity = {
  readonly process: string | null;
  /** As the server tells: in a container it is always the same. */
  readonly pid: string | null;
  readonly uptimeSeconds: number | null;
};

/** Durations in milliseconds; null where it did not come to that. */
export type Restart = {
  readonly by: "stop" | "kill";
  /** How it was ended, such as `SIGKILL to its process group`. */
  readonly words: string;
  readonly before: Identity;
  readonly after: Identity;
  /** Until it was gone. */
  readonly goneMs: number;
  /** Why it did not start again; null if it did. `ended`: both times it ended by itself. */
  readonly failed: { readonly why: string; readonly ended: boolean } | null;
  /** From its start until health was answered, then SQL, then a query of ours. */
  readonly healthyMs: number | null;
  readonly readyMs: number | null;
  readonly answeredMs: number | null;
};

const stopWithinMs = 30_000;
const startWithinMs = 60_000;
const answerWithinMs = 30_000;
const pollEveryMs = 25;

/** What can stop and start the server; the observation cannot do without it. */
export function lifecycleOf(target: Target, context: Pick<Context, "need">): Lifecycle {
  return context.need(target.control?.lifecycle, "the server cannot be stopped and started again");
}

export async function identify(target: Target, as: Account, lifecycle: Lifecycle): Promise<Identity> {
  const answer = await target.sql(
    as,
    "SELECT metric_name, metric_value FROM system.stats WHERE metric_name IN ('server_uptime_seconds', 'pid') LIMIT 2",
  );
  const metrics = new Map(rowsOf(answer)?.map((row) => [row["metric_name"], integerText(row["metric_value"])]));
  const uptime = metrics.get("server_uptime_seconds");
  return {
    process: (await lifecycle.processId()) ?? null,
    pid: metrics.get("pid") ?? null,
    uptimeSeconds: uptime === undefined ? null : Number(uptime),
  };
}

/** Ends the server and starts it again; a second time where the first start fails. `as` must be allowed to read system.stats. */
export async function restart(
  target: Target,
  context: Pick<Context, "need" | "poll">,
  as: Account,
  by: Restart["by"],
): Promise<Restart> {
  const lifecycle = lifecycleOf(target, context);
  const before = await identify(target, as, lifecycle);
  const askedAt = performance.now();
  await end(lifecycle, by);
  return await startAgain(target, context, as, { by, before, goneMs: since(askedAt) });
}

/** The second half of a restart, for those who end it themselves. */
export async function startAgain(
  target: Target,
  context: Pick<Context, "need" | "poll">,
  as: Account,
  ended: Pick<Restart, "by" | "before" | "goneMs">,
): Promise<Restart> {
  const lifecycle = lifecycleOf(target, context);
  const words = lifecycle.how[ended.by];
  const started = await startTwice(lifecycle);
  if (started.kind === "notReady") {
    const failed = {
      why: [started.why, started.lastWords].filter((part) => part !== "").join(": "),
      ended: started.ended,
    };
    const never = { healthyMs: null, readyMs: null, answeredMs: null };
    return { ...ended, words, after: { process: null, pid: null, uptimeSeconds: null }, failed, ...never };
  }
  const answer = await context.poll(
    async () => await target.sql(as, "SELECT 1 AS up"),
    ({ kind }) => kind !== "unsure",
    { withinMs: answerWithinMs, everyMs: pollEveryMs },
  );
  const answeredMs = answer.kind === "unsure" ? null : since(started.startedAt);
  const after = await identify(target, as, lifecycle);
  const { healthyMs, readyMs } = started;
  return { ...ended, words, after, failed: null, healthyMs, readyMs, answeredMs };
}

async function end(lifecycle: Lifecycle, by: Restart["by"]): Promise<void> {
  if (by === "kill") return await lifecycle.kill();
  const { stopped } = await lifecycle.stop({ withinMs: stopWithinMs });
  // Whether it stops when asked is for another check.
  if (!stopped) await lifecycle.kill();
}

async function startTwice(lifecycle: Lifecycle): Promise<Started> {
  const first = await lifecycle.start(startWithinMs);
  if (first.kind === "ready") return first;
  await lifecycle.kill();
  const second = await lifecycle.start(startWithinMs);
  return second.kind === "ready" ? second : { ...second, ended: first.ended && second.ended };
}

function since(at: number): number {
  return Math.round(performance.now() - at);
}

/** Of the restart after which the server answered last. `beside`: what the check did before and after it, in ms. */
export function restartTimes(
  restarts: readonly Restart[],
  beside: { readonly wroteMs?: number | undefined; readonly readMs?: number | undefined } = {},
): readonly Span[] {
  const [slowest] = restarts.toSorted((one, other) => (other.answeredMs ?? Infinity) - (one.answeredMs ?? Infinity));
  if (slowest === undefined) return [];
  const { by, goneMs, healthyMs, readyMs, answeredMs } = slowest;
  const spans = { writes: beside.wroteMs, [by]: goneMs, health: healthyMs, SQL: readyMs, "first answer": answeredMs };
  return Object.entries({ ...spans, "all there": beside.readMs }).flatMap(([what, ms]) =>
    ms === null || ms === undefined ? [] : { what, ms: Math.round(ms) },
  );
}

/** For `unknown`: why the server is not shown to have been restarted; undefined if it is. */
export function whyNotRestarted({ by, before, after, failed, answeredMs }: Restart): string | undefined {
  const asked = by === "kill" ? "killed" : "stopped";
  if (failed !== null) return `the server did not start again after it was ${asked}: ${failed.why}`;
  if (answeredMs === null) return `no query was answered within ${answerWithinMs / 1000} s after the start`;
  const [was, is] = before.process === null ? [before.pid, after.pid] : [before.process, after.process];
  if (was !== null && is !== null && was !== is) return undefined;
  const [one, other] = [before.uptimeSeconds, after.uptimeSeconds];
  if (before.process === null && one !== null && other !== null && other < one) return undefined;
  return `nothing shows that the server was restarted: it was ${asked} and started, and neither its process nor its uptime shows it`;
}

/** The first reason among several restarts. */
export function whyNoneRestarted(restarts: readonly Restart[]): string | undefined {
  return restarts.map(whyNotRestarted).find((why) => why !== undefined);
}

/** For a pass: how the server was restarted, how soon it answered, and what that does not show. */
export function restartText(restarts: readonly Restart[]): string {
  const times = restarts.flatMap(({ answeredMs }) => answeredMs ?? []);
  const [least, most] = [Math.min(...times), Math.max(...times)];
  const within = least === most ? `${most} ms` : `${least} to ${most} ms`;
  const kinds = [...new Set(restarts.map(({ by, words }) => `${by === "kill" ? "killed" : "stopped"} (${words})`))];
  const count = restarts.length === 1 ? "" : `${restarts.length} times `;
  return `${count}${kinds.join(" and ")}, answering again after ${within}; this is the end of a process, not a power loss`;
}
