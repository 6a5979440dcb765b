import { assert, constantFrom, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { outputStable } from "./index.ts";
import { judged } from "../../vocabulary/evidence.ts";

const names = ["values of many types", "a NULL of type TEXT", "groups in order", "columns of a view"];
const query = (name: string, times: number) => ({
  query: name,
  answers: [{ text: "[…]", times, exchange: 1 }],
  broken: 0,
  failed: 0,
  outcome: "",
  exchange: 0,
});
const runs = integer({ min: 5, max: 60 });

test("one distinct answer per query passes, however often it was asked", () => {
  assert(
    property(runs, (times) => {
      expect(outputStable.judge({ runs: times, shown: names.map((name) => query(name, times)) }, {}).kind).toBe("pass");
    }),
  );
});

test("a second answer to a query is found, and the rarer one is reported as the other", () => {
  assert(
    property(runs, constantFrom(...names), integer({ min: 1, max: 59 }), (times, name, often) => {
      const rare = Math.min(often, Math.floor((times - 1) / 2)) || 1;
      const answers = [
        { text: "rare", times: rare, exchange: 1 },
        { text: "usual", times: times - rare, exchange: 2 },
      ];
      const shown = names.map((one) => (one === name ? { ...query(one, times), answers } : query(one, times)));
      expect(outputStable.judge({ runs: times, shown }, {})).toMatchObject({
        kind: "fail",
        found: [{ name: "changed", case: name, data: { first: "usual", other: "rare", times: rare } }],
      });
    }),
  );
});

test("an occasional broken connection is no finding; one that always breaks at the same query is", () => {
  assert(
    property(runs, constantFrom(...names), integer({ min: 1, max: 60 }), (times, name, often) => {
      const broken = Math.min(often, times);
      const answers = broken === times ? [] : [{ text: "[…]", times: times - broken, exchange: 1 }];
      const shown = names.map((one) => (one === name ? { ...query(one, times), answers, broken } : query(one, times)));
      const verdict = outputStable.judge({ runs: times, shown }, {});
      expect(verdict.kind).toBe(broken === times ? "fail" : "unknown");
    }),
  );
});

test("a query that failed while others broke is told, and one that both broke and failed is no evidence of chance", () => {
  const mixed = { ...query(names[0] ?? "", 13), broken: 1, failed: 1, outcome: "odd" };
  const others = names.slice(1).map((name) => query(name, 15));
  expect(judged(outputStable, { runs: 15, shown: [mixed, ...others] })).toEqual([`unknown: ${names[0]}: odd`]);
  const never = { ...query(names[1] ?? "", 0), answers: [], broken: 15, outcome: "reset" };
  const shown = names.map((name, at) => (at === 1 ? never : { ...mixed, query: name }));
  expect(judged(outputStable, { runs: 15, shown })).toEqual([`unknown: ${names[0]}: odd`]);
});

test("four runs are too few, five are not", () => {
  const of = (times: number): string[] =>
    judged(outputStable, { runs: times, shown: names.map((name) => query(name, times)) });
  expect(of(4)).toEqual([expect.stringMatching(/^unknown/)]);
  expect(of(5)).toEqual([expect.stringMatching(/^pass/)]);
});

test("a query that broke each time and also failed was not only broken", () => {
  const both = { ...query(names[0] ?? "", 0), answers: [], broken: 14, failed: 1, outcome: "429" };
  expect(judged(outputStable, { runs: 15, shown: [both, ...names.slice(1).map((name) => query(name, 15))] })).toEqual([
    `unknown: ${names[0]}: 429`,
  ]);
});
