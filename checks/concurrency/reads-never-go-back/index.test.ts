import { expect, test } from "vitest";
import type { Operation, Read } from "../../../src/history/history.ts";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import { completedFlush, sentBy } from "../evidence.ts";
import { readsNeverGoBack } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(readsNeverGoBack, proof);
const read = (key: string, statement: number, at: number, v: string): Read => ({
  ...sentBy(7, statement, at, 4),
  kind: "read",
  key,
  rows: [{ id: key, v }],
});
const update = (key: string, n: number, at: number): Operation => ({
  ...sentBy(1, n, at, 4),
  kind: "update",
  key,
  values: { v: `v${n}` },
});

/** Updates one after the other, then reads in groups that are in flight together. */
const history = (updates: number, groups: readonly string[]) => ({
  operations: [
    ...Array.from({ length: updates }, (_, n) => update(n % 2 === 0 ? "a" : "b", n, 10 * n)),
    ...groups.flatMap((keys, at) =>
      keys.split("").map((key, n) => {
        const newest = updates - 1 - ((updates - 1) % 2 === (key === "a" ? 0 : 1) ? 0 : 1);
        return read(key, 1_000 + 10 * at + n, 1_000 + 10 * at, `v${newest}`);
      }),
    ),
  ],
  flush: completedFlush(80),
});
const groups = ["aab", "bba", "aab", "bba", "aab", "bba", "ab"];

test.each<readonly [string, number, readonly string[], string]>([
  [
    "just enough of everything",
    10,
    groups,
    "pass: 20 reads and 10 updates of 2 rows, all in order; up to 3 requests in flight together, 2 rows contended",
  ],
  ["a read too few", 10, [...groups.slice(0, 6), "a"], "unknown: only 19 reads and 10 updates were answered"],
  ["an update too few", 9, groups, "unknown: only 20 reads and 9 updates were answered"],
  [
    "two at once at most",
    10,
    ["aa", "bb", "aa", "bb", "aa", "bb", "aa", "bb", "aa", "bb"],
    "unknown: at most 2 requests were in flight together, for 2 rows two or more; at least 3 and 2 are needed",
  ],
  [
    "one contended row",
    10,
    ["aab", "aab", "aab", "aab", "aab", "aab", "aab"],
    "unknown: at most 3 requests were in flight together, for 1 rows two or more; at least 3 and 2 are needed",
  ],
])("%s", (_, updates, of, verdict) => {
  expect(judged(readsNeverGoBack, history(updates, of))[0]).toContain(verdict);
});

test.each<readonly [string, readonly Operation[], string]>([
  [
    "after a newer value was read",
    [read("a", 400, 300, "v4"), read("b", 401, 310, "v5")],
    'staleRead: {"key":"a","value":"v4","newer":"read v6","afterMs":229,"times":10}',
  ],
  [
    "after a newer value was written",
    [update("a", 50, 300), update("a", 51, 310), read("a", 400, 320, "v50")],
    'staleRead: {"key":"a","value":"v50","newer":"written v51","afterMs":6,"times":1}',
  ],
  [
    "values that nobody wrote to the row",
    [read("a", 400, 300, "v5"), read("a", 401, 310, "v7")],
    'inventedValue: {"key":"a","value":"v5","why":"which nobody wrote to it","times":2}',
  ],
  [
    "no row",
    [{ ...read("a", 400, 300, ""), rows: [] }],
    'inventedValue: {"key":"a","value":null,"why":"which nobody wrote to it","times":1}',
  ],
  [
    "the value of a rejected update",
    [{ ...update("a", 50, 300), outcome: "refused" }, read("a", 400, 320, "v50")],
    'inventedValue: {"key":"a","value":"v50","why":"whose update was rejected","times":1}',
  ],
  [
    "a value before it was sent",
    [read("a", 400, 300, "v50"), update("a", 50, 320)],
    'inventedValue: {"key":"a","value":"v50","why":"before it was written","times":1}',
  ],
])("a read: %s", (_, more, verdict) => {
  expect(judged(readsNeverGoBack, { ...sound, operations: [...sound.operations, ...more] })).toEqual([verdict]);
});
