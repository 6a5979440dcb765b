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
