import { expect, test } from "vitest";
import { withAccounts } from "./coverage.ts";
import type { Observation } from "../check.ts";
import type { Account } from "./target.ts";

const uses = { user: 2, service: 1 };
const observation = { uses } as unknown as Observation;
const green = { kind: "pass", sentence: "fine" } as const;
const account = (name: string, role: Account["role"]): Account => ({ name, role });
const [alice, bob, writer] = [account("a", "user"), account("b", "user"), account("w", "service")];

test("a pass with an account in place of several, or of another role, is unknown", () => {
  expect(withAccounts(observation, green, [alice, bob, writer])).toBe(green);
  expect(withAccounts(observation, green, [alice, { ...alice }, writer])).toEqual({
    kind: "unknown",
    sentence: "only 1 of 2 accounts with the role user were used",
  });
  expect(withAccounts(observation, green, [alice, bob, account("w", "dba")]).kind).toBe("unknown");
  expect(withAccounts({} as unknown as Observation, green, [])).toBe(green);
});

test("a finding stays one, and unknown keeps its own words", () => {
  const red = { kind: "fail", found: [{ name: "broke", data: null }] } as const;
  const open = { kind: "unknown", sentence: "no answer" } as const;
  for (const verdict of [red, open]) expect(withAccounts(observation, verdict, [])).toBe(verdict);
});
