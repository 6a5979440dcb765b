import { expect, test } from "vitest";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import {
  cellsOf,
  differenceOf,
  inSpan,
  isAnswered,
  isSettled,
  keysSeen,
  keysText,
  rowsByKey,
  toldBy,
} from "./told-rows.ts";

const row = (v: string) => ({ id: '"1"', v });
const event = (v: string | null) => ({ kind: "x", key: "1", row: v === null ? null : row(v) });
const seenOf = (before: string | null, after: string | null, told: readonly (string | null)[], count = 1) => {
  const rows = (v: string | null) => (v === null ? {} : { "1": row(v) });
  return { plan: { "1": count }, before: rows(before), after: rows(after), told: told.map(event) };
};
const wordsFor = (...of: Parameters<typeof seenOf>): string => {
  const [{ changed, lost, repeated, wrong, outOfOrder } = { wrong: null }] = keysSeen(seenOf(...of));
  return Object.entries({ changed, lost, repeated, wrong: wrong !== null, outOfOrder })
    .flatMap(([name, holds]) => (holds === true ? [name] : []))
    .join(" ");
};

test("what became of a row, by its events and by what SELECT shows", () => {
  const all = {
    inserted: wordsFor(null, "a", ["a"]),
    "inserted and lost": wordsFor(null, "a", []),
    "deleted and lost": wordsFor("a", null, []),
    deleted: wordsFor("a", null, [null]),
    "not written": wordsFor("a", "a", []),
    "not written, and delivered": wordsFor("a", "a", ["b"]),
    "not there, and delivered": wordsFor(null, null, ["a"]),
    "there, and delivered as deleted": wordsFor("a", "a", [null]),
    "with another content": wordsFor(null, "a", ["b"]),
    "written twice, one event": wordsFor(null, "b", ["b"], 2),
    "written twice": wordsFor(null, "b", ["a", "b"], 2),
    "written twice, turned round": wordsFor(null, "b", ["b", "a"], 2),
    "delivered twice": wordsFor(null, "a", ["a", "a"]),
  };
  expect(all).toEqual({
    inserted: "changed",
    "inserted and lost": "changed lost",
    "deleted and lost": "changed lost",
    deleted: "changed",
    "not written": "",
    "not written, and delivered": "wrong",
    "not there, and delivered": "wrong",
    "there, and delivered as deleted": "wrong",
    "with another content": "changed wrong",
    "written twice, one event": "changed",
    "written twice": "changed",
    "written twice, turned round": "changed wrong outOfOrder",
    "delivered twice": "changed repeated",
  });
  expect([["a"], [], ["b"]].map((told) => isSettled(seenOf(null, "a", told)))).toEqual([true, false, false]);
});

test("an event about a key that nobody wrote is seen as well", () => {
  const seen = keysSeen({ ...seenOf(null, "a", ["a"]), told: [event("a"), { ...event("a"), key: "7" }] });
  expect(seen.map(({ key, events, wrong }) => [key, events, wrong])).toEqual([
    ["1", 1, null],
    ["7", 1, "delivered, and SELECT shows no such row"],
  ]);
});

test("whichever event is about a key that nobody wrote, the second one is a repetition", () => {
  const repeatedOf = (...keys: readonly string[]): unknown[] =>
    keysSeen({ ...seenOf(null, "a", []), told: keys.map((key) => ({ ...event("a"), key })) }).map((one) => [
      one.key,
      one.repeated,
    ]);
  expect(repeatedOf("7")).toEqual([
    ["1", false],
    ["7", false],
  ]);
  expect(repeatedOf("7", "7", "1")).toEqual([
    ["1", false],
    ["7", true],
  ]);
});

test("rows are compared by column, NULLs and version columns apart", () => {
  const [told, shown] = [
    { id: "1", v: null, n: 1, _seq: "9", _deleted: false },
    { id: "1", n: 1, _seq: "10" },
  ].map(cellsOf);
  expect(differenceOf(told ?? null, shown ?? null)).toBeNull();
  // A number and the text of its digits are not the same.
  expect(differenceOf(cellsOf({ n: 1 }), cellsOf({ n: "1" }))).toBe('column n: the event has 1, SELECT shows "1"');
  expect(differenceOf(cellsOf({}), cellsOf({ v: "" }))).toBe('column v: the event has no value, SELECT shows ""');
  expect(differenceOf(cellsOf({ w: 2 }), cellsOf({}))).toBe("column w: the event has 2, SELECT shows no value");
  expect(differenceOf(cellsOf({ v: { exact: "9007199254740993" } }), cellsOf({ v: 9_007_199_254_740_992 }))).toContain(
    "has 9007199254740993, SELECT shows 9007199254740992",
  );
});

test("large values are compared whole and kept short", () => {
  const texts = ["x".repeat(200_000), `${"x".repeat(199_999)}y`].map((v) => cellsOf({ v })["v"] ?? "");
  expect(texts[0]).not.toBe(texts[1]);
  for (const text of texts) expect(text).toMatch(/^"x{10,}.* \(200,002 characters, SHA-256 [0-9a-f]{12}…\)$/);
});

test("rows and events by key", () => {
  const change = { kind: "delete", row: null, old: { id: "2" }, at: 1 };
  expect(toldBy({ changes: [change] })).toEqual([{ kind: "delete", key: "2", row: null }]);
  const rows = rowsByKey([{ id: "99" }, { id: "100" }, { id: "199" }, { id: "200" }]);
  expect(Object.keys(inSpan(rows, 100, 100))).toEqual(["100", "199"]);
});

test("an error of the statement is an answer, however little it says", () => {
  const vague = { ...no("SQL_EXECUTION_ERROR", "SQL statement failed", "unrecognised"), kind: "unsure" as const };
  expect([yes(), vague, nothing(), { ...nothing(), status: 503 }].map(isAnswered)).toEqual([true, true, false, false]);
});

test("keys in sentences", () => {
  expect(keysText(["1"], "no event")).toBe("key 1; no event");
  expect(keysText(["1", "2", "3", "4", "5", "6"], "no event")).toBe("keys 1, 2, 3, 4, 5, …; the first: no event");
});
