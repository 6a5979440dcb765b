import { expect, test } from "vitest";
import { judged, no, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import { reads, writes } from "./attempts.ts";
import { policiesHold } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(policiesHold, proof);
type Seen = typeof sound;
const { rows, others, place } = sound;
const verdict = (change: Partial<Seen>): string[] => judged(policiesHold, { ...sound, ...change });
const reading = (name: string, change: Partial<Seen["reads"][number]>, more: typeof change = {}): string[] =>
  verdict({
    reads: sound.reads.map((one) =>
      one.way === name ? { ...one, ...change } : one.way === "an error that no row causes" ? { ...one, ...more } : one,
    ),
  });
const writing = (name: string, change: Partial<Seen["writes"][number]>): string[] =>
  verdict({ writes: sound.writes.map((one) => (one.way === name ? { ...one, ...change } : one)) });
const listening = (change: Partial<Seen["listened"]>): string[] =>
  verdict({ listened: { ...sound.listened, ...change } });
const closed = (at: number, change: Partial<Seen["closed"][number]>): string[] =>
  verdict({ closed: sound.closed.map((one, index) => (index === at ? { ...one, ...change } : one)) });
const shows = (name: string, of: readonly (typeof rows)[number][]) =>
  reads.find((one) => one.name === name)?.shows?.(of, place) ?? [];
const foreign = (way: string, detail: string): string[] => [`foreignRows: ${way}: ${JSON.stringify({ way, detail })}`];
const events = (texts: string): string[] => [`foreignEvents: live query: ${JSON.stringify({ texts })}`];
const unknown = (sentence: string): string[] => [`unknown: ${sentence}`];
const passes = [expect.stringMatching(/^pass/)];
const refused = no("SQL_EXECUTION_ERROR", "divide by zero", "rule");
const all = [...rows, ...others];
const error = "an error that another's row would cause";

test("all columns of all rows", () => {
  const own = [
    ["1", "mine-1", "301"],
    ["2", "mine-2", "302"],
    ["3", "mine-3", "303"],
  ];
  expect(reading("all columns", { rows: own })).toEqual(passes);
  expect(reading("all columns", { rows: own.slice(1) })).toEqual(unknown("all columns: 200  done"));
});

test.each<readonly [string, string[], unknown[]]>([
  ["texts of the other", reading("by key", { foreign: ["other-71", "9071"] }), foreign("by key", "other-71, 9071")],
  [
    "the rows of both",
    reading("all columns", { rows: shows("all columns", all) }),
    foreign("all columns", "1 mine-1 301, 2 mine-2 302, 3 mine-3 303, 71 other-71 9071, 72 other-72 9072"),
  ],
  [
    "many rows",
    reading("all columns", { rows: [["x".repeat(170)]], foreign: ["y".repeat(161)] }),
    foreign("all columns", `${"y".repeat(160)}…`),
  ],
  [
    "as much as is shown",
    reading("all columns", { foreign: ["y".repeat(160)] }),
    foreign("all columns", "y".repeat(160)),
  ],
  [
    "what only the rows of both make, and it was refused",
    reading("COUNT(*)", { rows: [["5"]], said: refused }),
    unknown("COUNT(*): 400 SQL_EXECUTION_ERROR divide by zero"),
  ],
  [
    "the right rows, and no answer",
    reading("COUNT(*)", { said: nothing() }),
    unknown("COUNT(*): no answer  no answer within 15000 ms"),
  ],
  [
    "the rows of both in another order",
    reading("LIMIT OFFSET", { rows: shows("LIMIT OFFSET", all).toReversed() }),
    unknown("LIMIT OFFSET: 200  done"),
  ],
  [
    "the rows of both in the order that was asked for",
    reading("LIMIT OFFSET", { rows: shows("LIMIT OFFSET", all) }),
    foreign("LIMIT OFFSET", "other-71, mine-3"),
  ],
  [
    "own rows in another order than was asked for",
    reading("LIMIT OFFSET", { rows: shows("LIMIT OFFSET", rows).toReversed() }),
    unknown("LIMIT OFFSET: 200  done"),
  ],
  ["own rows in another order", reading("OR 1 = 1", { rows: shows("OR 1 = 1", rows).toReversed() }), passes],
  [
    "an error that reveals a row",
    reading(error, { said: refused, rows: null }),
    foreign(error, "an error: divide by zero"),
  ],
  [
    "an error, and so for a value of nobody",
    reading(error, { said: refused, rows: null }, { said: refused, rows: null }),
    passes,
  ],
  [
    "no answer, where an error would reveal a row",
    reading(error, { said: nothing(), rows: null }),
    unknown(`${error}: no answer  no answer within 15000 ms`),
  ],
  ["a way that servers may lack is refused", reading("window function", { said: refused, rows: null }), passes],
  [
    "a way that servers may lack has no answer",
    reading("window function", { said: nothing(), rows: null }),
    unknown("window function: no answer  no answer within 15000 ms"),
  ],
  [
    "a way that every server has is refused",
    reading("by key", { said: refused, rows: null }),
    unknown("by key: 400 SQL_EXECUTION_ERROR divide by zero"),
  ],
])("a read: %s", (_, got, expected) => {
  expect(got).toEqual(expected);
});

test("a write that changes the rows of the other, or gives it a row", () => {
  const changed = [["71", "x", "1", "bob"]];
  const moves = new Set([
    "INSERT for the other",
    "INSERT of a row for the other among others",
    "giving a row away",
    "giving a row away in a transaction",
    "giving a row to nobody",
  ]);
  for (const { name } of writes) {
    const finding = moves.has(name) ? "movedAway" : "foreignChange";
    const data = JSON.stringify({ way: name, detail: "71 x 1 bob" });
    expect(writing(name, { others: changed })).toEqual([`${finding}: ${name}: ${data}`]);
    expect(writing(name, { said: yes() })).toEqual(
      moves.has(name) ? unknown(`${name}: accepted, but it changed nothing`) : passes,
    );
  }
});

test.each<readonly [string, string[], unknown[]]>([
  ["four texts", listening({ foreign: ["a", "b", "c", "d"] }), events("a, b, c")],
  ["three texts", listening({ foreign: ["a", "b", "c"] }), events("a, b, c")],
  ["keys of the other", listening({ keys: ["71", "1", "2", "3"] }), events("the key 71")],
  ["two keys of the other", listening({ keys: ["1", "71", "2", "72", "3"] }), events("the key 71, the key 72")],
  [
    "a refusal",
    listening({ opening: { kind: "refused", code: "X", message: "no", reason: "right", exchange: 1 } }),
    unknown("the live query: its own row did not arrive"),
  ],
  ["no opening", listening({ opening: null }), unknown("the live query: its own row did not arrive")],
  ["a reason", listening({ why: "no connection" }), unknown("the live query: no connection")],
  ["two of three rows", listening({ keys: ["1", "2"] }), unknown("the live query began with 2 of 3 own rows")],
])("a live query: %s", (_, got, expected) => {
  expect(got).toEqual(expected);
});

test.each<readonly [string, string[], unknown[]]>([
  ...[0, 1, 2].map(
    (at) =>
      [
        `one row of place ${at}`,
        closed(at, { rows: 1 }),
        [expect.stringContaining(`"rows":1}`) as unknown],
      ] satisfies readonly [string, string[], unknown[]],
  ),
  [
    "one row of a live query",
    closed(1, { snapshot: 1 }),
    [expect.stringContaining('openWithoutPolicy: service, unguarded: {"role":"service","rows":1}')],
  ],
  ["the larger of both", closed(1, { rows: 2, snapshot: 4 }), [expect.stringContaining('"rows":4}')]],
  ["a refusal", closed(0, { said: refused, rows: null }), passes],
  ["an answer without a count", closed(0, { rows: null }), unknown("user without a policy: 200  done")],
  [
    "two of three places",
    verdict({ closed: sound.closed.slice(1) }),
    unknown("only 2 of 3 accounts without a policy were tried"),
  ],
  [
    "a dba that sees less, and cannot write",
    verdict({ dba: { count: 3, of: 5, wrote: refused } }),
    unknown("the dba: 400 SQL_EXECUTION_ERROR divide by zero"),
  ],
  ["a dba that sees less", verdict({ dba: { count: 4, of: 5, wrote: yes() } }), ['boundDba: {"count":4,"of":5}']],
  ["a dba that sees more", verdict({ dba: { count: 6, of: 5, wrote: yes() } }), passes],
])("without a policy: %s", (_, got, expected) => {
  expect(got).toEqual(expected);
});
