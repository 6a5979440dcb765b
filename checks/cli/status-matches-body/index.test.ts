import { array, assert, constantFrom, integer, property, tuple } from "fast-check";
import { expect, test } from "vitest";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { statusMatchesBody } from "./index.ts";
import { judged } from "../../vocabulary/evidence.ts";
import proof from "./proof.ts";

const statuses = [200, 400, 401, 403, 404, 409, 422];
const refusals = array(
  tuple(
    constantFrom(...statuses.slice(1)),
    constantFrom("SQL_EXECUTION_ERROR", "INVALID_SQL", "PERMISSION_DENIED"),
  ).map(([status, code]) => no(code, "a text", "rule", status)),
  { minLength: 22, maxLength: 22 },
);
const seen = (bad: readonly ReturnType<typeof no>[]) => ({
  tried: [
    ...Array.from({ length: 22 }, (_, at) => ({ case: `good ${at}`, wanted: "good" as "good" | "bad", said: yes() })),
    ...bad.map((said, at) => ({ case: `bad ${at}`, wanted: "bad" as "good" | "bad", said })),
  ],
});

test("rejections of every kind pass as long as they are internally consistent", () => {
  assert(
    property(refusals, (bad) => {
      expect(statusMatchesBody.judge(seen(bad), {}).kind).toBe("pass");
    }),
  );
});

test("one answer that contradicts itself or lacks its code is reported by name", () => {
  const at = integer({ min: 0, max: 43 });
  assert(
    property(refusals, at, constantFrom(...statuses), (bad, where, status) => {
      const { tried } = seen(bad);
      const broken = { ...nothing("malformed"), status, message: `status ${status} with the other in the body` };
      const name = tried[where]?.case;
      const verdict = statusMatchesBody.judge(
        { tried: tried.map((one) => (one.case === name ? { ...one, said: broken } : one)) },
        {},
      );
      expect(verdict).toMatchObject({ kind: "fail", found: [{ name: "disagree", case: name }] });
    }),
  );
  assert(
    property(
      refusals,
      integer({ min: 0, max: 21 }),
      constantFrom({ code: "" }, { message: "" }),
      (bad, where, change) => {
        const verdict = statusMatchesBody.judge(
          seen(bad.map((said, index) => (index === where ? { ...said, ...change } : said))),
          {},
        );
        expect(verdict).toMatchObject({ kind: "fail", found: [{ name: "codeMissing", case: `bad ${where}` }] });
      },
    ),
  );
});

type Seen = Parameters<typeof statusMatchesBody.judge>[0];
const [whole] = proof.holds as readonly [Seen];
const firstIs = (wanted: "good" | "bad", said: object): string[] => {
  const at = whole.tried.findIndex((one) => one.wanted === wanted);
  const tried = whole.tried.map((one, index) => (index === at ? { ...one, said: { ...one.said, ...said } } : one));
  return judged(statusMatchesBody, { tried });
};

test("statuses from 400 to 499 need a code, and others are no rejections", () => {
  for (const status of [400, 499])
    expect(firstIs("bad", { status, code: "" })).toEqual([expect.stringMatching(/^codeMissing/)]);
  for (const status of [399, 500])
    expect(firstIs("bad", { status, code: "" })).toEqual([expect.stringMatching(/^unknown/)]);
  expect(firstIs("good", { kind: "refused", status: 404, code: "" })).toEqual([
    expect.stringMatching(/^codeMissing: good 0/),
  ]);
});

test("an answer that was cut off before its status contradicts nothing", () => {
  expect(firstIs("good", { kind: "unsure", status: null, why: "malformed" })).toEqual([
    expect.stringMatching(/^unknown/),
  ]);
});

test("a contradiction is not told a second time as a missing code", () => {
  const said = { kind: "unsure", status: 400, code: "", why: "malformed" };
  expect(firstIs("bad", said)).toEqual([expect.stringMatching(/^disagree: bad 0/)]);
});

test("too few of either kind are too few, and both are counted", () => {
  const without = (wanted: "good" | "bad"): string[] => {
    const at = whole.tried.findIndex((one) => one.wanted === wanted);
    return judged(statusMatchesBody, { tried: whole.tried.filter((_, index) => index !== at) });
  };
  expect(without("good")).toEqual(["unknown: only 43 of 44 statements were tried"]);
  expect(without("bad")).toEqual(["unknown: only 43 of 44 statements were tried"]);
  const more = { case: "more", wanted: "bad" as const, said: no("X", "y", "rule") };
  expect(judged(statusMatchesBody, { tried: [...whole.tried, more] })).toEqual([
    expect.stringContaining("22 successes and 23 rejections"),
  ]);
});

test("an answer that was cut off after its status has no code to miss", () => {
  for (const why of ["cut", "reset", "timeout"])
    expect(firstIs("bad", { kind: "unsure", status: 404, why, code: "" })).toEqual([
      expect.stringMatching(/^unknown: bad 0 should have been rejected/),
    ]);
  expect(firstIs("bad", { kind: "unsure", status: 429, why: "rate", code: "" })).toEqual([
    expect.stringMatching(/^unknown/),
  ]);
});
