import { expect, test } from "vitest";
import { judged, latePace, no, nothing, slowPace, soundFor, yes } from "../../../vocabulary/evidence.ts";
import { ready, refusal } from "../../../vocabulary/opening-evidence.ts";
import type { Altered } from "./altering.ts";
import { liveQueriesMeetSchemaChanges } from "./index.ts";
import proof from "./proof.ts";

const { altered } = soundFor(liveQueriesMeetSchemaChanges, proof);
const plain = altered.find(({ isOutdated }) => !isOutdated);
const outdated = altered.find(({ isOutdated }) => isOutdated);
const { rows = {}, told = [], columns = [] } = plain ?? {};
/** What is concluded with this one changed; the findings without the pace. */
const withOne = (chosen: Altered | undefined, change: Partial<Altered>): string[] =>
  judged(liveQueriesMeetSchemaChanges, {
    altered: altered.map((one) => (one === chosen ? { ...one, ...change } : one)),
  }).map((line) => line.replace(/,"pace":\{[^}]*\}/, ""));
const added = { table: "USER", case: "a column added" };
const dropped = { table: "SHARED", case: "the filter's column dropped" };
const red = (name: string, at: typeof added, data: object, more = ""): string =>
  `${name}: ${at.table}, ${at.case}${more}: ${JSON.stringify({ ...at, ...data })}`;
const matching = (wanted: string | RegExp): unknown =>
  typeof wanted === "string" ? wanted : expect.stringMatching(wanted);
const wrongRow = { kind: "update", key: "1", row: { id: '"1"', v: '"old"' } };
const open = { ended: [], pace: latePace };
const ended = ["TABLE_CHANGED subscribe again"];
const again = { opening: ready(), columns, rows };

const ofAll = [
  ["both rows are missing", { told: [], pace: latePace }, red("silentAfterAlter", added, { keys: ["1", "2"] })],
  ["one row is missing", { told: told.slice(0, 1), pace: latePace }, red("silentAfterAlter", added, { keys: ["1"] })],
  [
    "one row is missing on a slow server",
    { told: told.slice(0, 1), pace: slowPace },
    /^unknown: .*no event and no end/,
  ],
  ["it ended, and its connection goes on", { told: [], pace: latePace, ended }, /^pass/],
  ["nothing came any more at all", { told: [], pace: latePace, fenced: false }, /^unknown: .*nothing more/],
  ["the write was not acknowledged", { write: nothing(), told: [], pace: latePace }, /^unknown: .*be written/],
  [
    "the change was refused",
    { alter: no("X", "no ALTER", "parse"), told: [], pace: latePace },
    /^pass: .*not possible here: a column added$/,
  ],
  ["SELECT was not answered", { select: nothing(), again: null, told: [wrongRow] }, /^unknown: .*not answered/],
  [
    "one row is another",
    { told: [...told, wrongRow] },
    red("wrongShape", added, { what: 'key 1; column v: the event has "old", SELECT shows "was"' }),
  ],
  [
    "a row that is not there",
    { told: [{ ...wrongRow, key: "7" }, ...told] },
    red("wrongShape", added, { what: "key 7; delivered, and SELECT shows no such row" }),
  ],
  [
    "both rows are others",
    { told: [{ ...wrongRow, key: "2" }, wrongRow] },
    red("wrongShape", added, { what: 'keys 1, 2; the first: column v: the event has "old", SELECT shows "was"' }),
  ],
  ["a row is another, and it ended", { told: [wrongRow], ended }, /^pass/],
  ["a row is another, and then nothing came", { told: [...told, wrongRow], fenced: false }, /^unknown: .*nothing more/],
] as const;
test.each(ofAll)("a followed table: %s", (_, change, wanted) => {
  expect(withOne(plain, change)).toEqual([matching(wanted)]);
});

const ofAgain = [
  [
    "another column",
    { ...again, columns: ["id", "v"] },
    "opened again, its columns are id, v, those of SELECT id, v, w",
  ],
  [
    "a row too many",
    { ...again, rows: { ...rows, "9": { id: '"9"' } } },
    "opened again, key 9: delivered, and SELECT shows no such row",
  ],
  [
    "a row too few",
    { ...again, rows: { "2": rows["2"] ?? {}, "4": rows["4"] ?? {} } },
    "opened again, key 1: delivered as deleted, and SELECT shows the row",
  ],
  [
    "the first row is another",
    { ...again, rows: { ...rows, "1": { id: '"1"' } } },
    'opened again, key 1: column v: the event has no value, SELECT shows "was"',
  ],
  [
    "all rows are others",
    { ...again, rows: {} },
    "opened again, key 1: delivered as deleted, and SELECT shows the row",
  ],
] as const;
test.each(ofAgain)("opened again: %s", (_, change, what) => {
  expect(withOne(plain, { again: change })).toEqual([red("wrongShape", added, { what }, ", opened again")]);
});
test("a limit says nothing of a live query that is opened again", () => {
  const opening = refusal("SUBSCRIPTION_LIMIT_EXCEEDED");
  expect(withOne(plain, { again: { opening, columns: [], rows: {} } })).toEqual([
    expect.stringMatching(/^unknown: .*opened again/),
  ]);
});

const ofOutdated = [
  [
    "nothing came of rows that are there",
    { ...open, told: [] },
    red("silentAfterAlter", dropped, { keys: ["1", "2"] }),
  ],
  ["nothing came of one row", { ...open, told: told.slice(0, 1) }, red("silentAfterAlter", dropped, { keys: ["1"] })],
  [
    "nothing came of the only row",
    { ...open, told: [], keys: ["2"] },
    red("silentAfterAlter", dropped, { keys: ["2"] }),
  ],
  ["it goes on", { ...open, told }, /^outlivesItsColumn/],
  ["it ended late", { pace: latePace, told }, /^pass/],
  ["nothing came any more", { ...open, told, fenced: false }, /^unknown: .*nothing more/],
  ["it is slow", { ...open, told, pace: slowPace }, /^unknown: .*no event and no end/],
  ["its SELECT is answered all the same", { ...open, select: yes(), rows, columns, told, again }, /^pass/],
] as const;
test.each(ofOutdated)("a live query whose column is gone: %s", (_, change, wanted) => {
  expect(withOne(outdated, change)).toEqual([matching(wanted)]);
});

test("four changes of a table are enough, three are not", () => {
  const of = (count: number): string[] => judged(liveQueriesMeetSchemaChanges, { altered: altered.slice(0, count) });
  expect(of(4)).toEqual([expect.stringMatching(/^pass: 4 changes of a table: 3 .*; 1 ended/)]);
  expect(of(3)).toEqual([expect.stringMatching(/^unknown: only 3 changes/)]);
});
