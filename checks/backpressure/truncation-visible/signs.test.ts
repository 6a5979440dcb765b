import { expect, test } from "vitest";
import { signsIn } from "./signs.ts";

const answer = (result: object, more: object = {}) =>
  ({ status: "success", results: [{ schema: [], rows: [], row_count: 50, ...result }], took: 1, ...more }) as never;

test.for([
  [{ message: "limited to 50 rows" }, {}],
  [{ truncated: true }, {}],
  [{ total_rows: 130 }, {}],
  [{ message: "50 of 130 rows" }, {}],
  [{}, { has_more: true }],
  [{}, { next_cursor: "abc" }],
] as const)("%j %j says that there are more rows", ([result, more]) => {
  expect(signsIn(answer(result, more), 130)).toHaveLength(1);
});

test.for([
  [{}, {}],
  [{ as_user: "alice_limited_130", message: "Query executed" }, {}],
  [{ truncated: false, has_more: null }, { error: null }],
  [{ message: "1 statement in 13 ms" }, { server: "kalam" }],
] as const)("%j %j says nothing of them", ([result, more]) => {
  expect(signsIn(answer(result, more), 130)).toEqual([]);
});
