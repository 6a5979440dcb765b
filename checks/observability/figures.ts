/** Metrics of the server, from `system.stats`. */
import { cellText, rowsOf, type Account, type Target } from "../../src/server/target.ts";

/** `figures` is null if the view could not be read. */
export type Reading = {
  readonly figures: { readonly [metric: string]: string } | null;
  readonly exchange: number;
};

export async function readFigures(target: Target, as: Account): Promise<Reading> {
  const answer = await target.sql(as, "SELECT metric_name, metric_value FROM system.stats LIMIT 1000");
  const rows = rowsOf(answer);
  const pairs = rows?.map((row) => [cellText(row["metric_name"]), cellText(row["metric_value"])] as const);
  return { figures: pairs === undefined ? null : Object.fromEntries(pairs), exchange: answer.exchange };
}

/** Undefined if the metric is missing or is not a whole number. */
export function numberOf(reading: Reading | null, metric: string): number | undefined {
  const value = reading?.figures?.[metric];
  return value === undefined || !/^\d+$/.test(value) ? undefined : Number(value);
}

/** Keeps the evidence small: only the metrics that are judged. */
export function keepFigures(reading: Reading, metrics: readonly string[]): Reading {
  if (reading.figures === null) return reading;
  const kept = Object.entries(reading.figures).filter(([metric]) => metrics.includes(metric));
  return { ...reading, figures: Object.fromEntries(kept) };
}
