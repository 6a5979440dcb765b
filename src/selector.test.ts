import { describe, expect, test } from "vitest";
import type { Category, Check, Touches } from "./check.ts";
import { UsageError } from "./profile/usage.ts";
import { checkKind, select, uniqueNames } from "./selector.ts";

const check = (id: string, touches: Touches, covers: readonly string[] = []): Check =>
  ({ id, observation: { touches }, covers }) as unknown as Check;
const categories: readonly Category[] = [
  {
    id: "configuration",
    promise: "",
    checks: [
      check("configuration/answers-sql", "nothing", ["CFG-01", "VAL-07"]),
      check("configuration/ttl.checked", "scratch"),
    ],
  },
  { id: "durability", promise: "", checks: [check("durability/survives-kill", "process", ["VAL-07"])] },
  { id: "config", promise: "", checks: [check("config/other", "scratch")] },
];
const selected = (...selectors: string[]): string[] => [...select(selectors, categories)];

test.for<[string, string, readonly string[]]>([
  ["an id", "durability/survives-kill", ["durability/survives-kill"]],
  ["a name without its category", "survives-kill", ["durability/survives-kill"]],
  ["a category, and not one with the same prefix", "config", ["config/other"]],
  ["a test of the production plan", "CFG-01", ["configuration/answers-sql"]],
  ["a test that several checks cover", "VAL-07", ["configuration/answers-sql", "durability/survives-kill"]],
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
  const all = selected("config", "touches:scratch", "config/other", "other");
  expect(all).toEqual(["config/other", "configuration/ttl.checked"]);
  expect(selected()).toEqual([]);
});

test.for<[string, string]>([
  ["durability/survive-kill", "durability/survives-kill"],
  ["survive-kill", "durability/survives-kill"],
  ["CFG-1", "CFG-01"],
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

test("a test of the production plan that no check covers is said to be that, and no other one is suggested", () => {
  for (const selecting of [() => selected("CFG-02"), () => selected("DUR-06")]) {
    expect(selecting).toThrow(expect.objectContaining({ code: "unknownCheck" }));
    expect(selecting).toThrow(/^no check covers (CFG-02|DUR-06) of the production plan$/);
  }
});

describe("a name that two categories have", () => {
  const two: readonly Category[] = [
    { id: "shop", promise: "", checks: [check("shop/open", "nothing"), check("shop/closed", "nothing")] },
    { id: "bank", promise: "", checks: [check("bank/open", "nothing")] },
  ];

  test("is ambiguous, and the error lists the candidates", () => {
    const selecting = (): unknown => select(["open"], two);
    expect(selecting).toThrow(expect.objectContaining({ code: "ambiguousCheck", exit: "usage" }));
    expect(selecting).toThrow('"open" is ambiguous: shop/open, bank/open');
    expect([...select(["closed", "bank/open", "*/open"], two)]).toEqual(["shop/closed", "bank/open", "shop/open"]);
  });

  test("that is also a category's stands for the category", () => {
    const other: Category = { id: "open", promise: "", checks: [check("open/late", "nothing")] };
    expect([...select(["open"], [...two, other])]).toEqual(["open/late"]);
  });

  test("does not stand for a check in a profile either", () => {
    const checks = two.flatMap((category) => category.checks);
    expect(uniqueNames(checks)).toEqual(new Map([["closed", "shop/closed"]]));
    const kind = checkKind(checks);
    expect(kind.parse("closed")).toEqual({ value: "shop/closed" });
    expect(kind.parse("bank/open")).toEqual({ value: "bank/open" });
    expect(kind.parse("open")).toMatchObject({ code: "ambiguousCheck" });
    for (const word of ["shop", "touches:nothing", "shop/*", "VAL-01"])
      expect(kind.parse(word)).toMatchObject({ code: "unknownCheck" });
  });
});
