/**
 * Places where a server can report that it dropped changes: its metrics, its log, a message to the subscriber, a close
 * of the connection. Only what appeared after the subscriber stopped reading counts.
 */
import { listed, type Account, type Frame, type Live, type Target, truncated } from "../../../src/server/target.ts";
import type { Reading } from "../figures.ts";

/** Where it was reported, and in what words. */
export type Admission = { readonly where: string; readonly words: string };

const loss = /drop|lost|lagg|overflow|discard|missed|slow|channel full|queue full|\bgap\b|resync/i;
/** Metrics move for many reasons: `memory_rss_gap_bytes` and `slow_queries` report no lost changes. */
const lossMetric = /drop|lost|lagg|overflow|discard|missed|slow/i;
const deliveryMetric = /notif|change|event|messag|subscri|live|channel|queue_|socket|consumer|reader|client|deliver/i;
const ordinary = new Set(["change", "pong", "subscription_ack", "initial_data_batch", "auth_success"]);

/** Whether a text speaks of lost changes, apart from the names in it: a name may contain "slow" or "lost". */
export function speaksOfLoss(text: string, names: readonly string[]): boolean {
  return loss.test(names.reduce((rest, name) => rest.replaceAll(name, ""), text));
}

/** Metrics of lost notifications that have risen. */
export function risenCounters(before: Reading, after: Reading): Admission[] {
  const was = (metric: string): string => before.figures?.[metric] ?? "0";
  return Object.entries(after.figures ?? {})
    .filter(
      ([metric, value]) =>
        lossMetric.test(metric) && deliveryMetric.test(metric) && Number(value) > Number(was(metric)),
    )
    .map(([metric, value]) => ({ where: "a metric", words: `${metric} ${was(metric)} → ${value}` }));
}

/** Messages other than changes; `from`: the number of frames before the subscriber stopped reading. */
export function lossMessages(frames: readonly Frame[], from: number, names: readonly string[]): Admission[] {
  const messages = frames
    .slice(from)
    .filter(({ type, json }) => !ordinary.has(type) && speaksOfLoss(JSON.stringify(json ?? null), names));
  const [first] = messages;
  if (first === undefined) return [];
  return [{ where: `${messages.length} messages`, words: truncated(JSON.stringify(first.json), 160) }];
}

/** Log rows that name the subscription and are newer than the `earlier` ones. */
export function lossLogged(rows: readonly string[], earlier: readonly string[], names: readonly string[]): Admission[] {
  const newer = rows.slice(0, Math.max(0, rows.length - earlier.length)).filter((row) => speaksOfLoss(row, names));
  const [first] = newer;
  return first === undefined ? [] : [{ where: `${newer.length} log rows`, words: truncated(first, 160) }];
}

export function closeOf(live: Live): Admission[] {
  const closed = live.closed();
  return closed === undefined ? [] : [{ where: "a close", words: `${closed.code} ${closed.reason}`.trim() }];
}

/** Messages in the log that contain the text, the newest first; undefined if the log could not be read. */
export async function logRows(target: Target, as: Account, part: string): Promise<readonly string[] | undefined> {
  return listed(
    await target.sql(
      as,
      `SELECT message FROM system.server_logs WHERE message LIKE '%${part}%' ORDER BY timestamp DESC LIMIT 900`,
    ),
  );
}
