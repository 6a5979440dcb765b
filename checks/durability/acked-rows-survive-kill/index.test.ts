import { expect, test } from "vitest";
import { say } from "../../../src/check.ts";
import { ackedRowsSurviveKill } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof ackedRowsSurviveKill.judge>[0];
const [sound] = proof.holds as readonly [Seen, ...Seen[]];

test.each([
  [false, "8 of 8 acknowledged rows of the USER table are gone after the kill, such as 1"],
  [true, "8 of 8 acknowledged rows of the USER table are gone after the kill, and so is the table, such as 1"],
])("a table that is gone: %s", (missing, sentence) => {
  const rounds = sound.rounds.slice(0, 1).map((round) => ({
    ...round,
    tables: round.tables.map((one) => ({
      ...one,
      missing,
      operations: one.operations.map((operation) =>
        operation.kind === "read" ? { ...operation, rows: [] } : operation,
      ),
    })),
  }));
  const verdict = ackedRowsSurviveKill.judge({ rounds }, ackedRowsSurviveKill.limits);
  const said = verdict.kind === "fail" ? verdict.found.map((found) => say(ackedRowsSurviveKill, found)) : [];
  expect(said).toEqual([expect.stringContaining(sentence)]);
});
