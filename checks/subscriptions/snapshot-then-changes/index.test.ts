import fc from "fast-check";
import { expect, test } from "vitest";
import proof from "./proof.ts";
import { snapshotThenChanges } from "./index.ts";
import { addressFault } from "../told-address.ts";

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

test("an address is compared with ours by host, port, path and protocol", () => {
  const told = (address: string, ours: string, why: string | null = null) => {
    return addressFault({ ...sound.told, address, ours, tried: { why, opening: sound.told.tried?.opening ?? null } });
  };
  expect(told("ws://localhost:8080/v1/ws", "http://127.0.0.1:8080")).toBeUndefined();
  expect(told("wss://db.example.net/v1/ws", "https://db.example.net")).toBeUndefined();
  expect(told("ws://inside.example.net:8080/v1/ws", "https://db.example.net")).toBeUndefined();
  expect(told("ws://localhost:8080/v1/ws", "http://db.example.net:8080")).toContain("own machine");
  expect(told("ws://localhost:8080/v1/ws", "http://localhost:2900")).toContain("another port than 2900");
  expect(told("ws://db.example.net:443/v1/ws", "https://db.example.net")).toContain("not https:");
  expect(told("ws://localhost:8080/ws", "http://localhost:8080", "404")).toBe("404");
  expect(told("http://localhost:8080/v1/ws", "http://localhost:8080")).toContain("no address of a WebSocket");
  expect(told("", "http://localhost:8080")).toContain("no address of a WebSocket");
});
