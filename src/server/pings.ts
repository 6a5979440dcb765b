/** How often a live connection has to show that it is alive. */

/** After this the server considers a silent client gone, unless its settings say otherwise. */
const clientTimeoutMs = 10_000;
/** At least twice within that time, so that one late ping does no harm. */
const pingsPerTimeout = 2.5;

/** How often to ping a server with these settings. */
export function pingEveryMs(settings: Readonly<Record<string, string>>): number {
  const seconds = Number(settings["websocket.client_timeout_secs"]);
  const timeoutMs =
    Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1_000, clientTimeoutMs) : clientTimeoutMs;
  return timeoutMs / pingsPerTimeout;
}

/** Pings that are sent until they are stopped. */
export interface Pinging {
  stop(): void;
  /** The last time for which none was sent: the longer of that before the last one and that after it, until they were stopped. */
  silentMs(): number;
}

export function startPings(ping: () => void, everyMs: number, now: () => number = () => performance.now()): Pinging {
  let [before, lastAt] = [0, now()];
  let stoppedAt: number | undefined;
  const timer = setInterval(() => {
    const at = now();
    [before, lastAt] = [at - lastAt, at];
    ping();
  }, everyMs).unref();
  return {
    stop() {
      clearInterval(timer);
      stoppedAt ??= now();
    },
    silentMs: () => Math.max(before, (stoppedAt ?? now()) - lastAt),
  };
}
