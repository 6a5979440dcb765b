import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { cellText, kalamText, type KalamOptions } from "../../../src/server/target.ts";
import { documentsIn, rowsIn, serverTrouble } from "../kalam-output.ts";

/** What a formatter may trip over: quotes, brackets, line ends, a colour of its own, other scripts, no text at all. */
const texts = ['say "hi"; {[,]}', "back\\slash", "two\nlines\tand a tab", "\u001b[31mred\u001b[0m", "ü€😀", ""];
/** 2^53 + 1: no longer itself where it has been a floating point number. */
const large = "9007199254740993";

interface Case {
  readonly name: string;
  readonly args: (ns: string) => readonly string[];
  readonly options?: (ns: string) => KalamOptions;
  /** How many documents there must be; an error may have none. */
  readonly documents: number;
  readonly exitCode: number;
  /** The first row of the first document. */
  readonly cells?: readonly string[];
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const query = (sql: string): readonly string[] => ["--json", "-c", sql];

const cases: readonly Case[] = [
  {
    name: "rows",
    args: () => query("SELECT 1 AS one, NULL AS nothing, TRUE AS yes"),
    documents: 1,
    exitCode: 0,
    cells: ["1", "", "true"],
  },
  {
    name: "odd texts",
    args: () => query(`SELECT ${texts.map((text, at) => `${quoted(text)} AS t${at}`).join(", ")}`),
    documents: 1,
    exitCode: 0,
    cells: texts,
  },
  {
    name: "a large number",
    args: () => query(`SELECT CAST(${large} AS BIGINT) AS n`),
    documents: 1,
    exitCode: 0,
    cells: [large],
  },
  {
    name: "no rows",
    args: (ns) => query(`SELECT id, v FROM ${ns}.t WHERE id < 0 LIMIT 10`),
    documents: 1,
    exitCode: 0,
  },
  { name: "a write", args: (ns) => query(`INSERT INTO ${ns}.t (id, v) VALUES (1, 'x')`), documents: 1, exitCode: 0 },
  {
    name: "a definition",
    args: (ns) => query(`CREATE TABLE ${ns}.made (id BIGINT PRIMARY KEY)`),
    documents: 1,
    exitCode: 0,
  },
  { name: "a batch", args: () => query("SELECT 1 AS a; SELECT 2 AS b"), documents: 1, exitCode: 0, cells: ["1"] },
  { name: "\\d", args: (ns) => query(`\\d ${ns}.t`), documents: 1, exitCode: 0 },
  { name: "an error", args: (ns) => query(`SELECT * FROM ${ns}.absent`), documents: 0, exitCode: 1 },
  {
    name: "a file",
    args: () => ["--json", "-f", "script.sql"],
    options: () => ({ files: { "script.sql": "SELECT 1 AS a;\nSELECT 2 AS b;\nSELECT 3 AS c;\n" }, statements: 3 }),
    documents: 3,
    exitCode: 0,
    cells: ["1"],
  },
  {
    name: "without --no-color",
    args: () => query("SELECT 1 AS one"),
    options: () => ({ mayColor: true }),
    documents: 1,
    exitCode: 0,
    cells: ["1"],
  },
];

type Run = {
  readonly case: string;
  readonly exitCode: number | null;
  /** Null in the place of what is no JSON. */
  readonly documents: readonly (1 | null)[];
  readonly colored: boolean;
  readonly cells: readonly string[] | null;
  readonly start: string;
  readonly trouble: string | null;
  readonly outcome: string;
  readonly exchange: number;
};

export const kalamJsonPure = defineCheck({
  id: "cli/kalam-json-pure",
  title: "kalam --json prints JSON alone, with the right values",
  failureTitle: "kalam --json prints more than JSON, or other values",
  description: `Runs kalam --json ${cases.length} times into a pipe: rows, texts with quotes, line ends and colours in them, a number above 2^53, no rows, writes, a definition, a batch, \\d, an error, a file. Stdout must be JSON documents and white space only, without colours, and with the values that were asked for; where it fails, stdout may be empty.`,
  blindTo: "Live queries (--json --subscribe) are not looked at, and only a few types of values.",
  risk: "A script that reads the output with a JSON parser breaks on some day's data, or takes a wrong number.",
  remedy: "Ask the server over HTTP instead: POST /v1/api/sql answers with JSON.",
  covers: [],
  touches: "scratch",
  needs: ["dba", "kalam"],
  level: "block",
  estimateMs: 2_500,
  estimateRequests: cases.length * 4 + 4,
  findings: {
    notJson: { say: (d: { case: string; start: string }) => `${d.case}: stdout is not JSON alone: ${d.start}` },
    colour: { say: (d: { case: string }) => `${d.case}: there are escape sequences on stdout, which is a pipe` },
    changed: {
      say: (d: { case: string; wanted: string; got: string }) => `${d.case}: asked for ${d.wanted}, and got ${d.got}`,
    },
  },
  async observe(target, { scratch }) {
    const { kalam } = target;
    if (kalam === undefined) return { runs: [] as readonly Run[] };
    const op = await target.account("dba");
    await target.sql(op, `CREATE TABLE ${scratch}.t (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='SHARED')`);
    const runs = await Promise.all(
      cases.map(async ({ name, args, options }): Promise<Run> => {
        const said = await kalam(op, args(scratch), options?.(scratch));
        const documents = documentsIn(said.stdout);
        const [row] = rowsIn(documents[0]).rows;
        return {
          case: name,
          exitCode: said.exitCode,
          documents: documents.map((document) => (document === undefined ? null : 1)),
          colored: said.stdout.includes("\u001b"),
          cells: row?.map((cell) => (cell === null ? "" : cellText(cell))) ?? null,
          start: said.stdout.slice(0, 200),
          trouble: serverTrouble(said),
          outcome: kalamText(said),
          exchange: said.exchange,
        };
      }),
    );
    return { runs };
  },
  judge({ runs }) {
    const clear = runs.filter((one) => one.trouble === null);
    const found = clear.flatMap((one) => {
      const wanted = cases.find(({ name }) => name === one.case);
      if (wanted === undefined) return [];
      const about = { case: one.case, sent: [one.exchange] };
      const pure = !one.documents.includes(null) && (one.exitCode !== 0 || one.documents.length === wanted.documents);
      const changed =
        pure &&
        one.exitCode === 0 &&
        wanted.cells !== undefined &&
        JSON.stringify(one.cells) !== JSON.stringify(wanted.cells);
      return [
        ...(pure || one.colored
          ? []
          : [{ name: "notJson" as const, data: { case: one.case, start: one.start }, ...about }]),
        ...(one.colored ? [{ name: "colour" as const, data: { case: one.case }, ...about }] : []),
        ...(changed
          ? [
              {
                name: "changed" as const,
                data: { case: one.case, wanted: JSON.stringify(wanted.cells), got: JSON.stringify(one.cells) },
                ...about,
              },
            ]
          : []),
      ];
    });
    if (found.length > 0) return fail(...found);
    const unclear = runs.find((one) => one.trouble !== null);
    if (unclear !== undefined) return unknown(`${unclear.case}: ${unclear.trouble}`);
    // Pure and empty is no proof of purity: what should work must have worked, and what should fail have failed.
    const other = runs.find((one) => one.exitCode !== cases.find(({ name }) => name === one.case)?.exitCode);
    if (other !== undefined) return unknown(`${other.case}: ${other.outcome}`);
    if (runs.length < cases.length) return unknown(`kalam was run only ${runs.length} of ${cases.length} times`);
    return pass(`${runs.length} of ${runs.length} outputs are JSON alone, without colours, with the right values`);
  },
});
