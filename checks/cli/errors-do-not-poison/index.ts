import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { badSubscriptions, makeBadSubscriptions, poisonedBy } from "./bad-subscriptions.ts";
import { cellText, listed, onlyRow, outcomeOf, type Account } from "../../../src/server/target.ts";

/** Mistakes that leave something open, half done or thrown away in the server. `n` is different each time. */
const mistakes: readonly {
  readonly name: string;
  readonly sql: (t: string, n: number) => string;
  readonly asUser?: boolean;
}[] = [
  { name: "bad syntax", sql: () => "SELEKT 1" },
  { name: "a missing table", sql: (t) => `SELECT * FROM ${t}_missing` },
  { name: "an existing key", sql: (t) => `INSERT INTO ${t} (id, v) VALUES (0, 'again')` },
  { name: "a wrong type", sql: (t, n) => `INSERT INTO ${t} (id, v) VALUES ('abc', 'bad ${n}')` },
  { name: "an open transaction", sql: (t, n) => `BEGIN; INSERT INTO ${t} (id, v) VALUES (${100_000 + n}, 'bad ${n}')` },
  {
    name: "a transaction that fails",
    sql: (t, n) =>
      `BEGIN; INSERT INTO ${t} (id, v) VALUES (${200_000 + n}, 'bad ${n}'); INSERT INTO ${t} (id, v) VALUES (0, 'again'); COMMIT`,
  },
  { name: "a batch that fails", sql: (t) => `SELECT 1 AS a; SELECT missing FROM ${t}` },
  { name: "a division by zero", sql: (t) => `SELECT 1 / (id - id) AS x FROM ${t}` },
  { name: "a missing namespace", sql: (t) => `CREATE TABLE ${t.replace(".", "_missing.")} (id BIGINT PRIMARY KEY)` },
  { name: "no right", sql: () => "SELECT * FROM system.users LIMIT 1", asUser: true },
];
/** Failures after which nobody knows what was done, or that are not about the statement. */
const noAnswer = new Set(["rate", "timeout", "reset", "cut", "unreachable", "unavailable", "aborted"]);
const counting = "SELECT COUNT(*)";
/** With fewer some of the mistakes would not have been made. */
const pairsMin = mistakes.length;

type Good = {
  /** The mistake just before it. */
  readonly after: string;
  readonly asked: string;
  readonly wanted: string;
  /** Null where the answer was no success. */
  readonly got: string | null;
  /** What kind of failure: `refused`, or what broke. */
  readonly failure: string;
  readonly outcome: string;
  readonly exchange: number;
};

export const errorsDoNotPoison = defineCheck({
  id: "cli/errors-do-not-poison",
  title: "After an error the next statement works as if it had not been",
  failureTitle: "After an error statements on the same connection go wrong",
  description: `Sends a hundred statements over one connection, a mistake and a good one in turn: bad syntax, missing things, open and failing transactions, missing rights; inserts, literals and counts. Each good one must be right, and in the end there must be just the rows of the good ones. Then ${badSubscriptions.length} bad subscriptions on a live connection with a good one: after each, the good one must be told of a row, as one on another connection is, and a new one must begin.`,
  blindTo:
    "It is about one connection over HTTP, one statement after the other; mistakes of one client while others work are for the category concurrency, bad messages that are no subscriptions for validation/websocket-protocol-guarded.",
  risk: "One bad statement breaks what others send through the same pool of connections.",
  remedy: "Close the connection after an error until this passes.",
  covers: ["CLI-11"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 2_000,
  estimateRequests: 150,
  // One statement waits for the other: a busy machine must not take the answer away.
  timeoutMs: 120_000,
  findings: {
    poisoned: {
      say: (d: { after: string; asked: string; wanted: string; got: string }) =>
        `after ${d.after}: ${d.asked} should have given ${d.wanted}, and gave ${d.got}`,
    },
    silenced: {
      say: (d: { after: string; asked: string; got: string }) => `after ${d.after}: ${d.asked} got ${d.got}`,
    },
  },
  async observe(target, context) {
    const table = `${context.scratch}.t`;
    const connection = context.scratch;
    const user = await target.account("user");
    const accounts = [await target.account("dba"), await target.account("dba", "other")] as const;
    const [op] = accounts;
    await target.sql(op, `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='SHARED')`);
    const first = await target.sql(op, `INSERT INTO ${table} (id, v) VALUES (0, 'good')`);
    const pairs = Math.floor(context.size({ light: 30, standard: 100, deep: 400 }) / 2);
    const good: Good[] = [];
    const made: string[] = [];
    let opened = 0;
    let rows = 1;
    for (let n = 1; n <= pairs; n += 1) {
      const mistake = mistakes[n % mistakes.length] ?? mistakes[0];
      const as: Account = accounts[n % 2 === 0 ? 0 : 1];
      if (mistake === undefined) break;
      const bad = await target.sql(mistake.asUser === true ? user : as, mistake.sql(table, n), { connection });
      if (bad.kind !== "ok" && bad.status !== undefined && bad.status < 500 && bad.status !== 429)
        made.push(mistake.name);
      const { asked, wanted } = goodOne(table, n, rows);
      const answer = await target.sql(as, asked, { connection });
      if (answer.kind === "ok" && asked.startsWith("INSERT")) rows += 1;
      const inserted = answer.kind === "ok" ? `${answer.results[0]?.rowCount ?? 0} row` : null;
      good.push({
        after: mistake.name,
        asked,
        wanted,
        got: asked.startsWith("INSERT") ? inserted : answer.kind === "ok" ? cellText(onlyRow(answer)?.["x"]) : null,
        failure: answer.kind === "ok" ? "" : answer.kind === "refused" ? answer.cause : answer.because,
        outcome: outcomeOf(answer),
        exchange: answer.exchange,
      });
      opened = Math.max(opened, answer.opened ?? 0);
    }
    const live = await makeBadSubscriptions(target, { scratch: context.scratch, op, user });
    const left = await target.sql(op, `SELECT v FROM ${table} WHERE v <> 'good' ORDER BY v LIMIT 10`);
    const count = await target.sql(op, `SELECT COUNT(*) AS x FROM ${table}`);
    return {
      ready: first.kind === "ok",
      mistakes: made,
      good,
      opened,
      wantedRows: rows,
      rows: onlyRow(count) === undefined ? null : Number(onlyRow(count)?.["x"]),
      strange: listed(left) ?? null,
      sent: [left.exchange, count.exchange],
      live,
    };
  },
  judge(seen) {
    const { good, opened, rows, wantedRows, strange, live } = seen;
    const gotNoAnswer = (one: Good): boolean => one.got === null && noAnswer.has(one.failure);
    // An insert without an answer may have been done: what is counted after it may be one row more.
    const firstLost = good.findIndex((one) => gotNoAnswer(one) && one.asked.startsWith("INSERT"));
    const poisoned = good.filter(
      (one, at) =>
        one.got !== one.wanted &&
        !gotNoAnswer(one) &&
        !(one.got !== null && firstLost !== -1 && at > firstLost && one.asked.startsWith(counting)),
    );
    const [first] = poisoned;
    const unsure = good.filter((one) => one.got === null && !poisoned.includes(one));
    // What was sent and not answered may have been done: then the rows cannot be counted.
    const miscounted = unsure.length === 0 && rows !== null && rows !== wantedRows;
    const besides = live.beside.map((one) => ({ ...one, poisoned: poisonedBy(one) }));
    const found = [
      ...besides.flatMap(({ after, poisoned: harm, exchange }) =>
        harm === undefined || harm === "unknown"
          ? []
          : [
              {
                name: "silenced" as const,
                case: after,
                data: { after, ...harm },
                sent: [exchange],
              },
            ],
      ),
      ...(first === undefined
        ? []
        : [
            {
              name: "poisoned" as const,
              case: first.after,
              data: { after: first.after, asked: first.asked, wanted: first.wanted, got: first.got ?? first.outcome },
              sent: poisoned.map((one) => one.exchange),
            },
          ]),
      ...(strange !== null && strange.length > 0
        ? [
            {
              name: "poisoned" as const,
              case: "rows",
              data: { after: "all of it", asked: "rows of mistakes", wanted: "none", got: strange.join(", ") },
              sent: seen.sent,
            },
          ]
        : []),
      ...(miscounted && strange?.length === 0
        ? [
            {
              name: "poisoned" as const,
              case: "rows",
              data: { after: "all of it", asked: "COUNT(*)", wanted: String(wantedRows), got: String(rows) },
              sent: seen.sent,
            },
          ]
        : []),
    ];
    if (found.length > 0) return fail(...found);
    if (unsure[0] !== undefined)
      return unknown(
        `after ${unsure[0].after}: ${unsure.length} of ${good.length} good statements got no answer: ${unsure[0].outcome}`,
      );
    if (!seen.ready || rows === null || strange === null)
      return unknown("the rows could not be written, or not be counted in the end");
    if (new Set(seen.mistakes).size < mistakes.length || good.length < pairsMin)
      return unknown(
        `only ${new Set(seen.mistakes).size} of ${mistakes.length} kinds of mistakes were refused as such`,
      );
    // A server may close a connection after an error; but then there was nothing left to poison.
    if (opened === 0 || opened > good.length / 2)
      return unknown(`the connection was opened ${opened} times, so it was not one`);
    const vague = besides.find(({ poisoned: harm }) => harm === "unknown");
    if (live.why !== null || vague !== undefined)
      return unknown(
        live.why ?? `${vague?.after}: ${vague?.answer}; whether the good one beside it went on could not be told`,
      );
    if (live.beside.length < badSubscriptions.length)
      return unknown(`only ${live.beside.length} of ${badSubscriptions.length} bad subscriptions were tried`);
    return pass(
      `${good.length} of ${good.length} good statements right after ${seen.mistakes.length} mistakes, on ${opened === 1 ? "one connection" : `a connection that was opened ${opened} times`}; a live query was told of each row after ${live.beside.length} bad subscriptions beside it`,
    );
  },
});

/** An insert, a literal and a count in turn. */
function goodOne(table: string, n: number, rows: number): { readonly asked: string; readonly wanted: string } {
  if (n % 3 === 0) return { asked: `INSERT INTO ${table} (id, v) VALUES (${n}, 'good')`, wanted: "1 row" };
  if (n % 3 === 1) return { asked: `SELECT 'mine ${n}' AS x`, wanted: `mine ${n}` };
  return { asked: `${counting} AS x FROM ${table}`, wanted: String(rows) };
}
