import { expect, test } from "vitest";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import proof from "./proof.ts";
import { loginRequired } from "./index.ts";

const sound = soundFor(loginRequired, proof);
const having = (at: number, change: object): string[] =>
  judged(loginRequired, { tried: sound.tried.map((one, n) => (n === at ? { ...one, ...change } : one)) });

test.each([
  [200, 'accepted: GET /a, garbage for a token: {"endpoint":"GET /a","key":"garbage for a token","status":200}'],
  [299, 'accepted: GET /a, garbage for a token: {"endpoint":"GET /a","key":"garbage for a token","status":299}'],
  [199, "pass: 27 of 27 requests to 7 endpoints refused, with 401"],
  [300, "unknown: GET /a with garbage for a token: 300"],
  [399, "unknown: GET /a with garbage for a token: 399"],
  [400, "pass: 27 of 27 requests to 7 endpoints refused, with 401"],
  [403, "pass: 28 of 28 requests to 7 endpoints refused, with 401, 403"],
  [428, "pass: 28 of 28 requests to 7 endpoints refused, with 401, 428"],
  [404, "pass: 27 of 27 requests to 7 endpoints refused, with 401"],
  [429, "unknown: GET /a with garbage for a token: 429"],
  [499, "pass: 27 of 27 requests to 7 endpoints refused, with 401"],
  [500, "unknown: GET /a with garbage for a token: 500"],
])("status %i", (status, sentence) => {
  expect(having(5, { status })).toEqual([sentence]);
});

test("the first request counts as any other, and one that broke is unclear whatever its status", () => {
  expect(having(0, { status: 200 })).toEqual([
    'accepted: POST /v1/api/sql, no token: {"endpoint":"POST /v1/api/sql","key":"no token","status":200}',
  ]);
  expect(having(0, { status: 403 })).toEqual(["pass: 28 of 28 requests to 7 endpoints refused, with 403, 401"]);
  expect(having(0, { status: 404 })).toEqual(["unknown: POST /v1/api/sql with no token: 404"]);
  expect(having(5, { status: 401, broke: "cut" })).toEqual(["unknown: GET /a with garbage for a token: 401"]);
  expect(having(5, { status: null })).toEqual(["unknown: GET /a with garbage for a token: "]);
  expect(having(5, { status: null, broke: "cut" })).toEqual(["unknown: GET /a with garbage for a token: cut"]);
});

test("an endpoint is served if one of its requests was refused, also the first of all", () => {
  const [one, ...others] = sound.tried.filter(({ endpoint }) => endpoint === "GET /a");
  const rest = sound.tried.filter(({ endpoint }) => endpoint !== "GET /a");
  const tried = [...(one === undefined ? [] : [one]), ...others.map((each) => ({ ...each, status: 404 })), ...rest];
  expect(judged(loginRequired, { tried })).toEqual(["pass: 25 of 25 requests to 7 endpoints refused, with 401"]);
});
