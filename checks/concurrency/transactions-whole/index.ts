import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { judgeBank, type BankAnomaly } from "../../../src/history/bank.ts";
import { readsIn, writesIn, type Operation } from "../../../src/history/history.ts";
import { overlapOf } from "../../../src/history/overlap.ts";
import {
  connectAll,
  exchangesOf,
  makeWorkload,
  readWhile,
  sampleOf,
  spreadOver,
  together,
  type Client,
} from "../../vocabulary/clients.ts";
import { flushAfter, whyNotMidway, type MidwayFlush } from "../../vocabulary/midway.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { inFlightWith } from "../in-flight.ts";

const accountCount = 4;
const readerCount = 3;
const balance = 100;
/** Reads that were in flight together with a transfer. */
const readsMin = 10;
const transfersMin = 8;
/** A balance that is still missing after this time is lost. */
const settlesWithinMs = 2_000;

type Seen = {
  readonly pairs: number;
  readonly operations: readonly Operation[];
  readonly flush: MidwayFlush | null;
};

/** The keys of the accounts; each pair is two keys that follow each other. */
function keysOf(pairs: number): string[] {
  return Array.from({ length: 2 * pairs }, (_, at) => String(at + 1));
}

function anomaliesOf({ pairs, operations }: Pick<Seen, "pairs" | "operations">): BankAnomaly[] {
  const total = 2 * pairs * balance;
  return judgeBank(operations, { keyColumn: "id", balanceColumn: "balance", keys: keysOf(pairs), total });
}

function told(anomaly: BankAnomaly): string {
  if (anomaly.kind === "wrongTotal") return `a total of ${anomaly.total}`;
  const keys = sampleOf(anomaly.keys).join(", ");
  return anomaly.kind === "wrongKeys" ? `accounts missing or twice (${keys})` : `no number as the balance of ${keys}`;
}

export const transactionsWhole = defineCheck({
  id: "concurrency/transactions-whole",
  title: "Transactions are seen whole or not at all",
  failureTitle: "Parts of transactions are seen or lost",
  description: `Pairs of accounts in a SHARED table start with ${balance} each. One client for each pair moves amounts between its two accounts, both updates in one BEGIN … COMMIT batch, while ${readerCount} clients read all balances with one SELECT and the table is flushed. Every read must show every account once, and the same total.`,
  blindTo:
    "Each pair has one writer, so that no two transactions want the same row; it does not show what happens when they do.",
  risk: "A report that runs during a transfer shows money that does not exist, or misses some that does.",
  remedy: "Do not rely on BEGIN … COMMIT to change two rows together; keep what belongs together in one row.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_500,
  estimateRequests: 250,
  findings: {
    tornRead: {
      say: (d: { saw: string; expected: number; times: number; of: number }) =>
        `${d.times} of ${d.of} reads saw a part of a transaction, the first ${d.saw} instead of a total of ${d.expected}`,
    },
    moneyLost: {
      say: (d: { saw: string; expected: number; transfers: number }) =>
        `after ${d.transfers} acknowledged transfers, when all had ended, a read still showed ${d.saw} instead of a total of ${d.expected}`,
      risk: "A transaction was acknowledged and applied in part: money is gone, or was made.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const accounts = await spreadOver(target, "service", accountCount);
    const table = await sharedTable(target, context, op, `${context.scratch}.balances`, {
      columns: "id BIGINT PRIMARY KEY, balance BIGINT",
    });
    const pairs = context.size({ light: 2, standard: 4, deep: 6 });
    const each = context.size({ light: 5, standard: 25, deep: 100 });
    const rows = keysOf(pairs).map((key) => `(${key}, ${balance})`);
    context.need(
      await target.sql(op, `INSERT INTO ${table} (id, balance) VALUES ${rows.join(", ")}`),
      "the accounts could not be inserted",
    );
    const { clients, history } = makeWorkload(target, accounts, pairs + readerCount);
    const [writers, readers] = [clients.slice(0, pairs), clients.slice(pairs)];
    const midway = flushAfter(target, context, op, { table, steps: Math.ceil((pairs * each) / 3) });
    const change = (by: string, key: string): string => `UPDATE ${table} SET balance = balance ${by} WHERE id = ${key}`;
    const read = async (client: Client): Promise<unknown> =>
      await client.read(`SELECT id, balance FROM ${table} ORDER BY id LIMIT ${2 * rows.length}`);

    await connectAll(target, clients);
    const moving = together(writers, async (client, at) => {
      const random = context.random(`transfers of pair ${at}`);
      const pair = [String(2 * at + 1), String(2 * at + 2)] as const;
      for (let n = 0; n < each; n += 1) {
        const [from, to] = random() < 0.5 ? pair : [pair[1], pair[0]];
        const amount = 1 + Math.floor(random() * 9);
        await client.write(
          `BEGIN; ${change(`- ${amount}`, from)}; ${change(`+ ${amount}`, to)}; COMMIT`,
          [from, to].map((key) => ({ kind: "update", key, values: {} })),
        );
        midway.step();
      }
    });
    await readWhile(moving, readers, 2 * each, read);
    const flush = await midway.ended();
    await context.poll(
      async () => {
        for (const client of readers.slice(0, 1)) await read(client);
        const last = history().at(-1);
        return anomaliesOf({ pairs, operations: last === undefined ? [] : [last] }).length;
      },
      (wrong) => wrong === 0,
      { withinMs: settlesWithinMs, everyMs: 400 },
    );
    return { pairs, operations: history(), flush };
  },
  judge({ pairs, operations, flush }, { found }) {
    const anomalies = anomaliesOf({ pairs, operations });
    const expected = 2 * pairs * balance;
    const reads = readsIn(operations).filter(({ rows }) => rows !== null);
    const transfers = writesIn(operations);
    const committed = transfers.filter(({ outcome }) => outcome === "ok").length / 2;
    const last = reads.at(-1);
    const left = anomalies.find(({ read }) => read === last);
    const [first] = anomalies;
    if (left !== undefined)
      found.moneyLost({ saw: told(left), expected, transfers: committed }, { sent: exchangesOf([left.read]) });
    else if (first !== undefined)
      found.tornRead(
        { saw: told(first), expected, times: anomalies.length, of: reads.length },
        { sent: exchangesOf(anomalies.map(({ read }) => read)) },
      );
    if (last === undefined) return unknown("the balances could not be read");
    if (committed < transfersMin)
      return unknown(`only ${committed} transfers were acknowledged; at least ${transfersMin} are needed`);
    const during = inFlightWith(reads, transfers);
    if (during.length < readsMin)
      return unknown(
        `only ${during.length} reads were in flight together with a transfer; at least ${readsMin} are needed`,
      );
    const why = whyNotMidway(flush, transfers);
    if (why !== undefined) return unknown(why);
    return pass(
      `${reads.length} reads of ${2 * pairs} accounts show the same total; ${committed} transfers acknowledged, ${during.length} reads in flight with one, up to ${overlapOf(operations).requests} requests together, flushed midway`,
    );
  },
});
