import { expect, test } from "vitest";
import { foundIn, judged, no, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import { injectionStaysData } from "./index.ts";
import { payloads } from "./injections.ts";
import proof from "./proof.ts";

const sound = soundFor(injectionStaysData, proof);
type Seen = typeof sound;
const verdict = (change: Partial<Seen>): string[] => judged(injectionStaysData, { ...sound, ...change });
const filtering = (at: number, change: Partial<Seen["filters"][number]>): string[] =>
  verdict({ filters: sound.filters.map((one, index) => (index === at ? { ...one, ...change } : one)) });
const storing = (change: Partial<Seen["texts"][number]>): string[] =>
  verdict({ texts: sound.texts.map((one, at) => (at === 0 ? { ...one, ...change } : one)) });
const [first, second] = sound.filters.map((one) => one.case);
const executed = (of: string | undefined, what: string): string[] => [
  `executed: ${of}: ${JSON.stringify({ case: of, what })}`,
];
const changed = (of: string | undefined, got: string): string[] => [
  `changed: ${of}: ${JSON.stringify({ case: of, text: "'; DELETE", got })}`,
];
const passes = [expect.stringMatching(/^pass/)];

test("which texts a server may refuse to store", () => {
  expect(payloads.filter(({ mayRefuse }) => mayRefuse).map(({ name }) => name)).toEqual(["NUL and quote"]);
});

test.each<readonly [string, string[], unknown[]]>([
  ["another row", filtering(0, { found: ["0", "7"] }), executed(first, "it finds rows of other texts: 7")],
  [
    "other rows only",
    filtering(1, { found: ["7", "8"] }),
    [...executed(second, "it finds rows of other texts: 7, 8"), ...changed(second, "rows 7, 8 instead of 1")],
  ],
  ["a row that may be one", filtering(0, { found: ["0", "7"], maybe: ["7"] }), passes],
  ["no row", filtering(0, { found: [] }), changed(first, "rows  instead of 0")],
  ["one row of two", filtering(1, { found: ["1"], expected: ["1", "2"] }), changed(second, "rows 1 instead of 1, 2")],
  ["no answer", filtering(0, { found: null }), [`unknown: ${first}: no answer`]],
])("a filter finds %s", (_, got, expected) => {
  expect(got).toEqual(expected);
});

test("a text that is not there, or altered", () => {
  expect(storing({ got: null })).toEqual(changed("single quote, as a literal", "nothing"));
  expect(storing({ got: "x" })).toEqual(changed("single quote, as a literal", '"x"'));
});

test("which answers to a name are clear", () => {
  const answering = (said: Seen["answers"][number]): string[] =>
    verdict({ answers: sound.answers.map((one, at) => (at === 0 ? said : one)) });
  for (const said of [yes(), no("PERMISSION_DENIED", "no", "permission", 403), no("X", "no", "rule")])
    expect(answering(said)).toEqual(passes);
  for (const said of [nothing(), no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429)])
    expect(answering(said)).toEqual([expect.stringMatching(/^unknown: a name was neither accepted nor refused/)]);
});

test("the requests that show it: those that stored the text of that case", () => {
  const texts = sound.texts.map((one, at) => ({ ...one, said: { ...one.said, exchange: 100 + at } }));
  const found = foundIn(injectionStaysData, { ...sound, texts, alive: (sound.alive ?? []).slice(1) });
  expect(found.map((one) => [one.case, one.sent])).toEqual([["single quote", [100, 101]]]);
});
