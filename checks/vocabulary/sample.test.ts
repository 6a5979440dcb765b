import { expect, test } from "vitest";
import { sampleAtLight } from "./sample.ts";

const items = ["a", "b", "c", "d", "e", "f", "g"];

test("at light effort it is every n-th item, and those that are always tried", () => {
  const light = { effort: "light" } as const;
  expect(sampleAtLight(light, items, 3)).toEqual(["a", "d", "g"]);
  expect(sampleAtLight(light, items, 3, (item) => item === "f")).toEqual(["a", "d", "f", "g"]);
});

test("otherwise it is all of them", () => {
  for (const effort of ["standard", "deep"] as const) expect(sampleAtLight({ effort }, items, 3)).toEqual(items);
});
