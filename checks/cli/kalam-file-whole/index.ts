import { defineCheck, pass, unknown } from "../../../src/check.ts";
import type { Json } from "../../../src/wire/json.ts";
import { cellText, rowsOf } from "../../../src/server/target.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { ranOf, type Ran } from "../kalam-output.ts";
import { cases } from "./cases.ts";

type Run = Ran & {
  readonly case: string;
  /** The rows in its range of ids; null where they could not be read. */
  readonly rows: readonly (readonly Json[])[] | null;
};
type Data = { readonly case: string; readonly rows: string; readonly outcome: string };

export const kalamFileWhole = defineCheck({
  id: "cli/kalam-file-whole",
  title: "kalam -f runs whole statements and stops at an error",
  failureTitle: "kalam -f splits statements, or runs on after an error",
  description: `Runs kalam -f on ${cases.length} files: plain statements, semicolons and quotes in texts, semicolons in comments, Windows line endings, an error in the middle, a transaction. Each file must leave exactly the expected rows, and nothing may run after the error.`,
  blindTo: "It tries inserts; dollar quotes, quoted names with semicolons and files of megabytes are not tried.",
  risk: "A migration is cut in the middle of a text, so it fails or is applied in part.",
  remedy: "Send the statements of a file over HTTP, or keep semicolons out of its texts and comments.",
  covers: [],
  touches: "scratch",
  needs: ["dba", "kalam"],
  level: "block",
  estimateMs: 2_000,
  estimateRequests: cases.length * 6 + 2,
  findings: {
    split: { say: (d: Data) => `${d.case}: ${d.outcome}; rows: ${d.rows}` },
    ranOn: {
      say: (d: Data) => `${d.case}: ${d.outcome}; rows: ${d.rows}`,
      risk: "A migration continues after its first error, on a state that it does not expect.",
      remedy: "Run one statement per file, and check the exit code after each.",
    },
    transactionSplit: {
      say: (d: Data) => `${d.case}: the statements of a transaction are sent one by one: ${d.outcome}; rows: ${d.rows}`,
      level: "warn",
      risk: "A file with BEGIN and COMMIT fails, or is applied in part.",
      remedy: "Send the whole transaction over HTTP in one request.",
    },
  },
  async observe(target, context) {
    const kalam = context.need(target.kalam, "there is no kalam command line (--kalam-bin)");
    const op = await target.account("dba");
    const table = await makeTable(target, context, op, `${context.scratch}.t`, {
      type: "SHARED",
      columns: "id BIGINT PRIMARY KEY, v TEXT",
    });
    const runs = await Promise.all(
      cases.map(async ({ name, script, from }): Promise<Run> => {
        const files = { "script.sql": script(table) };
        const said = await kalam(op, ["-f", "script.sql"], { files, statements: 3 });
        const left = await target.sql(
          op,
          `SELECT id, v FROM ${table} WHERE id > ${from} AND id < ${from + 100} ORDER BY id LIMIT 100`,
        );
        const rows = rowsOf(left)?.map((row) => [Number(row["id"]), cellText(row["v"])]) ?? null;
        return { case: name, rows, ...ranOf(said) };
      }),
    );
    return { runs };
  },
  judge({ runs }, { found }) {
    const judged = runs.flatMap((one) => {
      const wanted = cases.find(({ name }) => name === one.case);
      if (wanted === undefined || one.trouble !== null || one.rows === null) return [];
      const ended = wanted.kind === "stops" ? one.exitCode !== 0 : one.exitCode === 0;
      const rows = JSON.stringify(one.rows);
      const right = ended && rows === JSON.stringify(wanted.rows);
      return [{ ...one, rows, right, kind: wanted.kind, hasMore: one.rows.length > wanted.rows.length }];
    });
    const control = judged.find((one) => one.kind === "control");
    if (control?.right !== true) {
      const why = control?.outcome ?? runs[0]?.trouble ?? runs[0]?.outcome ?? "it was not run";
      return unknown(`a file of plain statements did not work either: ${why}`);
    }
    const wrong = judged.filter((one) => !one.right);
    for (const one of wrong) {
      const { kind, case: name, rows, outcome } = one;
      const data = { case: name, rows, outcome };
      const shown = { case: name, sent: one };
      if (kind === "whole") found.split(data, shown);
      else if (kind === "transaction") found.transactionSplit(data, shown);
      else if (one.hasMore) found.ranOn(data, shown);
    }
    const unclear = runs.find((one) => one.trouble !== null || one.rows === null);
    if (unclear !== undefined) return unknown(`${unclear.case}: ${unclear.trouble ?? "its rows could not be read"}`);
    if (wrong[0] !== undefined) return unknown(`${wrong[0].case}: ${wrong[0].outcome}; rows: ${wrong[0].rows}`);
    if (runs.length < cases.length) return unknown(`kalam was run only ${runs.length} of ${cases.length} times`);
    return pass(`${runs.length} of ${runs.length} files left exactly their rows, and nothing ran after an error`);
  },
});
