import { expect, test } from "vitest";
import type { Category, Check, Touches } from "./check.ts";
import { UsageError } from "./profile/usage.ts";
import { select } from "./selector.ts";

const check = (id: string, touches: Touches): Check => ({ id, observation: { touches } }) as Check;
const categories: readonly Category[] = [
  {
    id: "configuration",
    promise: "",
    checks: [check("configuration/answers-sql", "nothing"), check("configuration/ttl.checked", "scratch")],
  },
  { id: "durability", promise: "", checks: [check("durability/survives-kill", "process")] },
  { id: "config", promise: "", checks: [check("config/other", "scratch")] },
];
const selected = (...selectors: string[]): string[] => [...select(selectors, categories)];

test.for<[string, string, readonly string[]]>([
  ["an id", "durability/survives-kill", ["durability/survives-kill"]],
  ["a category, and not one with the same prefix", "config", ["config/other"]],
  ["what is touched", "touches:scratch", ["configuration/ttl.checked", "config/other"]],
  ["a glob", "configuration/*", ["configuration/answers-sql", "configuration/ttl.checked"]],
  ["a glob over categories", "*/*-*", ["configuration/answers-sql", "durability/survives-kill"]],
  ["a single-character wildcard", "config/othe?", ["config/other"]],
  ["a glob with a character special in regular expressions", "*/ttl.check*", ["configuration/ttl.checked"]],
  [
    "everything",
    "*",
    ["configuration/answers-sql", "configuration/ttl.checked", "durability/survives-kill", "config/other"],
  ],
])("%s: %s", ([, selector, ids]) => {
  expect(selected(selector)).toEqual(ids);
});

test("several selectors match the union, each check once", () => {
  expect(selected("config", "touches:scratch", "config/other")).toEqual(["config/other", "configuration/ttl.checked"]);
  expect(selected()).toEqual([]);
});

test.for<[string, string]>([
  ["durability/survive-kill", "durability/survives-kill"],
  ["survives-kill", "durability/survives-kill"],
  ["durabilty", "durability"],
  ["touches:proces", "touches:process"],
  ["purple", ""],
  ["", ""],
  ["durability/", "durability/survives-kill"],
  ["durability/x*", "durability"],
  ["configuration/ttlXchecked", "configuration/ttl.checked"],
])("%j matches nothing, and the nearest selector is suggested", ([selector, hint]) => {
  const selecting = (): unknown => selected("config", selector);
  expect(selecting).toThrow(UsageError);
  expect(selecting).toThrow(expect.objectContaining({ code: "unknownCheck", data: { selector } }));
  if (hint === "") expect(selecting).not.toThrow("did you mean");
  else expect(selecting).toThrow(`did you mean "${hint}"?`);
});

test("a kind of disturbance that no check causes yet can be named", () => {
  expect([...selected("touches:disk")]).toEqual([]);
});
