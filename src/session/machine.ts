/**
 * Whether this machine was too busy for verdicts that rest on time. A checker that is late must not blame the server, and
 * neither must one whose server or `kalam` waits for a CPU of the same machine.
 */
import { readFileSync } from "node:fs";

export interface Strain {
  /** How late timers of this process fired, at most. */
  readonly timersLateMs: number;
  /** Of the time, the part in which a process of this machine waited for a CPU, from 0 to 1; null where Linux does not tell. */
  readonly cpuWaited: number | null;
}

/** Starts watching; the returned function stops and returns what was seen. */
export type Watch = () => () => Strain;

/**
 * A healthy process is late by a few milliseconds, by some tens during a garbage collection. From here on it competed for its
 * CPU, and so did everything that it measured; by how much nobody can tell, so it is not weighed against what was measured.
 */
const timersLateMsMax = 200;

/** A run on two cores keeps them busy about half of the time itself. */
const cpuWaitedMax = 0.8;

/** Why a finding that rests on time shows nothing; undefined if it does. */
export function whyTooBusy({ timersLateMs, cpuWaited }: Strain): string | undefined {
  const late = timersLateMs > timersLateMsMax;
  if (!late && (cpuWaited ?? 0) < cpuWaitedMax) return undefined;
  return `this machine was too busy to judge (${strainText({ timersLateMs, cpuWaited }, { late })})`;
}

/** `timers up to 2,235 ms late`, or else how long processes waited. */
function strainText({ timersLateMs, cpuWaited }: Strain, { late }: { late: boolean }): string {
  return late
    ? `timers up to ${timersLateMs.toLocaleString("en-US")} ms late`
    : `processes waited for a CPU ${Math.round((cpuWaited ?? 0) * 100)} % of the time`;
}

const everyMs = 10;

export const watchMachine: Watch = () => {
  const [startedAt, waited] = [performance.now(), cpuWaitedMs()];
  let worst = 0;
  let due = startedAt + everyMs;
  const timer = setInterval(() => {
    const now = performance.now();
    worst = Math.max(worst, now - due);
    due = now + everyMs;
  }, everyMs);
  // It must not keep the process alive.
  timer.unref();
  return () => {
    clearInterval(timer);
    const [now, waitedSince] = [performance.now(), cpuWaitedMs()];
    const tookMs = now - startedAt;
    return {
      timersLateMs: Math.round(Math.max(worst, now - due)),
      cpuWaited:
        waited === undefined || waitedSince === undefined || tookMs < everyMs
          ? null
          : Math.min(1, Math.max(0, waitedSince - waited) / tookMs),
    };
  };
};

/** How long a process of this machine has waited for a CPU since it started; undefined where Linux does not tell. */
function cpuWaitedMs(): number | undefined {
  try {
    const total = /^some .*total=(\d+)/m.exec(readFileSync("/proc/pressure/cpu", "utf8"))?.[1];
    return total === undefined ? undefined : Number(total) / 1_000;
  } catch {
    return undefined;
  }
}
