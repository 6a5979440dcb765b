import { expect, test } from "vitest";
import { packageFolder } from "../../src/package.ts";
import { findMutants, mutantsIn, type Mutant } from "./find.ts";
import { instrument } from "./instrument.ts";
import { judging } from "./reach.ts";
import { problemsOf, readSurvivors, type Survivor } from "./survivors.ts";
import { parse } from "./syntax.ts";

const everything = { has: () => true } as unknown as ReadonlySet<string>;

function mutantsOf(text: string): Mutant[] {
  const nodes = [parse("a.ts", text)];
  return mutantsIn("a.ts", text, { nodes, read: everything }).map((one, id) => ({ ...one, id }));
}

/** What each mutant of `const f = (…) => …` makes of it, and what the code with all of them does without any. */
function results(
  code: string,
  ...values: unknown[]
): { readonly without: unknown; readonly each: Map<string, unknown> } {
  const mutants = mutantsOf(code);
  const all = instrument({ file: "a.ts", text: code, mutants });
  // oxlint-disable-next-line no-implied-eval, no-new-func -- it is what instrumented code is for
  const make = new Function("$mutant", `${all}; return f;`) as (
    is: (id: number) => boolean,
  ) => (...of: unknown[]) => unknown;
  const resultOf = (active: number): unknown => {
    try {
      return make((id) => id === active)(...values);
    } catch {
      return "threw";
    }
  };
  const each = mutants.map(({ kind, from, to, id }) => [`${kind}: ${from} → ${to}`, resultOf(id)] as const);
  return { without: resultOf(-1), each: new Map(each) };
}

test("each mutant takes effect alone, also within another's place", () => {
  const { without, each } = results("const f = (a, b) => (a < b && !(a === 1) ? a + 2 : 0)", 0, 5);
  expect(without).toBe(2);
  expect(Object.fromEntries(each)).toMatchObject({
    "negate: a < b → a >= b": 0,
    "boundary: a < b → a <= b": 2,
    "keepLeft: a < b && !(a === 1) → a < b": 2,
    "logic: a < b && !(a === 1) → (a < b) || (!(a === 1))": 2,
    "not: !(a === 1) → (a === 1)": 0,
    "arithmetic: a + 2 → a - 2": -2,
    "constant+: 2 → 3": 3,
    "never: a < b && !(a === 1) → false": 0,
    "always: a < b && !(a === 1) → true": 2,
  });
});

test("lists lose elements, predicates their filter, and a chain with ?. stays one", () => {
  const { without, each } = results(
    "const f = (l) => l?.filter((n) => n > 1).map((n) => n * 3).some((n) => n > 8)",
    [1, 2, 3],
  );
  expect(without).toBe(true);
  expect(each.get("filterNone: l?.filter((n) => n > 1) → []")).toBe(false);
  expect(each.get("someEvery: some → every")).toBe(false);
  expect(each.get("negate: n > 1 → n <= 1")).toBe(false);
  expect(results("const f = (l) => l?.filter((n) => n > 1).map((n) => n)", undefined).without).toBeUndefined();
});

test("a judge's conclusions and findings are mutated, its sentences are not", () => {
  const text = `const f = (found, pass, unknown, n) => {
    if (n > 3) found.lost({ n: n - 1 }, { sent: [1, 2] });
    return n === 0 ? unknown(\`only \${n + 1}\`) : pass(\`all \${n + 2}\`);
  }`;
  const kinds = mutantsOf(text).map(({ kind, from }) => `${kind} ${from}`);
  expect(kinds).toContain("dropFinding found.lost({ n: n - 1 }, { sent: [1, 2] })");
  expect(kinds).toContain("unknownToPass unknown(`only ${n + 1}`)");
  expect(kinds).toContain("passToUnknown pass(`all ${n + 2}`)");
  expect(kinds).toContain("arithmetic n - 1");
  expect(kinds.filter((kind) => /n \+ [12]$|\[1, 2\]$/.test(kind))).toEqual([]);
});

test("of a check only the judge is mutated, with what it uses of other files", () => {
  const files = new Map([
    [
      "checks/a/b/index.ts",
      `import { wanted } from "./cases.ts";
       const sizeMax = 7;
       function look() { return 1 + 1; }
       function isRight(n: number) { return n < sizeMax; }
       export const b = defineCheck({ observe() { return look() > 2; }, judge(seen) { return isRight(seen) && wanted; } });`,
    ],
    ["checks/a/b/cases.ts", "export const wanted = 4; export const unused = 5;"],
  ]);
  const judged = judging(new Map([...files].map(([file, text]) => [file, parse(file, text)])));
  const found = [...files].flatMap(([file, text]) => {
    const where = judged.get(file);
    return where === undefined ? [] : mutantsIn(file, text, where).map((one) => one.in);
  });
  expect(new Set(found)).toEqual(new Set(["sizeMax", "isRight", "judge", "wanted"]));
});

test("the list names mutants of today's code, each once and with a reason, and few of all", { timeout: 60_000 }, () => {
  const mutants = findMutants(packageFolder).flatMap((source) => source.mutants);
  expect(mutants.length).toBeGreaterThan(3_000);
  expect(problemsOf(readSurvivors(packageFolder), mutants)).toEqual([]);
});

test("what is wrong with a list is said", () => {
  const [first, second, ...rest] = mutantsOf("const f = (a) => a > 1 || a < 3 || a === 4 || a > 7 || a < 9");
  if (first === undefined || second === undefined) throw new Error("no mutants");
  const all = [first, second, ...rest];
  const listed = (one: Mutant, why = "equivalent"): Survivor => ({ ...one, why });
  expect(problemsOf([listed(first)], all)).toEqual([]);
  const gone = { ...listed(first), from: "a > 99" };
  const problems = problemsOf([listed(first), listed(first), listed(second, " "), gone], all).join("\n");
  for (const part of ["is not a mutant of today's code", "is listed twice", "has no reason", "at most 5 %"])
    expect(problems).toContain(part);
});
