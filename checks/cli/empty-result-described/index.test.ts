import { expect, test } from "vitest";
import { judged } from "../../vocabulary/evidence.ts";
import { emptyResultDescribed } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof emptyResultDescribed.judge>[0];
const [sound] = proof.holds as readonly [Seen];
const firstIs = (change: (one: Seen["pairs"][number]) => Partial<Seen["pairs"][number]>): string[] =>
  judged(emptyResultDescribed, {
    ...sound,
    pairs: sound.pairs.map((one, at) => (at === 0 ? { ...one, ...change(one) } : one)),
  });
const [first] = sound.pairs;

test("the first query is judged like the others", () => {
  expect(firstIs(({ empty }) => ({ empty: { ...empty, columns: [] } }))).toEqual([
    expect.stringMatching(new RegExp(`^noSchema: ${first?.query}: `)),
  ]);
});

test("a query without an answer is not one without columns, on either side", () => {
  for (const side of ["empty", "filled"] as const)
    expect(firstIs((one) => ({ [side]: { ...one[side], columns: null, outcome: "timeout" } }))).toEqual([
      `unknown: ${first?.query}: timeout`,
    ]);
});

test("a query that is not one of ours has no expectations", () => {
  if (first === undefined) throw new Error("no queries");
  const other = { ...first, query: "another", empty: { ...first.empty, columns: [] } };
  expect(judged(emptyResultDescribed, { ...sound, pairs: [...sound.pairs, other] })).toEqual([
    expect.stringMatching(/^pass/),
  ]);
});
