/** Whether connections ended at one age, as proxies with a limit end them, or at one moment, as in a restart. */

export type Ended = {
  /** Its age when it was cut. */
  readonly cutAtMs: number;
  /** When it was opened, from when the first one was. */
  readonly openedMs: number;
};

/** Ages that differ by more have not one cause. */
const spreadMsMax = 1_500;

export function secondsText(ms: number): number {
  return Math.round(ms / 1_000);
}

/** `at an age of 30 s`. */
export function wordsForCuts(cut: readonly Ended[]): string {
  const ages = cut.map(({ cutAtMs }) => cutAtMs);
  const moments = cut.map(({ cutAtMs, openedMs }) => openedMs + cutAtMs);
  const [low, high] = [Math.min(...ages), Math.max(...ages)].map(secondsText);
  if (cut.length === 1) return `at an age of ${low} s`;
  if (spread(ages) <= spreadMsMax && spread(ages) <= spread(moments)) return `at the same age, ${low} s`;
  if (spread(moments) <= spreadMsMax) return `at the same moment, ${high} s after the first was opened`;
  return `at ages from ${low} to ${high} s`;
}

function spread(numbers: readonly number[]): number {
  return Math.max(...numbers) - Math.min(...numbers);
}
