/** How long the server keeps a silent client connected: from its settings, or the usual defaults. */
import type { Target } from "../../src/server/target.ts";

export interface Heartbeats {
  readonly timeoutMs: number;
  readonly everyMs: number;
  /** A silent client must be closed within this: the time-out, two heartbeats, and a second for slow machines. */
  readonly noticedMs: number;
}

export function heartbeatsOf(target: Target): Heartbeats {
  const seconds = (name: string, usual: number): number => {
    const configured = Number(target.capabilities.settings[`websocket.${name}`]);
    return (Number.isFinite(configured) && configured > 0 ? configured : usual) * 1_000;
  };
  const [timeoutMs, everyMs] = [seconds("client_timeout_secs", 10), seconds("heartbeat_interval_secs", 5)];
  return { timeoutMs, everyMs, noticedMs: timeoutMs + 2 * everyMs + 1_000 };
}
