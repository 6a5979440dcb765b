import { expect, test } from "vitest";
import { askedTwice, isNoAnswer, isServerError, lookedTwice } from "./second-look.ts";

test("what a proxy says is no error of the server's, and no answer at all", () => {
  expect([500, 501, 505].map(isServerError)).toEqual([true, true, true]);
  expect([502, 503, 504, 499, 200, null].map((status) => isServerError(status))).toEqual(Array(6).fill(false));
  const unsure = { kind: "unsure", why: "unavailable" } as const;
  expect([502, 503, 504, 429, null].map((status) => isNoAnswer({ ...unsure, status }))).toEqual(Array(5).fill(true));
  expect(isNoAnswer({ ...unsure, status: 500 })).toBe(false);
  // The status line had arrived before the body was cut.
  expect(isNoAnswer({ kind: "unsure", status: 400, why: "cut" })).toBe(true);
  expect(isNoAnswer({ kind: "refused", status: 503, why: "parse" })).toBe(false);
});

test("only an odd answer is asked for again, once, and with something else in between", async () => {
  const asked: (number | string)[] = [];
  const ask = async (look: number): Promise<string> => await Promise.resolve(`look ${asked.push(look)}`);
  const between = async (): Promise<unknown> => await Promise.resolve(asked.push("between"));
  expect(await askedTwice(ask, () => false, between)).toEqual({ first: "look 1", last: "look 1" });
  expect(asked).toEqual([1]);
  expect(await askedTwice(ask, () => true, between)).toEqual({ first: "look 2", last: "look 4" });
  expect(asked).toEqual([1, 1, "between", 2]);
  expect(lookedTwice("it is open")).toBe("it is open (looked at twice)");
});
