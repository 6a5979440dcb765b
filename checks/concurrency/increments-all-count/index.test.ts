import { expect, test } from "vitest";
import type { Operation } from "../../../src/history/history.ts";
import { foundIn, judged, soundFor } from "../../vocabulary/evidence.ts";
import { abreast } from "../evidence.ts";
import { incrementsAllCount } from "./index.ts";
import proof from "./proof.ts";

const { control, raced } = soundFor(incrementsAllCount, proof);
const updates = raced.filter(({ kind }) => kind === "update");
const readOf = (n: string): Operation => ({
  ...(raced.at(-1) as Operation & { kind: "read" }),
  rows: [{ n }],
});
const counted = (of: readonly Operation[]): Operation[] => [...of, readOf(String(of.length))];

test.each<readonly [string, Partial<Record<"control" | "raced", Operation[]>>, string]>([
  ["ten by many, one alone", { control: counted(control.slice(0, 1)), raced: counted(updates.slice(0, 10)) }, "pass"],
  ["nine by many", { raced: counted(updates.slice(0, 9)) }, "unknown: only 5 increments by one client and 9 by many"],
  ["none alone", { control: counted([]) }, "unknown: only 0 increments by one client and 20 by many"],
  ["three at once", { raced: counted(abreast(updates, 3)) }, "pass"],
  ["two at once", { raced: counted(abreast(updates, 2)) }, "unknown: at most 2 increments were in flight together"],
  ["one lost", { raced: [...updates, readOf("19")] }, 'lostUpdates: {"lost":1,"of":20,"value":19}'],
  ["one too many", { raced: [...updates, readOf("21")] }, 'extraUpdates: {"value":21,"most":20}'],
  [
    "both wrong",
    { control: [...control.slice(0, 5), readOf("6")], raced: [...updates, readOf("19")] },
    'controlWrong: {"value":6,"expected":5}',
  ],
])("%s", (_, change, verdict) => {
  const [first, ...others] = judged(incrementsAllCount, { control, raced, ...change });
  expect(first).toContain(verdict);
  expect(others).toEqual([]);
});

test("what is no number is said to be none", () => {
  expect(foundIn(incrementsAllCount, { control, raced: [...updates, readOf("x")] })[0]?.data).toEqual({
    value: null,
    most: 20,
  });
});
