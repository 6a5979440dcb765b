import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { outcomeOf, rowsOf } from "../../../src/server/target.ts";
import { makeTable } from "../../vocabulary/tables.ts";

const rows = 120;
/** Rows per INSERT. */
const chunk = 40;
/** More than the 50 rows that a server returns by default: in each direction, and in no order. */
const queries: readonly { readonly name: string; readonly tail: string; readonly ordered: "up" | "down" | null }[] = [
  { name: "as many as there are", tail: `ORDER BY id LIMIT ${rows}`, ordered: "up" },
  { name: "from the end", tail: `ORDER BY id DESC LIMIT ${rows}`, ordered: "down" },
  { name: "more than there are", tail: `LIMIT ${rows * 2}`, ordered: null },
];

type Asked = {
  readonly query: string;
  /** Null where the query failed. */
  readonly ids: readonly number[] | null;
  /** Ids whose text is not what was written. */
  readonly changed: readonly number[];
  readonly outcome: string;
  readonly exchange: number;
};

export const longResultComplete = defineCheck({
  id: "cli/long-result-complete",
  title: `A result of ${rows} rows is complete and in order`,
  failureTitle: `A result of ${rows} rows is incomplete or out of order`,
  description: `Writes ${rows} rows and reads them with a LIMIT of ${rows}, ascending and descending, and with a LIMIT of ${rows * 2} without ORDER BY. Each row must come exactly once, with its text, in the requested order.`,
  blindTo: "Longer results, and queries without LIMIT, are left to the category backpressure.",
  risk: "An export lacks rows, or a list of the newest rows does not start with the newest, without any error.",
  remedy: "Compare the number of rows with COUNT(*), page by key, and sort again on the client.",
  covers: ["CLI-09"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 400,
  estimateRequests: 2 + rows / chunk + queries.length,
  findings: {
    missing: {
      say: (d: { query: string; missing: number; first: number }) =>
        `${d.query}: ${d.missing} of ${rows} rows are missing, the first of them ${d.first}`,
    },
    doubled: {
      say: (d: { query: string; ids: readonly number[] }) =>
        `${d.query}: returned more than once, or never written: ${d.ids.join(", ")}`,
      risk: "An export contains rows twice, or rows that never existed, without any error.",
    },
    unordered: {
      say: (d: { query: string; before: number; after: number }) => `${d.query}: ${d.before} came before ${d.after}`,
      risk: "A list of the newest rows does not start with the newest, and paging by the last row skips rows.",
      remedy: "Sort again on the client.",
    },
    changed: {
      say: (d: { query: string; ids: readonly number[] }) =>
        `${d.query}: the text is not what was written: ${d.ids.join(", ")}`,
      risk: "An export contains wrong values, without any error.",
      remedy: "Read the affected rows again by key, and compare.",
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const table = await makeTable(target, context, op, `${context.scratch}.t`, {
      type: "SHARED",
      columns: "id BIGINT PRIMARY KEY, v TEXT",
    });
    for (let from = 1; from <= rows; from += chunk) {
      const values = Array.from({ length: chunk }, (_, at) => `(${from + at}, '${textOf(from + at)}')`);
      const insert = `INSERT INTO ${table} (id, v) VALUES ${values.join(", ")}`;
      context.need(await target.sql(op, insert), "the rows could not be written");
    }
    const asked: Asked[] = [];
    for (const { name: query, tail } of queries) {
      const answer = await target.sql(op, `SELECT id, v FROM ${table} ${tail}`);
      const came = rowsOf(answer)?.map((row) => ({ id: Number(row["id"]), v: row["v"] }));
      const changed = came?.filter(({ id, v }) => v !== textOf(id)).map(({ id }) => id) ?? [];
      asked.push({
        query,
        ids: came?.map(({ id }) => id) ?? null,
        changed: changed.slice(0, 10),
        outcome: outcomeOf(answer),
        exchange: answer.exchange,
      });
    }
    return { asked };
  },
  judge({ asked }, { found }) {
    for (const one of asked) {
      const { query, ids, changed } = one;
      if (ids === null) continue;
      const shown = { case: query, sent: one };
      const came = new Set(ids);
      const missing = Array.from({ length: rows }, (_, at) => at + 1).filter((id) => !came.has(id));
      if (missing[0] !== undefined) found.missing({ query, missing: missing.length, first: missing[0] }, shown);
      const extra = ids.filter((id, at) => ids.indexOf(id) !== at || !(id >= 1 && id <= rows));
      if (extra.length > 0) found.doubled({ query, ids: extra.slice(0, 10) }, shown);
      const ordered = queries.find(({ name }) => name === query)?.ordered ?? null;
      const isMisplaced = (id: number, at: number): boolean => {
        const before = ids[at - 1];
        return before !== undefined && (ordered === "up" ? before > id : before < id);
      };
      const at = ordered === null ? -1 : ids.findIndex(isMisplaced);
      if (at !== -1) found.unordered({ query, before: ids[at - 1] ?? 0, after: ids[at] ?? 0 }, shown);
      if (changed.length > 0) found.changed({ query, ids: changed }, shown);
    }
    const unread = asked.find((one) => one.ids === null);
    if (unread !== undefined) return unknown(`${unread.query}: ${unread.outcome}`);
    if (asked.length < queries.length) return unknown(`only ${asked.length} of ${queries.length} queries were sent`);
    return pass(`${asked.length} of ${asked.length} results of ${rows} rows are complete, in order and unchanged`);
  },
});

function textOf(id: number): string {
  return `row ${id} of ${rows}`;
}
