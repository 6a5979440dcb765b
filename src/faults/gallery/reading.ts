/** Faults in what queries return: age, order, limits, numbers, names and encodings. */
import { changeRows, errorBody, sendInstead, sqlFault, type Said } from "../sql.ts";
import type { Fault } from "../../proof.ts";
import { cellText, isExact, writeExact, type Json } from "../../wire/json.ts";
import { member, type Member } from "./member.ts";
import { mapTexts, ownSelect, rowsIn, type Cells } from "./shapes.ts";

/** A repeated SELECT gets the answer that it had the last time, like from a replica that lags. */
const answerFromALaggingReplica: Fault = {
  name: "answerFromALaggingReplica",
  wrap(wire, fired) {
    const previous = new Map<string, Said>();
    return sqlFault("", async (sql, body, exchange) => {
      if (!ownSelect.test(sql)) return undefined;
      const key = writeExact(body);
      const said = await exchange();
      const old = previous.get(key);
      if (said !== undefined) previous.set(key, said);
      return old !== undefined && JSON.stringify(rowsIn(old)) !== JSON.stringify(rowsIn(said)) ? old : undefined;
    }).wrap(wire, fired);
  },
};

/** Answers are kept for a while, by the text of the query. */
const keepAnswersForASecond: Fault = {
  name: "keepAnswersForASecond",
  wrap(wire, fired) {
    const kept = new Map<string, { readonly at: number; readonly said: Said }>();
    return sqlFault("", async (sql, body, exchange) => {
      if (!ownSelect.test(sql)) return undefined;
      const key = writeExact(body);
      const old = kept.get(key);
      if (old !== undefined && performance.now() - old.at < 250) return old.said;
      const said = await exchange();
      if (said !== undefined) kept.set(key, { at: performance.now(), said });
      return undefined;
    }).wrap(wire, fired);
  },
};

/** Sends what the pattern matches changed, wherever it stands in a query of rows. */
export function misread(name: string, pattern: RegExp, replacement: string): Fault {
  return sqlFault(name, async (sql, _, exchange) => {
    const other = sql.replace(pattern, replacement);
    return /^\s*(SELECT|WITH)\b/i.test(sql) && other !== sql ? await exchange(other) : undefined;
  });
}

/** Changes cells of own rows; a query that none of them changes counts as untouched. */
function changeCells(name: string, change: (cell: Json) => Json, pattern: RegExp = ownSelect): Fault {
  return changeRows(name, pattern, (rows) => {
    const changed: Cells = rows.map((row) => row.map(change));
    return writeExact(changed) === writeExact(rows) ? undefined : changed;
  });
}

const wrongAnswer = "validation/clauses-answer-right/wrongAnswer";
const asNumber = (cell: Json): number | undefined =>
  typeof cell === "number" ? cell : isExact(cell) ? Number(cellText(cell)) : undefined;

export const readingFaults: readonly Member[] = [
  member(
    "time",
    "A repeated SELECT is answered with the previous result",
    ["validation/reads-are-fresh/stale"],
    answerFromALaggingReplica,
  ),
  member(
    "time",
    "Answers are cached for a quarter of a second",
    ["validation/reads-are-fresh/stale"],
    keepAnswersForASecond,
  ),
  member(
    "time",
    "NOW() is an hour ahead",
    ["configuration/clock-in-step/clockOff"],
    changeRows("anHourAhead", /\b(NOW\(\)|CURRENT_TIMESTAMP)/i, (rows) =>
      rows.map((row) =>
        row.map((cell) => {
          const digits = cellText(cell);
          const hour = 3_600n * 10n ** BigInt(Math.max(0, digits.length - 10));
          if (!/^\d{13,}$/.test(digits)) return cell;
          const later = String(BigInt(digits) + hour);
          return typeof cell === "string" ? later : { exact: later };
        }),
      ),
    ),
  ),
  member(
    "order",
    "ORDER BY … DESC sorts ascending",
    [wrongAnswer, "cli/long-result-complete/unordered"],
    misread("ignoreDesc", /\bDESC\b/gi, "ASC"),
  ),
  member(
    "order",
    "ORDER BY is ignored with LIMIT",
    [wrongAnswer, "cli/long-result-complete/unordered"],
    changeRows("ignoreOrderWithLimit", /\bORDER BY [\s\S]*\bLIMIT \d+$/i, (rows) =>
      rows.length > 1 ? rows.toReversed() : undefined,
    ),
  ),
  member("order", "NULLS FIRST puts them last", [wrongAnswer], misread("nullsLast", /NULLS FIRST/gi, "NULLS LAST")),
  member("limits", "OFFSET is ignored", [wrongAnswer], misread("ignoreOffset", /\s+OFFSET \d+/gi, "")),
  member(
    "limits",
    "LIMIT returns one row more",
    [wrongAnswer],
    sqlFault("oneMoreThanTheLimit", async (sql, _, exchange) =>
      ownSelect.test(sql) && /\bLIMIT [1-9]\d*\b/.test(sql)
        ? await exchange(sql.replace(/\bLIMIT (\d+)\b/g, (__, n: string) => `LIMIT ${Number(n) + 1}`))
        : undefined,
    ),
  ),
  member(
    "limits",
    "No answer has more than 40 rows, and none says so",
    ["cli/long-result-complete/missing"],
    changeRows("cutAtForty", ownSelect, (rows) => (rows.length > 40 ? rows.slice(0, 40) : undefined)),
  ),
  member(
    "limits",
    "Long texts are cut at 60 characters",
    [
      "validation/types-round-trip/changed",
      "cli/long-result-complete/changed",
      "validation/injection-stays-data/changed",
    ],
    changeCells("cutLongTexts", (cell) =>
      typeof cell === "string" && /[^]{61}/.test(cell) ? cell.replace(/^([^]{60})[^]*$/, "$1") : cell,
    ),
  ),
  member(
    "limits",
    "One row in fifty is returned twice",
    ["cli/long-result-complete/doubled"],
    changeRows("returnOneRowTwice", ownSelect, (rows) =>
      rows.length >= 50 ? [...rows.slice(0, 7), ...rows.slice(6)] : undefined,
    ),
  ),
  member(
    "numbers",
    "Integers of 64 bits are rounded like doubles",
    [wrongAnswer, "validation/types-round-trip/lostDigits", "validation/types-round-trip/changed"],
    changeCells("roundLargeIntegers", (cell) => {
      const digits = cellText(cell);
      const isLarge = /^-?\d{16,19}$/.test(digits) && typeof cell === "string";
      return isLarge ? String(BigInt(Number(digits))) : cell;
    }),
  ),
  member(
    "numbers",
    "Fractions are cut off",
    [wrongAnswer, "validation/types-round-trip/changed", "validation/types-round-trip/lostDigits"],
    changeCells("cutFractions", (cell) => {
      const number = asNumber(cell);
      return number === undefined || Number.isInteger(number) ? cell : Math.trunc(number);
    }),
  ),
  member(
    "numbers",
    "AVG counts NULL as 0",
    [wrongAnswer],
    misread("averageNulls", /AVG\((\w+)\)/gi, "AVG(COALESCE($1, 0))"),
  ),
  member(
    "numbers",
    "SUM of nothing is 0",
    [wrongAnswer, "cli/empty-result-described/wrong"],
    changeRows("sumNothingToZero", /\bSUM\(/i, (rows) =>
      rows.length === 1 && rows[0]?.includes(null) === true
        ? rows.map((row) => row.map((cell) => cell ?? "0"))
        : undefined,
    ),
  ),
  member(
    "numbers",
    "Less than is taken for less than or equal",
    [wrongAnswer],
    misread("lessOrEqual", /(\b[a-z]\w*) < (-?\d)/gi, "$1 <= $2"),
  ),
  member(
    "numbers",
    "BETWEEN leaves out its upper end",
    [wrongAnswer],
    misread("openBetween", /(\w+) BETWEEN (-?\d+) AND (-?\d+)/gi, "$1 >= $2 AND $1 < $3"),
  ),
  member(
    "data",
    "NOT is ignored",
    [wrongAnswer, "validation/predicates-partition-rows/partitionBroken"],
    misread("ignoreNot", /\bNOT \(/gi, "("),
  ),
  member("data", "NOT IN a list with NULL finds rows", [wrongAnswer], misread("ignoreNullInLists", /, NULL\)/gi, ")")),
  member(
    "data",
    "IS NULL finds empty texts and 0, too",
    [wrongAnswer, "validation/predicates-partition-rows/partitionBroken"],
    misread("zeroIsNull", /\b(\w+) IS NULL\b/gi, "COALESCE(CAST($1 AS TEXT), '') IN ('', '0')"),
  ),
  member("data", "DISTINCT is ignored", [wrongAnswer], misread("ignoreDistinct", /SELECT DISTINCT\b/gi, "SELECT")),
  member("data", "UNION keeps duplicates", [wrongAnswer], misread("keepDuplicates", /\bUNION (?!ALL)/gi, "UNION ALL ")),
  member(
    "data",
    "A LEFT JOIN drops rows without a partner",
    [wrongAnswer],
    misread("innerInsteadOfLeft", /\bLEFT JOIN\b/gi, "JOIN"),
  ),
  member("data", "HAVING is ignored", [wrongAnswer], misread("ignoreHaving", /\bHAVING SUM\(\w+\) > \d+/gi, "")),
  member(
    "data",
    "An aggregate over no rows returns no row",
    [wrongAnswer, "cli/empty-result-described/wrong"],
    changeRows("noRowForNothing", /^SELECT [^,]*\b(COUNT|SUM|MAX|MIN)\(/i, (rows) =>
      rows.length === 1 && rows[0]?.every((cell) => cell === null || cellText(cell) === "0") === true ? [] : undefined,
    ),
  ),
  member(
    "names",
    "Texts are compared without regard to case",
    ["validation/text-compared-exactly/confused"],
    misread(
      "ignoreCase",
      /\b([a-z]\w*(?:\.\w+)?) = ('(?:[^']|'')*'|\$\d)/gi,
      "LOWER(CAST($1 AS TEXT)) = LOWER(CAST($2 AS TEXT))",
    ),
  ),
  member(
    "names",
    "Spaces at the ends of a searched text are ignored",
    ["validation/text-compared-exactly/confused", "validation/text-compared-exactly/notFound"],
    sqlFault("trimWhatIsSearched", async (sql, body, exchange) => {
      const trimmed = sql.replace(/= '((?:[^']|'')*)'/g, (_, text: string) => `= '${text.trim()}'`);
      return /^SELECT/i.test(sql) && trimmed !== sql && body["params"] === undefined
        ? await exchange(trimmed)
        : undefined;
    }),
  ),
  member(
    "names",
    "A text key is compared without regard to case when it is inserted",
    ["validation/text-compared-exactly/keysConfused"],
    confuseKeys(),
  ),
  member(
    "names",
    "Names of result columns are folded to lower case",
    ["validation/injection-stays-data/changed"],
    sqlFault("foldColumnNames", async (_, __, exchange) => {
      const said = await exchange();
      if (said === undefined || rowsIn(said) === undefined) return undefined;
      const text = writeExact(said.body);
      const folded = text.replace(
        /"name":"((?:[^"\\]|\\.)*)"/g,
        (_all, name: string) => `"name":"${name.toLowerCase()}"`,
      );
      return folded === text ? undefined : { ...said, body: folded };
    }),
  ),
  member(
    "encodings",
    "UTF-8 is read as Latin-1",
    ["validation/types-round-trip/changed", "validation/injection-stays-data/changed"],
    changeCells("readAsLatin1", (cell) => mapTexts(cell, (text) => Buffer.from(text, "utf8").toString("latin1"))),
  ),
  member(
    "encodings",
    "Texts are returned in composed form (NFC)",
    ["validation/types-round-trip/changed"],
    changeCells("composeTexts", (cell) => mapTexts(cell, (text) => text.normalize("NFC"))),
  ),
  member(
    "encodings",
    "Backslashes are doubled when a text is read",
    ["validation/injection-stays-data/changed", "validation/types-round-trip/changed"],
    changeCells("doubleBackslashes", (cell) => mapTexts(cell, (text) => text.replaceAll("\\", "\\\\"))),
  ),
  member(
    "encodings",
    "An empty text is returned as NULL",
    ["validation/types-round-trip/changed"],
    changeCells("emptyTextIsNull", (cell) => (cell === "" ? null : cell)),
  ),
  member(
    "data",
    "COALESCE returns its last value",
    [wrongAnswer],
    sendInstead("coalesceToTheLast", /^SELECT COALESCE\(\w+, '[^']*'\)/i, (sql) =>
      sql.replace(/COALESCE\(\w+, ('[^']*')\)/i, "$1"),
    ),
  ),
];

/** A key that differs from an earlier one of its table only in case is refused as a duplicate. */
function confuseKeys(): Fault {
  return {
    name: "foldKeys",
    wrap(wire, fired) {
      const known = new Map<string, Set<string>>();
      return sqlFault("", (sql, body) => {
        const table = /^INSERT INTO (\S+) /i.exec(sql)?.[1];
        const [key] = (body["params"] ?? []) as readonly Json[];
        if (table === undefined || typeof key !== "string") return undefined;
        const keys = known.get(table) ?? new Set();
        const isFolded = !keys.has(key) && [...keys].some((one) => one.toLowerCase() === key.toLowerCase());
        known.set(table, keys.add(key));
        const message = "Statement 1 failed: Already exists: Primary key violation";
        return isFolded ? Promise.resolve({ status: 400, body: errorBody("SQL_EXECUTION_ERROR", message) }) : undefined;
      }).wrap(wire, fired);
    },
  };
}
