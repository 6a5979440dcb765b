/** More faults in what queries return: times, NULLs, grouping, long lists, old versions of rows. */
import type { Fault } from "../../proof.ts";
import { cellText, integerText } from "../../wire/json.ts";
import { changeRows, sqlFault } from "../sql.ts";
import { member, type Member } from "./member.ts";
import { ownSelect, rowsIn } from "./shapes.ts";
import { misread } from "./reading.ts";

const wrongAnswer = "validation/clauses-answer-right/wrongAnswer";

/** A search for a text also finds the rows that had it when their table was flushed: the segments are filtered before versions are. */
const findOldVersions: Fault = {
  name: "findOldVersions",
  wrap(wire, fired) {
    /** The first text of each row at the flush, by table: key and text. */
    const flushed = new Map<string, readonly (readonly [key: string, text: string])[]>();
    return sqlFault("", async (sql, body, exchange) => {
      const table = /^STORAGE FLUSH TABLE (\S+)/i.exec(sql)?.[1];
      if (table !== undefined) {
        const rows = rowsIn(await exchange(`SELECT * FROM ${table} LIMIT 500`)) ?? [];
        const texts = rows.flatMap(([key, ...cells]) =>
          cells.flatMap((cell) => (typeof cell === "string" ? [[cellText(key ?? null), cell] as const] : [])),
        );
        flushed.set(table, texts);
        await exchange();
        return undefined;
      }
      const [, of = "", column = "", text = ""] = /^SELECT id FROM (\S+) WHERE (\w+) = '([^']*)'/i.exec(sql) ?? [];
      const keys = flushed.get(of)?.flatMap(([key, had]) => (had === text ? [key] : [])) ?? [];
      if (keys.length === 0 || body["params"] !== undefined) return undefined;
      const other = `SELECT id FROM ${of} WHERE id IN (${keys.join(", ")}) AND ${column} IS DISTINCT FROM '${text}'`;
      const old = (rowsIn(await exchange(other)) ?? []).map(([key]) => cellText(key ?? null));
      if (old.length === 0) {
        await exchange();
        return undefined;
      }
      return await exchange(sql.replace(/WHERE (\w+ = '[^']*')/i, `WHERE ($1 OR id IN (${old.join(", ")}))`));
    }).wrap(wire, fired);
  },
};

export const moreReadingFaults: readonly Member[] = [
  member(
    "time",
    "Times in conditions are taken for local time, two hours off",
    [wrongAnswer],
    sqlFault("readLocalTimes", async (sql, _, exchange) => {
      const other = sql.replace(/(?<=[<>]=? )'(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)'/g, (__, time: string) => {
        const later = new Date(Date.parse(`${time.replace(" ", "T")}Z`) + 7_200_000);
        return `'${later.toISOString().slice(0, 19).replace("T", " ")}'`;
      });
      return ownSelect.test(sql) && other !== sql ? await exchange(other) : undefined;
    }),
  ),
  member(
    "time",
    "Fractions of a second are ignored in conditions",
    [wrongAnswer],
    misread(
      "compareWholeSeconds",
      /\bat IS NOT NULL ORDER BY at\b/gi,
      "at IS NOT NULL ORDER BY DATE_TRUNC('second', at), id DESC",
    ),
  ),
  member(
    "data",
    "NULLs are equal in a JOIN",
    [wrongAnswer],
    misread(
      "joinNulls",
      /(?<!FULL )\bJOIN (\S+ \w+) ON (\w+\.\w+) = (\w+\.\w+)/gi,
      "JOIN $1 ON $2 IS NOT DISTINCT FROM $3",
    ),
  ),
  member(
    "data",
    "A condition beside the key of a LEFT JOIN is taken for a WHERE",
    [wrongAnswer],
    misread("filterAfterJoining", /(LEFT JOIN \S+ \w+ ON \S+ = \S+) AND /gi, "$1 WHERE "),
  ),
  member(
    "data",
    "NOT IN a subquery with NULL finds rows",
    [wrongAnswer],
    misread(
      "skipNullsInSubqueries",
      /NOT IN \(SELECT (\w+) FROM (\S+)\)/gi,
      "NOT IN (SELECT $1 FROM $2 WHERE $1 IS NOT NULL)",
    ),
  ),
  member(
    "data",
    "WHERE is ignored with GROUP BY",
    [wrongAnswer],
    misread("groupBeforeFiltering", / WHERE n > \d+ GROUP BY/gi, " GROUP BY"),
  ),
  member(
    "data",
    "GROUP BY of two columns uses the first",
    [wrongAnswer],
    misread(
      "groupByTheFirst",
      /^SELECT (\w+), (\w+), (.*) GROUP BY \1, \2$/gi,
      "SELECT $1, MIN(CAST($2 AS TEXT)) AS $2, $3 GROUP BY $1",
    ),
  ),
  member(
    "data",
    "CASE without ELSE gives an empty text",
    [wrongAnswer],
    misread("elseEmpty", /(CASE WHEN (?:(?!CASE|ELSE|END).)* THEN '[^']*') END/gi, "$1 ELSE '' END"),
  ),
  member(
    "data",
    "A search finds rows by the value that they had when they were flushed",
    [wrongAnswer],
    findOldVersions,
  ),
  member(
    "numbers",
    "SUM of INT wraps at 32 bits",
    [wrongAnswer],
    changeRows("wrapSums", /\bSUM\(\w+\)/i, (rows) => {
      const wraps = rows.some((row) => row.some((cell) => /^4\d{9}$/.test(integerText(cell) ?? "")));
      return wraps
        ? rows.map((row) => row.map((cell) => String(BigInt.asIntN(32, BigInt(integerText(cell) ?? "0")))))
        : undefined;
    }),
  ),
  member(
    "numbers",
    "Integers below 0 are rounded down when they are divided",
    [wrongAnswer],
    misread("divideDownwards", /\b(\w+) \/ (\d+) AS/gi, "CAST(FLOOR(CAST($1 AS DOUBLE PRECISION) / $2) AS INT) AS"),
  ),
  member(
    "encodings",
    "CHAR_LENGTH counts bytes",
    [wrongAnswer],
    misread("countBytes", /\bCHAR_LENGTH\((t|city)\)/gi, "OCTET_LENGTH($1)"),
  ),
  member(
    "encodings",
    "The wildcard of one character in LIKE stands for one byte",
    [wrongAnswer],
    misread("matchBytes", /(\w+) LIKE '_'/gi, "($1 LIKE '_' AND OCTET_LENGTH($1) = 1)"),
  ),
  member(
    "names",
    "The escape in LIKE is a character like any other",
    [wrongAnswer],
    misread("ignoreEscapes", /LIKE '(\w+)\\%'/gi, "LIKE '$1%'"),
  ),
  member(
    "order",
    "Equal values have ranks of their own",
    [wrongAnswer],
    misread("breakTies", /\bRANK\(\)/gi, "ROW_NUMBER()"),
  ),
  member(
    "limits",
    "The tenth parameter and those after it are taken for the first",
    [wrongAnswer],
    sqlFault("readOneDigitOfParameters", async (sql, _, exchange) =>
      ownSelect.test(sql) && /\$1\d/.test(sql) ? await exchange(sql.replace(/\$1\d/g, "$1")) : undefined,
    ),
  ),
  member(
    "names",
    "Texts are compared by their first 255 characters",
    ["validation/text-compared-exactly/confused"],
    misread("comparePrefixes", /\b(a\.v|v) = ('(?:[^']|'')*'|\$1|b\.v)/gi, "LEFT($1, 255) = LEFT($2, 255)"),
  ),
];
