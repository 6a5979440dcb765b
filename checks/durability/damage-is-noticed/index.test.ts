import { expect, test } from "vitest";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import type { Digest } from "../digest.ts";
import { lineOf } from "../evidence.ts";
import { damageIsNoticed } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(damageIsNoticed, proof);
type Round = (typeof sound)["rounds"][number];
const [whole, segment] = sound.rounds as readonly [Round, Round];
const { looked } = sound.control as Round & { looked: Exclude<Round["looked"], null> };
const judge = (change: Partial<Round>): string[] =>
  judged(damageIsNoticed, {
    ...sound,
    rounds: [...sound.rounds, { ...segment, damage: "D", file: "a/b/0017", ...change }],
  });
const refused = (of: Digest, why: string): Digest => of.map((line) => ({ ...line, lines: null, why }));
const passes = (right: number, told: number) => [
  expect.stringContaining(`${right} times all rows were right, ${told} times an error said what is wrong`),
];
const shows = (...rows: readonly string[]): Digest => [
  lineOf("the number of rows", ["1"]),
  lineOf("rows 1 to 25", rows),
];

test.each([
  ["cannot read 0017", passes(4, 2)],
  ["cannot scan hurt", passes(4, 2)],
  ["Parquet: EOF", passes(4, 2)],
  ["cannot read b", ['unclearError: D: {"damage":"D","file":"a/b/0017","told":"cannot read b"}']],
  ["Execution error", ['unclearError: D: {"damage":"D","file":"a/b/0017","told":"Execution error"}']],
  ["", ['unclearError: D: {"damage":"D","file":"a/b/0017","told":""}']],
])("queries of the damaged table are refused: %s", (why, expected) => {
  expect(judge({ looked: { ...looked, hurt: refused(looked.hurt, why) } })).toEqual(expected);
});

test.each([
  ["cannot read 0017", passes(4, 2)],
  ["cannot scan hurt", ['unclearError: D: {"damage":"D","file":"a/b/0017","told":"cannot scan hurt"}']],
  ["panicked", ['unclearError: D: {"damage":"D","file":"a/b/0017","told":"panicked"}']],
  ["", ['unclearError: D: {"damage":"D","file":"a/b/0017","told":"exit code 1"}']],
])("the server does not start: %s", (words, expected) => {
  expect(judge({ looked: null, notStarted: { why: "exit code 1", ended: true, words } })).toEqual(expected);
});

const spread = (what: string) => [`spread: D: {"damage":"D","file":"a/b/0017","what":"${what}"}`];
const [first] = looked.sound as readonly [Digest[number]];
test.each([
  ["hot", { sound: refused(looked.sound, "corrupt") }, passes(5, 1)],
  ["hot", { write: "an insert: corrupt" }, passes(5, 1)],
  ["hot", { write: "an insert: error" }, spread("an insert: error")],
  ["hot", { sound: refused(looked.sound, "error") }, spread("the number of rows: error")],
  ["hot", { sound: [first, lineOf("rows 1 to 25", ["corrupt"])] }, spread("rows 1 to 25: 7 | z became corrupt")],
  ["hot", { sound: [first, lineOf("rows 1 to 25", ["8"])] }, spread("rows 1 to 25: 7 | z became 8")],
  ["segment", { sound: refused(looked.sound, "corrupt") }, spread("the number of rows: corrupt")],
  ["segment", { write: "an insert: corrupt" }, spread("an insert: corrupt")],
] as const)("another table after damage of a %s: %j", (part, change, expected) => {
  expect(judge({ part, looked: { ...looked, ...change } })).toEqual(expected);
});

test.each([
  ["segment", ["1 | a"], "silentLoss"],
  ["segment", ["1 | a", "2 | c"], "silentChange"],
  ["segment", ["1 | a", "2 | b", "3 | c"], "silentChange"],
  ["stray", ["1 | a"], "silentLoss"],
  ["hot", ["1 | a"], "hotDamageHidden"],
  ["hot", ["1 | a", "2 | c"], "hotDamageHidden"],
] as const)("damage of a %s that leaves %j", (part, rows, name) => {
  expect(judge({ part, looked: { ...looked, hurt: shows(...rows) } })).toEqual([
    expect.stringMatching(new RegExp(`^${name}: D: .*"queries":2,"of":2\\}$`)),
  ]);
});

test("damage that nobody looked at shows nothing", () => {
  expect(judge({ looked: null })).toEqual(["unknown: with D: nothing was looked at"]);
});

test("the rows are elsewhere only where all is answered with all segments deleted", () => {
  const without = (change: Partial<Round>) =>
    judged(damageIsNoticed, { ...sound, rounds: [{ ...whole, ...change }, ...sound.rounds.slice(1)] });
  const [count, page] = looked.hurt as readonly [Digest[number], Digest[number]];
  const [one, other] = refused(looked.hurt, "manifest not found") as [Digest[number], Digest[number]];
  expect(without({ looked: { ...looked, hurt: [count, other] } })).toEqual(passes(4, 1));
  expect(without({ looked: { ...looked, hurt: [one, page] } })).toEqual(passes(4, 1));
  expect(without({ looked: null, notStarted: { why: "", ended: true, words: "manifest not found" } })).toEqual(
    passes(4, 1),
  );
  expect(without({ looked })).toEqual([
    expect.stringMatching(/^unknown: with all segments deleted, all rows are there/),
  ]);
});
