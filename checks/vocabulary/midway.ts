/** A flush in the middle of a workload: where rows move from hot to cold storage, readers must notice nothing. */
import type { Context } from "../../src/check.ts";
import type { Account, Target } from "../../src/server/target.ts";
import { flush, whyNotFlushed, type Flushed } from "./jobs.ts";

/** `sentAt`: milliseconds on the clock of the operations. */
export type MidwayFlush = Flushed & { readonly sentAt: number };

export interface Midway {
  /** To be called after each step of the workload. */
  step(): void;
  /** Waits for the flush to end. Null if the workload ended before the flush was due. */
  ended(): Promise<MidwayFlush | null>;
}

/** Flushes the table when so many steps have been made, while the workload goes on. */
export function flushAfter(
  target: Target,
  context: Pick<Context, "poll">,
  as: Account,
  { table, steps }: { readonly table: string; readonly steps: number },
): Midway {
  let made = 0;
  let flushing: Promise<MidwayFlush> | undefined;
  const begin = async (): Promise<MidwayFlush> => {
    const sentAt = Math.floor(performance.now());
    return { ...(await flush(target, context, as, table)), sentAt };
  };
  return {
    step() {
      made += 1;
      if (made !== steps) return;
      flushing = begin();
      // It is awaited in the end; until then a rejection has nobody.
      flushing.catch(() => undefined);
    },
    ended: async () => (await flushing) ?? null,
  };
}

/** For `unknown`: why the flush is not known to have run while the workload did; undefined if it is. */
export function whyNotMidway(
  flushed: MidwayFlush | null,
  operations: readonly { readonly invokedAt: number }[],
): string | undefined {
  if (flushed === null) return "the workload was over before the flush";
  if (operations.every(({ invokedAt }) => invokedAt < flushed.sentAt))
    return "nothing was sent after the flush had begun";
  return whyNotFlushed(flushed);
}
