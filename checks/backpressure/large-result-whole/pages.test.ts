import { expect, test } from "vitest";
import { differences } from "./pages.ts";

const [one, many] = [
  [1, 2, 3, 4, 5, 6],
  [3, 3, 2, 1, 1, 2],
] as const;

test("what is missing, there twice and in disorder, upwards and downwards", () => {
  const none = { missing: [], missingCount: 0, doubled: [], doubledCount: 0, unordered: null };
  expect(differences(one, one, false)).toEqual(none);
  expect(differences(one.toReversed(), one.toReversed(), true)).toEqual(none);
  expect(differences(one, [], false)).toEqual({ ...none, missing: [1, 2, 3, 4, 5], missingCount: 6 });
  expect(differences(one.slice(0, 3), many, false)).toEqual({
    ...none,
    doubled: [3, 2, 1],
    doubledCount: 3,
    unordered: [3, 2],
  });
  expect(differences(one.slice(0, 3).toReversed(), many, true).unordered).toEqual([1, 2]);
  expect(differences([1], [1, 1, 1], false)).toEqual({ ...none, doubled: [1], doubledCount: 1 });
});
