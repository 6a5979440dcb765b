import { expect, test } from "vitest";
import { judged, no, soundFor } from "../../vocabulary/evidence.ts";
import { endedOf, lineOf } from "../evidence.ts";
import { olderDataOpens } from "./index.ts";
import type { NotOpened, Opened } from "./opening.ts";
import type { Shown } from "./places.ts";
import proof from "./proof.ts";

const sound = soundFor(olderDataOpens, proof);
const [round] = sound.rounds as readonly [(typeof sound)["rounds"][number]];
const opened = round.opened as Opened;
const [shared, own] = opened.shown as [Shown & { twin: Shown | null }, Shown & { twin: Shown | null }];
const count = lineOf("the number of rows", ["2"]);
const rows = (...lines: readonly string[]) => lineOf("rows 1 to 25", lines);
const judge = (change: Partial<Opened> | NotOpened, before: readonly Shown[] = round.before): string[] =>
  judged(olderDataOpens, {
    ...sound,
    rounds: [{ by: "stop", before, opened: "words" in change ? change : { ...opened, ...change } }],
  });
const passes = [expect.stringMatching(/^pass: 0\.4\.2 to 0\.4\.3, after a stop: /)];
const missing = shared.digest.map((line) => ({ ...line, lines: null, why: "not found", missing: true }));
const gone = { ...shared, digest: missing };
const tableMissing = 'tableMissing: shared: {"by":"stop","table":"shared","told":"not found"}';
const readOnly = no("SQL_EXECUTION_ERROR", "read only", "rule");

test.each([
  ["root is refused", { rootRefused: true }, 'loginsBroken: root: {"by":"stop","who":"root","told":"it ended"}'],
  ["it says what is wrong", { words: "unsupported format" }, 'refused: {"by":"stop","words":"unsupported format"}'],
  [
    "it says something else",
    { words: "permission denied" },
    'silentRefusal: {"by":"stop","why":"it ended","words":"permission denied"}',
  ],
  [
    "it panicked over it",
    { words: "panicked at format.rs" },
    'silentRefusal: {"by":"stop","why":"it ended","words":"panicked at format.rs"}',
  ],
  [
    "it may still start",
    { words: "unsupported format", ended: false },
    "unknown: the newer release could not be looked at: it ended",
  ],
  [
    "root is refused, and it runs",
    { ended: false, rootRefused: true },
    'loginsBroken: root: {"by":"stop","who":"root","told":"it ended"}',
  ],
])("a newer release that could not be entered: %s", (_, change, expected) => {
  expect(judge({ why: "it ended", ended: true, words: "", rootRefused: false, ...change })).toEqual([expected]);
});

test("rows are compared with those of the same owner in the same table", () => {
  const ofBob = { ...own, owner: "bob" as const, digest: [count, rows("101 | 7")] };
  const altered = { ...shared, table: "altered", digest: [count, rows("9 | x")] };
  const all = [shared, altered, own, ofBob];
  expect(judge({ shown: all }, all)).toEqual(passes);
  expect(judge({ shown: [shared, altered, own, { ...ofBob, digest: own.digest }] }, all)).toEqual([
    expect.stringMatching(
      /^rowsDiffer: own: \{"by":"stop","table":"own","owner":"bob","what":".*","queries":1,"of":2\}$/,
    ),
  ]);
  // There is nothing to compare it with.
  expect(judge({ shown: all }, all.slice(0, 3))).toEqual(passes);
});

test("an answer counts as shown in another way only where the same query about own rows is answered so", () => {
  const digest = [count, rows("1 | 10.1")];
  const twin = (written: Shown["digest"]) =>
    judge({ shown: [{ ...shared, digest, twin: { ...shared, digest: written } }], after: null });
  const differs = [expect.stringMatching(/^rowsDiffer: shared: .* became 1 \| 10\.1/)];
  expect(twin(digest)).toEqual(passes);
  expect(twin(shared.digest)).toEqual(differs);
  expect(twin([lineOf("the number of rows", ["1 | 10.1"]), rows("2")])).toEqual(differs);
  expect(twin([lineOf("rows 1 to 25", null)])).toEqual(differs);
  expect(twin([])).toEqual(differs);
});

test("each column's type counts, and the first that differs is named", () => {
  const types = (change: object) => judge({ shown: [{ ...shared, types: { ...shared.types, ...change } }] });
  expect(types({ id: "int" })).toEqual([
    'typesDiffer: shared: {"by":"stop","table":"shared","column":"id","was":"bigint","is":"int"}',
  ]);
  expect(types({ id: "int", price: "text" })).toEqual([expect.stringMatching(/^typesDiffer: .*"column":"id"/)]);
  expect(types({ more: "text" })).toEqual(passes);
  expect(judge({ shown: [{ ...shared, types: { id: "bigint" } }] })).toEqual([
    'typesDiffer: shared: {"by":"stop","table":"shared","column":"price","was":"decimal precision 12 scale 2","is":"missing"}',
  ]);
});

test("a table that is gone cannot be written to, which is not said twice", () => {
  const write = (table: string) => ({ table, owner: "root" as const, statement: "INSERT", said: readOnly });
  const notWritable = 'notWritable: own: {"by":"stop","table":"own","statement":"INSERT","told":"read only"}';
  expect(judge({ shown: [gone, own], writes: [write("shared")] })).toEqual([tableMissing]);
  expect(judge({ shown: [gone, own], writes: [write("shared"), write("own")] })).toEqual([tableMissing, notWritable]);
  expect(judge({ writes: [write("own"), write("shared")] })).toEqual([notWritable]);
  // Of one query, or of all.
  const partly = { ...shared, digest: [count, ...missing.slice(1)] };
  expect(judge({ shown: [partly, own], writes: [write("shared")] })).toEqual([tableMissing]);
});

test.each([
  [
    "failed",
    { status: "failed", message: "no space" },
    'notWritable: {"by":"stop","table":"altered","statement":"a flush","told":"failed no space"}',
  ],
  [
    "is not listed",
    { status: null },
    "unknown: the flush with the newer release: the job FL-2 is not listed in system.jobs",
  ],
])("a flush with the newer release that %s", (_, change, expected) => {
  expect(judge({ flush: { ...endedOf(), ...change }, after: null })).toEqual([expected]);
});

test("rows that a flush changes are named with it", () => {
  const now = (change: Partial<Shown>) => judge({ after: { ...shared, ...change } });
  expect(now({ digest: [count, rows("1 | 1.01")] })).toEqual([
    'rowsDiffer: {"by":"stop","table":"shared","owner":"root","what":"when it was flushed, rows 1 to 25: 2 | 2.02 is gone (1 rows instead of 2)","queries":1,"of":2}',
  ]);
  expect(now({ table: "another", digest: [rows("1 | 1.01")] })).toEqual(passes);
  expect(judge({ after: null })).toEqual(passes);
});

test("two releases that tell no version may be two", () => {
  const verdict = judged(olderDataOpens, {
    ...sound,
    version: null,
    rounds: [{ ...round, opened: { ...opened, version: null } }],
  });
  expect(verdict).toEqual([
    expect.stringMatching(/^pass: a release that tells no version to one that tells none, after a stop/),
  ]);
});
