import fc from "fast-check";
import { expect, test } from "vitest";
import proof from "./proof.ts";
import { cases, statements } from "./cases.ts";
import { badSubscribeRefused } from "./index.ts";
import { yes } from "../../vocabulary/evidence.ts";

type Seen = Parameters<typeof badSubscribeRefused.judge>[0];
const sound = proof.holds[0] as Seen;
const foundIn = (seen: Seen) => {
  const verdict = badSubscribeRefused.judge(seen, badSubscribeRefused.limits);
  return verdict.kind === "fail" ? verdict.found.map((found) => [found.name, found.case]) : verdict.kind;
};

test("an accepted statement is named, with its case and any rows it does not ask for", () => {
  fc.assert(
    fc.property(fc.nat(), fc.subarray(["1", "2", "3", "50"]), (n, rows) => {
      const one = cases[n % cases.length];
      const tried = sound.tried.map((each) =>
        each.case === one?.name ? { ...each, kind: "acknowledged" as const, reason: "" as const, rows } : each,
      );
      const extra = rows.some((id) => one?.may?.includes(id) === false);
      expect(foundIn({ ...sound, tried })).toEqual([[extra ? "unfiltered" : "accepted", one?.name]]);
      const name = statements[n % statements.length]?.name;
      const http = sound.http.map((each) => (each.case === name ? { ...each, said: yes() } : each));
      expect(foundIn({ ...sound, http })).toEqual([["accepted", `HTTP ${name}`]]);
    }),
  );
});

test("missing rows show that a statement was executed", () => {
  expect(foundIn({ ...sound, left: "0" })).toEqual([["accepted", "rows"]]);
});
