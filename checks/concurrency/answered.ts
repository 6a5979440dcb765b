import type { Said } from "../../src/server/target.ts";

/**
 * Whether the server has answered, with whatever: it is done with the request. Plain users are not told why a statement
 * failed, so such an answer is often not recognised.
 */
export function isAnswered({ status, why }: Said): boolean {
  return status !== null && status < 500 && why !== "rate" && why !== "malformed";
}
