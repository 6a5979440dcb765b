/** Keeps what a run keeps small, whatever a server sent: the JSON report has the evidence of every observation. */
import type { Verdict } from "../check.ts";
import type { Json } from "../wire/json.ts";
import { truncated } from "./printable.ts";
import { shortened, withShortTexts } from "./shortened.ts";

/** Evidence, and its size as JSON. */
export interface Seen {
  readonly seen: Json;
  readonly size: number;
}

/** Characters of JSON that are kept: of one observation, and of all. */
export const evidenceMax = { each: 512 * 1024, all: 6 * 1024 * 1024 };

/** Shortens evidence for the report of one run; judges have seen all of it by then. */
export function evidenceKeeper(): (observed: Seen) => Json {
  let left = evidenceMax.all;
  return ({ seen, size }) => {
    const max = Math.min(evidenceMax.each, left);
    left -= Math.min(size, max);
    return size <= max ? seen : shortened(seen, max);
  };
}

/** Characters of a text in a verdict: of a sentence, and of each text in the data of a finding. */
const textMax = 2_000;

/** A verdict without long texts: its findings have parts of the evidence in them. */
export function shortVerdict(verdict: Verdict): Verdict {
  if (verdict.kind !== "fail") return { ...verdict, sentence: truncated(verdict.sentence, textMax) };
  const found = verdict.found.map((one) => ({ ...one, data: withShortTexts(one.data as Json, textMax) }));
  return { ...verdict, found };
}
