/** One fault of a server, and the findings that fit it. */
import type { Effort } from "../../check.ts";
import type { Fault } from "../../proof.ts";

export const topics = [
  "data",
  "rights",
  "order",
  "time",
  "numbers",
  "names",
  "catalogue",
  "jobs",
  "events",
  "resume",
  "limits",
  "encodings",
] as const;
export type Topic = (typeof topics)[number];

export interface Member {
  readonly topic: Topic;
  /** One plain sentence: what the server does. */
  readonly does: string;
  /** `category/check/finding`: at least one of them must come. */
  readonly fits: readonly [string, ...string[]];
  readonly fault: Fault;
  /** No check sees it at a lower effort, because it takes too long to show. */
  readonly from?: Effort;
}

/** Of the topic: what it does, what fits, the fault, and where a lower effort is too short for it. */
export function member(topic: Topic, does: string, fits: Member["fits"], fault: Fault, from?: Effort): Member {
  return { topic, does, fits, fault, ...(from === undefined ? {} : { from }) };
}
