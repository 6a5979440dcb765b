import { expect, test } from "vitest";
import { judged, no, nothing, soundFor } from "../../../vocabulary/evidence.ts";
import { liveQueriesMeetAllWrites } from "./index.ts";
import proof from "./proof.ts";
import { bySnapshot } from "./typed.ts";
import { ways } from "./ways.ts";
import type { Step } from "./writing.ts";

const sound = soundFor(liveQueriesMeetAllWrites, proof);
type Seen = typeof sound;
/** The way in the USER table, changed. */
const having = (way: string, change: (step: Step) => Partial<Step>, fenced = true): Seen => ({
  ...sound,
  followed: sound.followed.map((one, at) =>
    at > 0
      ? one
      : { ...one, fenced, steps: one.steps.map((step) => (step.way === way ? { ...step, ...change(step) } : step)) },
  ),
});
/** Only the third table, which has the values, changed. */
const withValues = (change: (steps: readonly Step[]) => readonly Step[]): Seen => ({
  ...sound,
  followed: sound.followed.map((one, at) => (at === 2 ? { ...one, steps: change(one.steps) } : one)),
});
const says = (seen: Seen): string => judged(liveQueriesMeetAllWrites, seen).join("\n");
const [first, update] = ["INSERT with parameters", "UPDATE by a predicate"];
/** So many types, each read once more by a snapshot, as the observer does. */
const types = (count: number) => (steps: readonly Step[]) =>
  steps
    .filter(({ way }) => way.startsWith("values of "))
    .slice(0, count)
    .flatMap((one) => [one, { ...one, way: `${one.way}${bySnapshot}` }]);
const wrongFrom = (at: number) => (step: Step) => ({
  told: step.told.map((one, n) => (n < at ? one : { ...one, row: { ...one.row, v: '"other"' } })),
});
const still = { id: '"4"' };
const refused = no("SQL_EXECUTION_ERROR", "not supported", "parse");

test("a server need not have these ways", () => {
  expect(ways.filter(({ isOptional }) => isOptional === true).map(({ name }) => name)).toEqual([
    "INSERT … SELECT",
    "INSERT … ON CONFLICT DO UPDATE",
    "INSERT … RETURNING",
  ]);
});

test.each([
  [
    "the only row is lost",
    having(first, () => ({ told: [] })),
    /^lostWrite: USER, INSERT with parameters: .*"keys":\["111"\],"first":"0 events"/,
  ],
  [
    "the first of the rows is lost",
    having(update, ({ told }) => ({ told: told.slice(1) })),
    /^lostWrite: USER, .*"keys":\["601"\],/,
  ],
  [
    "one row is lost, and then nothing came",
    having(first, () => ({ told: [] }), false),
    /^unknown: the last row of a table/,
  ],
  [
    "one row is another",
    having(update, wrongFrom(2)),
    /^eventDiffersFromRow: .*"keys":\["603"\],"first":"column v: the event has \\"other\\"/,
  ],
  [
    "two rows are others",
    having(update, (step) => ({
      told: step.told.map((one, at) =>
        at === 0 ? { ...one, row: { v: '"x"' } } : at === 1 ? { ...one, row: null } : one,
      ),
    })),
    /^eventDiffersFromRow: .*"keys":\["601","602"\],"first":"column v: the event has \\"x\\"/,
  ],
  [
    "one row is another, and then nothing came",
    having(update, wrongFrom(2), false),
    /^unknown: the last row of a table/,
  ],
  [
    "one row came twice, and then nothing",
    having(first, ({ told }) => ({ told: [...told, ...told] }), false),
    /^toldTwice: .*"keys":\["111"\],"first":"2 events"/,
  ],
  [
    "the first way was not answered",
    having(first, () => ({ said: nothing() })),
    /^unknown: USER, INSERT with parameters: it was not answered/,
  ],
  [
    "a row that was not written is delivered as it is",
    having(update, ({ before, after, told }) => ({
      before: { ...before, "604": still },
      after: { ...after, "604": still },
      told: [...told, { kind: "update", key: "604", row: still }],
    })),
    /^pass/,
  ],
  [
    "a way is missing in one table",
    { ...sound, followed: sound.followed.map((one, at) => (at === 1 ? { ...one, steps: one.steps.slice(1) } : one)) },
    /^unknown: SHARED, INSERT with parameters: not tried/,
  ],
  [
    "an optional way is refused",
    having("INSERT … SELECT", () => ({ isOptional: true, said: refused, after: {}, told: [] })),
    /; rejected, so not tried: INSERT … SELECT$/,
  ],
  [
    "an optional way is refused and writes",
    having("INSERT … SELECT", (step) => ({
      isOptional: true,
      said: refused,
      after: Object.fromEntries(Object.entries(step.after).slice(0, 1)),
      told: step.told.slice(0, 1),
    })),
    /^unknown: .*it was refused, and SELECT shows 1 of its changes/,
  ],
  [
    "two events of another user",
    {
      ...sound,
      bystanders: sound.bystanders.map((one, at) =>
        at === 0 ? one : { ...one, foreign: ["7", "8"].map((key) => ({ kind: "insert", key, row: null })) },
      ),
    },
    /^foreignEvent: the service: \{"who":"the service","events":2,"key":"7"\}/,
  ],
  ["eight types are enough", withValues(types(8)), /^pass: 109 rows written in 27 ways and with values of 8 types/],
  ["seven types are too few", withValues(types(7)), /^unknown: values of only 7 types/],
] as const)("%s", (_, seen, wanted) => {
  expect(says(seen)).toMatch(wanted);
});
