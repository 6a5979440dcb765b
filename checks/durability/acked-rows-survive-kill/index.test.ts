import { expect, test } from "vitest";
import { say } from "../../../src/check.ts";
import { judged } from "../../vocabulary/evidence.ts";
import { ackedRowsSurviveKill } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof ackedRowsSurviveKill.judge>[0];
type Table = Seen["rounds"][number]["tables"][number];
type Read = Extract<Table["operations"][number], { kind: "read" }>;
const [sound] = proof.holds as readonly [Seen, ...Seen[]];
const [round] = sound.rounds as readonly [Seen["rounds"][number]];
const [table] = round.tables as readonly [Table];
const written = table.operations.filter(({ kind }) => kind !== "read");
const read = table.operations.find((one): one is Read => one.kind === "read") as Read;
const rows = read.rows ?? [];
const judge = (...operations: Table["operations"]): string[] =>
  judged(ackedRowsSurviveKill, { rounds: [{ ...round, tables: [{ ...table, operations }] }] });

test.each([
  [false, "8 of 8 acknowledged rows of the USER table are gone after the kill, such as 1"],
  [true, "8 of 8 acknowledged rows of the USER table are gone after the kill, and so is the table, such as 1"],
])("a table that is gone: %s", (missing, sentence) => {
  const tables = [{ ...table, missing, operations: [...written, { ...read, rows: [] }] }];
  const verdict = ackedRowsSurviveKill.judge({ rounds: [{ ...round, tables }] }, ackedRowsSurviveKill.limits);
  const said = verdict.kind === "fail" ? verdict.found.map((found) => say(ackedRowsSurviveKill, found)) : [];
  expect(said).toEqual([expect.stringContaining(sentence)]);
});

test.each([
  ["has other values", rows.map((row) => (row["id"] === "3" ? { ...row, mark: "x" } : row)), ["3 has other values"]],
  ["is there twice", [...rows, ...rows.slice(2, 3)], ["3 is there 2 times"]],
  ["was never written", [...rows, { id: "77", mark: "m77" }], ["77 was never written"]],
])("a row that %s is strange", (_, shown, sample) => {
  expect(judge(...written, { ...read, rows: shown })).toEqual([
    `strangeRows: ${JSON.stringify({ round: 1, table: "USER", rows: 1, sample })}`,
  ]);
});

test("eight acknowledged rows are enough, seven are not", () => {
  expect(judge(...written, read)).toEqual([
    expect.stringMatching(/^pass: 8 acknowledged rows, all there; 1 writes in flight/),
  ]);
  expect(judge(...written.slice(1), { ...read, rows: rows.slice(1) })).toEqual([
    "unknown: only 7 rows were acknowledged before the kills; at least 8 are needed",
  ]);
});

test("a read in flight at the kill is no write", () => {
  const flying = { ...read, invokedAt: 190, returnedAt: 3_000 };
  expect(judge(...written.slice(0, -1), flying)).toEqual([
    "unknown: in none of 1 rounds was a write in flight when the server was killed",
  ]);
});
