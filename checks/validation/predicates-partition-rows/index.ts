import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { integerText } from "../../../src/server/target.ts";
import { flush, whyNotFlushed } from "../../vocabulary/jobs.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { askAll } from "./asking.ts";
import { isPartition, partsText, rowsText, type Parts } from "./parts.ts";
import { predicateColumns, predicateOf, rowOf } from "./predicates.ts";

const rowCount = 40;
const everything = 2n ** BigInt(rowCount) - 1n;
/** Inserted and deleted again, so it must be in no part. */
const deletedRow = rowCount;
/** A pass with fewer answers, or with fewer that involve a NULL, would show little. */
const askedMin = 20;
const withNullMin = 2;
const refusedShareMax = 0.2;

type Asked = {
  readonly predicate: string;
  readonly before: Parts | null;
  readonly after: Parts | null;
  /** Why there is no answer; empty where there are both. */
  readonly refusal: string;
  readonly exchanges: readonly number[];
};
const phases = [
  { when: "before the flush", partsOf: ({ before }: Asked) => before },
  { when: "after the flush", partsOf: ({ after }: Asked) => after },
];

export const predicatesPartitionRows = defineCheck({
  id: "validation/predicates-partition-rows",
  title: "Every predicate splits the rows into true, false and unknown",
  failureTitle: "A predicate misses rows, repeats rows or is inconsistent",
  description: `Writes ${rowCount} generated rows with NULLs, some updated and one more deleted. For generated predicates, before and after a flush, it asks which rows make them true, false and unknown, with one WHERE each, and which make them true without a WHERE. Each row must be in exactly one of the three parts (TLP); the answer without a WHERE must match the one with it (NoREC); and a flush must change nothing. Predicates that the server rejects are counted and reported.`,
  blindTo:
    "A predicate that is wrong in the same way in all four forms goes unnoticed. Joins and ORDER BY are not tried. Rejected predicates show nothing.",
  risk: "Reports and permissions that rely on predicates silently leave rows out, or include rows that they should not.",
  remedy:
    "Where it matters, read without a WHERE and filter in your program until this is fixed; the finding names the predicate.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_800,
  estimateRequests: 40,
  timeoutMs: 300_000,
  findings: {
    partitionBroken: {
      say: (d: { predicate: string; when: string; what: string }) => `${d.predicate} ${d.when}: ${d.what}`,
    },
    countDisagrees: {
      say: (d: { predicate: string; when: string; filtered: string; seen: string }) =>
        `${d.predicate} ${d.when}: true for ${d.filtered} with a WHERE, for ${d.seen} without`,
    },
    changedByFlush: {
      say: (d: { predicate: string; before: string; after: string }) =>
        `${d.predicate}: ${d.before} before the flush, but ${d.after} after it`,
      risk: "The same query returns other rows once the data has been flushed to cold storage.",
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const random = context.random("values");
    const table = await makeTable(target, context, op, `${context.scratch}.t`, {
      type: "SHARED",
      columns: predicateColumns,
    });
    const rows = Array.from({ length: rowCount + 1 }, (_, id) => rowOf(random, id));
    // Rows with several versions, as in any table that is used.
    for (const sql of [
      `INSERT INTO ${table} (id, bit, i, b, d, s, f) VALUES ${rows.join(", ")}`,
      `UPDATE ${table} SET i = 3, s = 'ab' WHERE id < 5`,
      `UPDATE ${table} SET d = NULL WHERE id = 7`,
      `DELETE FROM ${table} WHERE id = ${deletedRow}`,
    ])
      context.need(await target.sql(op, sql), "the rows could not be written");
    const all = async (): Promise<string> => {
      const answer = await target.sql(op, `SELECT SUM(bit) AS m FROM ${table}`);
      return answer.kind === "ok" ? (integerText(answer.results[0]?.rows[0]?.[0]) ?? "none") : answer.message;
    };
    const count = context.size({ light: 30, standard: 150, deep: 600 });
    const predicates = Array.from({ length: count }, () => predicateOf(random));
    const allBefore = await all();
    const before = await askAll(target, op, table, predicates);
    const flushed = await flush(target, context, op, table);
    const allAfter = await all();
    const after = await askAll(target, op, table, predicates);
    const asked = predicates.map((predicate, at): Asked => {
      const [one, two] = [before[at], after[at]];
      return {
        predicate,
        before: one?.parts ?? null,
        after: two?.parts ?? null,
        refusal: (one?.why ?? "") || (two?.why ?? ""),
        exchanges: [one, two].flatMap((reply) => reply?.exchange ?? []),
      };
    });
    return { asked, all: [allBefore, allAfter], flushed };
  },
  judge({ asked, all, flushed }, { found }) {
    const wrong = all.findIndex((mask) => mask !== String(everything));
    if (wrong !== -1)
      return unknown(
        `the table does not have the rows that were written, ${phases[wrong]?.when ?? ""}: ${all[wrong] ?? ""}`,
      );
    const about = (one: Asked) => ({ case: one.predicate, sent: one.exchanges });
    for (const { when, partsOf } of phases)
      for (const one of asked) {
        const parts = partsOf(one);
        if (parts !== null && !isPartition(parts, everything))
          found.partitionBroken({ predicate: one.predicate, when, what: partsText(parts) }, about(one));
      }
    for (const { when, partsOf } of phases)
      for (const one of asked) {
        const parts = partsOf(one);
        if (parts === null || parts.yes.mask === parts.seen.mask) continue;
        const data = { filtered: rowsText(parts.yes), seen: rowsText({ mask: parts.seen.mask }) };
        found.countDisagrees({ predicate: one.predicate, when, ...data }, about(one));
      }
    const answered = asked.flatMap((one) =>
      one.before === null || one.after === null ? [] : [{ one, before: one.before, after: one.after }],
    );
    for (const { one, before, after } of answered)
      if (JSON.stringify(before) !== JSON.stringify(after))
        found.changedByFlush(
          { predicate: one.predicate, before: partsText(before), after: partsText(after) },
          about(one),
        );
    const refused = asked.filter(({ before, after }) => before === null || after === null);
    if (refused.length > asked.length * refusedShareMax)
      return unknown(
        `${refused.length} of ${asked.length} predicates were rejected, the first with: ${refused[0]?.refusal ?? ""}`,
      );
    const why = whyNotFlushed(flushed);
    if (why !== undefined) return unknown(why);
    const withNull = asked.filter(
      ({ before }) => before !== null && before.null.mask !== "0" && before.yes.mask !== "0",
    );
    if (answered.length < askedMin || withNull.length < withNullMin)
      return unknown(`only ${answered.length} predicates were answered, ${withNull.length} of them involved a NULL`);
    return pass(
      `${answered.length} predicates (${withNull.length} involve a NULL) split ${rowCount} rows correctly before and after a flush; ${refused.length} rejected`,
    );
  },
});
