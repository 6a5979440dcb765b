import { expect, test } from "vitest";
import { foundIn, judged, no, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import { textComparedExactly } from "./index.ts";
import proof from "./proof.ts";
import { pairings, texts, ways } from "./texts.ts";

const sound = soundFor(textComparedExactly, proof);
type Seen = typeof sound;
const total = texts.length;
const verdict = (change: Partial<Seen>): string[] => judged(textComparedExactly, { ...sound, ...change });
/** What the ways find for some texts, by their numbers. */
const finding = (found: Record<number, string[] | null>, of = "=") =>
  sound.lookups.map((one) => {
    const some = one.way === of ? found[Number(one.id)] : undefined;
    return some === undefined ? one : { ...one, found: some };
  });
const keys = (change: Record<number, Partial<Seen["keyed"][number]>>) =>
  sound.keyed.map((one, at) => ({ ...one, ...change[at + 1] }));
const pairsOf = (way: string, pairs: [string, string][]) =>
  sound.pairs.map((one) => (one.way === way ? { ...one, pairs } : one));
const confused = (way: string, text: string, other: string, times: number): string[] => [
  `confused: ${way}: ${JSON.stringify({ way, text, with: other, times })}`,
];
const refusal = no("SQL_EXECUTION_ERROR", "Primary key violation", "constraint");
const ok = [expect.stringMatching(/^pass/)];

test("no text is tried twice", () => {
  expect(new Set(texts).size).toBe(total);
});

test.each<readonly [string, Partial<Seen>, string[]]>([
  [
    "two texts find others",
    { lookups: finding({ 1: ["1", "3"], 2: ["2", "3"], 4: ["4"] }) },
    confused("=", '"key"', '"KEY"', 2),
  ],
  [
    "a text finds another by a parameter",
    { lookups: finding({ 1: ["2", "1"] }, "= a parameter") },
    confused("= a parameter", '"key"', '"Key"', 1),
  ],
  [
    "two texts do not find themselves",
    { lookups: finding({ 1: [], 2: [] }) },
    [`notFound: =: ${JSON.stringify({ way: "=", text: '"key"', times: 2 })}`],
  ],
  [
    "an unanswered lookup beside a wrong one",
    { lookups: finding({ 1: null, 2: ["2", "1"] }) },
    confused("=", '"Key"', '"key"', 1),
  ],
  ...pairings.map(
    ({ name }) =>
      [
        `pairs of ${name}`,
        {
          pairs: pairsOf(name, [
            ["1", "3"],
            ["2", "3"],
          ]),
        },
        confused(name, '"key"', '"KEY"', 2),
      ] as const satisfies readonly [string, Partial<Seen>, string[]],
  ),
  [
    "a pair of rows that are not known",
    { pairs: pairsOf("JOIN", [["98", "99"]]) },
    confused("JOIN", '"98"', '"99"', 1),
  ],
  ["two texts fewer", { distinct: String(total - 2) }, confused("DISTINCT", `one of ${total} texts`, "another", 2)],
  ["all texts", { distinct: String(total) }, ok],
  [
    "two keys are rejected as there",
    { keyed: keys({ 2: { said: refusal, found: ["key"] }, 3: { said: refusal, found: null } }) },
    [`keysConfused: ${JSON.stringify({ text: '"Key"', answer: "Primary key violation", times: 2 })}`],
  ],
  [
    "a key is rejected for another reason, and one with a reason and no answer",
    { keyed: keys({ 2: { said: no("X", "no", "rule"), found: [] } }) },
    ['unknown: the key "Key" was not stored and read: no'],
  ],
  [
    "a key is not answered, with a reason",
    { keyed: keys({ 2: { said: nothing("constraint"), found: [] } }) },
    ['unknown: the key "Key" was not stored and read: no answer within 15000 ms'],
  ],
  [
    "two keys find others",
    { keyed: keys({ 2: { found: ["Key", "key"] }, 3: { found: ["key"] } }) },
    [`keysConfused: ${JSON.stringify({ text: '"Key"', answer: 'it finds "Key" and "key"', times: 2 })}`],
  ],
  [
    "a key that was not stored finds another",
    { keyed: keys({ 2: { said: no("X", "no", "rule"), found: ["key"] } }) },
    ['unknown: the key "Key" was not stored and read: no'],
  ],
  [
    "a key could not be read",
    { keyed: keys({ 2: { said: yes("stored"), found: null } }) },
    ['unknown: the key "Key" was not stored and read: stored'],
  ],
])("%s", (_, change, expected) => {
  expect(verdict(change)).toEqual(expected);
});

const first = (count: number): Partial<Seen> => ({
  texts: count,
  lookups: sound.lookups.filter(({ id }) => Number(id) <= count),
  keyed: sound.keyed.slice(0, count),
});
const few = (comparisons: number): string[] => [`unknown: only ${comparisons} comparisons were made`];

test.each<readonly [string, Partial<Seen>, string[]]>([
  ["ten texts", first(10), ok],
  ["nine texts", first(9), few(9 * (ways.length + 1))],
  ["a lookup too few", { ...first(10), lookups: (first(10).lookups ?? []).slice(1) }, few(29)],
  ["a key too few", { ...first(10), keyed: sound.keyed.slice(0, 9) }, few(29)],
  ["a pairing too few", { ...first(10), pairs: sound.pairs.slice(1) }, few(30)],
])("enough: %s", (_, change, expected) => {
  expect(verdict(change)).toEqual(expected);
});

test("the requests that show it", () => {
  const sent = (change: Partial<Seen>) => foundIn(textComparedExactly, { ...sound, ...change }).map((one) => one.sent);
  expect(sent({ pairs: pairsOf("IN", [["2", "2"]]) })).toEqual([[1]]);
  expect(sent({ distinct: "1" })).toEqual([[9]]);
});
