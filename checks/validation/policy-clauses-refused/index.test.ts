import { expect, test } from "vitest";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import { policyClausesRefused, wrong } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(policyClausesRefused, proof);
/** What the user reads before, and after each statement. */
const reading = (before: number | null, ...after: (number | null)[]): string[] =>
  judged(policyClausesRefused, {
    ...sound,
    before,
    tried: sound.tried.map((one, at) => ({ ...one, userReads: after[Math.min(at, after.length - 1)] ?? null })),
  });
const opened = (at: number, rows: number): string =>
  `opened: ${wrong[at]?.name}: ${JSON.stringify({ case: wrong[at]?.name, rows })}`;
const unread = ["unknown: the user's rows could not be read"];

test("only the statement after which the user reads more has opened the table", () => {
  expect(reading(0, 1)).toEqual([opened(0, 1)]);
  expect(reading(null, 1)).toEqual([opened(0, 1)]);
  expect(reading(0, 0, 2, 2, 3)).toEqual([opened(1, 2), opened(3, 3)]);
  expect(reading(0, 2, null, 2)).toEqual([opened(0, 2)]);
  expect(reading(0, null)).toEqual(unread);
  expect(reading(1, 1)).toEqual(["unknown: without a policy the user reads 1 rows, expected 0 of 3"]);
});
