import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import type { Json } from "../../../src/wire/json.ts";
import { outcomeOf, saidOf, type Account, type Said } from "../../../src/server/target.ts";

/** `t` is a table with a row 1; parameters only where `params` says so. */
interface Case {
  readonly name: string;
  readonly sql: (t: string, namespace: string) => string;
  readonly params?: readonly Json[];
  /** Who sends it; a dba where absent. */
  readonly as?: "user" | "nobody";
}

const good: readonly Case[] = [
  { name: "a literal", sql: () => "SELECT 1 AS one" },
  { name: "rows", sql: (t) => `SELECT id, v FROM ${t} ORDER BY id LIMIT 10` },
  { name: "no rows", sql: (t) => `SELECT id, v FROM ${t} WHERE id < 0 LIMIT 10` },
  { name: "a count", sql: (t) => `SELECT COUNT(*) AS c FROM ${t}` },
  { name: "a sum of nothing", sql: (t) => `SELECT SUM(n) AS s FROM ${t} WHERE id < 0` },
  { name: "a union", sql: () => "SELECT 1 AS a UNION ALL SELECT 2 AS a ORDER BY a" },
  { name: "a CTE", sql: (t) => `WITH few AS (SELECT id FROM ${t}) SELECT COUNT(*) AS c FROM few` },
  { name: "a join", sql: (t) => `SELECT a.id FROM ${t} a JOIN ${t} b ON a.id = b.id LIMIT 10` },
  { name: "an insert", sql: (t) => `INSERT INTO ${t} (id, v) VALUES (2, 'two')` },
  { name: "several rows", sql: (t) => `INSERT INTO ${t} (id, v) VALUES (3, 'x'), (4, 'y')` },
  {
    name: "parameters",
    sql: (t) => `INSERT INTO ${t} (id, v, n) VALUES ($1, $2, $3)`,
    params: [5, "five", null],
  },
  { name: "an update", sql: (t) => `UPDATE ${t} SET n = 2 WHERE id = 2` },
  { name: "an update of nothing", sql: (t) => `UPDATE ${t} SET n = 2 WHERE id = 999` },
  { name: "a delete", sql: (t) => `DELETE FROM ${t} WHERE id = 4` },
  { name: "a delete of nothing", sql: (t) => `DELETE FROM ${t} WHERE id = 999` },
  { name: "a batch", sql: () => "SELECT 1 AS a; SELECT 2 AS b" },
  { name: "a transaction", sql: (t) => `BEGIN; INSERT INTO ${t} (id, v) VALUES (6, 'six'); COMMIT` },
  { name: "a rollback", sql: (t) => `BEGIN; INSERT INTO ${t} (id, v) VALUES (7, 'seven'); ROLLBACK` },
  { name: "DESCRIBE", sql: (t) => `DESCRIBE TABLE ${t}` },
  { name: "SHOW NAMESPACES", sql: () => "SHOW NAMESPACES" },
  { name: "an added column", sql: (t) => `ALTER TABLE ${t} ADD COLUMN note TEXT` },
  { name: "IF EXISTS of nothing", sql: (t) => `DROP TABLE IF EXISTS ${t}_missing` },
];

const bad: readonly Case[] = [
  { name: "no SQL", sql: () => "SELEKT 1" },
  { name: "an open string", sql: () => "SELECT 'open" },
  { name: "nothing", sql: () => "" },
  { name: "only a comment", sql: () => "-- nothing" },
  { name: "a missing table", sql: (t) => `SELECT * FROM ${t}_missing` },
  { name: "a missing column", sql: (t) => `SELECT missing FROM ${t}` },
  { name: "a missing namespace", sql: (_, ns) => `CREATE TABLE ${ns}_missing.t (id BIGINT PRIMARY KEY)` },
  { name: "a missing function", sql: () => "SELECT missing_function(1)" },
  { name: "a key that exists", sql: (t) => `INSERT INTO ${t} (id, v) VALUES (1, 'again')` },
  { name: "NULL where none may be", sql: (t) => `INSERT INTO ${t} (id, v) VALUES (11, NULL)` },
  { name: "text for a number", sql: (t) => `INSERT INTO ${t} (id, v, n) VALUES (12, 'x', 'abc')` },
  { name: "too many values", sql: (t) => `INSERT INTO ${t} (id, v) VALUES (13, 'x', 1)` },
  { name: "an update of a missing column", sql: (t) => `UPDATE ${t} SET missing = 1 WHERE id = 1` },
  { name: "a division by zero", sql: (t) => `SELECT 10 / (id - id) AS x FROM ${t}` },
  { name: "a cast that fails", sql: (t) => `SELECT CAST(v AS INT) AS x FROM ${t}` },
  { name: "a batch that fails", sql: (t) => `SELECT 1 AS a; SELECT missing FROM ${t}` },
  { name: "parameters for a batch", sql: () => "SELECT $1; SELECT 2", params: [1] },
  { name: "an open transaction", sql: (t) => `BEGIN; INSERT INTO ${t} (id, v) VALUES (14, 'x')` },
  { name: "a table that exists", sql: (t) => `CREATE TABLE ${t} (id BIGINT PRIMARY KEY) WITH (TYPE='SHARED')` },
  { name: "a drop of nothing", sql: (t) => `DROP TABLE ${t}_missing` },
  { name: "no right", sql: () => "SELECT * FROM system.users LIMIT 1", as: "user" },
  { name: "no login", sql: () => "SELECT 1", as: "nobody" },
];

type Tried = { readonly case: string; readonly wanted: "good" | "bad"; readonly said: Said };

export const statusMatchesBody = defineCheck({
  id: "cli/status-matches-body",
  title: "HTTP status, status word and error say the same",
  failureTitle: "HTTP status, status word and error contradict each other",
  description: `Sends ${good.length} statements that work and ${bad.length} that do not: queries, writes, batches, transactions, mistakes of every kind, missing rights, a missing login. Success must come as status 200 with the word success and no error; a refusal with a status from 400 up, an error with a code and a message, and never the word success.`,
  blindTo: "It does not look whether what came back is right, only whether its parts agree.",
  risk: "A script that looks at the status alone takes a failure for a success, or the other way round.",
  remedy: "Until this passes, look at the HTTP status, the field status and the field error of every answer.",
  covers: ["CLI-01", "CLI-02"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_200,
  estimateRequests: good.length + bad.length + 2,
  findings: {
    disagree: { say: (d: { case: string; outcome: string }) => `${d.case}: ${d.outcome}` },
    codeMissing: {
      say: (d: { case: string; status: number; message: string }) =>
        `${d.case}: refused with ${d.status} and without ${d.message === "" ? "a message" : `a code: ${d.message}`}`,
    },
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    const user = await target.account("user");
    const table = `${scratch}.t`;
    const shape = "(id BIGINT PRIMARY KEY, v TEXT NOT NULL, n INT)";
    await target.sql(op, `CREATE TABLE ${table} ${shape} WITH (TYPE='SHARED')`);
    const first = await target.sql(op, `INSERT INTO ${table} (id, v) VALUES (1, 'one')`);
    const senders: Readonly<Record<string, Account | null>> = { user, nobody: null };
    const tryAll = async (wanted: "good" | "bad", cases: readonly Case[]): Promise<Tried[]> => {
      const tried: Tried[] = [];
      for (const { name, sql, params, as } of cases) {
        const sender = as === undefined ? op : (senders[as] ?? null);
        const answer = await target.sql(sender, sql(table, scratch), params === undefined ? {} : { params });
        tried.push({ case: name, wanted, said: saidOf(answer) });
      }
      return tried;
    };
    // What fails comes after what works: a mistake must not be the cause of the next one's.
    return { ready: outcomeOf(first), tried: [...(await tryAll("good", good)), ...(await tryAll("bad", bad))] };
  },
  judge({ ready, tried }) {
    const inconsistent = tried.filter(({ said }) => said.why === "malformed" && said.status !== null);
    const bare = tried.filter(
      ({ said }) =>
        said.status !== null &&
        said.status >= 400 &&
        said.status < 500 &&
        !inconsistent.some((one) => one.said === said) &&
        (said.code === "" || said.message === ""),
    );
    const found = [
      ...inconsistent.map((one) => ({
        name: "disagree" as const,
        case: one.case,
        data: { case: one.case, outcome: one.said.message },
        sent: [one.said.exchange],
      })),
      ...bare.map((one) => ({
        name: "codeMissing" as const,
        case: one.case,
        data: { case: one.case, status: one.said.status ?? 0, message: one.said.message },
        sent: [one.said.exchange],
      })),
    ];
    if (found.length > 0) return fail(...found);
    // Agreeing is not enough: a statement that did not do what it was sent for shows nothing of its kind of answer.
    const odd = tried.find(({ wanted, said }) =>
      wanted === "good"
        ? said.kind !== "ok"
        : said.status === null || said.status < 400 || said.status > 499 || said.why === "rate",
    );
    if (odd !== undefined) {
      const told = `${odd.said.status ?? "no answer"} ${odd.said.code} ${odd.said.message}`.replace(/ {2,}/g, " ");
      return unknown(`${odd.case} should have ${odd.wanted === "good" ? "worked" : "been refused"}, and got ${told}`);
    }
    const count = (wanted: string): number => tried.filter((one) => one.wanted === wanted).length;
    if (count("good") < good.length || count("bad") < bad.length)
      return unknown(`only ${tried.length} of ${good.length + bad.length} statements were tried (the table: ${ready})`);
    return pass(
      `${count("good")} answers of success and ${count("bad")} refusals, each of one mind, each refusal with a code`,
    );
  },
});
