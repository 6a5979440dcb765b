/** Other servers of the run's own, beside the one under check. */
import type { Context } from "../../src/check.ts";
import type { NoOtherServer, OtherServer, Target } from "../../src/server/target.ts";
import type { AnotherStart, Others } from "../../src/wire/control.ts";

const startWithinMs = 60_000;

export interface Start extends Pick<Others, "disk" | "hasOlder"> {
  another(start: Omit<AnotherStart, "withinMs">): Promise<OtherServer | NoOtherServer>;
}

/** What can start other servers; the observation cannot do without it. */
export function othersOf(target: Target, context: Pick<Context, "need">): Start {
  const why = "no other server can be started";
  const { disk, hasOlder } = context.need(target.control?.own?.others, why);
  const another = context.need(target.another, why);
  return { disk, hasOlder, another: async (start) => await another({ ...start, withinMs: startWithinMs }) };
}

export function whyNoOther({ why, lastWords }: NoOtherServer): string {
  return [why, lastWords].filter((part) => part !== "").join(": ");
}
