import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { outcomeOf, rowsOf, type Answer } from "../../../src/server/target.ts";

const rows = 120;
/** Rows that one INSERT brings. */
const chunk = 40;
/** More than the 50 that a server gives to those who do not ask for more, in each direction and in no order at all. */
const queries: readonly { readonly name: string; readonly tail: string; readonly ordered: "up" | "down" | null }[] = [
  { name: "as many as there are", tail: `ORDER BY id LIMIT ${rows}`, ordered: "up" },
  { name: "from the end", tail: `ORDER BY id DESC LIMIT ${rows}`, ordered: "down" },
  { name: "more than there are", tail: `LIMIT ${rows * 2}`, ordered: null },
];

type Asked = {
  readonly query: string;
  /** Null where the answer was no success. */
  readonly ids: readonly number[] | null;
  /** Ids whose text is not the one that was written. */
  readonly changed: readonly number[];
  readonly outcome: string;
  readonly exchange: number;
};

export const longResultComplete = defineCheck({
  id: "cli/long-result-complete",
  title: `A result of ${rows} rows comes whole and in order`,
  failureTitle: `A result of ${rows} rows is not whole or not in order`,
  description: `Writes ${rows} rows and asks for them with a LIMIT of ${rows}, once from each end, and with a LIMIT of ${rows * 2} in no order. Each row must come once, with its text, in the order that was asked for.`,
  blindTo: "Longer results, and those without LIMIT, are for backpressure/large-result-whole and truncation-visible.",
  risk: "An export lacks rows, or a list of the newest does not begin with the newest, and nobody is told.",
  remedy: "Compare the number of rows with COUNT(*), page by key, and sort again what comes.",
  covers: ["CLI-09"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 400,
  estimateRequests: 2 + rows / chunk + queries.length,
  findings: {
    missing: {
      say: (d: { query: string; missing: number; first: number }) =>
        `${d.query}: ${d.missing} of ${rows} rows did not come, the first of them ${d.first}`,
    },
    doubled: {
      say: (d: { query: string; ids: readonly number[] }) =>
        `${d.query}: came more than once, or was never written: ${d.ids.join(", ")}`,
    },
    unordered: {
      say: (d: { query: string; before: number; after: number }) => `${d.query}: ${d.before} came before ${d.after}`,
    },
    changed: {
      say: (d: { query: string; ids: readonly number[] }) =>
        `${d.query}: came with another text than was written: ${d.ids.join(", ")}`,
    },
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    const table = `${scratch}.t`;
    await target.sql(op, `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='SHARED')`);
    let refused: Answer | undefined;
    for (let from = 1; from <= rows; from += chunk) {
      const values = Array.from({ length: chunk }, (_, at) => `(${from + at}, '${textOf(from + at)}')`);
      const answer = await target.sql(op, `INSERT INTO ${table} (id, v) VALUES ${values.join(", ")}`);
      if (answer.kind !== "ok") refused ??= answer;
    }
    const asked: Asked[] = [];
    for (const { name, tail } of queries) {
      const answer = await target.sql(op, `SELECT id, v FROM ${table} ${tail}`);
      const came = rowsOf(answer);
      asked.push({
        query: name,
        ids: came?.map((row) => Number(row["id"])) ?? null,
        changed: (came ?? [])
          .filter((row) => row["v"] !== textOf(Number(row["id"])))
          .map((row) => Number(row["id"]))
          .slice(0, 10),
        outcome: outcomeOf(answer),
        exchange: answer.exchange,
      });
    }
    return { refused: refused === undefined ? null : outcomeOf(refused), asked };
  },
  judge({ refused, asked }) {
    // What was not acknowledged obliges to nothing.
    if (refused !== null) return unknown(`the rows could not be written: ${refused}`);
    const found = asked.flatMap(({ query, ids, changed, exchange }) => {
      if (ids === null) return [];
      const about = { case: query, sent: [exchange] };
      const came = new Set(ids);
      const missing = Array.from({ length: rows }, (_, at) => at + 1).filter((id) => !came.has(id));
      const extra = ids.filter((id, at) => ids.indexOf(id) !== at || !(id >= 1 && id <= rows));
      const ordered = queries.find((one) => one.name === query)?.ordered ?? null;
      const at = ids.findIndex(
        (id, i) => i > 0 && (ordered === "up" ? (ids[i - 1] ?? 0) > id : (ids[i - 1] ?? 0) < id),
      );
      return [
        ...(missing[0] === undefined
          ? []
          : [{ name: "missing" as const, data: { query, missing: missing.length, first: missing[0] }, ...about }]),
        ...(extra.length === 0
          ? []
          : [{ name: "doubled" as const, data: { query, ids: extra.slice(0, 10) }, ...about }]),
        ...(ordered === null || at === -1
          ? []
          : [{ name: "unordered" as const, data: { query, before: ids[at - 1] ?? 0, after: ids[at] ?? 0 }, ...about }]),
        ...(changed.length === 0 ? [] : [{ name: "changed" as const, data: { query, ids: changed }, ...about }]),
      ];
    });
    if (found.length > 0) return fail(...found);
    const unread = asked.find((one) => one.ids === null);
    if (unread !== undefined) return unknown(`${unread.query}: ${unread.outcome}`);
    if (asked.length < queries.length) return unknown(`only ${asked.length} of ${queries.length} queries were sent`);
    return pass(`${asked.length} of ${asked.length} results of ${rows} rows whole, in order, with their texts`);
  },
});

function textOf(id: number): string {
  return `row ${id} of ${rows}`;
}
