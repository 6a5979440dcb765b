import { expect, test } from "vitest";
import { judged } from "../../../vocabulary/evidence.ts";
import { reached, sound, table } from "../evidence.ts";
import type { Seen } from "../looking.ts";
import { postgresRowsAgree } from "./index.ts";

type Cells = readonly (string | null)[];
const returning = (first: readonly Cells[], second = first): Seen => ({
  ...sound,
  counted: false,
  named: true,
  right: reached({ results: [first, second].map((rows) => ({ ...table, rows })) }),
});
const withCell = (row: number, column: number, cell: string | null): readonly Cells[] =>
  table.rows.map((cells, at) => (at === row ? cells.map((one, n) => (n === column ? cell : one)) : cells));
const foreign = ["5", "5", "t", "5", sound.foreignMark];
const differ = (http: string, postgres: string): string => `rowsDiffer: ${JSON.stringify({ http, postgres })}`;
const third = '["3",null,null,null,null]';

test.for<[string, Seen, readonly string[]]>([
  ["the same rows", sound, ["pass: 4 rows with 5 columns agree, read twice; none of another account"]],
  [
    "a double in another form",
    returning(withCell(1, 3, "-2.50")),
    ["pass: 4 rows with 5 columns agree, read twice; none of another account"],
  ],
  [
    "a text in another form",
    returning(withCell(0, 0, "1.0")),
    [differ('["1","7","true","0.1","kr_a1b2c_1 own"]', '["1.0","7","t","0.1","kr_a1b2c_1 own"]')],
  ],
  [
    "another boolean",
    returning(withCell(0, 2, "f")),
    [differ('["1","7","true","0.1","kr_a1b2c_1 own"]', '["1","7","f","0.1","kr_a1b2c_1 own"]')],
  ],
  ["text for NULL", returning(withCell(2, 4, "null")), [differ(third, '["3",null,null,null,"null"]')]],
  ["zero for NULL", returning(withCell(2, 3, "0")), [differ(third, '["3",null,null,"0",null]')]],
  [
    "NULL for an empty text",
    returning(withCell(3, 4, null)),
    [differ('["9007199254740993","0","true","1000000000000000",""]', '["9007199254740993","0","t","1e+15",null]')],
  ],
  [
    "NULL for a double",
    returning(withCell(0, 3, null)),
    [differ('["1","7","true","0.1","kr_a1b2c_1 own"]', '["1","7","t",null,"kr_a1b2c_1 own"]')],
  ],
  [
    "a text that begins alike",
    returning(withCell(1, 4, "it")),
    [differ('["2","-2147483648","false","-2.5","it\'s"]', '["2","-2147483648","f","-2.5","it"]')],
  ],
  [
    "a row less",
    returning(table.rows.slice(0, 3)),
    [differ('["9007199254740993","0","true","1000000000000000",""]', "no row")],
  ],
  ["a row more", returning([...table.rows, ["6", "6", "t", "6", "x"]]), [differ("4 rows", "5 rows")]],
  [
    "a column less",
    returning(table.rows.map((row) => row.slice(0, 4))),
    [differ('["1","7","true","0.1","kr_a1b2c_1 own"]', '["1","7","t","0.1"]')],
  ],
  [
    "a column more",
    returning(table.rows.map((row) => [...row, "x"])),
    [differ('["1","7","true","0.1","kr_a1b2c_1 own"]', '["1","7","t","0.1","kr_a1b2c_1 own","x"]')],
  ],
  [
    "foreign rows twice",
    returning([...table.rows, foreign, foreign], [...table.rows, foreign]),
    ['foreignRows: {"rows":1}'],
  ],
  [
    "foreign rows twice, in the other order",
    returning([...table.rows, foreign], [...table.rows, foreign, foreign]),
    ['foreignRows: {"rows":1}'],
  ],
  [
    "foreign rows once",
    returning([...table.rows, foreign], table.rows),
    ["unknown: of two equal queries one returned rows of another account"],
  ],
  [
    "foreign rows once, the second time",
    returning(table.rows, [...table.rows, foreign]),
    ["unknown: of two equal queries one returned rows of another account"],
  ],
  [
    "a row less once",
    returning(table.rows.slice(1), table.rows),
    ["unknown: of two equal queries one returned the rows of HTTP"],
  ],
  [
    "one answer",
    { ...sound, right: reached({ results: [table] }) },
    ["unknown: the query was answered only once at 127.0.0.1:5432"],
  ],
  [
    "one answer, the second",
    { ...sound, right: reached({ results: [{ kind: "broken", because: "reset", detail: "reset" }, table] }) },
    ["unknown: the query was answered only once at 127.0.0.1:5432"],
  ],
])("%s", ([, seen, expected]) => {
  expect(judged(postgresRowsAgree, seen)).toEqual(expected);
});

test("zero over HTTP and NULL here differ, and a long row is cut off", () => {
  const http = [["0", "0", "false", "0", "0"], ...sound.http.before.slice(1)];
  const right = (row: Cells): Seen => ({
    ...returning([row, ...table.rows.slice(1)]),
    http: { before: http, after: http },
  });
  expect(judged(postgresRowsAgree, right(["0", "0", "f", null, "0"]))).toEqual([
    differ('["0","0","false","0","0"]', '["0","0","f",null,"0"]'),
  ]);
  const long = (length: number): string => JSON.stringify(["0", "0", "f", "0", "x".repeat(length)]);
  const shown = (length: number): string[] =>
    judged(postgresRowsAgree, right(["0", "0", "f", "0", "x".repeat(length)]));
  const most = 120 - long(0).length;
  expect(shown(most)).toEqual([differ('["0","0","false","0","0"]', long(most))]);
  expect(shown(most + 1)).toEqual([differ('["0","0","false","0","0"]', `${long(most + 1).slice(0, 120)}…`)]);
});

test("of two refusals the first is named", () => {
  const results = ["42P01", "42501"].map((code) => ({ kind: "refused", code, message: "no" }) as const);
  expect(judged(postgresRowsAgree, { ...sound, named: true, right: reached({ results }) })).toEqual([
    'queryRefused: {"refusal":"42P01 no"}',
  ]);
});
