import { expect, test } from "vitest";
import type { Operation, OperationOutcome, Write } from "../../../src/history/history.ts";
import { sentBy } from "../../concurrency/evidence.ts";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import { asRead } from "../reading.ts";
import { lastValueSurvivesKill } from "./index.ts";
import proof from "./proof.ts";

type Round = Parameters<typeof lastValueSurvivesKill.judge>[0]["rounds"][number];
const [sound] = soundFor(lastValueSurvivesKill, proof).rounds as readonly [Round];
const write = (kind: Write["kind"], mark: string, outcome: OperationOutcome = "ok", key = "50"): Operation => ({
  ...sentBy(0, 150, 150, 5, outcome),
  kind,
  key,
  values: { mark },
});
/** The sound history, more writes, and a read of the sound rows and these. */
function after(writes: readonly Operation[], rows: readonly { id: string; mark: string }[]): string[] {
  const history = sound.operations.filter(({ kind }) => kind !== "read");
  const read = asRead({ rows: [{ id: "1", mark: "c" }, ...rows], exchange: 900 }, { from: 300, to: 310 });
  return judged(lastValueSurvivesKill, { rounds: [{ ...sound, operations: [...history, ...writes, read] }] });
}
const passes = /^pass: /;
const older = (expected: readonly string[], shown: string) =>
  `olderValue: ${JSON.stringify({ round: 1, rows: 1, of: 4, key: "50", expected, shown })}`;
const back = 'resurrectedRow: {"round":1,"keys":["50"]}';

test.each([
  ["an insert", [write("insert", "a")], "a", passes],
  ["an insert", [write("insert", "a")], null, older(["a"], "no row")],
  ["an insert in doubt", [write("insert", "a", "unsure")], "a", passes],
  ["an insert in doubt", [write("insert", "a", "unsure")], null, passes],
  ["an insert in doubt", [write("insert", "a", "unsure")], "b", older(["a", "no row"], "b")],
  ["two in doubt", [write("insert", "a", "unsure"), write("update", "b", "unsure")], "a", passes],
  [
    "an update in doubt before one that is not",
    [write("insert", "a", "unsure"), write("update", "b")],
    "a",
    older(["b"], "a"),
  ],
  ["a refused update", [write("insert", "a"), write("update", "b", "refused")], "b", older(["a"], "b")],
  ["a refused insert", [write("insert", "a", "refused")], "a", older(["no row"], "a")],
  ["a delete in doubt", [write("insert", "a"), write("delete", "a", "unsure")], null, passes],
  ["a delete", [write("insert", "a"), write("delete", "a")], "a", back],
  ["two deletes", [write("insert", "a"), write("delete", "a"), write("delete", "a", "unsure")], "a", back],
  [
    "a delete and an insert in doubt",
    [write("delete", "a"), write("insert", "b", "unsure")],
    "a",
    older(["no row", "b"], "a"),
  ],
  ["a delete and an insert in doubt", [write("delete", "a"), write("insert", "b", "unsure")], "b", passes],
  [
    "four values that may be",
    [write("insert", "a"), ...["b", "c", "d"].map((mark) => write("update", mark, "unsure"))],
    "e",
    older(["a", "b", "c"], "e"),
  ],
] as const)("after %s (%#) a key may show %3$s", (_, writes, mark, expected) => {
  const verdict = after(writes, mark === null ? [] : [{ id: "50", mark }]);
  expect(verdict).toEqual([typeof expected === "string" ? expected : expect.stringMatching(expected)]);
});

test("of the rows that are back five are named, and those with an older value apart from them", () => {
  const keys = ["51", "52", "53", "54", "55", "56"];
  const deleted = keys.flatMap((key) => [write("insert", "x", "ok", key), write("delete", "x", "ok", key)]);
  const updated = ["57", "58"].flatMap((key) => [write("insert", "x", "ok", key), write("update", "y", "ok", key)]);
  expect(
    after(
      [...deleted, ...updated],
      [...keys, "57", "58"].map((id) => ({ id, mark: "x" })),
    ),
  ).toEqual([
    'resurrectedRow: {"round":1,"keys":["51","52","53","54","55"]}',
    'olderValue: {"round":1,"rows":2,"of":11,"key":"57","expected":["y"],"shown":"x"}',
  ]);
});

test("six acknowledged changes are enough, five are not", () => {
  const only = (count: number) => {
    const marks = Array.from({ length: count }, (_, at) => `m${at}`);
    const writes = marks.map((mark, at) => write(at === 0 ? "insert" : "update", mark));
    const flying = write("insert", "f", "unsure", "60");
    const read = asRead({ rows: [{ id: "50", mark: marks.at(-1) ?? "" }], exchange: 900 }, { from: 300, to: 310 });
    const operations = [...writes, { ...flying, invokedAt: 195, returnedAt: 245 }, read];
    return judged(lastValueSurvivesKill, { rounds: [{ ...sound, operations }] });
  };
  expect(only(6)).toEqual([
    expect.stringMatching(
      /^pass: 2 keys show their last acknowledged change.*; 6 changes acknowledged, 1 in flight at the kills/,
    ),
  ]);
  expect(only(5)).toEqual(["unknown: only 5 changes were acknowledged before the kills"]);
});

test("rows that were not read show nothing", () => {
  const operations = sound.operations.map((one) => (one.kind === "read" ? { ...one, rows: null } : one));
  expect(judged(lastValueSurvivesKill, { rounds: [{ ...sound, operations, why: "no answer" }] })).toEqual([
    "unknown: no answer",
  ]);
  expect(judged(lastValueSurvivesKill, { rounds: [sound, { ...sound, operations, why: "no answer" }] })).toEqual([
    "unknown: no answer",
  ]);
});
