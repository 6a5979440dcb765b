import { expect, test } from "vitest";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import proof from "./proof.ts";
import { systemTablesLocked } from "./index.ts";

const sound = soundFor(systemTablesLocked, proof);
const verdict = (change: Partial<typeof sound>): string[] => judged(systemTablesLocked, { ...sound, ...change });
const looks = (...shown: (string | null)[]) =>
  verdict({ looks: ["none", "user", "service", "dba"].map((after, at) => ({ after, shown: shown[at] ?? null })) });
const changed = (after: string, before: string, now: string): string =>
  `changed: after the tries as ${after}: ${JSON.stringify({ after, before, now })}`;

test("each look is compared with the one before it", () => {
  expect(looks("a", "b", "b", "b")).toEqual([changed("user", "a", "b")]);
  expect(looks("a", "b", "c", "c")).toEqual([changed("user", "a", "b"), changed("service", "b", "c")]);
  expect(looks("a", "a", "a", "b")).toEqual([changed("dba", "a", "b")]);
  const [long, longer] = ["x".repeat(200), "x".repeat(201)];
  expect(looks(long, longer, longer, longer)).toEqual([changed("user", long, `${long}…`)]);
  expect(looks(longer, long, long, long)).toEqual([changed("user", `${long}…`, long)]);
});

test("an unread look shows nothing", () => {
  const unread = [
    "unknown: the system tables could not be read before and after, so a change would have gone unnoticed",
  ];
  for (const at of [0, 1, 2, 3])
    expect(looks(...["a", "a", "a", "a"].map((one, n) => (n === at ? null : one)))).toEqual(unread);
  expect(looks("a", null, "b", "b")).toEqual(unread);
  expect(verdict({ looks: sound.looks.slice(0, 3) })).toEqual(unread);
});

test("eight writes to an ordinary table are too few", () => {
  expect(verdict({ controls: sound.controls.slice(1) })).toEqual([
    "unknown: writing to an ordinary table does not work either: it was not tried",
  ]);
  expect(verdict({})).toEqual([
    "pass: 50 of 50 statements rejected as user, service and dba, the run's entries unchanged",
  ]);
});
