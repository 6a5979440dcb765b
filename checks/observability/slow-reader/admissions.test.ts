import { expect, test } from "vitest";
import { lossLogged, lossMessages, risenCounters, speaksOfLoss } from "./admissions.ts";

const id = "kr_slow1_1_reader";
const frame = (json: { type: string; [field: string]: string }) => ({
  json,
  type: json.type,
  about: id,
  compressed: false,
  size: 1,
  at: 1,
});
const reading = (figures: Record<string, string>) => ({ figures, exchange: 1 });

test("a name that contains a word for loss reports nothing", () => {
  expect(speaksOfLoss(`subscription ${id} registered`, [id])).toBe(false);
  expect(speaksOfLoss(`Notification channel full for ${id}, dropping notification`, [id])).toBe(true);
});

test("only metrics of delivery count, and only if they rise", () => {
  const before = reading({ dropped_notifications: "3", memory_rss_gap_bytes: "0", slow_queries: "0", plan_cache: "1" });
  const load = { memory_rss_gap_bytes: "9", slow_queries: "9", plan_cache: "2" };
  expect(risenCounters(before, reading({ ...load, dropped_notifications: "3" }))).toEqual([]);
  expect(risenCounters(before, reading({ ...load, dropped_notifications: "4" }))).toEqual([
    { where: "a metric", words: "dropped_notifications 3 → 4" },
  ]);
});

test("changes, and messages from before the pause, do not count", () => {
  const error = frame({ type: "error", code: "SLOW_READER" });
  const change = frame({ type: "change", payload: "dropped" });
  expect(lossMessages([error, change], 1, [id])).toEqual([]);
  expect(lossMessages([error, change, error], 1, [id])).toHaveLength(1);
});

test("log rows from before the pause do not count", () => {
  const rows = [`${id} registered`, `${id}: slow start`];
  expect(lossLogged(rows, rows.slice(1), [id])).toEqual([]);
  expect(lossLogged([`dropping notification for ${id}`, ...rows], rows, [id])).toHaveLength(1);
});
