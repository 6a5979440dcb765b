import { expect, test } from "vitest";
import type { Json } from "../../../src/wire/json.ts";
import { observed, scripted, type Reply } from "../../../test/scripted.ts";
import { judged } from "../../vocabulary/evidence.ts";
import { columnsOf, valueOf } from "./columns.ts";
import { wideTableExact } from "./index.ts";

interface Cell {
  readonly width: number;
  readonly row: number;
  readonly column: string;
  /** The number of the reading of this table. */
  readonly reading: number;
}

/** The check against tables that keep what was written; `cell` may return another value, `change` another answer. */
async function verdictOn(
  cell: (at: Cell, value: Json) => Json = (_, value) => value,
  change: (sql: string) => Reply = () => undefined,
): Promise<string[]> {
  const written = new Map<string, ReadonlySet<string>>();
  const readings = new Map<number, number>();
  const server = scripted((sql) => {
    const said = change(sql);
    if (said !== undefined) return said;
    const width = Number(/wide_(\d+)/.exec(sql)?.[1]);
    const [, list = "", row = ""] = /^INSERT INTO \S+ \(([^)]*)\) VALUES .*, (\d+)\)$/s.exec(sql) ?? [];
    if (row !== "") written.set(`${width} ${row}`, new Set(list.split(", ")));
    if (/VALUES \(9\d, /.test(sql)) return "refused";
    if (sql.includes("WHERE id > 90")) return { columns: ["id"], rows: [] };
    if (!sql.includes("WHERE id < 90")) return undefined;
    const reading = (readings.get(width) ?? 0) + 1;
    readings.set(width, reading);
    const own = columnsOf(width);
    const rows = [1, 2, 3].flatMap((id) => {
      const names = written.get(`${width} ${id}`);
      if (names === undefined) return [];
      const values = own.map((column) => (names.has(column.name) ? valueOf(column, id) : null));
      return [
        [id, ...values.map((value, at) => cell({ width, row: id, column: own[at]?.name ?? "", reading }, value))],
      ];
    });
    return { columns: ["id", ...own.map(({ name }) => name)], rows };
  });
  return judged(wideTableExact, await observed(wideTableExact, server));
}
const on = async (pattern: RegExp, said: Reply): Promise<string[]> =>
  await verdictOn(undefined, (sql) => (pattern.test(sql) ? said : undefined));

test("every value of three rows is read four times", async () => {
  expect(await verdictOn()).toEqual([
    "pass: 1440 values of tables with 120 columns under their own names, immediately and after a flush; every wrong number of values was rejected",
  ]);
});

test.each([1, 2, 3, 4])("reading %i: a value of another column, none, or a missing one", async (reading) => {
  const when = [
    "read with *",
    "read in a shuffled order",
    "read with * after a flush",
    "read in a shuffled order after a flush",
  ];
  const of = async (value: Json): Promise<string[]> =>
    await verdictOn((at, own) =>
      at.width === 120 && at.row === 2 && at.column === "c101" && at.reading === reading ? value : own,
    );
  const told = (got: string, belongsTo: string): string[] => {
    const first = { row: 2, column: "c101", want: "2101", got, belongsTo };
    const data = { columns: 120, when: when[reading - 1], wrong: 1, of: 360, first };
    return [`swappedColumns: 120 columns: ${JSON.stringify(data)}`];
  };
  expect(await of("2106")).toEqual(told("2106", "c106 of row 2"));
  expect(await of("nothing of ours")).toEqual(told("nothing of ours", ""));
  expect(await of(null)).toEqual(told("NULL", ""));
});

test("a row that is missing lacks all its values; one that was not acknowledged may be missing", async () => {
  const none: Reply = { columns: ["id"], rows: [] };
  expect((await on(/^SELECT \* FROM \S+wide_120 /, none))[0]).toMatch(/"wrong":360,"of":360,.*"got":"not there"/);
  for (const said of ["lost", "refused"] as const)
    expect(await on(/^INSERT INTO \S+wide_120 .*, 2\)$/s, said)).toEqual([
      `unknown: the table of 120 columns, in a shuffled order: ${said === "lost" ? "no answer" : "no"}`,
    ]);
});

test("a value too few or too many", async () => {
  const accepted = (name: string): unknown => [
    expect.stringMatching(new RegExp(`^wrongArityAccepted: 120 columns, ${name}: .*"stored":0`)),
  ];
  expect(await on(/wide_120 .*VALUES \(91, /s, "done")).toEqual(accepted("one value too few"));
  expect(await on(/wide_120 .*VALUES \(92, /s, "done")).toEqual(accepted("one value too many"));
  expect(await on(/wide_120 .*VALUES \(92, /s, "lost")).toEqual([
    expect.stringMatching(/^unknown: the table of 120 columns: one value too many: neither/),
  ]);
  const left: Reply = { columns: ["id"], rows: [[91]] };
  expect(await on(/wide_120 WHERE id > 90/, left)).toEqual([
    'wrongArityAccepted: {"columns":120,"case":"a wrong number of values","stored":1}',
  ]);
  expect(await on(/wide_120 WHERE id > 90/, "lost")).toEqual([
    "unknown: the table of 120 columns: whether a wrong number of values was stored is not known",
  ]);
});

test("what was not made, flushed or read is unknown", async () => {
  expect(await on(/^CREATE TABLE \S+wide_120/, "refused")).toEqual([
    "unknown: the table of 120 columns, CREATE TABLE: no",
  ]);
  expect(await on(/^STORAGE FLUSH TABLE \S+wide_120/, "refused")).toEqual([
    expect.stringMatching(/^unknown: the table of 120 columns: STORAGE FLUSH TABLE/),
  ]);
  const none: Reply = { columns: ["scope", "manifest_json"], rows: [] };
  expect(await on(/system\.manifest .*wide_120/, none)).toEqual([
    "unknown: the table of 120 columns: nothing was flushed",
  ]);
  expect(await on(/^SELECT \* FROM \S+wide_120/, "lost")).toEqual([
    "unknown: the table of 120 columns could not be read",
  ]);
});
