import { changeColumn, changeResult, changeRows } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { cellText } from "../../../src/server/target.ts";
import { latePace, no, nothing, slowPace, yes } from "../../vocabulary/evidence.ts";
import type { Pace } from "../../vocabulary/pace.ts";
import { jobsTracked } from "./index.ts";

const table = "kr_a1b2c_1.flushed";
const job = "FL-0123456789ab";
const row = (change: object = {}) => ({
  type: "flush",
  status: "completed",
  parameters: `{"table_id":"${table}"}`,
  message: "",
  createdAt: "1000" as string | null,
  startedAt: "1010" as string | null,
  finishedAt: "1020" as string | null,
  ...change,
});
const idle = { said: yes(`Storage flush skipped: no pending writes for table '${table}'`), job: null };
const sound = {
  table,
  flushed: { said: yes(`Storage flush started for table '${table}'. Job ID: ${job}`), job: job as string | null },
  first: row({ status: "running", finishedAt: null }),
  last: row(),
  listing: latePace as Pace | null,
  ending: latePace as Pace | null,
  again: idle as { said: ReturnType<typeof yes>; job: string | null } | null,
};
const ofJobs = /FROM system\.jobs WHERE job_id/;

export default proveCheck(jobsTracked, {
  holds: [sound, { ...sound, last: row({ startedAt: "1000", finishedAt: "1000" }) }],
  cannotTell: [
    { ...sound, flushed: idle },
    { ...sound, first: "unread" as const },
    { ...sound, last: "unread" as const },
    { ...sound, again: { said: nothing(), job: null } },
    { ...sound, again: { said: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429), job: null } },
    { ...sound, again: null },
    // A server that is slow altogether is not accused.
    { ...sound, first: null, last: null, listing: slowPace },
    { ...sound, last: row({ status: "running", finishedAt: null }), ending: slowPace },
  ],
  breaks: {
    missing: {
      seen: { ...sound, first: null, last: null },
      fault: changeRows("hideTheJobs", ofJobs, () => []),
    },
    unnamed: {
      seen: { ...sound, flushed: { said: yes("Storage flush started"), job: null } },
      fault: changeResult("nameNoJob", /^STORAGE FLUSH/, (result) => ({ ...result, message: "Storage flush started" })),
    },
    stuck: {
      seen: { ...sound, last: row({ status: "running", finishedAt: null }) },
      fault: changeColumn("stayRunning", ofJobs, "status", () => "running"),
    },
    disordered: {
      seen: { ...sound, last: row({ finishedAt: "1" }) },
      fault: changeColumn("finishBeforeTheStart", ofJobs, "finished_at", () => 1),
    },
    wrong: {
      seen: { ...sound, last: row({ parameters: '{"table_id":"other.table"}' }) },
      fault: changeColumn("nameAnotherTable", ofJobs, "parameters", () => '{"table_id":"other.table"}'),
    },
    idleJob: {
      seen: {
        ...sound,
        again: { said: yes("Storage flush started. Job ID: FL-ffffffffffff"), job: "FL-ffffffffffff" },
      },
      fault: changeResult("startAnIdleJob", /^STORAGE FLUSH/, (result) => ({
        ...result,
        message: cellText(result["message"]).replace(/skipped:.*/, "started. Job ID: FL-ffffffffffff"),
      })),
    },
  },
});
