import { expect, test } from "vitest";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import { savepointsHold } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(savepointsHold, proof);
const leaving = (name: string, keys: readonly string[]): string[] =>
  judged(savepointsHold, { tried: sound.tried.map((one) => (one.case === name ? { ...one, keys } : one)) });
const wrong = (name: string, keys: string, expected: string): string[] => [
  `wrongRows: ${name}: ${JSON.stringify({ case: name, keys, expected })}`,
];

test("which rows are left, and that none is", () => {
  expect(leaving("COMMIT", [])[0]).toContain('"keys":"none","expected":"1');
  expect(leaving("left open", ["1", "2"])).toEqual(wrong("left open", "1, 2", "none"));
});
