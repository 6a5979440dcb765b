import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { saidOf, type Account, type Said } from "../../../src/server/target.ts";

/** `names`: what the text must have in it, so that who reads it knows what to correct. */
interface Case {
  readonly name: string;
  readonly sql: (ns: string) => string;
  readonly names: RegExp;
  /** As a plain user, to whom less may be told. */
  readonly asUser?: boolean;
}

const cases: readonly Case[] = [
  { name: "missing table", sql: (ns) => `SELECT * FROM ${ns}.absent_table`, names: /absent_table/i },
  {
    name: "missing table to insert into",
    sql: (ns) => `INSERT INTO ${ns}.absent_table (id) VALUES (1)`,
    names: /absent_table/i,
  },
  { name: "missing table to drop", sql: (ns) => `DROP TABLE ${ns}.absent_table`, names: /absent_table/i },
  { name: "missing column", sql: (ns) => `SELECT absent_column FROM ${ns}.t`, names: /absent_column/i },
  {
    name: "missing column to set",
    sql: (ns) => `UPDATE ${ns}.t SET absent_column = 1 WHERE id = 1`,
    names: /absent_column/i,
  },
  {
    name: "missing column to fill",
    sql: (ns) => `INSERT INTO ${ns}.t (id, absent_column) VALUES (2, 1)`,
    names: /absent_column/i,
  },
  {
    name: "missing namespace",
    sql: (ns) => `CREATE TABLE ${ns}_absent.t (id BIGINT PRIMARY KEY) WITH (TYPE='SHARED')`,
    names: /_absent/i,
  },
  { name: "missing namespace to drop", sql: (ns) => `DROP NAMESPACE ${ns}_absent`, names: /_absent/i },
  { name: "missing function", sql: () => "SELECT absent_function(1)", names: /absent_function/i },
  { name: "missing user", sql: (ns) => `DROP USER '${ns}_absent'`, names: /_absent/i },
  {
    name: "existing table",
    sql: (ns) => `CREATE TABLE ${ns}.t (id BIGINT PRIMARY KEY) WITH (TYPE='SHARED')`,
    names: /\.t\b|'t'|"t"/,
  },
  { name: "existing key", sql: (ns) => `INSERT INTO ${ns}.t (id, v) VALUES (1, 'x')`, names: /\bid\b/ },
  { name: "NULL", sql: (ns) => `INSERT INTO ${ns}.t (id, v) VALUES (3, NULL)`, names: /'v'|"v"|\bcolumn v\b/i },
  { name: "wrong type", sql: (ns) => `INSERT INTO ${ns}.t (id, v, n) VALUES (4, 'x', 'abc')`, names: /abc|'n'|"n"/ },
  { name: "syntax", sql: (ns) => `SELECT id FRMO ${ns}.t`, names: /frmo|line: ?1|column: ?\d|position \d|near/i },
  { name: "open string", sql: () => "SELECT 'open", names: /unterminated|unclosed|quote|string literal/i },
  { name: "open parenthesis", sql: () => "SELECT (1 + 2", names: /expected:? *'?"?\)|eof|end of|paren/i },
  { name: "no statement", sql: () => "SELEKT 1", names: /selekt/i },
  {
    name: "no right to a view",
    sql: () => "SELECT * FROM system.users LIMIT 1",
    names: /permission|privilege|denied|role|not allowed/i,
    asUser: true,
  },
  {
    name: "no right to make users",
    sql: (ns) => `CREATE USER '${ns}_u' WITH PASSWORD 'Kr1-never-made' ROLE user`,
    names: /permission|privilege|denied|role|not allowed/i,
    asUser: true,
  },
];

type Tried = { readonly case: string; readonly sql: string; readonly said: Said };

export const errorsNameTheCause = defineCheck({
  id: "cli/errors-name-the-cause",
  title: "An error names what is wrong",
  failureTitle: "An error does not say what is wrong",
  description: `Makes ${cases.length} mistakes: a missing table, column, namespace, function or user, an existing key or table, NULL, a wrong type, a missing right, bad syntax. The text of each error must name the thing, as a dba reads it (or as a plain user, where it is about rights).`,
  blindTo:
    "It looks for the name in the text. Whether the rest of the text helps is for people to say; validation/constraint-error-coded looks at the codes.",
  risk: "Somebody searches a script of hundreds of lines for a misspelt column.",
  remedy:
    "Where a text says too little, send the statements one by one; the field details of the error repeats the statement.",
  covers: ["CLI-04"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 600,
  estimateRequests: cases.length + 3,
  findings: {
    unclear: {
      say: (d: { case: string; sql: string; message: string }) =>
        `${d.case}: ${d.sql} was refused with ${d.message === "" ? "no text at all" : d.message}`,
    },
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    const user = await target.account("user");
    const shape = "(id BIGINT PRIMARY KEY, v TEXT NOT NULL, n INT)";
    await target.sql(op, `CREATE TABLE ${scratch}.t ${shape} WITH (TYPE='SHARED')`);
    const first = saidOf(await target.sql(op, `INSERT INTO ${scratch}.t (id, v, n) VALUES (1, 'one', 1)`));
    const tried: Tried[] = [];
    for (const one of cases) {
      const as: Account = one.asUser === true ? user : op;
      const sql = one.sql(scratch);
      tried.push({ case: one.name, sql, said: saidOf(await target.sql(as, sql)) });
    }
    // The control: the same table and columns, rightly used.
    const control = saidOf(await target.sql(op, `SELECT id, v, n FROM ${scratch}.t WHERE id = 1`));
    return { first, tried, control };
  },
  judge({ first, tried, control }) {
    const refused = tried.filter(
      ({ said }) => said.status !== null && said.status >= 400 && said.status < 500 && said.why !== "rate",
    );
    const silent = refused.filter(
      (one) => cases.find(({ name }) => name === one.case)?.names.test(one.said.message) !== true,
    );
    if (silent.length > 0) {
      return fail(
        ...silent.map((one) => ({
          name: "unclear" as const,
          case: one.case,
          data: { case: one.case, sql: one.sql, message: one.said.message },
          sent: [one.said.exchange],
        })),
      );
    }
    if (first.kind !== "ok" || control.kind !== "ok")
      return unknown(
        `the same table rightly used does not work: ${first.kind === "ok" ? control.message : first.message}`,
      );
    const other = tried.find((one) => !refused.includes(one));
    if (other !== undefined)
      return unknown(
        `${other.case}: it was not refused, but ${other.said.status ?? "no answer"} ${other.said.message}`,
      );
    if (tried.length < cases.length) return unknown(`only ${tried.length} of ${cases.length} mistakes were made`);
    return pass(`${refused.length} of ${cases.length} errors name what is wrong`);
  },
});
