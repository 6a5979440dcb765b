import { expect, test } from "vitest";
import type { Operation, Read } from "../../../src/history/history.ts";
import type { Said } from "../../../src/server/target.ts";
import { cellText } from "../../../src/wire/json.ts";
import { judged, no, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import { sameKeyOneWinner } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(sameKeyOneWinner, proof);
const { coldSince } = sound;
const inserts = sound.operations.filter(({ kind }) => kind === "insert");
const reads = sound.operations.filter(({ kind }) => kind === "read") as Read[];
const isHot = ({ invokedAt }: Operation): boolean => invokedAt < coldSince;
const [hot, cold] = [inserts.filter(isHot), inserts.filter((one) => !isHot(one))];
const ok = { outcome: "ok" } as const;
const having = (isMeant: (one: Operation) => boolean, change: Partial<Operation>): Operation[] =>
  sound.operations.map((one) => (isMeant(one) ? ({ ...one, ...change } as Operation) : one));
/** Keys whose inserts are all refused, and which nobody stores. */
const nobodys = (...keys: string[]): Operation[] =>
  sound.operations.map((one) => {
    if (one.kind === "read") return { ...one, rows: (one.rows ?? []).filter(({ id }) => !keys.includes(cellText(id))) };
    return keys.includes(one.key) ? { ...one, outcome: "refused" } : one;
  });
const passes =
  "pass: 5 keys, one winner each; 5 of them tried again in cold storage, no second winner; up to 4 inserts";
const refusal = ({ code, message, status }: Said): string =>
  `unclearRefusal: ${JSON.stringify({ status, code, message })}`;
const unexplained = no("SQL_EXECUTION_ERROR", "Invalid operation: no", "rule");
const long = no("SQL_EXECUTION_ERROR", "x".repeat(250), "rule");
const unrecognised: Said = { ...yes("cannot"), kind: "unsure", status: 400, code: "ODD", why: "unrecognised" };

test.each<readonly [string, readonly Said[], string]>([
  ...["rate", "permission", "login", "limit"].map((why) => [why, [no("CODE", "no", why)], passes] as const),
  ["exists", [no("CODE", "no", "exists")], passes],
  ["constraint", [no("CODE", "no", "constraint")], passes],
  ["a duplicate, in words", [no("CODE", "Duplicate key", "rule")], passes],
  ["no reason", [unexplained], refusal(unexplained)],
  ["two without a reason", [unexplained, unrecognised], refusal(unexplained)],
  ["a code that is not known", [unrecognised], refusal(unrecognised)],
  ["neither code nor known words", [{ ...unrecognised, code: "" }], passes],
  ["a code, and no answer", [{ ...nothing(), code: "ODD" }], passes],
  ["many words", [long], refusal({ ...long, message: `${"x".repeat(200)}…` })],
])("what losers are told: %s", (_, refusals, verdict) => {
  const [first, ...others] = judged(sameKeyOneWinner, { ...sound, refusals });
  expect(first).toContain(verdict);
  expect(others).toEqual([]);
});

test.each<readonly [string, Partial<typeof sound>, string[]]>([
  [
    "two winners in hot storage, for two keys",
    { operations: having((one) => isHot(one) && one.client === 2 && /^[13]$/.test(one.key ?? ""), ok) },
    ['severalWinners: {"key":"1","acknowledged":2,"rows":1,"storage":"hot","keys":2}'],
  ],
  [
    "a second winner at the first moment of the cold round",
    { operations: having(({ invokedAt }) => invokedAt === coldSince, ok) },
    ['severalWinners: {"key":"0","acknowledged":2,"rows":1,"storage":"cold","keys":1}'],
  ],
  ["two keys without a winner", { operations: nobodys("2", "3") }, ['noWinner: {"key":"2","refused":8,"keys":2}']],
  [
    "two keys with another value than the winner's",
    {
      operations: sound.operations.map((one) =>
        one.kind === "read"
          ? {
              ...one,
              rows: (one.rows ?? []).map((row) =>
                Number(row["id"]) < 2 ? { ...row, mark: `0-3-${cellText(row["id"])}` } : row,
              ),
            }
          : one,
      ),
    },
    ['wrongSurvivor: {"key":"0","stored":{"id":0,"mark":"0-3-0"},"winner":{"mark":"0-1-0"}}'],
  ],
  [
    "a key whose inserts were all rejected for another reason",
    { operations: nobodys("3"), apart: inserts.filter(({ key }) => key === "3").map(({ statement }) => statement) },
    ["unknown: 8 of 43 requests were neither acknowledged nor lost to another: Already exists: Primary key violation"],
  ],
])("%s", (_, change, verdict) => {
  expect(judged(sameKeyOneWinner, { ...sound, ...change })).toEqual(verdict);
});

const keysUpTo = (count: number) => (one: Operation) => Number(one.key) < count;
const pairs = (list: readonly Operation[]): Operation[] => list.filter(({ client }) => client < 2);
const late = { ...(hot[0] as Operation), statement: 5_000, key: "9" };

test.each<readonly [string, readonly Operation[], Partial<typeof sound>, string]>([
  ["three keys", [...hot.filter(keysUpTo(3)), ...cold.filter(keysUpTo(3))], {}, "pass: 3 keys"],
  [
    "two keys",
    [...hot.filter(keysUpTo(2)), ...cold.filter(keysUpTo(2))],
    {},
    "unknown: inserts of only 2 keys were in flight together; at least 3 are needed",
  ],
  ["two clients for each key", [...pairs(hot), ...pairs(cold)], {}, "pass: 5 keys"],
  [
    "not each key by as many clients",
    sound.operations.filter(({ statement }) => statement !== hot[3]?.statement),
    {},
    passes,
  ],
  [
    // The second one belongs to the next round.
    "two keys, and one more at the end of the round",
    [
      ...hot.filter(keysUpTo(2)),
      { ...late, invokedAt: coldSince - 5, returnedAt: coldSince + 5, outcome: "unsure" },
      { ...late, invokedAt: coldSince, returnedAt: coldSince + 5, statement: 5_001, outcome: "unsure" },
    ],
    {},
    "unknown: inserts of only 2 keys were in flight together; at least 3 are needed",
  ],
  [
    "one key in cold storage, from the first moment on",
    [...hot, ...cold.filter(({ client, key }) => key === "0" && client < 2)],
    {},
    "pass: 5 keys, one winner each; 1 of them",
  ],
  ["a row too few in cold storage", inserts, { cold: { shared: 4 } }, "unknown: only 4 rows reached cold storage"],
  [
    "the first key, inserted by one, not in cold storage",
    [...hot.filter(({ key, client }) => key !== "0" || client === 1), ...cold],
    { cold: { shared: 4 } },
    "unknown: only 4 rows reached cold storage",
  ],
  [
    "the rows of another table in cold storage",
    inserts,
    { cold: { other: 5 } },
    "unknown: only 0 rows reached cold storage",
  ],
])("%s", (_, list, change, verdict) => {
  const operations = [...list.filter(({ kind }) => kind === "insert"), ...reads];
  expect(judged(sameKeyOneWinner, { ...sound, ...change, operations })[0]).toContain(verdict);
});

test.each([
  [5, "pass"],
  [6, "unknown: 6 of 50 requests were neither acknowledged nor lost to another"],
])("%d of 50 requests without a clear answer", (count, verdict) => {
  const open = new Set(hot.filter(({ client }) => client > 1).slice(0, count));
  const more = Array.from({ length: 7 }, (_, n) => ({ ...(reads[0] as Read), statement: 9_000 + n }));
  const operations = [...having((one) => open.has(one), { outcome: "unsure" }), ...more];
  expect(judged(sameKeyOneWinner, { ...sound, operations })[0]).toContain(verdict);
});
