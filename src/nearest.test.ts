import { expect, test } from "vitest";
import { didYouMean, nearest } from "./nearest.ts";

const ids = ["configuration/answers-sql", "configuration/clock-in-step", "durability/survives-kill"];

test.for<[string, string, readonly string[]]>([
  ["an extra letter", "scratchh", ["nothing", "scratch"]],
  ["a missing letter", "scratc", ["nothing", "scratch"]],
  ["two letters swapped", "standrad", ["light", "deep", "standard"]],
  ["different case", "SCRATCH", ["nothing", "scratch"]],
  ["a prefix", "standard", ["nothing", "standard-profile"]],
])("%s still finds the intended word", ([, word, known]) => {
  expect(nearest(word, known)).toBe(known.at(-1));
});

test("an id is found without its category, even misspelled", () => {
  expect(nearest("survives-kill", ids)).toBe("durability/survives-kill");
  expect(nearest("survive-kill", ids)).toBe("durability/survives-kill");
  expect(nearest("configuration/clock-in-sync", ids)).toBe("configuration/clock-in-step");
});

test("the nearest of several words is suggested", () => {
  expect(nearest("bloc", ["black", "block", "clock"])).toBe("block");
});

test("the first of two equally near words is suggested, and four letters count as a prefix", () => {
  expect(nearest("blocx", ["block", "blocy"])).toBe("block");
  expect(nearest("clus", ["other", "cluster-joins-again"])).toBe("cluster-joins-again");
});

test("nothing is suggested if nothing is near", () => {
  expect(nearest("blockxyz", ["block"])).toBe("block");
  expect(nearest("blockwxyz", ["block"])).toBeUndefined();
  expect(nearest("purple", ["light", "standard", "deep"])).toBeUndefined();
  expect(nearest("x", ["block", "warn"])).toBeUndefined();
  expect(nearest("", ids)).toBeUndefined();
  expect(nearest("scratch", [])).toBeUndefined();
});

test("the suggestion is a question after the message, or empty", () => {
  expect(didYouMean("warm", ["block", "warn"])).toBe('; did you mean "warn"?');
  expect(didYouMean("purple", ["block", "warn"])).toBe("");
});
