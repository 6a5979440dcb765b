import { expect, test } from "vitest";
import { judged } from "../../vocabulary/evidence.ts";
import { kalamJsonPure } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof kalamJsonPure.judge>[0];
const [sound] = proof.holds as readonly [Seen];
const having = (name: string, change: object): string[] =>
  judged(kalamJsonPure, { runs: sound.runs.map((one) => (one.case === name ? { ...one, ...change } : one)) });

test("each document must be JSON and there must be as many as statements, also of the first run", () => {
  expect(having("rows", { documents: [null] })).toEqual([expect.stringMatching(/^notJson: rows: /)]);
  expect(having("rows", { documents: [] })).toEqual([expect.stringMatching(/^notJson: rows: /)]);
  expect(having("a file", { documents: [1, 1] })).toEqual([expect.stringMatching(/^notJson: a file: /)]);
  expect(having("an error", { documents: [null] })).toEqual([expect.stringMatching(/^notJson: an error: /)]);
});

test("values are compared only in pure output of a run that worked", () => {
  expect(having("a large number", { cells: ["9007199254740992"] })).toEqual([
    expect.stringMatching(/^changed: a large number: /),
  ]);
  expect(having("a large number", { cells: null, documents: [null] })).toEqual([expect.stringMatching(/^notJson/)]);
  expect(having("a large number", { cells: null, documents: [], exitCode: 1 })).toEqual([
    "unknown: a large number: exit 0",
  ]);
  expect(having("a write", { cells: ["1"] })).toEqual([expect.stringMatching(/^pass/)]);
});

test("colours are told instead of what they break", () => {
  expect(having("rows", { colored: true, documents: [null] })).toEqual(['colour: rows: {"case":"rows"}']);
});

test("a run with trouble decides nothing, whatever it printed, and one that is not ours has no expectations", () => {
  expect(having("rows", { trouble: "it could not be started", colored: true })).toEqual([
    "unknown: rows: it could not be started",
  ]);
  const [first] = sound.runs;
  if (first === undefined) throw new Error("no runs");
  expect(judged(kalamJsonPure, { runs: [...sound.runs, { ...first, case: "another", colored: true }] })).toEqual([
    expect.stringMatching(/^unknown: another/),
  ]);
});

test("trouble is told before an exit code that follows from it", () => {
  expect(having("a write", { trouble: "the server is away", exitCode: 0 })).toEqual([
    "unknown: a write: the server is away",
  ]);
});
