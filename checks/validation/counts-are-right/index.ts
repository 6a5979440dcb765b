import { defineCheckOf, pass, unknown } from "../../../src/check.ts";
import { expectedRows, statementEffects, whyUnjudged, type Table } from "../statement-effects/index.ts";
import { differingKeys, statements } from "../statement-effects/statements.ts";

/** Keys that had a row once and have none any more. */
function deletedBy({ steps }: Table, at: number): number {
  const known = new Set(steps.slice(0, at).flatMap(({ after }) => Object.keys(after ?? {})));
  return [...known].filter((key) => steps[at]?.after?.[key] === undefined).length;
}

export const countsAreRight = defineCheckOf(statementEffects, {
  id: "validation/counts-are-right",
  title: "Counts agree with the rows that are there",
  failureTitle: "Counts disagree with the rows that are there",
  description: `Judges the ${statements.length} statements of validation/writes-hit-their-rows: the row_count of each INSERT, UPDATE and DELETE must be the number of rows that it changed, also for none and for many, and after each COUNT(*), with and without a condition, must be the number of rows that a SELECT returns, also after deletes and flushes. A wrong COUNT is asked for a second time.`,
  blindTo:
    "COUNT of a column and of groups (see validation/clauses-answer-right), and tables that others write to meanwhile. At light effort it counts after half of the INSERTs and DELETEs, and the statements are fewer (see validation/writes-hit-their-rows).",
  risk: "Programs decide by counts: whether a row was there, how many pages to show, how much to bill.",
  remedy: "Do not rely on counts of this server until this passes; count the rows of a SELECT instead.",
  covers: [],
  level: "block",
  findings: {
    wrongRowCount: {
      say: (d: { sql: string; kind: string; counted: number; changed: number }) =>
        `${d.sql} reports ${d.counted} changed rows of the ${d.kind} table; it changed ${d.changed}`,
      risk: "Programs that check whether an UPDATE or DELETE found its row take failure for success, or success for failure.",
      remedy: "Do not rely on row_count until this passes; read the row back.",
    },
    wrongCount: {
      say: (d: { sql: string; kind: string; counted: string; rows: number; deleted: number; after: string }) =>
        `${d.sql} returns ${d.counted} for a ${d.kind} table with ${d.rows} rows, after ${d.after}${d.counted === String(d.rows + d.deleted) && d.deleted > 0 ? `; it counts the ${d.deleted} deleted rows as well` : ""}`,
    },
  },
  judge({ tables }, { found }) {
    for (const table of tables) {
      const { kind } = table;
      for (const [
        at,
        { name, sql, said, rowCount, before, after, counts, unsteady, notFlushed },
      ] of table.steps.entries()) {
        const expected = expectedRows({ name, before });
        // Where the rows are others, what should be counted is uncertain.
        if (
          after === null ||
          unsteady ||
          notFlushed !== null ||
          expected === undefined ||
          differingKeys(after, expected).length > 0
        )
          continue;
        const changed = differingKeys(before, after).length;
        const shown = { case: `${name}, ${kind}`, sent: said };
        if (said.kind === "ok" && rowCount !== null && rowCount !== changed)
          found.wrongRowCount({ sql, kind, counted: rowCount, changed }, shown);
        const rows = Object.keys(after).length;
        for (const one of counts)
          if (said.kind === "ok" && one.count !== null && one.count !== String(rows))
            found.wrongCount(
              { sql: one.sql, kind, counted: one.count, rows, deleted: deletedBy(table, at), after: name },
              { case: `${name}, ${kind}`, sent: [said, one] },
            );
      }
    }
    const why = whyUnjudged(tables);
    if (why !== undefined) return unknown(why);
    const steps = tables.flatMap((table) => table.steps);
    const writes = steps.filter(({ sql }) => !sql.startsWith("STORAGE"));
    const uncounted = writes.find(({ rowCount }) => rowCount === null);
    if (uncounted !== undefined) return unknown(`${uncounted.name}: the answer has no result with a row_count`);
    return pass(
      `row_count of ${writes.length} statements and ${steps.flatMap(({ counts }) => counts).length} COUNT(*) are exact, hot and flushed`,
    );
  },
});
