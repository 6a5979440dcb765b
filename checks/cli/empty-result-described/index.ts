import { defineCheck, pass, unknown } from "../../../src/check.ts";
import type { Json } from "../../../src/wire/json.ts";
import { outcomeOf } from "../../../src/server/target.ts";
import { makeTable } from "../../vocabulary/tables.ts";

/** Of six types, each of which must have a name of its own. */
const namedColumns = "named columns";

/** Sent while the table is empty and again when it has a row: names and types must be the same both times. */
const queries: readonly {
  readonly name: string;
  readonly sql: (t: string) => string;
  readonly wanted: readonly (readonly Json[])[];
}[] = [
  {
    name: namedColumns,
    sql: (t) => `SELECT id, v, n, b, at, m FROM ${t} WHERE id > 0 ORDER BY id LIMIT 10`,
    wanted: [],
  },
  { name: "all columns", sql: (t) => `SELECT * FROM ${t} LIMIT 10`, wanted: [] },
  { name: "expressions", sql: (t) => `SELECT n + 1 AS more, v AS renamed FROM ${t} LIMIT 10`, wanted: [] },
  { name: "groups", sql: (t) => `SELECT v, COUNT(*) AS c FROM ${t} GROUP BY v ORDER BY v LIMIT 10`, wanted: [] },
  { name: "a join", sql: (t) => `SELECT a.id, b.v FROM ${t} a JOIN ${t} b ON a.id = b.id LIMIT 10`, wanted: [] },
  { name: "a count", sql: (t) => `SELECT COUNT(*) AS c FROM ${t}`, wanted: [["0"]] },
  { name: "a sum", sql: (t) => `SELECT SUM(n) AS s FROM ${t}`, wanted: [[null]] },
  {
    name: "least, greatest and average",
    sql: (t) => `SELECT MIN(n) AS a, MAX(n) AS b, AVG(n) AS c FROM ${t}`,
    wanted: [[null, null, null]],
  },
];

type Asked = {
  /** Null where the query failed. */
  readonly columns: readonly (readonly [name: string, type: Json])[] | null;
  readonly rows: readonly (readonly Json[])[];
  readonly rowCount: number | null;
  readonly outcome: string;
  readonly exchange: number;
};
type Pair = { readonly query: string; readonly empty: Asked; readonly filled: Asked };

export const emptyResultDescribed = defineCheck({
  id: "cli/empty-result-described",
  title: "Empty results still describe their columns",
  failureTitle: "An empty result lacks columns or has wrong aggregates",
  description: `Sends ${queries.length} queries to an empty table: named columns, all columns, expressions, groups, a join, and aggregates. Each result must have the same columns and types as when the table has a row, no rows and a row_count of 0; the six columns of different types must be told apart; COUNT must be 0, and SUM, MIN, MAX and AVG must be NULL.`,
  blindTo: "It queries one table that never had rows; emptied tables and tables in cold storage are not covered.",
  risk: "A script breaks on the first day without data, or takes NULL for zero.",
  remedy: "Check row_count before reading the first row, and do not rely on the columns of an empty result.",
  covers: ["CLI-08"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 600,
  estimateRequests: queries.length * 2 + 3,
  findings: {
    noSchema: {
      say: (d: { query: string; empty: string; filled: string }) =>
        `${d.query}: the columns are ${d.empty} without rows, and ${d.filled} with a row`,
    },
    typeConfused: {
      say: (d: { one: string; other: string; type: string }) =>
        `${d.one} and ${d.other} are columns of different types, and both are told as ${d.type}`,
      risk: "A client decodes values by the wrong type: large keys lose digits, and numbers become texts.",
      remedy: "Take the types of columns from the statement that made the table, not from answers.",
    },
    wrong: {
      say: (d: { query: string; wanted: string; got: string }) => `${d.query}: expected ${d.wanted}, got ${d.got}`,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const table = await makeTable(target, context, op, `${context.scratch}.t`, {
      type: "SHARED",
      columns: "id BIGINT PRIMARY KEY, v TEXT, n INT, b BOOLEAN, at TIMESTAMP, m DECIMAL(10, 2)",
    });
    const ask = async (sql: (t: string) => string): Promise<Asked> => {
      const answer = await target.sql(op, sql(table));
      const [result] = answer.kind === "ok" ? answer.results : [];
      return {
        columns: answer.kind === "ok" ? (result?.columns ?? []).map(({ name, type }) => [name, type] as const) : null,
        rows: result?.rows ?? [],
        rowCount: result?.rowCount ?? null,
        outcome: outcomeOf(answer),
        exchange: answer.exchange,
      };
    };
    const asked = [];
    for (const { name: query, sql } of queries) asked.push({ query, sql, empty: await ask(sql) });
    const insert = await target.sql(
      op,
      `INSERT INTO ${table} (id, v, n, b, at, m) VALUES (1, 'x', 7, TRUE, '2026-01-02T03:04:05Z', 1.25)`,
    );
    const pairs: Pair[] = [];
    for (const { query, sql, empty } of asked) pairs.push({ query, empty, filled: await ask(sql) });
    return { filled: insert.kind === "ok", pairs };
  },
  judge({ filled, pairs }, { found }) {
    for (const { query, empty, filled: full } of pairs) {
      const wanted = queries.find((one) => one.name === query)?.wanted;
      if (wanted === undefined || empty.columns === null || full.columns === null) continue;
      const shown = { case: query, sent: empty };
      if (query === namedColumns)
        for (const pair of confusedIn(full.columns)) found.typeConfused(pair, { case: pair.one, sent: full });
      const [without, having] = [JSON.stringify(empty.columns), JSON.stringify(full.columns)];
      const right = JSON.stringify({ rows: wanted, row_count: wanted.length });
      const got = JSON.stringify({ rows: empty.rows.map((row) => row.map(normalized)), row_count: empty.rowCount });
      if (without !== having) found.noSchema({ query, empty: without, filled: having }, shown);
      else if (got !== right) found.wrong({ query, wanted: right, got }, shown);
    }
    for (const { query, empty, filled: full } of pairs) {
      const failed = [empty, full].find((one) => one.columns === null);
      if (failed !== undefined) return unknown(`${query}: ${failed.outcome}`);
    }
    const comparable = pairs.every((one) => one.filled.rows.length === 1 && one.filled.columns?.length !== 0);
    if (!filled || pairs.length < queries.length || !comparable)
      return unknown("there was nothing to compare with: the row could not be written or read back");
    return pass(
      `${pairs.length} of ${pairs.length} queries have the same names and types without rows as with a row, and correct aggregates`,
    );
  },
});

/** Two columns that are told to have one type; what a type is called is left to the server. */
function confusedIn(columns: NonNullable<Asked["columns"]>): { one: string; other: string; type: string }[] {
  return columns.flatMap(([one, type], at) =>
    columns
      .slice(at + 1)
      .filter(([, otherType]) => type !== null && JSON.stringify(otherType) === JSON.stringify(type))
      .map(([other]) => ({ one, other, type: JSON.stringify(type) })),
  );
}

/** A COUNT is a 64-bit integer, which may come as a string or as a number. */
function normalized(cell: Json): Json {
  return cell === 0 ? "0" : cell;
}
