/** Whether we ourselves were slow: how late timers of this process fire. A checker that is busy must not blame the server. */

const everyMs = 10;

/** Starts watching; the returned function stops and returns the longest delay, in milliseconds. */
export function watchLag(): () => number {
  let worst = 0;
  let due = performance.now() + everyMs;
  const timer = setInterval(() => {
    const now = performance.now();
    worst = Math.max(worst, now - due);
    due = now + everyMs;
  }, everyMs);
  // A check that was ended never stops it, and it must not keep the process alive.
  timer.unref();
  return () => {
    clearInterval(timer);
    return Math.round(Math.max(worst, performance.now() - due));
  };
}
