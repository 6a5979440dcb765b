import { expect, test } from "vitest";
import { judged, latePace, no, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import { noOpening, ready, refusal } from "../../vocabulary/opening-evidence.ts";
import proof from "./proof.ts";
import { missingTableRefused } from "./index.ts";

const sound = soundFor(missingTableRefused, proof);
type Tried = (typeof sound.tried)[number];
const verdict = (change: Partial<typeof sound>): string[] => judged(missingTableRefused, { ...sound, ...change });
const having = (at: number, change: Partial<Tried>, rest: Partial<typeof sound> = {}): string[] =>
  verdict({ tried: sound.tried.map((one, n) => (n === at ? { ...one, ...change } : one)), ...rest });
const dead = (table: string, how: string, answer: string): string[] => [
  `acceptedDead: ${table}, ${how}: ${JSON.stringify({ table, how, answer })}`,
];
const absent = sound.dropped.select;
const passed = [
  "pass: 2 missing tables rejected both ways and not listed; the open subscription was notified after 20 ms: TABLE_DROPPED the table was dropped",
];

test("a subscription to nothing is one however it is accepted", () => {
  expect(verdict({})).toEqual(passed);
  for (const [at, table] of ["unknown", "dropped"].entries()) {
    expect(having(at, { http: yes() })).toEqual(dead(table, "accepted over HTTP", "active"));
    expect(having(at, { opening: ready() })).toEqual(dead(table, "accepted on a socket", "acknowledged"));
    expect(having(at, { listed: ["a", "b"] })).toEqual(dead(table, "refused and yet listed as a live query", "a, b"));
    // Listed because it was accepted: one finding.
    expect(having(at, { opening: ready(), listed: ["a"] })).toEqual(
      dead(table, "accepted on a socket", "acknowledged"),
    );
    expect(having(at, { opening: noOpening(), listed: ["a"] })).toEqual([expect.stringMatching(/^unknown/)]);
  }
});

test("what was not dropped is no missing table", () => {
  const silent = { ...sound.dropped, notices: [], pace: latePace };
  const kept: readonly (readonly [Partial<typeof silent>, string])[] = [
    [{ said: no("X", "no", "rule") }, "no table not found"],
    [{ said: nothing() }, "no answer within 15000 ms table not found"],
    [{ select: yes() }, "done done"],
    [{ select: nothing("missing") }, "done no answer within 15000 ms"],
    [{ select: no("X", "no right", "permission", 403) }, "done no right"],
  ];
  for (const [change, words] of kept) {
    const dropped = { ...silent, ...change };
    const unknown = [`unknown: the table could not be dropped: ${words}`];
    expect(having(1, { http: yes(), opening: ready(), listed: ["a"] }, { dropped })).toEqual(unknown);
    // The other one is missing all the same.
    expect(having(0, { http: yes() }, { dropped })).toEqual(dead("unknown", "accepted over HTTP", "active"));
  }
  expect(verdict({ dropped: { ...silent, select: absent } })).toEqual([
    expect.stringMatching(/^silentAfterDrop: .*"waitedMs":12000/),
  ]);
});

test("why it shows nothing", () => {
  const slower = no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429);
  for (const [at, table] of ["unknown", "dropped"].entries()) {
    expect(having(at, { opening: refusal("SUBSCRIPTION_LIMIT_EXCEEDED") })).toEqual([
      expect.stringMatching(new RegExp(`^unknown: ${table}: SUBSCRIPTION_LIMIT_EXCEEDED`)),
    ]);
    expect(having(at, { opening: { ...refusal("X", "odd"), reason: "other" } })).toEqual([`unknown: ${table}: X odd`]);
    expect(having(at, { http: slower })).toEqual([`unknown: ${table}, over HTTP: RATE_LIMIT_EXCEEDED slower`]);
    expect(having(at, { http: nothing("missing") })).toEqual([
      `unknown: ${table}, over HTTP:  no answer within 15000 ms`,
    ]);
    expect(having(at, { listed: null })).toEqual(["unknown: the live view could not be read"]);
  }
  expect(verdict({ before: null })).toEqual(["unknown: the live view could not be read"]);
  expect(verdict({ before: [] })).toEqual(["unknown: not even an open subscription is listed in the live view"]);
  expect(verdict({ dropped: { ...sound.dropped, notices: [], fenced: false } })).toEqual([
    "unknown: no notice to the open subscription within 20 ms, and its connection did not go on",
  ]);
});

test("one that is rejected and listed is active, and a notice ends the wait for one", () => {
  const how = "refused and yet listed as a live query";
  expect(having(0, { listed: ["a"] })).toEqual(dead("unknown", how, "a"));
  expect(verdict({ dropped: { ...sound.dropped, pace: latePace } })).toEqual([expect.stringMatching(/^pass/)]);
});
