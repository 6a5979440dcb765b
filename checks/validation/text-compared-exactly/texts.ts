/** Texts that are alike and not equal, and the ways to compare them. */
import { quoted } from "../../vocabulary/values.ts";

/** Groups of texts that some collation takes for one; within a server of bytes all are different. */
export const texts: readonly string[] = [
  "key",
  "Key",
  "KEY",
  "key ",
  " key",
  "key\t",
  "key\n",
  "k\u00e9y",
  "ke\u0301y",
  "kéy ",
  "stra\u00dfe",
  "strasse",
  "\u0131stanbul",
  "istanbul",
  "\u0130stanbul",
  "\uff4b\uff45\uff59",
  "key\u200b",
  "1",
  "01",
  "1.0",
  "+1",
  "a_b",
  "axb",
  "a%b",
  "",
  " ",
  "null",
  "NULL",
  "true",
  "2024-01-01",
  "2024-1-1",
  "keykeykeykeykeykeykeykeykeykeykeykeykeykeykeykeykeykeykeykeykeykeykeykeykey1",
  "keykeykeykeykeykeykeykeykeykeykeykeykeykeykeykeykeykeykeykeykeykeykeykeykey2",
  // Past the lengths at which indexes cut their keys.
  ...[300, 1_200].flatMap((length) => ["1", "2"].map((end) => "key".repeat(length / 3) + end)),
];

/** Finds the rows of one text; `$1` is the text. `{t}` is the table. */
export const ways: readonly {
  readonly name: string;
  readonly sql: (table: string, text: string) => string;
  readonly param?: true;
}[] = [
  { name: "=", sql: (t, text) => `SELECT id FROM ${t} WHERE v = ${quoted(text)} ORDER BY id LIMIT 100` },
  { name: "= a parameter", sql: (t) => `SELECT id FROM ${t} WHERE v = $1 ORDER BY id LIMIT 100`, param: true },
];

/** Asks about all texts at once; each returns pairs of ids that are taken for equal. */
export const pairings: readonly { readonly name: string; readonly sql: (table: string) => string }[] = [
  {
    name: "JOIN",
    sql: (t) => `SELECT a.id AS x, b.id AS y FROM ${t} a JOIN ${t} b ON a.v = b.v WHERE a.id <> b.id LIMIT 100`,
  },
  {
    name: "GROUP BY",
    sql: (t) => `SELECT MIN(id) AS x, MAX(id) AS y FROM ${t} GROUP BY v HAVING COUNT(*) > 1 LIMIT 100`,
  },
  {
    name: "NOT <>",
    sql: (t) => `SELECT a.id AS x, b.id AS y FROM ${t} a JOIN ${t} b ON NOT (a.v <> b.v) WHERE a.id < b.id LIMIT 100`,
  },
  {
    name: "IN",
    sql: (t) =>
      `SELECT a.id AS x, a.id AS y FROM ${t} a WHERE a.id > 1 AND a.v IN (SELECT b.v FROM ${t} b WHERE b.id = 1) LIMIT 100`,
  },
];
