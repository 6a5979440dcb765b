import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { cellText, truncated } from "../../../src/server/target.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { documentsIn, ranOf, rowsIn, type Ran } from "../kalam-output.ts";
import { cases } from "./cases.ts";

type Run = Ran & {
  readonly case: string;
  /** One entry per JSON document; null for anything else. */
  readonly documents: readonly (1 | null)[];
  readonly colored: boolean;
  readonly cells: readonly string[] | null;
  readonly start: string;
};

export const kalamJsonPure = defineCheck({
  id: "cli/kalam-json-pure",
  title: "kalam --json prints only JSON, with correct values",
  failureTitle: "kalam --json prints more than JSON, or wrong values",
  description: `Runs kalam --json ${cases.length} times into a pipe: rows, texts with quotes, line breaks and escape sequences, a number above 2^53, an empty result, a write, a CREATE TABLE, a batch, \\d, an error, a file. Stdout must contain only JSON documents and white space, no colours, and the requested values; on failure it may be empty.`,
  blindTo: "Live queries (--json --subscribe) are not tried, and only a few types of values.",
  risk: "A script that parses the output as JSON breaks on unusual data, or reads a wrong number.",
  remedy: "Query the server over HTTP instead: POST /v1/api/sql answers in JSON.",
  covers: [],
  touches: "scratch",
  needs: ["dba", "kalam"],
  level: "block",
  estimateMs: 2_500,
  estimateRequests: cases.length * 4 + 4,
  findings: {
    notJson: { say: (d: { case: string; start: string }) => `${d.case}: stdout is not only JSON: ${d.start}` },
    colour: { say: (d: { case: string }) => `${d.case}: escape sequences on stdout, although it is a pipe` },
    changed: {
      say: (d: { case: string; wanted: string; got: string }) => `${d.case}: expected ${d.wanted}, got ${d.got}`,
    },
  },
  async observe(target, context) {
    const kalam = context.need(target.kalam, "there is no kalam command line (--kalam-bin)");
    const op = await target.account("dba");
    const spec = { type: "SHARED", columns: "id BIGINT PRIMARY KEY, v TEXT" } as const;
    await makeTable(target, context, op, `${context.scratch}.t`, spec);
    const runs = await Promise.all(
      cases.map(async ({ name, args, options }): Promise<Run> => {
        const said = await kalam(op, args(context.scratch), options);
        const documents = documentsIn(said.stdout);
        const [row] = rowsIn(documents[0]).rows;
        return {
          case: name,
          documents: documents.map((document) => (document === undefined ? null : 1)),
          colored: said.stdout.includes("\u001b"),
          cells: row?.map((cell) => (cell === null ? "" : cellText(cell))) ?? null,
          start: truncated(said.stdout, 200),
          ...ranOf(said),
        };
      }),
    );
    return { runs };
  },
  judge({ runs }, { found }) {
    for (const one of runs) {
      const { case: name, documents, exitCode, colored, start } = one;
      const wanted = cases.find((other) => other.name === name);
      if (wanted === undefined || one.trouble !== null) continue;
      const shown = { case: name, sent: one };
      const failed = exitCode !== 0;
      const pure = !documents.includes(null) && (failed || documents.length === wanted.documents);
      if (colored) found.colour({ case: name }, shown);
      else if (!pure) found.notJson({ case: name, start }, shown);
      const [right, got] = [JSON.stringify(wanted.cells), JSON.stringify(one.cells)];
      if (pure && !failed && wanted.cells !== undefined && got !== right)
        found.changed({ case: name, wanted: right, got }, shown);
    }
    const unclear = runs.find((one) => one.trouble !== null);
    if (unclear !== undefined) return unknown(`${unclear.case}: ${unclear.trouble}`);
    // Empty output is pure as well: what should work must have worked, and what should fail must have failed.
    const other = runs.find((one) => one.exitCode !== cases.find(({ name }) => name === one.case)?.exitCode);
    if (other !== undefined) return unknown(`${other.case}: ${other.outcome}`);
    if (runs.length < cases.length) return unknown(`kalam was run only ${runs.length} of ${cases.length} times`);
    return pass(`${runs.length} of ${runs.length} outputs are only JSON, without colours and with correct values`);
  },
});
