/** How long a server takes a silent client for alive; told by its settings, else as servers usually have it. */
import type { Target } from "../../src/server/target.ts";

export interface Heartbeats {
  readonly timeoutMs: number;
  readonly everyMs: number;
  /** Within this a silent client must have been noticed: its time-out, two heartbeats, and a second for slow machines. */
  readonly noticedMs: number;
}

export function heartbeatsOf(target: Target): Heartbeats {
  const seconds = (name: string, usual: number): number => {
    const told = Number(target.capabilities.settings[`websocket.${name}`]);
    return (Number.isFinite(told) && told > 0 ? told : usual) * 1_000;
  };
  const [timeoutMs, everyMs] = [seconds("client_timeout_secs", 10), seconds("heartbeat_interval_secs", 5)];
  return { timeoutMs, everyMs, noticedMs: timeoutMs + 2 * everyMs + 1_000 };
}
