/** Short forms for evidence in proofs. */
import { promptPace, yes } from "../vocabulary/evidence.ts";
import type { Crash } from "./crash.ts";
import type { Line } from "./digest.ts";
import type { Flushing } from "./flushing.ts";
import type { Ended } from "./jobs.ts";
import type { Restart } from "./restart.ts";

/** Shown to be another process. */
export const stopped: Restart = {
  by: "stop",
  words: "SIGTERM to its process group",
  before: { process: "process 11", pid: "11", uptimeSeconds: 60 },
  after: { process: "process 12", pid: "12", uptimeSeconds: 0 },
  goneMs: 80,
  failed: null,
  healthyMs: 300,
  readyMs: 420,
  answeredMs: 440,
};
export const killed: Restart = { ...stopped, by: "kill", words: "SIGKILL to its process group" };
/** The same process answers as before. */
export const notRestarted: Restart = { ...stopped, after: { process: "process 11", pid: "11", uptimeSeconds: 61 } };
const never = {
  after: { process: null, pid: null, uptimeSeconds: null },
  healthyMs: null,
  readyMs: null,
  answeredMs: null,
};
export const failed: Restart = {
  ...killed,
  ...never,
  failed: { why: "it ended with exit code 1: the log is damaged", ended: true },
};
/** It may still come. */
export const slowToStart: Restart = {
  ...killed,
  ...never,
  failed: { why: "health was not answered within 60000 ms", ended: false },
};

/** Killed at this time of the history. */
export function killedAt(at: number, restart: Restart = killed): Crash {
  return { beganAt: 90, killedAt: at, goneAt: at + 5, restart };
}

/** A flush that completed, and the rows of each segment afterwards. */
export function flushedOf(segments: readonly number[]): Flushing {
  return { ...endedOf(), said: yes("Job ID: FL-1"), job: "FL-1", segments };
}

/** A job that completed. */
export function endedOf(): Ended {
  return { said: yes("Job ID: FL-2"), job: "FL-2", status: "completed", message: "", pace: promptPace };
}

/** What a query of a digest was answered; null if it was not. */
export function lineOf(query: string, lines: readonly string[] | null): Line {
  const why = lines === null ? "connection reset" : null;
  return { query, lines, why, missing: false, exchange: 7, sentAt: 1, doneAt: 2 };
}

/** Lost without a verdict, where `refusedColumns` is asked. */
export const columnProbes = {
  what: /^INSERT INTO \S+ \(id, [^)]+\) VALUES \(-\d+, /,
  because: "each column is then tried by itself, and a last row with all that were not refused must be accepted",
};
