import { expect, test } from "vitest";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import { isPartition, rowsText } from "./parts.ts";
import proof from "./proof.ts";
import { predicatesPartitionRows } from "./index.ts";

const sound = soundFor(predicatesPartitionRows, proof);
type Asked = (typeof sound.asked)[number];
const right = sound.asked[0] as Asked;
const parts = right.before as NonNullable<Asked["before"]>;
const part = (...ids: number[]) => ({
  count: String(ids.length),
  mask: String(ids.reduce((sum, id) => sum + 2n ** BigInt(id), 0n)),
});
const many = (count: number, change: Partial<Asked> = {}): Asked[] =>
  Array.from({ length: count }, () => ({ ...right, ...change }));
const verdict = (...asked: Asked[]): string[] => judged(predicatesPartitionRows, { ...sound, asked });

test("a partition has each row once, and as many as it says", () => {
  const holds = (yes: object, no: object, none: object) =>
    isPartition({ yes, no, null: none, seen: yes } as never, 2n ** 4n - 1n);
  expect(holds(part(0, 1), part(2), part(3))).toBe(true);
  expect(holds(part(0, 1), part(2), part())).toBe(false);
  expect(holds(part(0, 1), part(1, 2), part(3))).toBe(false);
  expect(holds(part(0, 1), part(2, 3), part(3))).toBe(false);
  expect(holds(part(0, 1), part(2), part(0, 3))).toBe(false);
  // The sum is that of all rows, but 0 is there three times and 1 is not.
  expect(holds(part(0, 2), part(0, 3), part(0))).toBe(false);
  // All rows, and one more.
  expect(holds(part(0, 1), part(2), part(3, 4))).toBe(false);
  for (const wrong of [0, 1, 2]) {
    const counted = [part(0, 1), part(2), part(3)].map((one, at) => (at === wrong ? { ...one, count: "9" } : one));
    expect(holds(counted[0] ?? {}, counted[1] ?? {}, counted[2] ?? {})).toBe(false);
  }
});

test("eight rows are named, of nine the first eight", () => {
  expect(rowsText(part(0, 1, 2, 3, 4, 5, 6, 7))).toBe("8 rows (0, 1, 2, 3, 4, 5, 6, 7)");
  expect(rowsText(part(0, 1, 2, 3, 4, 5, 6, 7, 62))).toBe("9 rows (0, 1, 2, 3, 4, 5, 6, 7, …)");
  expect(rowsText({ mask: part(3, 62).mask })).toBe("2 rows (3, 62)");
});

test("twenty answers and two with a NULL are enough", () => {
  const whole = part(...Array.from({ length: 38 }, (_, at) => at + 2));
  const without = { yes: part(0, 1), no: whole, null: part(), seen: part(0, 1) };
  const plain = (count: number) => many(count, { before: without, after: without });
  const allNull = { yes: part(), no: part(0, 1), null: whole, seen: part() };
  const pass = (answered: number, nulls: number) => [
    `pass: ${answered} predicates (${nulls} involve a NULL) split 40 rows correctly before and after a flush; 0 rejected`,
  ];
  const few = (answered: number, nulls: number) => [
    `unknown: only ${answered} predicates were answered, ${nulls} of them involved a NULL`,
  ];
  expect(verdict(...many(20))).toEqual(pass(20, 20));
  expect(verdict(...many(19))).toEqual(few(19, 19));
  expect(verdict(...plain(18), ...many(2))).toEqual(pass(20, 2));
  expect(verdict(...plain(19), ...many(1))).toEqual(few(20, 1));
  // Unknown for some, but true for none.
  expect(verdict(...plain(18), ...many(1), ...many(1, { before: allNull, after: allNull }))).toEqual(few(20, 1));
});

test("one in five may be rejected", () => {
  const refused = (count: number) => many(count, { before: null, after: null, refusal: "no such function" });
  expect(verdict(...many(20), ...refused(5))).toEqual([
    "pass: 20 predicates (20 involve a NULL) split 40 rows correctly before and after a flush; 5 rejected",
  ]);
  expect(verdict(...many(19), ...refused(5))).toEqual([
    "unknown: 5 of 24 predicates were rejected, the first with: no such function",
  ]);
  // Those without one of the two answers are none.
  for (const phase of ["before", "after"] as const)
    expect(verdict(...many(23), ...many(1, { [phase]: null }))).toEqual([
      `pass: 23 predicates (${phase === "before" ? 23 : 24} involve a NULL) split 40 rows correctly before and after a flush; 1 rejected`,
    ]);
});

test("each phase is looked at, and an answer that only one of them has changed nothing", () => {
  const broken = { ...parts, no: part(2) };
  const about = (when: string) =>
    `{"predicate":"(i > 0)","when":"${when} the flush","what":"true for 2 rows (0, 1), false for 1 rows (2), unknown for 10 rows (30, 31, 32, 33, 34, 35, 36, 37, …)"}`;
  for (const phase of ["before", "after"] as const) {
    const other = phase === "before" ? "after" : "before";
    expect(verdict(...many(20), { ...right, [phase]: broken, [other]: null })).toEqual([
      `partitionBroken: (i > 0): ${about(phase)}`,
    ]);
    expect(verdict(...many(20), { ...right, [phase]: { ...parts, seen: part(0) }, [other]: null })).toEqual([
      `countDisagrees: (i > 0): {"predicate":"(i > 0)","when":"${phase} the flush","filtered":"2 rows (0, 1)","seen":"1 rows (0)"}`,
    ]);
  }
});
