import { expect, test } from "vitest";
import { judged, no, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import { truncationVisible } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(truncationVisible, proof);
type Asked = (typeof sound.asked)[number];
const seen = (change: Partial<typeof sound>): string[] => judged(truncationVisible, { ...sound, ...change });
const withQuery = (at: number, change: Partial<Asked>): string[] =>
  seen({ asked: sound.asked.map((one, index) => (index === at ? { ...one, ...change } : one)) });
const passes = [expect.stringMatching(/^pass/)];

test.each([
  [0, "without LIMIT"],
  [1, "with LIMIT"],
])("query %i, %s: a row less without a sign is found", (at, name) => {
  const { way, of } = sound.asked[at] ?? { way: "", of: 0 };
  for (const got of [0, of - 1])
    expect(withQuery(at, { got })).toEqual([`cutSilently: ${name}: ${JSON.stringify({ way, got, of })}`]);
  expect(withQuery(at, { got: of - 1, signs: ["message: more", "total: 9"] })).toEqual([
    expect.stringContaining(`${way}: ${of - 1} of ${of} rows, told by message: more, total: 9`),
  ]);
  expect(withQuery(at, { got: of - 1, signs: null })).toEqual([
    `unknown: ${way}: the request that looks for a sign was not answered`,
  ]);
  // Where all rows came, no sign is looked for.
  expect(withQuery(at, { signs: null })).toEqual(passes);
});

test("what was not answered with rows is not cut", () => {
  const unclear = (said: Asked["said"]): string[] => [`unknown: without LIMIT: ${said.message}`];
  expect(withQuery(0, { got: null })).toEqual(unclear(yes()));
  for (const got of [null, 50]) expect(withQuery(0, { said: nothing(), got })).toEqual(unclear(nothing()));
});

test("a refusal is a sign if it is about the query", () => {
  const refused = (said: Asked["said"], signs: string[] | null = null): string[] =>
    withQuery(0, { said, got: null, signs });
  const rule = no("INVALID_SQL", "a LIMIT is required", "rule");
  for (const signs of [null, []])
    expect(refused(rule, signs)).toEqual([expect.stringMatching(/^pass: without LIMIT: refused with INVALID_SQL;/)]);
  expect(withQuery(0, { said: rule, got: 50 })).toEqual(passes);
  for (const said of [
    no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429),
    no("PERMISSION_DENIED", "no", "permission", 403),
    no("", "no", "rule"),
  ])
    expect(refused(said)).toEqual([`unknown: without LIMIT: ${said.message}`]);
});

test("the rows must be known to be there", () => {
  for (const there of [50, 131, null])
    expect(withQuery(0, { there, got: 50 })).toEqual([
      `unknown: the table has ${there ?? "?"} of 130 rows, by COUNT(*)`,
    ]);
  expect(seen({ written: [nothing(), yes()] })).toEqual([expect.stringMatching(/^unknown: the rows could not be/)]);
  expect(seen({ written: [yes()] })).toEqual(["unknown: the rows could not be written: "]);
  expect(seen({ written: [], asked: [] })).toEqual(["unknown: the rows could not be written: "]);
  expect(seen({ asked: sound.asked.slice(1) })).toEqual(["unknown: a maximum of 1000 rows is too many to try"]);
});
