/** The sets of options that are tried, and the snapshot each of them must give. */
import type { SubscribeOptions } from "../../../src/server/target.ts";

export interface Case {
  readonly name: string;
  /** `null`: a subscription without options at all. */
  readonly options: SubscribeOptions | null;
  /** What the snapshot must contain: so many of the newest rows, or all. */
  readonly newest: number | "all";
  /** `may`: rejecting it is just as good. `must`: accepting it is wrong. */
  readonly refusal?: "may" | "must";
}

/** One line a case; add to it freely. */
export const cases: readonly Case[] = [
  { name: "no options", options: null, newest: 0 },
  { name: "empty options", options: {}, newest: "all" },
  { name: "the last 0", options: { lastRows: 0 }, newest: 0, refusal: "may" },
  { name: "the last 3", options: { lastRows: 3 }, newest: 3 },
  { name: "the last 10", options: { lastRows: 10 }, newest: 10 },
  { name: "the last of more than there are", options: { lastRows: 100 }, newest: "all" },
  { name: "pages of 7", options: { batchSize: 7 }, newest: "all" },
  { name: "pages of 5, no rest", options: { batchSize: 5 }, newest: "all" },
  { name: "one page for all", options: { batchSize: 20 }, newest: "all" },
  { name: "the last 4 in a page of 4", options: { lastRows: 4, batchSize: 4 }, newest: 4 },
  { name: "the last 10 in pages of 4", options: { lastRows: 10, batchSize: 4 }, newest: 10, refusal: "may" },
  { name: "pages of 0", options: { batchSize: 0 }, newest: "all", refusal: "may" },
  { name: "unknown option", options: { other: { last_row: 3 } }, newest: "all", refusal: "must" },
];

/** Keys out of order, and one row changed later, so that "the last" differs from "the highest". */
export const batches: readonly (readonly number[])[] = [
  Array.from({ length: 14 }, (_, at) => at + 1),
  [900],
  [301, 302, 303],
  [250, 150],
];
export const changedKey = 2;
export const fenceKey = 1_000;
export const rowCount = batches.flat().length;
