/** Runs of kalam --json, and what stdout must contain. */
import type { KalamOptions } from "../../../src/server/target.ts";
import { createTable } from "../../vocabulary/tables.ts";

/** Texts that break careless formatters: quotes, brackets, line breaks, escape sequences, non-ASCII characters, an empty text. */
const texts = ['say "hi"; {[,]}', "back\\slash", "two\nlines\tand a tab", "\u001b[31mred\u001b[0m", "ü€😀", ""];
/** 2^53 + 1, which a floating point number cannot hold. */
const large = "9007199254740993";

interface Case {
  readonly name: string;
  readonly args: (ns: string) => readonly string[];
  readonly options?: KalamOptions;
  /** The number of documents on success. */
  readonly documents: number;
  readonly exitCode: number;
  /** The first row of the first document. */
  readonly cells?: readonly string[];
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const query = (sql: string): readonly string[] => ["--json", "-c", sql];

export const cases: readonly Case[] = [
  {
    name: "rows",
    args: () => query("SELECT 1 AS one, NULL AS nothing, TRUE AS yes"),
    documents: 1,
    exitCode: 0,
    cells: ["1", "", "true"],
  },
  {
    name: "odd texts",
    args: () => query(`SELECT ${texts.map((text, at) => `${quoted(text)} AS t${at}`).join(", ")}`),
    documents: 1,
    exitCode: 0,
    cells: texts,
  },
  {
    name: "a large number",
    args: () => query(`SELECT CAST(${large} AS BIGINT) AS n`),
    documents: 1,
    exitCode: 0,
    cells: [large],
  },
  {
    name: "no rows",
    args: (ns) => query(`SELECT id, v FROM ${ns}.t WHERE id < 0 LIMIT 10`),
    documents: 1,
    exitCode: 0,
  },
  { name: "a write", args: (ns) => query(`INSERT INTO ${ns}.t (id, v) VALUES (1, 'x')`), documents: 1, exitCode: 0 },
  {
    name: "a definition",
    args: (ns) => query(createTable(`${ns}.made`, { columns: "id BIGINT PRIMARY KEY" })),
    documents: 1,
    exitCode: 0,
  },
  { name: "a batch", args: () => query("SELECT 1 AS a; SELECT 2 AS b"), documents: 1, exitCode: 0, cells: ["1"] },
  { name: "\\d", args: (ns) => query(`\\d ${ns}.t`), documents: 1, exitCode: 0 },
  { name: "an error", args: (ns) => query(`SELECT * FROM ${ns}.absent`), documents: 0, exitCode: 1 },
  {
    name: "a file",
    args: () => ["--json", "-f", "script.sql"],
    options: { files: { "script.sql": "SELECT 1 AS a;\nSELECT 2 AS b;\nSELECT 3 AS c;\n" }, statements: 3 },
    documents: 3,
    exitCode: 0,
    cells: ["1"],
  },
  {
    name: "without --no-color",
    args: () => query("SELECT 1 AS one"),
    options: { mayColor: true },
    documents: 1,
    exitCode: 0,
    cells: ["1"],
  },
];
