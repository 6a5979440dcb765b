import * as fc from "fast-check";
import { expect, test } from "vitest";
import { newRunId, prefixOf, rangeOf, runOf } from "./scratch.ts";

const random = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));
const run = random.map((stream) => newRunId(() => stream.next().value as number));

test("a run's id is five characters, letter and digit in turn", () => {
  fc.assert(
    fc.property(run, (id) => {
      expect(id).toMatch(/^[a-z][0-9][a-z][0-9][a-z]$/);
    }),
  );
  expect(newRunId()).toMatch(/^[a-z][0-9][a-z][0-9][a-z]$/);
});

test("every name that a run makes is known as that run's", () => {
  fc.assert(
    fc.property(run, fc.nat(), fc.stringMatching(/^[a-z0-9_]*$/), (id, number, suffix) => {
      for (const name of [prefixOf(id), `${prefixOf(id)}_${number}`, `${prefixOf(id)}_${number}_${suffix}`]) {
        expect(runOf(name)).toBe(id);
      }
    }),
  );
});

test("so is what a server makes of a name that it should have refused", () => {
  for (const odd of ["kr_k7f3a_1_n0-dash", "kr_k7f3a_1_n0 ns", "kr_k7f3a_1_n0😀", "kr_k7f3a_1_N0"]) {
    expect(runOf(odd)).toBe("k7f3a");
  }
});

test.for([
  "",
  "default",
  "kr",
  "kr_",
  "kr_prod",
  "kr_k7f3",
  "kr_k7f3ab",
  "kr_k7f3across_1",
  "kr_k7f3a-1",
  "kr_K7F3A_1",
  "my_kr_k7f3a_1",
  "xkr_k7f3a",
])("%j is no name of ours", (name) => {
  expect(runOf(name)).toBeUndefined();
});

test("a name lies in the range of a prefix exactly where it begins like it", () => {
  const name = fc.oneof(fc.stringMatching(/^kr_[a-z0-9_]{0,8}$/), fc.stringMatching(/^[a-z0-9_]{0,8}$/));
  fc.assert(
    fc.property(fc.constantFrom("kr_", "kr_k7f3a", "kr_k7f3z"), name, (prefix, any) => {
      const { from, to } = rangeOf(prefix);
      expect(any >= from && any < to).toBe(any.startsWith(prefix));
    }),
  );
});
