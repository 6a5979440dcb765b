import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { cellText, saidOf, truncated, type Answer, type Said } from "../../../src/server/target.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { isPermissionDenied } from "../../vocabulary/trials.ts";

type Cells = readonly (readonly string[])[];

interface Case {
  readonly name: string;
  /** `{t}` is the table, which has the row (1, 'one', 10). */
  readonly sql: string;
  /** What it returns; null: nothing is asked for. */
  readonly returns: Cells | null;
  /** All rows afterwards. */
  readonly rows: Cells;
}

const insert = "INSERT INTO {t} (id, v, n) VALUES";
const update = "ON CONFLICT (id) DO UPDATE SET v = EXCLUDED.v";
const first = ["1", "one", "10"];

export const cases: readonly Case[] = [
  {
    name: "RETURNING",
    sql: `${insert} (2, 'two', 20) RETURNING id, v`,
    returns: [["2", "two"]],
    rows: [first, ["2", "two", "20"]],
  },
  {
    name: "RETURNING of several rows",
    sql: `${insert} (2, 'two', 20), (3, 'three', 30) RETURNING n, id`,
    returns: [
      ["20", "2"],
      ["30", "3"],
    ],
    rows: [first, ["2", "two", "20"], ["3", "three", "30"]],
  },
  {
    name: "RETURNING of a default",
    sql: "INSERT INTO {t} (id, v) VALUES (2, 'two') RETURNING n",
    returns: [["7"]],
    rows: [first, ["2", "two", "7"]],
  },
  {
    name: "upsert of a new row",
    sql: `${insert} (2, 'two', 20) ${update}`,
    returns: null,
    rows: [first, ["2", "two", "20"]],
  },
  {
    name: "upsert of an existing row",
    sql: `${insert} (1, 'new', 99) ${update}`,
    returns: null,
    rows: [["1", "new", "10"]],
  },
  {
    name: "upsert with RETURNING",
    sql: `${insert} (1, 'new', 99) ${update} RETURNING id, v, n`,
    returns: [["1", "new", "10"]],
    rows: [["1", "new", "10"]],
  },
  {
    name: "upsert of both",
    sql: `${insert} (1, 'new', 99), (2, 'two', 20) ${update} RETURNING id, v, n`,
    returns: [
      ["1", "new", "10"],
      ["2", "two", "20"],
    ],
    rows: [
      ["1", "new", "10"],
      ["2", "two", "20"],
    ],
  },
  { name: "DO NOTHING", sql: `${insert} (1, 'new', 99) ON CONFLICT (id) DO NOTHING`, returns: null, rows: [first] },
  {
    name: "DO NOTHING with RETURNING",
    sql: `${insert} (1, 'new', 99), (2, 'two', 20) ON CONFLICT (id) DO NOTHING RETURNING id`,
    returns: [["2"]],
    rows: [first, ["2", "two", "20"]],
  },
  {
    name: "DO UPDATE WHERE",
    sql: `${insert} (1, 'new', 99) ${update} WHERE false RETURNING id`,
    returns: [],
    rows: [first],
  },
];

const types = ["USER", "SHARED"] as const;

type Tried = {
  readonly type: string;
  readonly case: string;
  readonly said: Said;
  readonly returned: Cells | null;
  readonly rows: Cells | null;
};

export const upsertAndReturningExact = defineCheck({
  id: "validation/upsert-and-returning-exact",
  title: "Upsert and RETURNING do and return exactly what they say",
  failureTitle: "Upsert or RETURNING writes or returns something else",
  description: `Runs ${cases.length} INSERTs with ON CONFLICT on the primary key or with RETURNING, on a USER and a SHARED table, and reads the whole table after each: DO UPDATE must change only what it assigns, DO NOTHING must skip only the rows that are there, and RETURNING must give exactly the rows written, with their defaults. Promises: upsert on the key for literal INSERT … VALUES; RETURNING gives the rows written.`,
  blindTo: "Concurrent upserts of one key; conflicts with other columns than the key, which are not promised.",
  risk: "Applications that write with upsert lose the columns that they did not mention, or work on with rows that are not stored.",
  remedy: "Write with UPDATE, and INSERT where it changed nothing, and read rows back with SELECT.",
  covers: [],
  appliesWhere: { upsert: true },
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_500,
  estimateRequests: 4 * cases.length * types.length,
  findings: {
    wrongRows: {
      say: (d: Wrong) => `${d.case}, in a ${d.type} table: the table has ${d.found} afterwards, expected ${d.expected}`,
    },
    wrongReturned: {
      say: (d: Wrong) => `${d.case}, in a ${d.type} table: returned ${d.found}, expected ${d.expected}`,
      risk: "Applications go on with rows that are not the ones stored.",
    },
    refused: {
      say: (d: { case: string; type: string; outcome: string }) =>
        `${d.case}, in a ${d.type} table: rejected: ${d.outcome}`,
      risk: "Applications written for this version fail.",
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const tried: Tried[] = [];
    const columns = "id BIGINT PRIMARY KEY, v TEXT, n BIGINT DEFAULT 7";
    for (const type of types) {
      for (const [at, { name, sql }] of cases.entries()) {
        const table = `${context.scratch}.${type.toLowerCase()}_${at}`;
        await makeTable(target, context, op, table, { type, columns });
        const inserted = await target.sql(op, `INSERT INTO ${table} (id, v, n) VALUES (1, 'one', 10)`);
        context.need(inserted, "the first row could not be written");
        const answer = await target.sql(op, sql.replace("{t}", table));
        const rows = cellsOf(await target.sql(op, `SELECT id, v, n FROM ${table} ORDER BY id LIMIT 50`));
        const said = saidOf(answer);
        tried.push({
          type,
          case: name,
          said: { ...said, message: truncated(said.message, 200) },
          returned: cellsOf(answer),
          rows,
        });
      }
    }
    return { tried };
  },
  judge({ tried }, { found }) {
    const doubts: string[] = [];
    for (const type of types) {
      for (const { name, returns, rows } of cases) {
        const one = tried.find((each) => each.type === type && each.case === name);
        const said = one?.said;
        if (said?.kind === "refused" && said.why !== "rate" && !isPermissionDenied(said)) {
          found.refused({ case: name, type, outcome: `${said.code} ${said.message}` }, { case: name, sent: said });
          continue;
        }
        if (said?.kind !== "ok" || one?.rows === null || one === undefined) {
          doubts.push(
            `${name}, in a ${type} table: ${said === undefined ? "not tried" : `${said.code} ${said.message}`}`,
          );
          continue;
        }
        const shown = { case: name, sent: said };
        const about = { case: name, type };
        if (!same(one.rows, rows)) found.wrongRows({ ...about, found: text(one.rows), expected: text(rows) }, shown);
        if (returns !== null && !same(one.returned, returns))
          found.wrongReturned({ ...about, found: text(one.returned), expected: text(returns) }, shown);
      }
    }
    const [doubt] = doubts;
    if (doubt !== undefined) return unknown(doubt);
    return pass(`${tried.length} of ${cases.length * types.length} statements wrote and returned exactly their rows`);
  },
});

type Wrong = { readonly case: string; readonly type: string; readonly found: string; readonly expected: string };

/** The first result with columns, as text. */
function cellsOf(answer: Answer): Cells | null {
  const result = answer.kind === "ok" ? answer.results.find(({ columns }) => columns.length > 0) : undefined;
  return result?.rows.map((row) => row.map((cell) => cellText(cell))) ?? null;
}

/** The order of the rows that RETURNING gives is not promised. */
function same(found: Cells | null, expected: Cells): boolean {
  const sorted = (cells: Cells): string => JSON.stringify(cells.map((row) => row.join("\u0000")).toSorted());
  return found !== null && sorted(found) === sorted(expected);
}

function text(cells: Cells | null): string {
  if (cells === null || cells.length === 0) return "no rows";
  return truncated(cells.map((row) => `(${row.join(", ")})`).join(", "), 160);
}
