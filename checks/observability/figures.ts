/** What the server tells of itself in `system.stats`. */
import { cellText, rowsOf, type Account, type Target } from "../../src/server/target.ts";

/** `figures` is null where the view was not answered. */
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

/** The figure as a number; undefined where it is not told as one. */
export function numberOf(reading: Reading | null, metric: string): number | undefined {
  const told = reading?.figures?.[metric];
  return told === undefined || !/^\d+$/.test(told) ? undefined : Number(told);
}

/** Evidence has what is judged, not all that the view tells. */
export function keepFigures(reading: Reading, metrics: readonly string[]): Reading {
  if (reading.figures === null) return reading;
  const kept = Object.entries(reading.figures).filter(([metric]) => metrics.includes(metric));
  return { ...reading, figures: Object.fromEntries(kept) };
}
