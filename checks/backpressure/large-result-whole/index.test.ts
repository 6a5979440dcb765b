import { expect, test } from "vitest";
import { judged, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import { largeResultWhole } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(largeResultWhole, proof);
type Walk = (typeof sound.walks)[number];
const seen = (change: Partial<typeof sound>): string[] => judged(largeResultWhole, { ...sound, ...change });
const withWalk = (at: number, change: Partial<Walk>, more: Partial<typeof sound> = {}): string[] =>
  seen({ walks: sound.walks.map((one, index) => (index === at ? { ...one, ...change } : one)), ...more });

test.each([0, 1, 2])("walk %i is judged by itself", (at) => {
  const { way, of } = sound.walks[at] ?? { way: "", of: 0 };
  const all = { missing: [3, 4], missingCount: 7, doubled: [5], doubledCount: 6, unordered: [9, 8] as const };
  expect(withWalk(at, all)).toEqual([
    `missing: ${way}: ${JSON.stringify({ way, missing: 7, of, first: [3, 4] })}`,
    `doubled: ${way}: ${JSON.stringify({ way, doubled: 6, of, first: [5] })}`,
    `unordered: ${way}: ${JSON.stringify({ way, before: 9, after: 8 })}`,
  ]);
  for (const count of ["missingCount", "doubledCount"]) expect(withWalk(at, { [count]: 1 })).toHaveLength(1);
  expect(withWalk(at, { ended: "timeout" })).toEqual([`unknown: not everything could be read ${way}: timeout`]);
});

test("what was not written, or not read to the end, is not missing; what is there twice or in disorder is", () => {
  const wrong = { missingCount: 1, doubledCount: 1, unordered: [9, 8] as const };
  const others = [expect.stringMatching(/^doubled/), expect.stringMatching(/^unordered/)];
  expect(withWalk(1, wrong, { written: [yes()] })).toEqual(others);
  expect(withWalk(1, wrong, { written: [nothing(), yes()] })).toEqual(others);
  expect(withWalk(1, { ...wrong, ended: "timeout" })).toEqual(others);
});

test("both halves, three walks and more than one page are needed", () => {
  expect(seen({ written: [yes()] })).toEqual(["unknown: the rows were not all acknowledged: "]);
  expect(seen({ written: [nothing(), yes()] })).toEqual([expect.stringMatching(/acknowledged: no answer within/)]);
  expect(seen({ walks: sound.walks.slice(0, 2) })).toEqual([expect.stringMatching(/^unknown: too little was read/)]);
  expect(seen({ rows: 500 })).toEqual([expect.stringMatching(/^unknown: too little was read/)]);
  expect(seen({ rows: 501 })).toEqual([
    "pass: 501 rows read in 7 pages, upwards, downwards and 200 with one LIMIT: each once, in order",
  ]);
});
