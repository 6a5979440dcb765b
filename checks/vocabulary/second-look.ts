/**
 * A second look. What goes wrong once may be the doing of the network, of a proxy or of a moment; only what goes wrong
 * again, while other requests are answered, is the server's.
 */
import type { Said } from "../../src/server/target.ts";

/** What a proxy answers without the server having said anything, or a server that takes no requests for the moment. */
const passing: ReadonlySet<number> = new Set([502, 503, 504]);

export function isPassing(status: number | null): boolean {
  return status !== null && passing.has(status);
}

/** Nothing shows that the server itself gave this answer: a proxy that does not reach it answers so, and never with its codes. */
export function mayBeAProxys({ status, code }: Pick<Said, "status" | "code">): boolean {
  return isPassing(status) && code === "";
}

/** Whether the server itself failed at the request: an error of its own, in its own words. */
export function isServerError(status: number | null): boolean {
  return status !== null && status >= 500 && !isPassing(status);
}

/** Whether it shows nothing about the server: no answer, part of one, or that of a proxy without a server. */
export function isNoAnswer({ kind, status, why }: Pick<Said, "kind" | "status" | "why">): boolean {
  if (kind !== "unsure") return false;
  return status === null || isPassing(status) || status === 429 || ["cut", "reset", "timeout"].includes(why);
}

/**
 * Asks, and where the answer is odd, once more: `between` is asked first, so that a whole line of lost answers is not taken
 * for two of them. Returns both answers; `last` is what counts. `ask` gets the number of the look, where it must be another
 * statement, for a cache in between would answer the same one from the first.
 */
export async function askedTwice<T>(
  ask: (look: 1 | 2) => Promise<T>,
  isOdd: (answer: T) => boolean,
  between?: () => Promise<unknown>,
): Promise<{ readonly first: T; readonly last: T }> {
  const first = await ask(1);
  if (!isOdd(first)) return { first, last: first };
  await between?.();
  return { first, last: await ask(2) };
}

/** The words for a finding that was looked at again before it was made. */
export function lookedTwice(sentence: string): string {
  return `${sentence} (looked at twice)`;
}
