import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { cellText, isCleanRefusal, saidOf, truncated, type Said } from "../../../src/server/target.ts";
import { makeTable, readTable } from "../../vocabulary/tables.ts";

interface Case {
  readonly name: string;
  /** `{n}` inserts the row with that key; key 9 is there already, so inserting it fails. */
  readonly script: string;
  readonly answer: "ok" | "refused";
  /** The keys that must be there afterwards. */
  readonly keys: readonly string[];
  /** A server may also end the request at the failing statement: then it is refused, and none of these keys is there. */
  readonly mayStop?: true;
}

export const cases: readonly Case[] = [
  { name: "COMMIT", script: "BEGIN; {1}; {2}; COMMIT", answer: "ok", keys: ["1", "2"] },
  { name: "ROLLBACK", script: "BEGIN; {1}; {2}; ROLLBACK", answer: "ok", keys: [] },
  {
    name: "ROLLBACK TO",
    script: "BEGIN; {1}; SAVEPOINT a; {2}; ROLLBACK TO SAVEPOINT a; {3}; COMMIT",
    answer: "ok",
    keys: ["1", "3"],
  },
  {
    name: "nested savepoints",
    script: "BEGIN; {1}; SAVEPOINT a; {2}; SAVEPOINT b; {3}; ROLLBACK TO SAVEPOINT a; {4}; COMMIT",
    answer: "ok",
    keys: ["1", "4"],
  },
  {
    name: "RELEASE",
    script: "BEGIN; {1}; SAVEPOINT a; {2}; RELEASE SAVEPOINT a; COMMIT",
    answer: "ok",
    keys: ["1", "2"],
  },
  {
    name: "a released savepoint",
    script: "BEGIN; {1}; SAVEPOINT a; {2}; RELEASE SAVEPOINT a; ROLLBACK TO SAVEPOINT a; COMMIT",
    answer: "refused",
    keys: [],
  },
  {
    name: "an unknown savepoint",
    script: "BEGIN; {1}; ROLLBACK TO SAVEPOINT nowhere; COMMIT",
    answer: "refused",
    keys: [],
  },
  { name: "a failed statement", script: "BEGIN; {1}; {9}; {2}; COMMIT", answer: "refused", keys: [] },
  {
    name: "a failed statement after a savepoint",
    script: "BEGIN; {1}; SAVEPOINT a; {9}; ROLLBACK TO SAVEPOINT a; {2}; COMMIT",
    answer: "ok",
    keys: ["1", "2"],
    mayStop: true,
  },
  { name: "left open", script: "BEGIN; {1}", answer: "refused", keys: [] },
  { name: "left open after a savepoint", script: "BEGIN; {1}; SAVEPOINT a; {2}", answer: "refused", keys: [] },
];

type Tried = {
  readonly case: string;
  readonly said: Said;
  /** The keys that are there; null where they could not be read. */
  readonly keys: readonly string[] | null;
};

export const savepointsHold = defineCheck({
  id: "validation/savepoints-hold",
  title: "Savepoints and failed transactions undo exactly their part",
  failureTitle: "A savepoint or a failed transaction undoes too much or little",
  description: `Sends ${cases.length} transactions, each in one request: with savepoints that are rolled back to, nested, released and unknown, with a statement that fails, and without an end. Afterwards exactly the rows must be there that the transaction kept, and those that cannot end well must be rejected. After a failed statement a server may go on with ROLLBACK TO SAVEPOINT, or end the request and undo all of it. Promises: ROLLBACK TO keeps the rest; an unknown savepoint is an error; a failed block stays failed until it is rolled back; a request that ends with an open transaction is rolled back and refused.`,
  blindTo: "Transactions over the PostgreSQL port, which live as long as their connection; concurrent transactions.",
  risk: "A transaction leaves rows that it has undone, or loses rows that it has kept.",
  remedy: "Use transactions without savepoints, and read back what a script with a failed statement has left.",
  covers: [],
  appliesWhere: { savepoints: true },
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  uses: { user: 1 },
  estimateMs: 800,
  estimateRequests: 2 * cases.length + 2,
  findings: {
    wrongRows: {
      say: (d: { case: string; keys: string; expected: string }) =>
        `${d.case}: the rows ${d.keys} are there afterwards, expected ${d.expected}`,
    },
    notRefused: {
      say: (d: { case: string }) => `${d.case}: reported as a success, expected an error`,
      risk: "A client takes a transaction for committed that was rolled back.",
      remedy: "Read back what a transaction wrote before relying on it.",
    },
    wronglyRefused: {
      say: (d: { case: string; outcome: string }) => `${d.case}: rejected: ${d.outcome}`,
      risk: "Scripts that the documentation allows fail.",
      remedy: "Do without savepoints on this server.",
    },
  },
  async observe(target, context) {
    const [op, user] = [await target.account("dba"), await target.account("user")];
    const tried: Tried[] = [];
    for (const [at, { name, script }] of cases.entries()) {
      const table = await makeTable(target, context, op, `${context.scratch}.s${at}`, {
        columns: "id BIGINT PRIMARY KEY",
      });
      const insert = (key: string): string => `INSERT INTO ${table} (id) VALUES (${key})`;
      context.need(await target.sql(user, insert("9")), "the row could not be written");
      const said = saidOf(
        await target.sql(
          user,
          script.replace(/\{(\d)\}/g, (_, key: string) => insert(key)),
        ),
      );
      const rows = await readTable(target, user, table, ["id"], "id < 9");
      const keys = rows?.map(({ id }) => cellText(id)) ?? null;
      tried.push({ case: name, said: { ...said, message: truncated(said.message, 200) }, keys });
    }
    return { tried };
  },
  judge({ tried }, { found }) {
    const doubts: string[] = [];
    let stopped = 0;
    for (const { name, answer, keys, mayStop } of cases) {
      const one = tried.find((each) => each.case === name);
      if (one === undefined || one.keys === null || (one.said.kind !== "ok" && !isCleanRefusal(one.said))) {
        doubts.push(one === undefined ? `${name} was not tried` : `${name}: ${one.said.code} ${one.said.message}`);
        continue;
      }
      const shown = { case: name, sent: one.said };
      const isRefused = one.said.kind !== "ok";
      const hasStopped = mayStop === true && isRefused;
      if (hasStopped) stopped += 1;
      const expected = hasStopped ? [] : keys;
      const isWronglyRefused = isRefused && answer === "ok" && !hasStopped;
      if (one.keys.join() !== (isWronglyRefused ? "" : expected.join()))
        found.wrongRows({ case: name, keys: list(one.keys), expected: list(expected) }, shown);
      if (!isRefused && answer === "refused") found.notRefused({ case: name }, shown);
      if (isWronglyRefused)
        found.wronglyRefused({ case: name, outcome: `${one.said.code} ${one.said.message}` }, shown);
    }
    const [doubt] = doubts;
    if (doubt !== undefined) return unknown(doubt);
    const after = stopped > 0 ? "; a failed statement ends the request" : "; ROLLBACK TO recovers a failed block";
    return pass(`${tried.length} of ${cases.length} transactions left exactly their rows${after}`);
  },
});

const list = (keys: readonly string[]): string => (keys.length === 0 ? "none" : keys.join(", "));
