import { expect, test } from "vitest";
import { Entrance, refusedToAll } from "./entrance.ts";
import { loadCategories } from "../../checks/index.ts";

test("an entrance is closed after three failures, until some time has passed", () => {
  const entrance = new Entrance();
  for (const at of [1, 2]) entrance.note(false, at);
  expect(entrance.isClosed(3)).toBe(false);
  entrance.note(false, 4);
  expect([5, 6, 10_003].map((at) => entrance.isClosed(at))).toEqual([true, true, true]);
  // One tries again, and the others do not wait with it.
  expect([10_004, 10_005, 20_003, 20_004].map((at) => entrance.isClosed(at))).toEqual([false, true, true, false]);
});

test("one connection that has worked shows that it is open, whatever fails before and after", () => {
  const entrance = new Entrance();
  const outcomes = [false, false, false, true, false, false, false, false];
  outcomes.forEach((worked, at) => entrance.note(worked, at));
  expect(entrance.isClosed(9)).toBe(false);
});

test("the sentence names a check that exists", async () => {
  const ids = (await loadCategories()).flatMap(({ checks }) => checks.map(({ id }) => id));
  expect(ids).toContain(/see (\S+)$/.exec(refusedToAll)?.[1]);
});
