import { expect, test } from "vitest";
import { judged, no, nothing, yes } from "../vocabulary/evidence.ts";
import { namespaceScriptsRepeat } from "./namespace-scripts-repeat/index.ts";
import namespaces from "./namespace-scripts-repeat/proof.ts";
import { tableScriptsRepeat } from "./table-scripts-repeat/index.ts";
import tables from "./table-scripts-repeat/proof.ts";

type Seen = Parameters<typeof tableScriptsRepeat.judge>[0];
const [sound] = tables.holds as readonly [Seen];
const judge = (change: Partial<Seen>): string[] => judged(tableScriptsRepeat, { ...sound, ...change });

test("what is left after a drop that succeeded is a change, after one that did not it is none", () => {
  expect(judge({ left: '[[["users"]]]' })).toEqual([
    `changed: after the drop: ${JSON.stringify({ what: "the catalogue after the drop", before: "[[]]", after: '[[["users"]]]' })}`,
  ]);
  expect(judge({ left: '[[["users"]]]', dropped: nothing() })).toEqual([expect.stringMatching(/^unknown/)]);
  expect(judge({ left: null })).toEqual(["unknown: the catalogue could not be read"]);
});

test("both scripts must be repeated twice", () => {
  const tooFew = ["unknown: the scripts were not repeated, or there were no rows to lose"];
  expect(judge({ again: [yes()] })).toEqual(tooFew);
  expect(judge({ droppedAgain: [yes()] })).toEqual(tooFew);
});

test("what could not be read before or after decides nothing", () => {
  expect(judge({ before: { ...sound.before, "the columns": null } })).toEqual([
    "unknown: the columns could not be read",
  ]);
});

test("an error of another kind to other columns is an answer", () => {
  expect(judge({ otherShape: { ...no("X", "y", "unrecognised"), kind: "unsure" } })).toEqual([
    expect.stringMatching(/^pass/),
  ]);
});

test("of three tables each must have its rows and its rejection", () => {
  expect(judge({ plain: sound.plain.slice(1) })).toEqual([expect.stringMatching(/^unknown: CREATE without/)]);
  const emptied = { ...sound.before, "the rows of users": "[[]]" };
  expect(judge({ before: emptied, after: emptied })).toEqual([expect.stringMatching(/no rows to lose$/)]);
});

test("reruns of both scripts are counted", () => {
  expect(judge({})).toEqual([expect.stringMatching(/^pass: 4 of 4 reruns/)]);
  const [seen] = namespaces.holds as readonly [Parameters<typeof namespaceScriptsRepeat.judge>[0]];
  expect(judged(namespaceScriptsRepeat, seen)).toEqual([expect.stringMatching(/^pass: 4 of 4 /)]);
});
