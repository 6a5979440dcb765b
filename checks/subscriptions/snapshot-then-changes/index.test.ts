import fc from "fast-check";
import { expect, test } from "vitest";
import type { DeliveredChange } from "../../../src/history/changes.ts";
import type { Values, Write } from "../../../src/history/history.ts";
import { truncated } from "../../../src/server/target.ts";
import { judged } from "../../vocabulary/evidence.ts";
import proof from "./proof.ts";
import { snapshotThenChanges } from "./index.ts";
import { coldDifference, coldSnapshot } from "./cold.ts";
import { snapshotDifference, wrongChanges } from "./judge.ts";
import { early } from "./steps.ts";

type Seen = Parameters<typeof snapshotThenChanges.judge>[0];
const sound = proof.holds[0] as Seen;
const namesOf = (seen: Seen): string[] => {
  const verdict = snapshotThenChanges.judge(seen, snapshotThenChanges.limits);
  return verdict.kind === "fail" ? [...new Set(verdict.found.map(({ name }) => name))] : [verdict.kind];
};

test("one row or change that is lost, duplicated or altered is named", () => {
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom("lose", "double", "alter", "rename"), (n, what) => {
      const at = n % sound.changes.length;
      const changes = sound.changes.flatMap((change, index) => {
        if (index !== at) return [change];
        if (what === "lose") return [];
        if (what === "double") return [change, change];
        if (what === "rename") return [{ ...change, kind: "upsert" }];
        const other = { note: "something else" };
        return [
          change.row === null
            ? { ...change, old: { ...change.old, ...other } }
            : { ...change, row: { ...change.row, ...other } },
        ];
      });
      expect(namesOf({ ...sound, changes })).toEqual([what === "lose" ? "lostChange" : "wrongChange"]);
      const row = n % sound.snapshot.length;
      const snapshot = sound.snapshot.flatMap((one, index) =>
        index !== row
          ? [one]
          : what === "lose"
            ? []
            : what === "double"
              ? [one, one]
              : [{ ...one, note: "something else" }],
      );
      expect(namesOf({ ...sound, snapshot })).toEqual(["wrongSnapshot"]);
    }),
  );
});

test("what is between us and the server is not held against it", () => {
  const shown = [
    ["ws://localhost:8080/v1/ws", "http://127.0.0.1:41000"],
    ["ws://localhost:8080/v1/ws", "https://db.example.net"],
    ["ws://0.0.0.0:8080/v1/ws", "https://db.example.net:8443"],
    ["ws://db.example.net:8080/v1/ws", "https://db.example.net"],
    ["wss://other.example.net/v1/ws", "https://db.example.net"],
  ] as const;
  for (const [address, ours] of shown) {
    expect([address, namesOf({ ...sound, told: { ...sound.told, address, ours } })]).toEqual([address, ["pass"]]);
  }
});

test("how a snapshot differs is said", () => {
  const rows = [
    { id: "1", mark: "one", n: 1, note: null },
    { id: "2", mark: "two", n: 2, note: "early" },
    { id: "3", mark: "three", n: null, note: "it's" },
  ];
  const [one, two, three] = rows as [(typeof rows)[0], (typeof rows)[0], (typeof rows)[0]];
  expect(snapshotDifference(rows, early)).toBeUndefined();
  expect(snapshotDifference([one, three, { ...one, id: "7" }], early)).toBe("2 is missing, 7 is not in the table");
  expect(snapshotDifference([one, { ...two, n: 3 }, { ...three, n: 3 }], early)).toBe(
    "2 has other values, 3 has other values",
  );
  expect(snapshotDifference([...rows, one], early)).toBe("a row came twice");
});

test("an update must carry the old values of what changed", () => {
  const write = (kind: "insert" | "update" | "delete", key: string, mark: string, n: number) => ({
    client: 0,
    statement: n,
    dueAt: n,
    invokedAt: n,
    returnedAt: n,
    outcome: "ok" as const,
    kind,
    key,
    values: { mark, n },
  });
  const event = (kind: string, id: string, mark: string, n: number, old: Values | null) => ({
    kind,
    row: { id, mark, n },
    old,
    at: n,
  });
  const of = (writes: readonly Write[], delivered: readonly DeliveredChange[]): string[] =>
    wrongChanges({ keyColumn: "id", markColumn: "mark", writes, delivered, table: [] }).map(({ wanted }) => wanted);
  const updated = [write("insert", "1", "a", 1), write("update", "1", "b", 2)];
  const inserted = event("insert", "1", "a", 1, null);
  const whole = event("update", "1", "b", 2, { id: "1", mark: "a", n: 1 });
  expect(of(updated, [inserted, whole])).toEqual([]);
  expect(of(updated, [inserted, { ...whole, old: { id: "1", mark: "a" } }])).toEqual(["the old values of n"]);
  expect(of(updated, [inserted, { ...whole, old: null }])).toContain("the old values of mark, n");
  // Nothing is known of what was there before, and a row that was deleted does not come back with its old values.
  expect(of(updated.slice(1), [{ ...whole, old: null }])).toEqual([]);
  const again = [write("insert", "1", "a", 1), write("delete", "1", "a", 2), write("insert", "1", "c", 3)];
  const deleted = { kind: "delete", row: null, old: { id: "1", mark: "a", n: 1 }, at: 2 };
  expect(of(again, [inserted, deleted, event("insert", "1", "c", 3, null)])).toEqual([]);
});

test("a long event is cut off", () => {
  const [first, ...others] = sound.changes;
  const changes = first === undefined ? [] : [{ ...first, row: { ...first.row, note: "x".repeat(500) } }, ...others];
  const [wrong] = wrongChanges({
    keyColumn: "id",
    markColumn: "mark",
    writes: sound.writes,
    delivered: changes,
    table: [],
  });
  expect(wrong?.told).toHaveLength(truncated("x".repeat(500), 200).length);
});

test("what an unacknowledged statement did is not guessed", () => {
  // The first update was not acknowledged, and did not happen: the next one shows the old values of the insert.
  const writes = sound.writes.map((write, at) =>
    at === early.length + 1 ? { ...write, outcome: "unsure" as const } : write,
  );
  const changes = sound.changes.flatMap((change, at) =>
    at === 1 ? [] : [at === 2 ? { ...change, old: { id: "100", mark: "new", n: 1, note: "x" } } : change],
  );
  expect(judged(snapshotThenChanges, { ...sound, writes, changes })).toEqual([
    "unknown: 1 of 6 statements were not acknowledged",
  ]);
});

test("flushed rows that a snapshot lacks or has twice are named, and changes of them that are not delivered", () => {
  expect(coldDifference(coldSnapshot.toReversed())).toBeUndefined();
  expect(coldDifference(coldSnapshot.slice(1))).toBe('"1 row 1" is missing');
  expect(coldDifference([...coldSnapshot, "7 row 7", "8 row 8"])).toBe(
    '"8 row 8" was not written, "7 row 7" came twice',
  );
  const { cold } = sound;
  expect(namesOf({ ...sound, cold: { ...cold, snapshot: coldSnapshot.slice(1) } })).toEqual(["wrongSnapshot"]);
  const steps = cold.steps.map((one, at) => (at === 1 ? { ...one, told: [] } : one));
  expect(namesOf({ ...sound, cold: { ...cold, steps } })).toEqual(["lostChange"]);
});
