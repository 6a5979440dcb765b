import { expect, test } from "vitest";
import { judged, soundFor, yes } from "../../vocabulary/evidence.ts";
import { cases } from "./cases.ts";
import { duplicateKeyRefused } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(duplicateKeyRefused, proof);
type Seen = typeof sound;
const [user, shared] = sound.tables as [Seen["tables"][number], Seen["tables"][number]];
const verdict = (change: Partial<Seen>): string[] => judged(duplicateKeyRefused, { ...sound, ...change });
/** One race changed, or several. */
const racing = (...changes: Partial<Seen["race"][number]>[]): string[] =>
  verdict({ race: sound.race.map((one, at) => ({ ...one, ...changes[at] })) });
const accepting = (table: Seen["tables"][number], stage: string) =>
  table.tried.map((one) =>
    one.stage === stage
      ? { ...one, tried: one.tried.map((each, at) => (at === 0 ? { ...each, said: yes() } : each)) }
      : one,
  );
const accepted = (kind: string, stage: string): string =>
  `accepted: ${cases[0]?.name}, ${stage}, ${kind}: ${JSON.stringify({ sql: `INSERT ${cases[0]?.name}`, kind, stage, now: [] })}`;
const wrongWinner = (key: string, stored: string[]): string =>
  `wrongWinner: ${JSON.stringify({ key, winner: "client 1", stored })}`;
const tries = 2 * 2 * cases.length;
const passes = (exchanges: number): string =>
  `pass: ${tries} of ${tries} duplicates refused on USER and SHARED tables, in memory and flushed; in 3 races one of ${exchanges} INSERTs won`;

test.each(["in memory", "flushed"])("a duplicate that is accepted on either table, %s", (stage) => {
  expect(verdict({ tables: [{ ...user, tried: accepting(user, stage) }, shared] })).toEqual([accepted("USER", stage)]);
  expect(verdict({ tables: [user, { ...shared, tried: accepting(shared, stage) }] })).toEqual([
    accepted("SHARED", stage),
  ]);
});

test("the first table could not be read", () => {
  expect(verdict({ tables: [{ ...user, rows: null }, shared] })).toEqual([
    "unknown: the rows of the USER table could not be read",
  ]);
});

test.each<readonly [string, string[], string[]]>([
  [
    "two rounds with several winners are one finding",
    racing({ winners: ["client 0", "client 1"] }, { winners: ["client 2", "client 3"], stored: null }),
    [
      `severalWinners: ${JSON.stringify({ key: "1", winners: ["client 0", "client 1"], stored: ["client 1"], rounds: 2, of: 3 })}`,
    ],
  ],
  ["another value is stored in the first round", racing({ stored: ["client 2"] }), [wrongWinner("1", ["client 2"])]],
  [
    "the value is stored twice",
    racing({ stored: ["client 1", "client 1"] }),
    [wrongWinner("1", ["client 1", "client 1"])],
  ],
  ["nothing is stored", racing({ stored: [] }), [wrongWinner("1", [])]],
  [
    "nobody won, and a value is stored",
    racing({ winners: [], stored: ["client 2"] }),
    ["unknown: key 1: 0 INSERTs were acknowledged, 0 got no clear answer"],
  ],
  [
    "one of them got no clear answer",
    racing({ unsure: 1 }),
    ["unknown: key 1: 1 INSERTs were acknowledged, 1 got no clear answer"],
  ],
  ["two rounds overlapped", racing({ overlapped: false }), [passes(4)]],
  [
    "one round overlapped",
    racing({ overlapped: false }, { overlapped: false }),
    ["unknown: only 1 races had overlapping requests; at least 2 are needed"],
  ],
  ["a pass tells how many raced in the first round", racing({ exchanges: [1, 2] }), [passes(2)]],
])("%s", (_, got, expected) => {
  expect(got).toEqual(expected);
});
