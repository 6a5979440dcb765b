import { expect, test } from "vitest";
import { judged, no, soundFor, yes } from "../../vocabulary/evidence.ts";
import proof from "./proof.ts";
import { badFlushCommandRefused } from "./index.ts";

const sound = soundFor(badFlushCommandRefused, proof);
const flushing = (said: ReturnType<typeof no>): string[] =>
  judged(badFlushCommandRefused, { ...sound, proper: { ...sound.proper, said } });

test("a valid flush is accepted, names its job, and that is listed", () => {
  const silent = (message: string) => [
    `unknown: system.jobs does not list the job of a valid flush, so its silence shows nothing: ${message}`,
  ];
  expect(flushing(no("X", "no. Job ID: FL-1", "rule"))).toEqual([
    "unknown: a valid flush does not work either: no. Job ID: FL-1",
  ]);
  expect(flushing(yes("started"))).toEqual(silent("started"));
  expect(flushing(yes("Job ID: FL-9"))).toEqual(silent("Job ID: FL-9"));
  expect(flushing(yes("Job ID: FL-1"))).toEqual([
    "pass: 14 of 14 rejected, no job started; a valid flush is listed as FL-1",
  ]);
});
