import { changeOutcome } from "../../../src/faults/kalam.ts";
import { changeRows } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { kalamInterruptClean } from "./index.ts";
import { latePace, slowPace } from "../../vocabulary/evidence.ts";

const part = (name: "Ctrl-C in a live query" | "a live query that nobody reads" | "a result that nobody reads") => ({
  part: name,
  atWork: true,
  overdue: false,
  endedAfterMs: 20 as number | null,
  crash: null as string | null,
  listedOpen: 1 as number | null,
  listedAfter: 0 as number | null,
  ending: { waitedMs: 20_000, controlMs: 90 as number | null },
  leaving: latePace,
  trouble: null as string | null,
  outcome: "exit 0",
  exchange: 1,
});
const parts = [
  part("Ctrl-C in a live query"),
  part("a live query that nobody reads"),
  part("a result that nobody reads"),
];
const sound = { parts };
const first = (change: object) => ({
  ...sound,
  parts: parts.map((one, at) => (at === 0 ? { ...one, ...change } : one)),
});

export default proveCheck(kalamInterruptClean, {
  holds: [sound, { ...sound, parts: parts.map((one, at) => (at === 2 ? { ...one, listedOpen: null } : one)) }],
  cannotTell: [
    { parts: [] },
    { ...sound, parts: parts.slice(1) },
    first({ atWork: false, overdue: true, endedAfterMs: null }),
    // kalam itself, or the server, is slow altogether.
    first({ overdue: true, ending: { waitedMs: 20_000, controlMs: 2_500 } }),
    first({ listedAfter: 1, leaving: slowPace }),
    first({ listedOpen: 0 }),
    first({ listedOpen: null }),
    first({ listedAfter: null }),
    first({ trouble: "kalam could not be started: spawn EACCES" }),
  ],
  breaks: {
    hung: {
      seen: first({
        overdue: true,
        ending: { waitedMs: 20_000, controlMs: 90 },
        outcome: "still running after 20000 ms",
      }),
      fault: changeOutcome("ignoreInterrupt", /--subscribe/, (outcome, { interrupt }) =>
        interrupt === undefined ? undefined : { ...outcome, exitCode: null, endedBySignal: "SIGKILL", overdue: true },
      ),
    },
    lingering: {
      seen: first({ listedAfter: 1 }),
      fault: changeRows("keepLiveQueriesListed", /FROM system\.live /, (rows) => [...rows, ["kr_follower"]]),
    },
    crashed: {
      seen: first({ crash: "thread 'main' panicked at stdio.rs: failed printing to stdout" }),
      fault: changeOutcome("panicOnClosedPipe", /./, (_, { closeStdout }) =>
        closeStdout === undefined ? undefined : { exitCode: 101, stderr: "thread 'main' panicked at stdio.rs:1165:9" },
      ),
    },
  },
  mayBeLost: [{ what: /'unread'/, because: "one of several rows that nobody reads" }],
});
