/** How often a live connection shows that it is alive. */

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
