import { expect, test } from "vitest";
import { judged } from "../../vocabulary/evidence.ts";
import { parallelAnswersNotMixed } from "./index.ts";

const one = (from: number, to: number, change: object = {}) => ({
  as: `user ${from % 4}`,
  asked: `${from}`,
  got: `${from}` as string | null,
  outcome: "",
  status: 200,
  kind: "ok" as const,
  from,
  to,
  exchange: from,
  ...change,
});
type Asked = ReturnType<typeof one>;
const judge = (asked: Asked[], alone: Asked[] = [], again: Asked[] = []): string[] =>
  judged(parallelAnswersNotMixed, { asked, alone, again });
/** Of four accounts, one after the other, long before the rest. */
const others = [100, 101, 102, 103].map((at) => one(at, at + 1));

test("queries overlap if one begins while another is unanswered", () => {
  const two = (from: number, to: number) => judge([...others, one(0, 10), one(from, to)]);
  expect(two(9, 12)).toEqual(["pass: 6 of 6 answers correct, from 4 accounts, up to 2 concurrent"]);
  expect(two(0, 3)).toEqual(["pass: 6 of 6 answers correct, from 4 accounts, up to 2 concurrent"]);
  expect(two(10, 12)).toEqual(["unknown: no two of the 6 queries overlapped"]);
  expect(judge([one(5, 9), one(0, 20), one(6, 8), one(7, 8)])).toEqual([
    "pass: 4 of 4 answers correct, from 4 accounts, up to 4 concurrent",
  ]);
});

test("the first that overlaps may be the only one", () => {
  expect(judge([one(5, 9), one(0, 6), one(22, 23), one(27, 28)])).toEqual([
    "pass: 4 of 4 answers correct, from 4 accounts, up to 2 concurrent",
  ]);
});

test("three accounts are too few", () => {
  const three = [one(0, 9, { as: "a" }), one(1, 9, { as: "b" }), one(2, 9, { as: "c" }), one(3, 9, { as: "a" })];
  expect(judge(three)).toEqual(["unknown: only 3 of 5 accounts sent queries"]);
});

test("several mixed or lost answers are one finding each", () => {
  const mixed = (at: number) => one(at, 9, { got: "another" });
  const lost = (at: number) => one(at, 9, { got: null, kind: "unsure", outcome: "cut" });
  const all = [mixed(1), mixed(2), lost(3), lost(4)];
  const alone = [1, 2, 3, 4].map((at) => one(at, 9));
  const mixedUp = 'mixedUp: {"asked":"1","got":"another"}';
  expect(judge(all, alone, [lost(3)])).toEqual([mixedUp, 'lostAnswer: {"lost":2,"of":4,"outcome":"cut"}']);
  // Not lost to others: answered the next time, lost alone, too, or not asked alone at all.
  expect(judge(all, alone, [one(3, 9)])).toEqual([mixedUp]);
  expect(judge(all, [...alone.slice(1), lost(1)], [lost(3)])).toEqual([mixedUp]);
  expect(judge(all, alone.slice(1), [lost(3)])).toEqual([mixedUp]);
  expect(judge([lost(3)], [one(3, 9)], [one(3, 9)])).toEqual([
    "unknown: 1 of 1 queries got no answer, and that may be by chance: cut",
  ]);
  expect(judge([one(1, 9)], [], [mixed(1)])).toEqual([mixedUp]);
});

test("rejected queries show nothing", () => {
  const refused = one(3, 9, { got: null, kind: "refused", outcome: "slower" });
  expect(judge([one(1, 9), refused])).toEqual(["unknown: 1 of 2 queries were rejected: slower"]);
});

test("one query that was rejected decides nothing, and of several the first is told", () => {
  const rejected = (at: number) =>
    one(at, at + 10, { got: null, kind: "refused", status: 429, outcome: `slower ${at}` });
  expect(judge([...others, one(0, 10), rejected(1)])).toEqual(["unknown: 1 of 6 queries were rejected: slower 1"]);
  expect(judge([...others, one(0, 10), rejected(1), rejected(2)])).toEqual([
    "unknown: 2 of 7 queries were rejected: slower 1",
  ]);
});
