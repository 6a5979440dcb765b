import { expect, test } from "vitest";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import { killed, notRestarted } from "../evidence.ts";
import { crashLoopSurvived } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(crashLoopSurvived, proof);
const starts = (...times: readonly number[]) =>
  times.map((answeredMs) => ({ restart: { ...killed, answeredMs }, controlMs: 8 }));
const verdict = (change: Partial<typeof sound>): string =>
  judged(crashLoopSurvived, { ...sound, ...change }).join("\n");
const passes = /^pass: /;
const slower = /^slowerEachTime: /;

test.each([
  ["by 500 ms", starts(900, 800, 0, 0, 1_500, 1_400), passes],
  ["by more than 500 ms", starts(900, 800, 0, 0, 1_500, 1_401), slower],
  ["half as long again", starts(2_000, 100, 0, 0, 3_000, 9_000), passes],
  ["more than half as long again", starts(2_000, 100, 0, 0, 3_001, 9_000), slower],
  ["ends that differ", starts(100, 100, 0, 0, 5_000, 200), passes],
  ["beginnings that differ", starts(4_900, 100, 0, 0, 5_000, 5_000), passes],
  ["five starts", starts(900, 0, 0, 0, 5_000), slower],
  ["four starts", starts(900, 0, 0, 5_000), /^unknown: 4 kills were made; at least 5 are needed$/],
])("starts that became slower: %s", (_, kills, expected) => {
  expect(verdict({ kills })).toMatch(expected);
});

test("ten times a plain query is a trend, less is a slow server, and the slowest query of all counts", () => {
  const kills = starts(1_000, 1_000, 0, 0, 2_000, 2_000);
  const after = (controlMs: number) =>
    verdict({ kills: kills.map((one, at) => (at === 0 ? { ...one, controlMs } : one)) });
  expect(after(100)).toBe('slowerEachTime: {"kills":6,"firstMs":[1000,1000],"lastMs":[2000,2000]}');
  expect(after(101)).toBe("unknown: starts became slower, on a server that was slow altogether");
});

test("where a restart was none, no trend is named", () => {
  const kills = [
    ...starts(900, 900, 0, 0, 5_000, 5_000),
    { restart: { ...notRestarted, answeredMs: 5_000 }, controlMs: 8 },
  ];
  expect(verdict({ kills })).toMatch(/^unknown: nothing shows that the server was restarted/);
});

test("five kills without a trend are enough", () => {
  expect(verdict({ kills: starts(900, 900, 900, 900, 950) })).toBe(
    "pass: 5 kills (SIGKILL to its process group): 2 acknowledged rows, all there with their last value; answering again after 900 to 950 ms; this is the end of a process, not a power loss",
  );
});

test("rows that are gone and rows with an older value are counted, five are named", () => {
  const ids = ["1", "2", "3", "4", "5", "6", "7"];
  const written = [...ids.map((id) => ({ id, mark: "a", sure: true })), { id: "8", mark: "a", sure: false }];
  const rows = ids.map((id) => ({ id, mark: "a" }));
  const shows = (shown: readonly { id: string; mark: string }[] | null, cause: "missing" | null = null) =>
    verdict({ written, reading: { ...sound.reading, rows: shown, cause, why: shown === null ? "no answer" : null } });
  expect(shows(rows)).toMatch(passes);
  expect(shows(rows.slice(1))).toBe('lostRows: {"kills":6,"lost":1,"of":7,"keys":["1"]}');
  expect(shows(rows.slice(1).map((row) => (row.id === "4" ? { ...row, mark: "older" } : row)))).toBe(
    'lostRows: {"kills":6,"lost":2,"of":7,"keys":["1","4"]}',
  );
  expect(shows(null, "missing")).toBe('lostRows: {"kills":6,"lost":7,"of":7,"keys":["1","2","3","4","5"]}');
  expect(shows(null)).toBe("unknown: the rows could not be read: no answer");
});
