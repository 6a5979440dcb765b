import { expect, test } from "vitest";
import { acknowledgedMin } from "../../observability/slow-reader/index.ts";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import { slowReaderTold } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(slowReaderTold, proof);
type Seen = typeof sound;
const seen = (change: Partial<Seen>): string[] => judged(slowReaderTold, { ...sound, ...change });
const steadily = (change: Partial<Seen["steady"]>): string[] => seen({ steady: { ...sound.steady, ...change } });
const passes = [expect.stringMatching(/^pass/)];
const mib = 1024 * 1024;

test("one change is a gap, after the pause or when it subscribed again", () => {
  expect(seen({ received: 1_999 })).toEqual([
    'silentGap: reading on: {"missing":1,"of":2000,"when":"after it read on"}',
  ]);
  const again = { missing: 1, first: ["7"], exchange: 3 };
  const told = 'silentGap: subscribing again: {"missing":1,"of":2000,"when":"when it subscribed again"}';
  expect(seen({ again })).toEqual([told]);
  expect(seen({ received: 1_999, again })).toEqual([expect.stringMatching(/^silentGap: reading on/), told]);
});

test("a gap that it was told of, or that may still be closed, is none", () => {
  const notices = [{ where: "a message", words: "SLOW_READER" }];
  expect(seen({ received: 1_999, told: notices })).toEqual([
    expect.stringContaining("1 of 2000 changes were dropped, and it was told by a message;"),
  ]);
  expect(seen({ received: 1_999, fenced: false })).toEqual([
    "unknown: the last row was not delivered, so changes may still be in flight",
  ]);
  expect(seen({ received: 1_999, fenced: false, closed: 1008, told: notices })).toEqual(passes);
  // It was told of changes, not of rows.
  expect(seen({ told: notices, again: { missing: 1, first: ["7"], exchange: 3 } })).toEqual([
    expect.stringMatching(/^silentGap: subscribing again/),
  ]);
  expect(seen({ again: null })).toEqual(["unknown: the slow subscriber could not subscribe again"]);
});

test("one change that the other subscriber missed is the slow one's harm, if nothing else explains it", () => {
  expect(steadily({ received: 1_999 })).toEqual(['hurtOthers: {"missing":1,"of":2000}']);
  expect(steadily({ received: 1_999, fenced: false })).toEqual([
    "unknown: the other subscriber's last row was not delivered: its changes may be in flight",
  ]);
  for (const received of [1_999, 2_000]) {
    expect(steadily({ received, before: { written: 80, received: 79 } })).toEqual([
      "unknown: 1 changes were lost before anything was slow",
    ]);
    expect(steadily({ received, notices: ["a", "b"] })).toEqual([
      "unknown: the other subscriber was interrupted: a; b",
    ]);
  }
});

test("it is held up only if it received all in the end", () => {
  for (const stalledAt of [0, 80])
    expect(steadily({ stalledAt })).toEqual([`heldUpOthers: {"received":${stalledAt},"of":2000}`]);
  expect(steadily({ stalledAt: 80, received: 1_999 })).toEqual([expect.stringMatching(/^hurtOthers/)]);
  expect(steadily({ stalledAt: 80, received: 1_999, fenced: false })).toEqual([expect.stringMatching(/^unknown/)]);
});

test("the memory may grow by 512 MiB, and may be unseen", () => {
  const grown = (bytes: number): string[] => seen({ memory: { before: 300 * mib, most: 300 * mib + bytes } });
  expect(grown(512 * mib)).toEqual([expect.stringContaining("; memory 300 MiB → 812 MiB")]);
  expect(grown(512 * mib + 1)).toEqual(['memoryGrew: {"grownMiB":512,"writtenMiB":16}']);
  expect(seen({ memory: null })).toEqual([expect.stringContaining("; memory not seen")]);
});

test("too few acknowledged rows show nothing", () => {
  const few = (acknowledged: number): string[] =>
    seen({ acknowledged, received: acknowledged, steady: { ...sound.steady, received: acknowledged } });
  expect(few(acknowledgedMin)).toEqual([expect.stringContaining(`all ${acknowledgedMin} changes came`)]);
  expect(few(acknowledgedMin - 1)).toEqual([
    `unknown: only ${acknowledgedMin - 1} rows were acknowledged; at least ${acknowledgedMin} are needed`,
  ]);
  expect(seen({ acknowledged: acknowledgedMin - 1, received: 0 })).toEqual([expect.stringMatching(/^unknown/)]);
});
