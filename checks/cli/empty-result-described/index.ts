import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import type { Json } from "../../../src/wire/json.ts";
import { outcomeOf } from "../../../src/server/target.ts";

const table = "(id BIGINT PRIMARY KEY, v TEXT, n INT, b BOOLEAN, at TIMESTAMP, m DECIMAL(10, 2))";

/** Asked while the table is empty, and again when it holds a row: names and types must be the same both times. */
const queries: readonly {
  readonly name: string;
  readonly sql: (t: string) => string;
  readonly wanted: readonly (readonly Json[])[];
}[] = [
  {
    name: "named columns",
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
  /** Null where the answer was no success. */
  readonly columns: readonly (readonly [name: string, type: Json])[] | null;
  readonly rows: readonly (readonly Json[])[];
  readonly rowCount: number | null;
  readonly outcome: string;
  readonly exchange: number;
};
type Pair = { readonly query: string; readonly empty: Asked; readonly filled: Asked };

export const emptyResultDescribed = defineCheck({
  id: "cli/empty-result-described",
  title: "A result without rows has its columns all the same",
  failureTitle: "A result without rows lacks columns, or has wrong figures",
  description: `Asks an empty table ${queries.length} queries: columns by name, all of them, expressions, groups, a join, and figures. Each answer must have the columns and types that it has when a row is there, no rows and a count of 0; a count must be 0, a sum, a least, a greatest and an average NULL.`,
  blindTo:
    "It asks one table without rows; tables that were emptied, or whose rows lie in cold storage, are not looked at.",
  risk: "A script breaks on the first day that has no data, or takes nothing for zero.",
  remedy: "Look at row_count before taking the first row, and do not rely on the columns of an empty result.",
  covers: ["CLI-08"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 600,
  estimateRequests: queries.length * 2 + 3,
  findings: {
    noSchema: {
      say: (d: { query: string; empty: string; filled: string }) =>
        `${d.query}: without rows the columns are ${d.empty}, with a row ${d.filled}`,
    },
    wrong: {
      say: (d: { query: string; wanted: string; got: string }) => `${d.query}: wanted ${d.wanted}, and got ${d.got}`,
    },
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    const t = `${scratch}.t`;
    const made = await target.sql(op, `CREATE TABLE ${t} ${table} WITH (TYPE='SHARED')`);
    const ask = async (sql: string): Promise<Asked> => {
      const answer = await target.sql(op, sql);
      const [result] = answer.kind === "ok" ? answer.results : [];
      return {
        columns: answer.kind === "ok" ? (result?.columns ?? []).map(({ name, type }) => [name, type] as const) : null,
        rows: result?.rows ?? [],
        rowCount: result?.rowCount ?? null,
        outcome: outcomeOf(answer),
        exchange: answer.exchange,
      };
    };
    const empty: Asked[] = [];
    for (const { sql } of queries) empty.push(await ask(sql(t)));
    const insert = await target.sql(
      op,
      `INSERT INTO ${t} (id, v, n, b, at, m) VALUES (1, 'x', 7, TRUE, '2026-01-02T03:04:05Z', 1.25)`,
    );
    const pairs: Pair[] = [];
    for (const [at, { name, sql }] of queries.entries()) {
      const before = empty[at];
      if (before !== undefined) pairs.push({ query: name, empty: before, filled: await ask(sql(t)) });
    }
    return { made: outcomeOf(made), filled: insert.kind === "ok", pairs };
  },
  judge({ made, filled, pairs }) {
    const found = pairs.flatMap(({ query, empty, filled: full }) => {
      const wanted = queries.find((one) => one.name === query)?.wanted;
      if (wanted === undefined || empty.columns === null || full.columns === null) return [];
      const about = { case: query, sent: [empty.exchange] };
      const [without, having] = [JSON.stringify(empty.columns), JSON.stringify(full.columns)];
      const right = JSON.stringify({ rows: wanted, row_count: wanted.length });
      const got = JSON.stringify({ rows: empty.rows.map((row) => row.map(figure)), row_count: empty.rowCount });
      return [
        ...(without === having
          ? []
          : [{ name: "noSchema" as const, data: { query, empty: without, filled: having }, ...about }]),
        ...(without !== having || got === right
          ? []
          : [{ name: "wrong" as const, data: { query, wanted: right, got }, ...about }]),
      ];
    });
    if (found.length > 0) return fail(...found);
    const broken = pairs.flatMap(({ query, empty, filled: full }) =>
      [empty, full].filter((one) => one.columns === null).map((one) => `${query}: ${one.outcome}`),
    );
    if (broken[0] !== undefined) return unknown(broken[0]);
    if (
      !filled ||
      pairs.length < queries.length ||
      pairs.some((one) => one.filled.rows.length !== 1 || one.filled.columns?.length === 0)
    )
      return unknown(`there was nothing to compare with: the table of one row could not be asked (${made})`);
    return pass(
      `${pairs.length} of ${pairs.length} queries of an empty table have the names and types they have with a row, and the right figures`,
    );
  },
});

/** A count is a text where it is a 64-bit integer, and may be a number. */
function figure(cell: Json): Json {
  return cell === 0 ? "0" : cell;
}
