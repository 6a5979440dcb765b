import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import type { Json } from "../../../src/wire/json.ts";
import { cellText, kalamText, rowsOf } from "../../../src/server/target.ts";
import { serverTrouble } from "../kalam-output.ts";

type Kind = "control" | "whole" | "stops" | "transaction";

/** One file each, with ids of its own; `rows` is what must be there afterwards: id and text. */
interface Case {
  readonly name: string;
  readonly kind: Kind;
  readonly script: (t: string) => string;
  readonly from: number;
  readonly rows: readonly (readonly [id: number, v: string])[];
}

const cases: readonly Case[] = [
  {
    name: "plain statements",
    kind: "control",
    script: (t) => `INSERT INTO ${t} (id, v) VALUES (101, 'a');\nINSERT INTO ${t} (id, v) VALUES (102, 'b');\n`,
    from: 100,
    rows: [
      [101, "a"],
      [102, "b"],
    ],
  },
  {
    name: "a semicolon in a text",
    kind: "whole",
    script: (t) => `INSERT INTO ${t} (id, v) VALUES (201, 'a;b');\nINSERT INTO ${t} (id, v) VALUES (202, ';');\n`,
    from: 200,
    rows: [
      [201, "a;b"],
      [202, ";"],
    ],
  },
  {
    name: "a quote and a semicolon in a text",
    kind: "whole",
    script: (t) => `INSERT INTO ${t} (id, v) VALUES (301, 'it''s; done');\n`,
    from: 300,
    rows: [[301, "it's; done"]],
  },
  {
    name: "a semicolon in a comment",
    kind: "whole",
    script: (t) =>
      `INSERT INTO ${t} (id, v) VALUES (401, 'a'); -- first; then\nINSERT INTO ${t} (id, v) VALUES (402, 'b');\n`,
    from: 400,
    rows: [
      [401, "a"],
      [402, "b"],
    ],
  },
  {
    name: "a semicolon in a long comment",
    kind: "whole",
    script: (t) => `/* one; two;\n three */\nINSERT INTO ${t} (id, v) VALUES (501, 'a');\n`,
    from: 500,
    rows: [[501, "a"]],
  },
  {
    name: "line ends of Windows, several lines a statement",
    kind: "whole",
    script: (t) =>
      `INSERT INTO ${t}\r\n  (id, v)\r\nVALUES\r\n  (601, 'a');\r\n\r\nINSERT INTO ${t} (id, v) VALUES (602, 'b')\r\n`,
    from: 600,
    rows: [
      [601, "a"],
      [602, "b"],
    ],
  },
  {
    name: "an error in the middle",
    kind: "stops",
    script: (t) =>
      `INSERT INTO ${t} (id, v) VALUES (701, 'a');\nINSERT INTO ${t} (id, v) VALUES (701, 'again');\nINSERT INTO ${t} (id, v) VALUES (702, 'b');\n`,
    from: 700,
    rows: [[701, "a"]],
  },
  {
    name: "BEGIN … COMMIT",
    kind: "transaction",
    script: (t) =>
      `BEGIN;\nINSERT INTO ${t} (id, v) VALUES (801, 'a');\nINSERT INTO ${t} (id, v) VALUES (802, 'b');\nCOMMIT;\n`,
    from: 800,
    rows: [
      [801, "a"],
      [802, "b"],
    ],
  },
];

type Run = {
  readonly case: string;
  readonly exitCode: number | null;
  /** What is there of its ids; null where that could not be read. */
  readonly rows: readonly (readonly Json[])[] | null;
  readonly trouble: string | null;
  readonly outcome: string;
  readonly exchange: number;
};

export const kalamFileWhole = defineCheck({
  id: "cli/kalam-file-whole",
  title: "kalam -f runs a file statement by statement, up to an error",
  failureTitle: "kalam -f tears a file apart, or runs on after an error",
  description: `Runs kalam -f on ${cases.length} files: plain statements, semicolons and quotes in texts, semicolons in comments, line ends of Windows, an error in the middle, a transaction. Of each file just the right rows must be there afterwards; after the error nothing more may have run.`,
  blindTo: "It tries inserts; dollar quotes, quoted names with semicolons and files of megabytes are not tried.",
  risk: "A migration is cut in the middle of a text, or runs on after its first error.",
  remedy:
    "Send the statements of a file over HTTP, where they can be sent as they are; keep semicolons out of texts and comments.",
  covers: [],
  touches: "scratch",
  needs: ["dba", "kalam"],
  level: "block",
  estimateMs: 2_000,
  estimateRequests: cases.length * 6 + 2,
  findings: {
    split: {
      say: (d: { case: string; rows: string; outcome: string }) => `${d.case}: ${d.outcome}; the rows there: ${d.rows}`,
    },
    ranOn: {
      say: (d: { case: string; rows: string; outcome: string }) => `${d.case}: ${d.outcome}; the rows there: ${d.rows}`,
    },
    transactionSplit: {
      say: (d: { case: string; rows: string; outcome: string }) =>
        `${d.case}: the statements of a transaction go out one by one: ${d.outcome}; the rows there: ${d.rows}`,
      level: "warn",
    },
  },
  async observe(target, { scratch }) {
    const { kalam } = target;
    if (kalam === undefined) return { runs: [] as readonly Run[] };
    const op = await target.account("dba");
    const table = `${scratch}.t`;
    await target.sql(op, `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='SHARED')`);
    const runs = await Promise.all(
      cases.map(async ({ name, script, from }): Promise<Run> => {
        const files = { "script.sql": script(table) };
        const said = await kalam(op, ["-f", "script.sql"], { files, statements: 3 });
        const left = await target.sql(
          op,
          `SELECT id, v FROM ${table} WHERE id > ${from} AND id < ${from + 100} ORDER BY id LIMIT 100`,
        );
        return {
          case: name,
          exitCode: said.exitCode,
          rows: rowsOf(left)?.map((row) => [Number(row["id"]), cellText(row["v"])]) ?? null,
          trouble: serverTrouble(said),
          outcome: kalamText(said),
          exchange: said.exchange,
        };
      }),
    );
    return { runs };
  },
  judge({ runs }) {
    const told = runs.flatMap((one) => {
      const wanted = cases.find(({ name }) => name === one.case);
      if (wanted === undefined || one.trouble !== null || one.rows === null) return [];
      const ended = wanted.kind === "stops" ? one.exitCode !== 0 : one.exitCode === 0;
      const right = JSON.stringify(one.rows) === JSON.stringify(wanted.rows);
      return [
        {
          ...one,
          kind: wanted.kind,
          rows: JSON.stringify(one.rows),
          wanted: wanted.rows.length,
          right: right && ended,
          count: one.rows.length,
        },
      ];
    });
    const control = told.find((one) => one.kind === "control");
    if (control?.right !== true) {
      const [first] = runs;
      return unknown(
        `a file of plain statements did not work either: ${control?.outcome ?? first?.trouble ?? first?.outcome ?? "it was not run"}`,
      );
    }
    const about = ({ case: name, rows, outcome, exchange }: (typeof told)[number]) => ({
      case: name,
      data: { case: name, rows, outcome },
      sent: [exchange],
    });
    const wrong = told.filter((one) => !one.right);
    const found = [
      ...wrong.filter((one) => one.kind === "whole").map((one) => ({ name: "split" as const, ...about(one) })),
      ...wrong
        .filter((one) => one.kind === "stops" && one.count > one.wanted)
        .map((one) => ({ name: "ranOn" as const, ...about(one) })),
      ...wrong
        .filter((one) => one.kind === "transaction")
        .map((one) => ({ name: "transactionSplit" as const, ...about(one) })),
    ];
    if (found.length > 0) return fail(...found);
    const unclear = runs.find((one) => one.trouble !== null || one.rows === null);
    if (unclear !== undefined) return unknown(`${unclear.case}: ${unclear.trouble ?? "its rows could not be read"}`);
    if (wrong[0] !== undefined)
      return unknown(`${wrong[0].case}: ${wrong[0].outcome}; the rows there: ${wrong[0].rows}`);
    if (runs.length < cases.length) return unknown(`kalam was run only ${runs.length} of ${cases.length} times`);
    return pass(`${runs.length} of ${runs.length} files left just their rows, and nothing ran after an error`);
  },
});
