import { expect, test } from "vitest";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import { rateLimitSaysSo } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(rateLimitSaysSo, proof);
const seen = (change: Partial<typeof sound>): string[] => judged(rateLimitSaysSo, { ...sound, ...change });
const tallied = (change: Partial<(typeof sound)["tally"]>, more: Partial<typeof sound> = {}): string[] =>
  seen({ tally: { ...sound.tally, ...change }, ...more });
const passes = [expect.stringMatching(/^pass/)];

test("only without a refusal, with two and a half times the limit within a second, there is none", () => {
  const all = { served: 250, refused: 0 };
  const noLimit = ['noLimit: {"served":250,"tookMs":1000,"limit":100}'];
  expect(tallied(all, { tookMs: 1_000 })).toEqual(noLimit);
  expect(tallied(all, { tookMs: 1_001 })).toEqual([
    "unknown: none of 250 queries was refused, but they took 1001 ms; 0 got no clear answer",
  ]);
  expect(tallied({ ...all, served: 249 })).toEqual([expect.stringMatching(/^unknown: none of 249/)]);
  expect(tallied({ ...all, refused: 1 })).toEqual(passes);
  expect(tallied({ ...all, served: 250 }, { limit: 101 })).toEqual([expect.stringMatching(/^unknown: none/)]);
});

test("each harm is told with its numbers", () => {
  expect(tallied({ odd: ["503", "429"] })).toEqual(['wrongCode: {"odd":["503","429"],"refused":190}']);
  expect(seen({ done: [3, 1, 4, 15, 9, 2, 6] })).toEqual([
    'refusedButDone: {"rows":7,"refused":38,"first":[3,1,4,15,9]}',
  ]);
  expect(seen({ done: [3] })).toEqual(['refusedButDone: {"rows":1,"refused":38,"first":[3]}']);
  expect(seen({ bystander: { asked: 5, served: 4, refused: 1 } })).toEqual(['spread: {"refused":1,"asked":5}']);
});

test("who was refused must be served again within two seconds", () => {
  expect(seen({ shutMs: 2_000 })).toEqual(passes);
  expect(seen({ shutMs: 2_001 })).toEqual(['staysShut: {"shutMs":2001}']);
  expect(seen({ shutMs: null })).toEqual(['staysShut: {"shutMs":null}']);
  for (const shutMs of [null, 9_000]) {
    expect(tallied({ served: 100, refused: 0 }, { shutMs })).toEqual([expect.stringMatching(/^unknown: none of/)]);
    expect(tallied({ served: 100, refused: 1 }, { shutMs })).toEqual([expect.stringMatching(/^staysShut/)]);
  }
});

test("of each kind at least one must have been seen", () => {
  expect(tallied({ served: 1, refused: 1 }, { refusedWrites: 1 })).toEqual([
    expect.stringMatching(/^pass: of 2 queries at once 1 were refused with 429 and a code, 1 INSERTs/),
  ]);
  expect(tallied({ unclear: 7 })).toEqual([expect.stringMatching(/^pass: of 307 queries/)]);
  expect(tallied({ served: 0 })).toEqual(["unknown: no query was served"]);
  expect(seen({ refusedWrites: 0 })).toEqual(["unknown: 190 queries were refused, but no INSERT among them"]);
  expect(seen({ done: null })).toEqual(["unknown: the table could not be read afterwards"]);
  expect(seen({ bystander: { asked: 5, served: 1, refused: 0 } })).toEqual(passes);
  expect(seen({ bystander: { asked: 5, served: 0, refused: 0 } })).toEqual([
    "unknown: none of 5 queries of another account was served meanwhile",
  ]);
});

test("what was not tried shows nothing", () => {
  expect(seen({ unsafe: "too high", done: [1], shutMs: null })).toEqual(["unknown: not tried: too high"]);
});
