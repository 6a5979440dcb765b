import { assert, constantFrom, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { outputStable } from "./index.ts";

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
