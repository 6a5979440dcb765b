import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import { integerText, rowsOf, type Account, type Answer, type Target } from "../../../src/server/target.ts";
import { afterAWhile } from "../../vocabulary/looking-again.ts";
import { sharedTable } from "../../vocabulary/tables.ts";

/** Fewer reads of values that had just changed show little. */
const readsMin = 30;
const againAfterMs = 300;
/** A cache may be filled by one read and outlive the next write only later: longer than caches of a few seconds live. */
const lateAfterMs = 6_000;

/** A way to read the counter; each returns it in the column n. */
const ways: readonly {
  readonly name: string;
  readonly by: "writer" | "other";
  readonly sql: (table: string) => string;
  /** It counts all rows, so it hangs on every INSERT, and not only on the last UPDATE. */
  readonly counts?: true;
}[] = [
  { name: "the writer, by key", by: "writer", sql: (t) => `SELECT n FROM ${t} WHERE id = 1` },
  { name: "another account, by key", by: "other", sql: (t) => `SELECT n FROM ${t} WHERE id = 1` },
  { name: "another account, the whole table", by: "other", sql: (t) => `SELECT id, n FROM ${t} ORDER BY id LIMIT 10` },
  { name: "the writer, an aggregate", by: "writer", sql: (t) => `SELECT MAX(n) AS n FROM ${t}` },
  {
    name: "another account, a count",
    by: "other",
    sql: (t) => `SELECT COUNT(*) AS n FROM ${t} WHERE id > 1`,
    counts: true,
  },
];

/** One read, sent when the write before it had been acknowledged, or `lateMs` after that. */
export type Read = {
  readonly way: string;
  readonly sql: string;
  readonly lateMs: number;
  readonly expected: string;
  /** What it was before that write. */
  readonly previous: string;
  /** A write that it would show was not acknowledged, so that nobody knows what it must return. */
  readonly open: boolean;
  /** Null if there was no answer with one number. */
  readonly got: string | null;
  /** Read again after a while; null if it was as expected at once, or not answered. */
  readonly again: string | null;
  readonly exchange: number;
  readonly write: number;
};

type Data = {
  readonly way: string;
  readonly sql: string;
  readonly lateMs: number;
  readonly got: string;
  readonly expected: string;
  readonly again: string | null;
  readonly times: number;
  readonly of: number;
};

export const readsAreFresh = defineCheck({
  id: "validation/reads-are-fresh",
  title: "A read sees every write acknowledged before it",
  failureTitle: "A read misses writes acknowledged before it",
  description: `One account inserts rows and counts in one of them; after each acknowledgement it and another account read the row, the whole table and aggregates, with the same ${ways.length} statements each time, on connections of their own. Each must return what was written last, at standard and deep effort also ${lateAfterMs / 1000} s after the last write. What is not as expected is read again ${againAfterMs} ms later, which tells a stale read from a lost write.`,
  blindTo: "One server: replicas that only other clients reach, and caches of proxies that only they use.",
  risk: "Users do not see what they have just saved, save it again, or decide by old balances and stocks.",
  remedy: "Read from the server that was written to, and switch off caches of SQL answers in between.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 7_000,
  estimateRequests: 90,
  findings: {
    stale: {
      say: (d: Data) =>
        `${d.sql}, by ${d.way}, returned ${d.got} ${lateText(d)}after ${d.expected} had been acknowledged; ${againText(d)} (${d.times} of ${d.of} reads)`,
    },
    lostWrite: {
      say: (d: Data) =>
        `${d.sql}, by ${d.way}, returned ${d.got} ${lateText(d)}after ${d.expected} had been acknowledged; ${againText(d)} (${d.times} of ${d.of} reads)`,
      risk: "Acknowledged writes are lost.",
      remedy: "Do not store data here that you cannot afford to lose until this passes.",
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const writer = await target.account("service", "writer");
    const other = await target.account("service", "reader");
    const columns = "id BIGINT PRIMARY KEY, n BIGINT";
    const table = await sharedTable(target, context, op, `${context.scratch}.fresh`, { columns, writers: ["service"] });
    context.need(
      await target.sql(writer, `INSERT INTO ${table} (id, n) VALUES (1, 0)`),
      "the row could not be written",
    );
    const reads: Read[] = [];
    let unacknowledged = 0;
    let inserted = true;
    let last: Round | undefined;
    const rounds = context.size({ light: 6, standard: 40, deep: 200 });
    for (let round = 1; round <= rounds; round += 1) {
      // The count follows the INSERT, and everything else the UPDATE: both are the number of the round.
      const insert = await target.sql(writer, `INSERT INTO ${table} (id, n) VALUES (${round + 1}, 0)`);
      const update = await target.sql(writer, `UPDATE ${table} SET n = ${round} WHERE id = 1`);
      inserted &&= insert.kind === "ok";
      if (insert.kind !== "ok" || update.kind !== "ok") {
        unacknowledged += 1;
        continue;
      }
      last = { table, round, writer, other, inserted, write: update.exchange };
      reads.push(...(await readAll(target, context, last)));
    }
    const late = last;
    if (context.effort !== "light" && late?.round === rounds)
      reads.push(
        ...(await afterAWhile(context, async () => await readAll(target, context, late, lateAfterMs), lateAfterMs)),
      );
    return { reads, unacknowledged };
  },
  judge({ reads, unacknowledged }, { found }) {
    const wrong = reads.filter(({ open, got, expected }) => !open && got !== null && got !== expected);
    const isStale = ({ again, expected }: Read): boolean => again === expected;
    for (const [some, report] of [
      [wrong.filter(isStale), found.stale],
      [wrong.filter((one) => one.again !== null && !isStale(one)), found.lostWrite],
    ] as const) {
      const [first] = some;
      if (first === undefined) continue;
      const { way, sql, lateMs, got, expected, again } = first;
      report(
        { way, sql, lateMs, got: got ?? "", expected, again, times: some.length, of: reads.length },
        { sent: [first.write, first.exchange] },
      );
    }
    const unread = reads.find(({ got, again, expected }) => got === null || (got !== expected && again === null));
    if (unread !== undefined) return unknown(`${unread.sql}, by ${unread.way}, was not answered with a number`);
    if (unacknowledged > 0) return unknown(`${unacknowledged} writes were not acknowledged`);
    if (reads.length < readsMin)
      return unknown(`only ${reads.length} reads were made; at least ${readsMin} are needed`);
    return pass(`${reads.length} reads in ${ways.length} ways, each after a new write, all up to date`);
  },
});

function lateText({ lateMs }: Data): string {
  return lateMs === 0 ? "" : `${lateMs / 1000} s `;
}

function againText({ again, expected }: Data): string {
  if (again === expected) return `${againAfterMs} ms later it was right`;
  return again === null ? "it could not be read again" : `${againAfterMs} ms later it was still ${again}`;
}

interface Round {
  readonly table: string;
  readonly round: number;
  readonly writer: Account;
  readonly other: Account;
  /** Whether all rows were acknowledged. */
  readonly inserted: boolean;
  readonly write: number;
}

async function readAll(target: Target, context: Pick<Context, "poll">, about: Round, lateMs = 0): Promise<Read[]> {
  const { table, round, writer, other, inserted, write } = about;
  const expected = String(round);
  return await Promise.all(
    ways.map(async ({ name: way, by, sql: statement, counts = false }) => {
      const sql = statement(table);
      const ask = async (): Promise<Answer> => await target.sql(by === "writer" ? writer : other, sql);
      const answer = await ask();
      const got = numberIn(answer);
      const again = got === null || got === expected ? null : numberIn(await afterAWhile(context, ask, againAfterMs));
      const open = counts && !inserted;
      return {
        way,
        sql,
        lateMs,
        expected,
        previous: String(round - 1),
        open,
        got,
        again,
        exchange: answer.exchange,
        write,
      };
    }),
  );
}

/** The number in the column n of the first row. */
function numberIn(answer: Answer): string | null {
  return integerText(rowsOf(answer)?.[0]?.["n"]) ?? null;
}
