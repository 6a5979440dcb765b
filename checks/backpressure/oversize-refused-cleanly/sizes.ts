/** The sizes to try, so that few requests and bytes show where a limit is. */

/** By factors of four: what is sent up to a limit is then at most a third more than the first size above it. */
const ladder = [1, 256, 1_024, 4_096, 16_384].map((kibibytes) => kibibytes * 1_024);

/** The largest size with which a limit is looked for. */
export const bytesMax = 16 * 1_024 * 1_024;

/** Sizes that were answered: the largest accepted one below the smallest refused one. */
export interface Bounds {
  readonly accepted: number;
  /** Infinity before the first refusal. */
  readonly refused: number;
}

/**
 * The next size; undefined when the limit is known closely enough. Limits are mostly powers of two, so the double of what is
 * accepted and the byte after it come before any halving, of which there are `halvings` at most.
 */
export function nextSize(
  { accepted, refused }: Bounds,
  tried: readonly number[],
  halvings: number,
): number | undefined {
  if (refused === Infinity) return ladder.find((bytes) => bytes > accepted);
  if (refused - accepted <= 1) return undefined;
  const isNew = (bytes: number): boolean => bytes < refused && !tried.includes(bytes);
  if (isNew(2 * accepted)) return 2 * accepted;
  if (ladder.includes(accepted) || ladder.includes(accepted / 2)) if (isNew(accepted + 1)) return accepted + 1;
  const halved = tried.filter(
    (bytes) => !ladder.some((step) => [step, 2 * step, step + 1, 2 * step + 1].includes(bytes)),
  );
  return halved.length < halvings ? Math.floor((accepted + refused) / 2) : undefined;
}
