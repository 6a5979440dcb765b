import { expect, test } from "vitest";
import { didYouMean, nearest } from "./nearest.ts";

const ids = ["configuration/answers-sql", "configuration/clock-in-step", "durability/survives-kill"];

test.for<[string, string, readonly string[]]>([
  ["a letter too many", "scratchh", ["nothing", "scratch"]],
  ["a letter too few", "scratc", ["nothing", "scratch"]],
  ["two letters swapped", "standrad", ["light", "deep", "standard"]],
  ["another case", "SCRATCH", ["nothing", "scratch"]],
  ["the beginning", "standard", ["nothing", "standard-profile"]],
])("%s leads to the word that was meant", ([, word, known]) => {
  expect(nearest(word, known)).toBe(known.at(-1));
});

test("an id is found without its category, also where it is not quite right", () => {
  expect(nearest("survives-kill", ids)).toBe("durability/survives-kill");
  expect(nearest("survive-kill", ids)).toBe("durability/survives-kill");
  expect(nearest("configuration/clock-in-sync", ids)).toBe("configuration/clock-in-step");
});

test("of several the nearest is named", () => {
  expect(nearest("bloc", ["black", "block", "clock"])).toBe("block");
});

test("of two that are equally near the first is named, and four letters are a beginning", () => {
  expect(nearest("blocx", ["block", "blocy"])).toBe("block");
  expect(nearest("clus", ["other", "cluster-joins-again"])).toBe("cluster-joins-again");
});

test("where nothing is near, nothing is suggested", () => {
  expect(nearest("blockxyz", ["block"])).toBe("block");
  expect(nearest("blockwxyz", ["block"])).toBeUndefined();
  expect(nearest("purple", ["light", "standard", "deep"])).toBeUndefined();
  expect(nearest("x", ["block", "warn"])).toBeUndefined();
  expect(nearest("", ids)).toBeUndefined();
  expect(nearest("scratch", [])).toBeUndefined();
});

test("the suggestion is a question at the end of a sentence, or nothing", () => {
  expect(didYouMean("warm", ["block", "warn"])).toBe('; did you mean "warn"?');
  expect(didYouMean("purple", ["block", "warn"])).toBe("");
});
