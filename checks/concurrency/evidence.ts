/** Short forms for histories in proofs. */
import type { OperationOutcome } from "../../src/history/history.ts";
import { yes } from "../vocabulary/evidence.ts";
import type { MidwayFlush } from "../vocabulary/midway.ts";

/** What all operations have: sent at a time, and answered so many milliseconds later. */
export function sentBy(
  client: number,
  statement: number,
  invokedAt: number,
  tookMs: number,
  outcome: OperationOutcome = "ok",
) {
  return { client, statement, dueAt: invokedAt, invokedAt, returnedAt: invokedAt + tookMs, outcome } as const;
}

/** A flush that was sent at this time and completed. */
export function completedFlush(sentAt: number): MidwayFlush {
  return { said: yes(), job: "FL-1", status: "completed", sentAt };
}

/** So many at once and then as many again, ten milliseconds each: at most so many are in flight together. */
export function abreast<Item extends { readonly invokedAt: number; readonly returnedAt: number }>(
  items: readonly Item[],
  count: number,
): Item[] {
  return items.map((one, at) => {
    const invokedAt = 10 * Math.floor(at / count);
    return { ...one, invokedAt, returnedAt: invokedAt + 10 };
  });
}
