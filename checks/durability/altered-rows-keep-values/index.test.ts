import { expect, test } from "vitest";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import { alteredRowsKeepValues } from "./index.ts";
import proof from "./proof.ts";

type Altered = Parameters<typeof alteredRowsKeepValues.judge>[0][number];
type Look = Altered["looks"][number];
type Wrong = NonNullable<Look["first"]>[number];
const [user, shared] = soundFor(alteredRowsKeepValues, proof) as readonly [Altered, Altered];
/** What was wrong after each of the three changes, twice alike where only one is given. */
const judge = (...seen: readonly Partial<Pick<Look, "first" | "again">>[]): string[] =>
  judged(alteredRowsKeepValues, [
    user,
    { ...shared, looks: shared.looks.map((look, at) => ({ ...look, again: seen[at]?.first ?? [], ...seen[at] })) },
  ]);
const wrong = (column: Wrong["column"], id: string, found: string | null = null): Wrong => ({ column, id, found });
const twice = (...all: readonly Wrong[]) => ({ first: all });
const lost = (change: string, column: string, rest: object): string =>
  `lostValues: ${change} SHARED: ${JSON.stringify({ change, type: "SHARED", column, ...rest })}`;

test.each([
  [
    "a flushed one and two others",
    twice(wrong("kept", "1"), wrong("kept", "3"), wrong("kept", "4")),
    [lost("ADD COLUMN", "kept", { lost: 3, of: 4, where: "1 flushed, 2 not", first: "id 1: NULL instead of k1" })],
  ],
  [
    "flushed ones",
    twice(wrong("kept", "1", "x"), wrong("kept", "2")),
    [lost("ADD COLUMN", "kept", { lost: 2, of: 4, where: "2 flushed, 0 not", first: "id 1: x instead of k1" })],
  ],
  [
    "a value in the new column",
    twice(wrong("added", "3", "x")),
    [lost("ADD COLUMN", "added", { lost: 1, of: 4, where: "0 flushed, 1 not", first: "id 3: x instead of NULL" })],
  ],
  [
    "two columns",
    twice(wrong("was", "1"), wrong("kept", "2"), wrong("was", "3", "no row")),
    [
      lost("ADD COLUMN", "was", { lost: 2, of: 4, where: "1 flushed, 1 not", first: "id 1: NULL instead of v1" }),
      lost("ADD COLUMN", "kept", { lost: 1, of: 4, where: "1 flushed, 0 not", first: "id 2: NULL instead of k2" }),
    ],
  ],
  [
    "another value at the second look",
    { first: [wrong("kept", "1")], again: [wrong("kept", "1", "x")] },
    ["unknown: of two reads of the SHARED table after ADD COLUMN one was right"],
  ],
  [
    "another column at the second look",
    { first: [wrong("kept", "1")], again: [wrong("was", "1")] },
    ["unknown: of two reads of the SHARED table after ADD COLUMN one was right"],
  ],
  [
    "another row at the second look",
    { first: [wrong("kept", "1")], again: [wrong("kept", "2")] },
    ["unknown: of two reads of the SHARED table after ADD COLUMN one was right"],
  ],
  ["no first look", { first: null, again: [] }, ["unknown: the SHARED table could not be read after ADD COLUMN"]],
  [
    "no second look",
    { first: [wrong("kept", "1")], again: null },
    ["unknown: the SHARED table could not be read after ADD COLUMN"],
  ],
  [
    "more at the second look",
    { first: [], again: [wrong("kept", "1")] },
    [expect.stringMatching(/^pass: 8 rows of 2 tables/)],
  ],
])("after the first change: %s", (_, seen, expected) => {
  expect(judge(seen)).toEqual(expected);
});

test("a column that was wrong before is not wrong for the change after, whatever its name", () => {
  const one = { lost: 1, of: 4, where: "1 flushed, 0 not" };
  const added = lost("ADD COLUMN", "was", { ...one, first: "id 1: NULL instead of v1" });
  expect(judge(twice(wrong("was", "1")), twice(wrong("renamed", "1")), twice(wrong("renamed", "1")))).toEqual([added]);
  expect(judge(twice(wrong("was", "1")), twice(wrong("renamed", "1"), wrong("kept", "1")))).toEqual([
    added,
    lost("RENAME COLUMN", "kept", { ...one, first: "id 1: NULL instead of k1" }),
  ]);
  expect(judge({}, twice(wrong("renamed", "1")), twice(wrong("added", "2", "x")))).toEqual([
    lost("RENAME COLUMN", "renamed", { ...one, first: "id 1: NULL instead of v1" }),
    lost("DROP COLUMN", "added", { ...one, first: "id 2: x instead of NULL" }),
  ]);
});
