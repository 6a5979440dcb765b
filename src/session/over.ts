/** The end of an observation. */

/** Why an observation ended: what its check still waits for is rejected with it. */
export class ObservationOver extends Error {
  /** The whole run ends. */
  readonly early: boolean;

  constructor(why: string, early = false) {
    super(why);
    this.early = early;
  }
}

// A check that was ended leaves pending promises that nothing awaits. Their rejections must not end the process before it
// has cleaned up; every other unhandled rejection is a defect.
process.on("unhandledRejection", (reason) => {
  if (!(reason instanceof ObservationOver)) throw reason;
});

/** The longest delay of a timer; a longer one fires at once. */
export const timerMsMax = 2 ** 31 - 1;

/** Rejects with its reason once the signal is aborted. */
export async function rejection(signal: AbortSignal): Promise<never> {
  return await new Promise((_, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
