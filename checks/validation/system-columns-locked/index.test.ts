import { expect, test } from "vitest";
import { judged, no, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import { assignments, isForged, rowText, type Assigned } from "./assignments.ts";
import proof from "./proof.ts";
import { systemColumnsLocked } from "./index.ts";

const sound = soundFor(systemColumnsLocked, proof);
const verdict = (change: Partial<typeof sound>): string[] => judged(systemColumnsLocked, { ...sound, ...change });
const refused = no("SQL_EXECUTION_ERROR", "reserved", "rule");
const row = (version: string, deleted = "false") => ({ row: { version, deleted } });
const gone = { row: null };

test.each<readonly [string, Assigned["said"], string, Assigned["before"], Assigned["after"], boolean]>([
  ["kept", yes(), "_seq", row("5"), row("5"), false],
  ["a new version", yes(), "_seq", row("5"), row("6"), false],
  ["the forged version", yes(), "_seq", row("5"), row("77"), true],
  ["the forged version, of the mark", yes(), "_deleted", row("5"), row("77"), false],
  ["the mark", yes(), "_deleted", row("5"), row("6", "true"), true],
  ["the mark, of the version", yes(), "_seq", row("5"), row("6", "true"), false],
  ["gone", yes(), "_seq", row("5"), gone, true],
  ["rejected and gone", refused, "_seq", row("5"), gone, true],
  ["rejected and changed", refused, "_seq", row("5"), row("6"), true],
  ["rejected and kept", refused, "_seq", row("77"), row("77"), false],
  ["rejected without a row", refused, "_seq", gone, gone, false],
  ["unread before", yes(), "_seq", null, row("77"), false],
  ["unread after", yes(), "_seq", row("5"), null, false],
  ["unanswered", nothing(), "_seq", row("5"), row("77"), false],
  ["too fast", no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429), "_seq", row("5"), row("77"), false],
])("%s", (_, said, column, before, after, isOne) => {
  expect(isForged({ case: "UPDATE", role: "dba", sql: "", said, column, before, after })).toBe(isOne);
});

test("what was forged is shown", () => {
  expect([rowText({ version: "5", deleted: "true" }), rowText(null)]).toEqual(["5, deleted true", "gone with the row"]);
  const assigned = sound.assigned.map((one, at) => (at === 19 ? { ...one, after: gone } : one));
  expect(verdict({ assigned })).toEqual([
    'forged: assign 19: {"case":"assign 19","column":"_deleted","now":"gone with the row"}',
  ]);
});

test("a declaration counts whether it was acknowledged or only done", () => {
  const declaring = (change: object) =>
    verdict({
      declared: {
        ...sound.declared,
        attempts: sound.declared.attempts.map((one, at) => (at === 3 ? { ...one, ...change } : one)),
      },
    });
  const found = ['accepted: declare 3: {"case":"declare 3","sql":"CREATE"}'];
  expect(declaring({ said: yes(), made: "{}" })).toEqual(found);
  expect(declaring({ made: "{}" })).toEqual(found);
});

test("both columns remain, and each row was read before and after", () => {
  const unseen = ["unknown: the system columns could not be seen after the attempts to alter them"];
  for (const column of sound.columns)
    expect(verdict({ columnsAfter: sound.columnsAfter?.filter((one) => one !== column) ?? null })).toEqual(unseen);
  for (const phase of ["before", "after"] as const) {
    const assigned = sound.assigned.map((one, at) => (at === 1 ? { ...one, [phase]: null } : one));
    expect(verdict({ assigned })).toEqual(["unknown: assign 1: the row could not be read before and after"]);
  }
  expect(verdict({})).toEqual([
    "pass: 20 of 20 declarations and changes rejected; of 20 assignments to _seq and _deleted, 10 rejected and 10 ignored",
  ]);
  const assigned = sound.assigned.map((one, at) => (at === 0 ? { ...one, said: refused } : one));
  expect(verdict({ assigned })).toEqual([
    "pass: 20 of 20 declarations and changes rejected; of 20 assignments to _seq and _deleted, 11 rejected and 9 ignored",
  ]);
});

test("what assigns a system column", () => {
  expect(assignments.map(({ name, inserts, params = false }) => [name, inserts, params])).toEqual([
    ["INSERT", true, false],
    ["INSERT … SELECT", true, false],
    ["UPDATE", false, false],
    ["UPDATE beside another column", false, false],
    ["UPDATE with a parameter", false, true],
  ]);
});
