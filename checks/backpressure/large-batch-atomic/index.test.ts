import { expect, test } from "vitest";
import { judged, no, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import { largeBatchAtomic } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(largeBatchAtomic, proof);
type Tried = (typeof sound.tried)[number];
/** 0: 100 valid rows. 1: 100 rows with a NULL. 2: 100 rows with an existing key. */
const withBatch = (at: number, change: Partial<Tried>): string[] =>
  judged(largeBatchAtomic, {
    ...sound,
    tried: sound.tried.map((one, index) => (index === at ? { ...one, ...change } : one)),
  });
const whole = { count: 100, present: ["1", "2"], missing: [], changed: [], changedCount: 0, exchanges: [] };
const changedTwo = { changed: ["5", "6"], changedCount: 2 };

test.each<[Partial<NonNullable<Tried["stored"]>>, object]>([
  [
    { count: 99, missing: ["7"] },
    { lost: 1, changed: 0, first: ["7"] },
  ],
  [changedTwo, { lost: 0, changed: 2, first: ["5", "6"] }],
  [
    { count: 98, missing: ["7", "8"], ...changedTwo },
    { lost: 2, changed: 2, first: ["7", "8", "5", "6"] },
  ],
])("an acknowledged batch must be there as it was sent (%j)", (change, told) => {
  const stored = { ...whole, ...change };
  expect(withBatch(0, { stored })).toEqual([
    `lostRows: 100 rows, USER: ${JSON.stringify({ rows: 100, kind: "USER", ...told })}`,
  ]);
  expect(withBatch(0, { stored, said: nothing() })).toEqual([expect.stringMatching(/^unknown: 100 rows, USER: /)]);
});

test("a rejected batch of valid rows must leave none of them either", () => {
  const said = no("INVALID_SQL", "too long", "limit");
  for (const count of [1, 100])
    expect(withBatch(0, { said, stored: { ...whole, count } })).toEqual([
      expect.stringMatching(
        new RegExp(
          `^partial: 100 rows, USER: .*"flaw":null,"stored":${count},"first":.*"said":"rejected with INVALID_SQL"`,
        ),
      ),
    ]);
  expect(withBatch(0, { said, stored: { ...whole, count: 0 } })).toEqual([
    "unknown: 100 rows, USER: rejected, although every row is valid: too long",
  ]);
});

const flaws = [
  ["a NULL in a NOT NULL column in the middle", 1, 100],
  ["an existing key in the last row", 2, 99],
] as const;

test.each(flaws)("a rejected batch with %s must leave no row", (name, at, full) => {
  for (const count of [1, full - 1, full])
    expect(withBatch(at, { stored: { ...whole, count } })).toEqual([
      expect.stringMatching(
        new RegExp(`^partial: 100 rows with ${name}, USER: .*"stored":${count},"first":\\["1","2"\\]`),
      ),
    ]);
  expect(withBatch(at, { stored: { ...whole, count: 0 } })).toEqual([expect.stringMatching(/^pass/)]);
  expect(withBatch(at, { rows: 1, stored: { ...whole, count: 1 } })).toEqual([
    expect.stringMatching(/^partial: .*"said":"rejected with SQL_EXECUTION_ERROR"/),
  ]);
});

test.each(flaws)("an acknowledged batch with %s is judged only where a part of it was stored", (name, at, full) => {
  for (const count of [1, full - 1])
    expect(withBatch(at, { said: yes(), stored: { ...whole, count } })).toEqual([
      expect.stringMatching(new RegExp(`^partial: .*"stored":${count},.*"said":"acknowledged"`)),
    ]);
  for (const count of [0, full])
    expect(withBatch(at, { said: yes(), stored: { ...whole, count } })).toEqual([
      `unknown: 100 rows with ${name}, USER: the bad row was accepted, so nothing shows that a batch is atomic`,
    ]);
  expect(withBatch(at, { said: nothing(), stored: { ...whole, count: 1 } })).toEqual([
    expect.stringMatching(/: not answered: /),
  ]);
});

test("each batch must have been tried or skipped, and one of 1,000 rows at least", () => {
  const [first] = sound.tried;
  if (first === undefined) throw new Error("no batches");
  const only = (rows: number): string[] =>
    judged(largeBatchAtomic, {
      wanted: 1,
      tried: [{ ...first, rows, counted: rows, stored: { ...whole, count: rows } }],
      skipped: [],
    });
  expect(only(999)).toEqual(["unknown: the largest batch had 999 rows; 1000 are needed"]);
  expect(only(1_000)).toEqual([
    expect.stringMatching(/^pass: 1 batches of up to 1000 rows .*; 0 batches with one bad/),
  ]);
  expect(judged(largeBatchAtomic, { ...sound, wanted: sound.wanted + 1 })).toEqual([
    "unknown: only 12 of 13 batches were tried",
  ]);
  expect(judged(largeBatchAtomic, { wanted: 0, tried: sound.tried, skipped: [] })).toEqual([
    "unknown: only 12 of 0 batches were tried",
  ]);
  // One that was rejected shows nothing about size.
  const bad = sound.tried.filter(({ flaw }) => flaw !== null);
  expect(judged(largeBatchAtomic, { wanted: bad.length, tried: bad, skipped: [] })).toEqual([
    "unknown: the largest batch had 0 rows; 1000 are needed",
  ]);
});

test("the first batch is judged like the others", () => {
  expect(withBatch(0, { stored: null })).toEqual(["unknown: 100 rows, USER: the table could not be read afterwards"]);
  expect(withBatch(0, { counted: 99 })).toEqual(["unknown: 100 rows, USER: the answer counts 99 rows"]);
  expect(withBatch(0, { counted: null })).toEqual(["unknown: 100 rows, USER: the answer counts no rows"]);
});
