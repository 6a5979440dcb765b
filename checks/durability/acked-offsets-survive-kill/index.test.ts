import { expect, test } from "vitest";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import { ackedOffsetsSurviveKill } from "./index.ts";
import proof from "./proof.ts";

type Round = Parameters<typeof ackedOffsetsSurviveKill.judge>[0]["rounds"][number];
/** Offsets 0 to 2 are acknowledged, 3 was received, 4 and 5 were not; 6 is in doubt. */
const [sound] = soundFor(ackedOffsetsSurviveKill, proof).rounds as readonly [Round];
const judge = (change: Partial<Round>): string[] =>
  judged(ackedOffsetsSurviveKill, { rounds: [{ ...sound, ...change }] });
const [third, fourth, fifth] = sound.after as readonly [Delivery, Delivery, Delivery];
type Delivery = Round["after"][number];
const [ack] = sound.acknowledged as readonly [Round["acknowledged"][number]];
const passes = (again: number) => [
  expect.stringContaining(` acknowledgements stayed, and ${again} messages that were not acknowledged came again`),
];
const strange = (key: string, offset: string, why: string, times = 1) =>
  `strangeMessages: ${JSON.stringify({ round: 1, times, key, offset, why })}`;
const lost = (keys: readonly string[], elsewhere: number) =>
  `lostMessages: ${JSON.stringify({ round: 1, lost: keys.length, of: 3, keys, elsewhere, waitedMs: 30 })}`;

test("the highest offset that was acknowledged counts, in whatever order", () => {
  const acknowledged = [ack, { ...ack, upTo: "0" }];
  expect(judge({ acknowledged })).toEqual(passes(3));
  const again = { ...third, offset: "2", key: "2" };
  expect(judge({ acknowledged, after: [again, third, fourth, fifth] })).toEqual([
    `acknowledgedAgain: ${JSON.stringify({ round: 1, times: 1, of: "2", offset: "2", key: "2" })}`,
  ]);
});

test("an acknowledgement in doubt obliges nobody, whatever was acknowledged before", () => {
  const before = [...sound.before, fourth, fifth];
  const acknowledged = [ack, { ...ack, upTo: "5", outcome: "unsure" as const }];
  expect(judge({ before, acknowledged, after: [] })).toEqual([
    "unknown: at no kill was a message left that had not been acknowledged",
  ]);
  expect(judge({ acknowledged: [{ ...ack, outcome: "unsure" }] })).toEqual([
    "unknown: nothing was acknowledged before the kills",
  ]);
});

test.each([
  ["the first published one", { before: [], acknowledged: [ack], after: [third, fourth, fifth] }, ["0", "1", "2"], 6],
  ["the last one", { after: [third, fourth] }, ["5"], 3],
])("%s must come again", (_, change, keys, of) => {
  expect(judge(change)).toEqual([
    `lostMessages: ${JSON.stringify({ round: 1, lost: keys.length, of, keys, elsewhere: 0, waitedMs: 30 })}`,
  ]);
});

test("of what does not come, it is counted what another group receives", () => {
  expect(judge({ after: [third], elsewhere: ["0", "3", "4"] })).toEqual([lost(["4", "5"], 1)]);
  expect(judge({ after: [third], elsewhere: [] })).toEqual([lost(["4", "5"], 0)]);
});

test("a poll that failed matters only where something is missing", () => {
  const failures = [{ exchange: 5, what: "status 500" }];
  expect(judge({ failures })).toEqual(passes(3));
  expect(judge({ failures, after: [third, fourth] })).toEqual(["unknown: a poll failed: status 500"]);
});

const refusedKeys = sound.published.slice(0, 1).map((one) => ({ ...one, key: "70", outcome: "refused" as const }));
test.each([
  [
    "of a row that nobody inserted",
    [{ ...third, key: "99", offset: "9" }],
    [strange("99", "9", "nobody inserted such a row")],
  ],
  [
    "of a row that was refused",
    [{ ...third, key: "70", offset: "9" }],
    [strange("70", "9", "nobody inserted such a row")],
  ],
  ["at the offset of another", [{ ...third, key: "6" }], [strange("6", "3", "before the kill, key 3 was there")]],
  ["at another offset than before", [{ ...third, offset: "9" }], [strange("3", "9", "it was at offset 3 before")]],
  ["at an offset of its own", [third], passes(3)],
  ["at a new offset", [third, { ...third, key: "6", offset: "9" }], passes(3)],
  [
    "twice, one of them strange",
    [{ ...third, key: "99", offset: "9" }, third],
    [strange("99", "9", "nobody inserted such a row")],
  ],
])("a message %s", (_, first, expected) => {
  const published = [...sound.published, ...refusedKeys];
  const verdict = judge({ published, after: [...first, fourth, fifth] });
  expect(verdict).toEqual(expected);
});

test("one that came under another key is not lost besides, two are", () => {
  const other = { ...third, key: "99", offset: "9" };
  expect(judge({ after: [other, fourth, fifth] })).toEqual([strange("99", "9", "nobody inserted such a row")]);
  expect(judge({ after: [other, fifth] })).toEqual([
    strange("99", "9", "nobody inserted such a row"),
    lost(["3", "4"], 0),
  ]);
});
