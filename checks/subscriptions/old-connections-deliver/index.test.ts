import { expect, test } from "vitest";
import { judged } from "../../vocabulary/evidence.ts";
import { wordsForCuts } from "./ages.ts";
import { oldConnectionsDeliver } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof oldConnectionsDeliver.judge>[0];
const sound = proof.holds[0] as Seen;
const namesOf = (seen: Seen): string[] => {
  const verdict = oldConnectionsDeliver.judge(seen, oldConnectionsDeliver.limits);
  return verdict.kind === "fail" ? verdict.found.map(({ name }) => name) : [verdict.kind];
};
const cut = { cutAtMs: 30_000, ageMs: 30_000, how: "1006" };

test.for([
  [[[0, 30_000]], "at an age of 30 s"],
  [
    [
      [0, 30_020],
      [400, 30_000],
      [800, 30_070],
    ],
    "at the same age, 30 s",
  ],
  [
    [
      [0, 60_900],
      [400, 60_000],
      [800, 61_300],
    ],
    "at the same age, 60 s",
  ],
  [
    [
      [0, 30_800],
      [400, 30_400],
      [800, 30_010],
    ],
    "at the same moment, 31 s after the first was opened",
  ],
  [
    [
      [0, 12_000],
      [800, 45_000],
    ],
    "at ages from 12 to 45 s",
  ],
  [
    [
      [0, 30_000],
      [0, 30_500],
    ],
    "at the same age, 30 s",
  ],
  [
    [
      [0, 30_000],
      [5_000, 31_500],
    ],
    "at the same age, 30 s",
  ],
  [
    [
      [0, 30_000],
      [5_000, 31_600],
    ],
    "at ages from 30 to 32 s",
  ],
  [
    [
      [0, 30_000],
      [10_000, 21_500],
    ],
    "at the same moment, 30 s after the first was opened",
  ],
] as const)("connections that ended so: %j, were cut %s", ([ends, words]) => {
  expect(wordsForCuts(ends.map(([openedMs, cutAtMs]) => ({ openedMs, cutAtMs })))).toBe(words);
});

test("a cut is a warning, and what it lost is not", () => {
  const one = (change: Partial<Seen["old"][number]>): Seen => ({
    ...sound,
    old: sound.old.map((old, at) => (at === 1 ? { ...old, ...cut, ...change } : old)),
  });
  const two = (change: Partial<Seen["old"][number]>): Seen => {
    const { old, control } = one(change);
    return { control, old: old.map((each, at) => (at === 0 ? { ...each, ...cut } : each)) };
  };
  expect(namesOf(two({}))).toEqual(["cutAtAge"]);
  expect(namesOf(two({ missing: ["busy 7"] }))).toEqual(["lost", "cutAtAge"]);
  // A single one may have broken by chance.
  expect(namesOf(one({}))).toEqual(["unknown"]);
  expect(namesOf(one({ missing: ["busy 7"] }))).toEqual(["lost"]);
  // Silence says nothing where the connection is gone, or where a new one is silent, too.
  expect(namesOf(one({ last: false, why: "refused" }))).toEqual(["unknown"]);
  expect(namesOf({ ...sound, control: false, old: sound.old.map((old) => ({ ...old, last: false })) })).toEqual([
    "unknown",
  ]);
  expect(oldConnectionsDeliver.findings.cutAtAge.level).toBe("warn");
});

test("what is said of each", () => {
  const having = (...changes: Partial<Seen["old"][number]>[]): string[] =>
    judged(oldConnectionsDeliver, { ...sound, old: sound.old.map((one, at) => ({ ...one, ...changes[at] })) });
  const [kind] = sound.old.map((one) => one.kind);
  const lost = { kind, changes: 1, of: 1 };
  expect(having({ missing: ["1"] })).toEqual([
    `lost: ${JSON.stringify({ ...lost, how: "that was open all the time" })}`,
  ]);
  expect(having({ missing: ["1"], ...cut })).toEqual([
    `lost: ${JSON.stringify({ ...lost, how: "that was cut and then resumed" })}`,
  ]);
  expect(having({ last: false, lastMs: 60_000 })).toEqual([
    `wentSilent: ${JSON.stringify({ kind, ageS: 76, lastS: 60 })}`,
  ]);
  expect(having({ last: false })).toEqual([`wentSilent: ${JSON.stringify({ kind, ageS: 76, lastS: null })}`]);
  expect(having({ ageMs: 99_000, wrote: false })).toEqual([
    "pass: 3 connections of up to 99 s still delivered; 33 of 33 changes arrived",
  ]);
  // Where the last row did not come, what is missing may still come.
  expect(having({ last: false, wrote: false, missing: ["1"] })).toEqual([
    `unknown: the last row for ${kind} connection was not acknowledged`,
  ]);
  expect(having({ ...cut, last: false, why: "refused" }, cut)).toEqual([
    "unknown: what came after a cut could not be read: refused; 2 connections were cut at the same age, 30 s",
  ]);
});

test.each([
  [0, 14_300],
  [1, 14_300],
  [2, 1],
])("a machine that sent no pings on connection %i for %i ms says nothing of the server", (n, unheardMs) => {
  const old = sound.old.map((one, at) => (at === n ? { ...one, unheardMs } : one));
  expect(judged(oldConnectionsDeliver, { ...sound, old })).toEqual([
    expect.stringMatching(/^unknown: this machine was too busy/),
  ]);
});
