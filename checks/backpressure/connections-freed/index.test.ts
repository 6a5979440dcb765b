import { expect, test } from "vitest";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import { connectionsFreed } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(connectionsFreed, proof);
type Seen = typeof sound;
const seen = (change: Partial<Seen>): string[] => judged(connectionsFreed, { ...sound, ...change });

test.each([
  [["closed 3"], ["closed"]],
  [["reset 3"], ["reset"]],
  [
    ["reset 3", "closed 1", "reset 5"],
    ["closed", "reset"],
  ],
])("what is left (%j) is told with the way it ended", (left, ways) => {
  expect(seen({ left })).toEqual([
    `leaked: ${JSON.stringify({ listed: left.length, of: 40, ways, waitedMs: sound.waitedMs })}`,
  ]);
});

test("all of them may be left, but no more than were listed before", () => {
  const left = Array.from({ length: 40 }, (_, at) => `reset ${at}`);
  expect(seen({ left })).toEqual([expect.stringMatching(/^leaked: .*"listed":40/)]);
  expect(seen({ left, listedBefore: 39 })).toEqual([
    "unknown: only 39 of 40 subscriptions were listed while they were open",
  ]);
  expect(seen({ left, listedBefore: null })).toEqual(["unknown: the live view could not be read"]);
});

test("every connection must have been opened and listed, one of each kind at least", () => {
  const few = (opened: number, wanted = opened): string[] => seen({ opened, wanted, listedBefore: opened });
  expect(few(39, 40)).toEqual(["unknown: only 39 of 40 connections were opened"]);
  expect(few(2)).toEqual([expect.stringMatching(/^pass: 2 connections/)]);
  expect(few(1)).toEqual(["unknown: only 1 of 1 connections were opened"]);
  expect(seen({ listedBefore: 41 })).toEqual([expect.stringMatching(/^pass/)]);
});
