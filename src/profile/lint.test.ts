import { expect, test } from "vitest";
import type { Acceptance } from "./effective.ts";
import { lint, nextEnd } from "./lint.ts";

const today = "2026-11-22";
const until = (day: string, rest: Partial<Acceptance> = {}): Acceptance => ({
  check: "shop/open",
  finding: "late",
  reason: "known",
  until: day,
  ...rest,
});
const nothing = { only: undefined, accept: [], control: undefined, allow: ["scratch"] } as const;
const warnings = (...accept: Acceptance[]): string[] =>
  lint({ ...nothing, accept }, today).map(({ key, message }) => `${key}: ${message}`);

test.for<[string, string]>([
  ["2026-11-21", "ended at midnight UTC after 2026-11-21, and the finding counts again; remove it, or renew it with a reason"], // prettier-ignore
  ["2026-11-22", "ends today, at midnight UTC after 2026-11-22; then the finding counts again"],
  ["2026-11-23", "ends tomorrow, at midnight UTC after 2026-11-23; then the finding counts again"],
  ["2026-12-06", "ends in 14 days, at midnight UTC after 2026-12-06; then the finding counts again"],
])("an acceptance until %s %s", ([day, text]) => {
  expect(warnings(until(day))).toEqual([`accept: the acceptance of late in shop/open ${text}`]);
});

test("an acceptance that lasts longer is nothing to warn of; each other one is, with its case", () => {
  expect(warnings(until("2026-12-07"), until("2027-02-28"))).toEqual([]);
  const all = warnings(until("2026-11-01"), until("2026-12-31"), until("2026-11-30", { case: "big" }));
  expect(all).toHaveLength(2);
  expect(all[1]).toContain("the acceptance of late [big] in shop/open ends in 8 days");
});

test("selecting nothing is hardly meant; selecting all or some is", () => {
  expect(lint({ ...nothing, only: new Set() }, today).map(({ key }) => key)).toEqual(["only"]);
  for (const only of [undefined, new Set(["shop/open"])]) expect(lint({ ...nothing, only }, today)).toEqual([]);
});

test("the next end is that of an acceptance that still holds", () => {
  const accept = [until("2027-01-31"), until("2026-11-01"), until("2026-12-31")];
  expect(nextEnd({ accept }, today)).toBe("; the next acceptance ends at midnight UTC after 2026-12-31");
  expect(nextEnd({ accept: [until("2026-11-22")] }, today)).toContain("2026-11-22");
  expect(nextEnd({ accept: [until("2026-11-21")] }, today)).toBe("");
});

test("control that is not allowed to be used is warned of", () => {
  const control = { kind: "docker", container: "db" } as const;
  expect(lint({ ...nothing, control }, today)).toMatchObject([{ key: "control" }]);
  expect(lint({ ...nothing, control, allow: ["scratch", "process"] }, today)).toEqual([]);
});
