import { expect, test } from "vitest";
import { asRead } from "../../durability/reading.ts";
import { judged } from "../../vocabulary/evidence.ts";
import { stopsCleanly } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof stopsCleanly.judge>[0];
type Round = Seen["rounds"][number];
const [sound] = proof.holds as readonly [Seen];
/** Without the last read. */
const unreadRows = (sound.rounds[0]?.operations ?? []).slice(0, -1);
const lossy = [...unreadRows, asRead({ rows: [{ id: "1", mark: "m1" }], exchange: 9 }, { from: 900, to: 910 })];
/** The two rounds, each with a change. */
const judge = (term: Partial<Round>, int: Partial<Round>, kind: Seen["kind"] = "process"): string[] =>
  judged(stopsCleanly, {
    kind,
    rounds: sound.rounds.map((one) => ({ ...one, ...(one.signal === "SIGTERM" ? term : int) })),
  });
const [closed, dropped] = [
  { code: 1001, reason: "bye" },
  { code: 1006, reason: "" },
];
const hung = (controlMs: number) => ({ stopped: false, exitCode: null, pace: { waitedMs: 10_000, controlMs } });

test("what a server that had to be killed loses and drops is not its stop's", () => {
  expect(judge({}, { ...hung(5), operations: lossy, closes: [dropped, dropped] })).toEqual([
    'hungOnStop: SIGINT: {"signal":"SIGINT","withinMs":10000}',
  ]);
  expect(judge({ closes: [closed, dropped] }, { ...hung(4_000), closes: [dropped, dropped] })).toEqual([
    expect.stringMatching(/^unknown: SIGINT: the server did not end/),
  ]);
  expect(judge({ closes: [dropped, dropped] }, { ...hung(4_000), closes: [dropped, dropped] })).toEqual([
    'droppedSockets: SIGTERM: {"signal":"SIGTERM","dropped":2,"of":2,"code":1006}',
  ]);
});

test("the first stop is judged like the second, and one dropped connection of each is the server's doing", () => {
  expect(judge({ operations: lossy }, {})).toEqual([expect.stringMatching(/^lostOnStop: SIGTERM: .*"lost":1,"ack/)]);
  expect(judge(hung(1_000), {})).toEqual([expect.stringMatching(/^hungOnStop: SIGTERM/)]);
  expect(judge({ closes: [closed, dropped] }, { closes: [null, closed] })).toEqual([
    'droppedSockets: SIGTERM: {"signal":"SIGTERM","dropped":1,"of":2,"code":1006}',
    'droppedSockets: SIGINT: {"signal":"SIGINT","dropped":1,"of":2,"code":null}',
  ]);
  expect(judge({ closes: [closed, dropped] }, {})).toEqual([
    "unknown: 1 WebSocket connection ended without a close frame, maybe cut on its way",
  ]);
});

test("a process without an exit code ended with a signal; elsewhere nothing tells", () => {
  expect(judge({}, { exitCode: null })).toEqual(['dirtyExit: SIGINT: {"signal":"SIGINT","how":"a signal"}']);
  expect(judge({}, { exitCode: 137 }, "docker")).toEqual([
    'dirtyExit: SIGINT: {"signal":"SIGINT","how":"exit code 137"}',
  ]);
  expect(judge({}, {})).toEqual([expect.stringContaining("with exit code 0")]);
  for (const kind of ["docker", "command"] as const)
    expect(judge({}, { exitCode: null }, kind)).toEqual([expect.not.stringContaining("exit code")]);
});
