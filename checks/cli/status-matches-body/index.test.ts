import { array, assert, constantFrom, integer, property, tuple } from "fast-check";
import { expect, test } from "vitest";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { statusMatchesBody } from "./index.ts";

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
