import { expect, test } from "vitest";
import { judged, no, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import proof from "./proof.ts";
import { wrongTypesRefused } from "./index.ts";

const sound = soundFor(wrongTypesRefused, proof);
type Way = (typeof sound.ways)[number];
type Entry = Way["bad"][number];
/** The n-th wrong or valid value of the second way, changed. */
const having = (list: "bad" | "good", at: number, change: Partial<Entry>): string[] =>
  judged(wrongTypesRefused, {
    ways: sound.ways.map((way, n) =>
      n === 1 ? { ...way, [list]: way[list].map((one, m) => (m === at ? { ...one, ...change } : one)) } : way,
    ),
  });
const refusal = no("SQL_EXECUTION_ERROR", "Cast error", "type");
const coerced = (stored: string) => [
  `coerced: bad 22: ${JSON.stringify({ type: "INT", value: "1.7", stored, sql: "INSERT …" })}`,
];
const accepted = (message: string) => [
  `accepted: bad 22: ${JSON.stringify({ type: "INT", value: "1.7", sql: "INSERT …", message })}`,
];

test("what is stored was accepted, whatever was said", () => {
  expect(having("bad", 22, { said: yes(), stored: "2" })).toEqual(coerced("2"));
  expect(having("bad", 22, { said: refusal, stored: "2" })).toEqual(coerced("2"));
  expect(having("bad", 22, { said: yes(), stored: "1.7" })).toEqual(accepted("done"));
  expect(having("bad", 22, { said: refusal, stored: "1.7" })).toEqual(accepted("Cast error"));
  expect(having("bad", 22, { said: yes(), stored: null })).toEqual(accepted("done"));
  // The message of one that stored something is not looked at.
  expect(having("bad", 22, { said: { ...refusal, message: "no" }, stored: "2" })).toEqual(coerced("2"));
  expect(having("bad", 22, { said: { ...refusal, message: "no" } })).toEqual([
    'unclear: bad 22: {"sql":"INSERT …","message":"no"}',
  ]);
});

test("a valid value that is not stored shows nothing, unless it was rejected", () => {
  const notStored = (message: string) => [
    `unknown: good 10: the valid value was not stored either, so the rejections show nothing: ${message}`,
  ];
  expect(having("good", 10, { stored: null })).toEqual(notStored("done"));
  expect(having("good", 10, { said: nothing() })).toEqual(notStored("no answer within 15000 ms"));
  expect(having("good", 10, { said: refusal })).toEqual([
    'validRefused: good 10: {"type":"INT","value":"1.7","sql":"INSERT …","message":"Cast error"}',
  ]);
});

test("one way is too few, however many values it has", () => {
  const [way, ...others] = sound.ways;
  const all = [way, ...others].flatMap((one) => (one === undefined ? [] : [one]));
  const ways =
    way === undefined ? [] : [{ ...way, bad: all.flatMap(({ bad }) => bad), good: all.flatMap(({ good }) => good) }];
  expect(judged(wrongTypesRefused, { ways })[0]).toMatch(/^unknown: only \d+ of \d+ values were tried/);
});
