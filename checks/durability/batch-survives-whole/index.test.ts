import { expect, test } from "vitest";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import { batchSurvivesWhole } from "./index.ts";
import proof from "./proof.ts";

type Round = Parameters<typeof batchSurvivesWhole.judge>[0]["rounds"][number];
type Unit = Round["units"][number];
const [sound] = soundFor(batchSurvivesWhole, proof).rounds as readonly [Round];
const [pair, many, pairInDoubt, manyInDoubt] = sound.units as readonly [Unit, Unit, Unit, Unit];
const judge = (change: Partial<Round>): string[] => judged(batchSurvivesWhole, { rounds: [{ ...sound, ...change }] });
const [transaction, insert] = [
  { kind: "transaction", rows: 2, first: 5_000 },
  { kind: "insert", rows: 500, first: 15_000 },
] as const;

test.each([
  [transaction, "ok", [2], [0, 1, 3]],
  [transaction, "unsure", [0, 2], [1, 3]],
  [transaction, "refused", [0], [1, 2]],
  [insert, "ok", [500], [0, 1, 499, 501]],
  [insert, "unsure", [0, 500], [1, 499, 501]],
  [insert, "refused", [0], [1, 500]],
] as const)(
  "of $kind, %s, so many rows may be there: %s, and not %s",
  ({ kind, rows, first }, outcome, whole, torn) => {
    const shows = (there: number): string[] =>
      judge({
        units: [...sound.units, { ...pair, kind, rows, first, outcome }],
        there: { ...sound.there, [first]: there },
      });
    for (const there of whole) expect(shows(there)).toEqual([expect.stringMatching(/^pass: /)]);
    for (const there of torn)
      expect(shows(there)).toEqual([
        `tornBatch: ${kind}: ${JSON.stringify({ round: 1, kind, outcome, there, rows, torn: 1 })}`,
      ]);
  },
);

test("transactions and inserts are told apart, and each kind's torn ones counted", () => {
  expect(judge({ there: {} })).toEqual([
    `tornBatch: transaction: ${JSON.stringify({ round: 1, kind: "transaction", outcome: "ok", there: 0, rows: 2, torn: 1 })}`,
    `tornBatch: insert: ${JSON.stringify({ round: 1, kind: "insert", outcome: "ok", there: 0, rows: 500, torn: 1 })}`,
  ]);
  const units = [...sound.units, { ...pair, first: 3_000 }, { ...pair, first: 4_000 }];
  expect(judge({ units, there: { ...sound.there, 4_000: 1 } })).toEqual([
    `tornBatch: transaction: ${JSON.stringify({ round: 1, kind: "transaction", outcome: "ok", there: 0, rows: 2, torn: 2 })}`,
  ]);
  expect(
    judge({
      units: [...units, { ...manyInDoubt, first: 13_000 }],
      there: { ...sound.there, 3_000: 2, 4_000: 2, 13_000: 7 },
    }),
  ).toEqual([
    `tornBatch: insert: ${JSON.stringify({ round: 1, kind: "insert", outcome: "unsure", there: 7, rows: 500, torn: 1 })}`,
  ]);
});

test.each([
  ["both kinds", [pair, many], /^pass: 1 acknowledged transactions and 1 inserts of 500 rows whole, and 1 in flight/],
  [
    "no insert",
    [pair],
    /^unknown: 1 transactions and 0 inserts were acknowledged before the kills; one of each is needed$/,
  ],
  ["no transaction", [many], /^unknown: 0 transactions and 1 inserts were acknowledged/],
  ["neither", [], /^unknown: 0 transactions and 0 inserts were acknowledged/],
])("acknowledged before the kill: %s", (_, acknowledged, expected) => {
  expect(judge({ units: [...acknowledged, pairInDoubt] })).toEqual([expect.stringMatching(expected)]);
});

test.each([
  ["sent just at the kill", 200, 210, true],
  ["answered just at the kill", 100, 200, true],
  ["sent after the kill", 201, 210, false],
  ["answered before the kill", 100, 199, false],
])("%s", (_, invokedAt, returnedAt, flies) => {
  const verdict = judge({ units: [pair, many, { ...pairInDoubt, invokedAt, returnedAt }] });
  expect(verdict).toEqual([
    expect.stringMatching(flies ? /^pass: .* and 1 in flight at the kills/ : /^unknown: in none of 1 rounds/),
  ]);
});
