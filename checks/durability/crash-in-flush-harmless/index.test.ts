import { expect, test } from "vitest";
import { judged, latePace, no, nothing, slowPace, soundFor } from "../../vocabulary/evidence.ts";
import { endedOf, lineOf, notRestarted } from "../evidence.ts";
import { crashInFlushHarmless } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(crashInFlushHarmless, proof);
type Round = (typeof sound)["rounds"][number];
const [flushing, compacting] = sound.rounds as readonly [Round, Round];
const judge = (change: Partial<Round>): string[] =>
  judged(crashInFlushHarmless, { rounds: [flushing, { ...compacting, ...change }], undone: null });
const passes = [expect.stringMatching(/^pass: 2 kills, /)];

test.each([
  ["completed late", { status: "completed", pace: latePace }, passes],
  ["failed late", { status: "failed", pace: latePace }, passes],
  ["is not listed", { status: null, pace: latePace }, passes],
  [
    "goes on",
    { status: "running", pace: latePace },
    [expect.stringMatching(/^jobStuck: compaction: \{"round":2,"kind":"compaction","job":"CO-1","status":"running"/)],
  ],
  ["is queued", { status: "queued", pace: latePace }, [expect.stringMatching(/^jobStuck: compaction: /)]],
  [
    "goes on, on a slow server",
    { status: "running", pace: slowPace },
    [
      expect.stringMatching(
        /^unknown: round 2: the compaction CO-1 was running after the start: the server was slow altogether/,
      ),
    ],
  ],
  [
    "was not started",
    { job: null, status: "running", pace: latePace },
    ["unknown: round 2: the compaction could not be started: Job ID: FL-1"],
  ],
])("the job of the crash %s", (_, change, expected) => {
  expect(judge(change)).toEqual(expected);
});

const broken = (told: string) => [`flushBroken: ${JSON.stringify({ round: 2, kind: "compaction", said: told })}`];
test.each([
  ["was refused", { said: no("INVALID_INPUT", "damaged", "rule"), job: null, status: null }, broken("damaged")],
  ["failed", { status: "failed", message: "no manifest" }, broken("no manifest")],
  ["failed without a word", { status: "failed", message: "" }, broken("Job ID: FL-2")],
  ["was cancelled", { status: "cancelled", message: "by nobody" }, broken("by nobody")],
  [
    "got no answer",
    { said: nothing(), job: null, status: null },
    [expect.stringMatching(/^unknown: round 2: the next flush could not be started/)],
  ],
  ["is not listed", { status: null }, ["unknown: round 2: the next flush: the job FL-2 is not listed in system.jobs"]],
])("the next flush %s", (_, change, expected) => {
  expect(judge({ next: { ...endedOf(), ...change } })).toEqual(expected);
});

const [count, page] = flushing.before as readonly [Round["before"][number], Round["before"][number]];
const rows = (...lines: readonly string[]) => lineOf("rows 1 to 25", lines);
test.each([
  [
    "lost after the start",
    { after: [count, rows("1 | a", "4 | d")] },
    /^lostRows: compaction, after the start: .*"gone":"2 \| b","added":null,"rows":\[3,2\]/,
  ],
  [
    "there twice after the start",
    { after: [count, rows("1 | a", "2 | b", "2 | b", "4 | d")] },
    /^doubledRows: compaction, after the start: .*"added":"2 \| b"/,
  ],
  [
    "of another value after the start",
    { after: [count, rows("1 | a", "2 | c", "4 | d")] },
    /^doubledRows: compaction, after the start: .*"gone":"2 \| b","added":"2 \| c"/,
  ],
  [
    "lost after the next flush",
    { final: [rows("1 | a", "4 | d")] },
    /^lostRows: compaction, after the next flush: \{"round":2,"kind":"compaction","killedAfterMs":77,/,
  ],
  // What is wrong from the start on is told once.
  [
    "lost after the start and the flush",
    { after: [rows("1 | a")], final: [rows("1 | a")] },
    /^lostRows: compaction, after the start: /,
  ],
])("rows %s", (_, change, expected) => {
  expect(judge(change)).toEqual([expect.stringMatching(expected)]);
});

test.each(["before", "after", "rewritten", "final"] as const)(
  "what was not answered in `%s` shows nothing",
  (phase) => {
    const [first] = flushing[phase];
    const unanswered = { ...page, lines: null, why: "reset" };
    expect(judge({ [phase]: [first ?? count, unanswered] })).toEqual(["unknown: round 2: rows 1 to 25: reset"]);
  },
);

test("a kill that was none, a row that was not written, and a round that was not prepared", () => {
  expect(judge({ restart: notRestarted })).toEqual([
    expect.stringMatching(/^unknown: round 2: nothing shows that the server was restarted/),
  ]);
  expect(judge({ written: null })).toEqual(["unknown: round 2: no row could be written after the start: undefined"]);
  expect(judge({ written: nothing() })).toEqual([
    expect.stringMatching(/^unknown: round 2: no row could be written after the start: no answer/),
  ]);
  expect(judged(crashInFlushHarmless, { ...sound, undone: "round 3: no flush" })).toEqual([
    "unknown: round 3: no flush",
  ]);
  expect(judged(crashInFlushHarmless, { ...sound, rounds: [flushing] })).toEqual([
    "unknown: 1 round was done; one with each kind of job is needed",
  ]);
});

test("kills are counted by the kind of job, with their moments", () => {
  const rounds = [flushing, { ...compacting, killedAfterMs: 5 }, { ...flushing, killedAfterMs: 190 }];
  expect(judged(crashInFlushHarmless, { ...sound, rounds })).toEqual([
    expect.stringMatching(
      /^pass: 3 kills, 2 in a flush \(77, 190 ms after its start\), 1 in a compaction \(5 ms after its start\): 2 queries answered as before each time/,
    ),
  ]);
});
