/** Limits what is kept of a server's frames and answers: a server that floods us must not exhaust the memory. */

/** In bytes, estimated. */
export interface Kept {
  bytes: number;
}

/** Of all observations that are running in this process. */
const inAll: Kept = { bytes: 0 };

export const keptMax = 64 * 1024 * 1024;

export const tooMuchKept = `what the server sent takes more than ${keptMax} bytes of memory`;

/** Counts what one observation keeps until it is over; the result is false once all of them keep too much. */
export function keeper(signal: AbortSignal, kept: Kept = inAll): (bytes: number) => boolean {
  let own = 0;
  const release = (): void => {
    kept.bytes -= own;
    own = 0;
  };
  signal.addEventListener("abort", release, { once: true });
  return (bytes) => {
    if (signal.aborted) return false;
    own += bytes;
    kept.bytes += bytes;
    return kept.bytes <= keptMax;
  };
}
