import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import { groupBy, type OperationOutcome, type Values } from "../../../src/history/history.ts";
import { cellText, type Account, type Target } from "../../../src/server/target.ts";
import { spreadOver, type Client } from "../../vocabulary/clients.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { crashRounds, crashTimes, crashWhile, whyNoCrash, type Crash } from "../crash.ts";
import { atLeast, readUntil } from "../reading.ts";
import { restartText } from "../restart.ts";

const clientCount = 6;
/** Rows of one INSERT. */
const manyRows = 500;
/** Room for the keys of one statement. */
const stride = 1_000;

/** One statement or transaction: the keys from `first` on are its own. */
type Unit = {
  readonly kind: "transaction" | "insert";
  readonly first: number;
  readonly rows: number;
  readonly outcome: OperationOutcome;
  readonly exchange: number;
  readonly invokedAt: number;
  readonly returnedAt: number;
};
type Round = {
  readonly crash: Crash;
  readonly units: readonly Unit[];
  /** The number of rows of each unit that are there, by its first key; null if they could not be read. */
  readonly there: { readonly [first: string]: number } | null;
  readonly why: string | null;
  readonly exchange: number;
};

export const batchSurvivesWhole = defineCheck({
  id: "durability/batch-survives-whole",
  title: "Transactions and large inserts survive kill -9 whole",
  failureTitle: "kill -9 tears transactions or large inserts apart",
  description: `In rounds on fresh tables, ${clientCount} clients write pairs of rows in BEGIN … COMMIT, and ${manyRows} rows in one INSERT, as fast as they can; the server's process is killed with SIGKILL at a random moment and started again. Of each transaction and each INSERT all rows must be there or none, and all if it was acknowledged.`,
  blindTo: "It ends a process and shows nothing about a power loss; transactions are of one table.",
  risk: "After a crash money has left one account and reached no other, or half of an import is there.",
  remedy: "Look for halves after a crash, and write what belongs together into one row until this passes.",
  covers: [],
  touches: "process",
  needs: ["control", "dba"],
  alone: true,
  level: "block",
  estimateMs: 10_000,
  estimateRequests: 400,
  timeoutMs: 300_000,
  findings: {
    tornBatch: {
      say: (d: {
        round: number;
        kind: Unit["kind"];
        outcome: OperationOutcome;
        there: number;
        rows: number;
        torn: number;
      }) =>
        `round ${d.round}: of ${d.kind === "insert" ? "an INSERT" : "a transaction"} of ${d.rows} rows, ${d.outcome === "ok" ? "acknowledged" : "not answered"}, ${d.there} are there after the kill (${d.torn} torn in all)`,
    },
  },
  async observe(target, context): Promise<{ readonly rounds: readonly Round[] }> {
    const op = await target.account("dba");
    return { rounds: await crashRounds(context, async (round) => await crashRound(target, context, op, round)) };
  },
  timeline: ({ rounds }) => crashTimes(rounds),
  judge({ rounds }, { found }) {
    for (const [at, { units, there, exchange }] of rounds.entries()) {
      if (there === null) continue;
      for (const [kind, all] of groupBy(units, (unit) => unit.kind)) {
        const torn = all.filter((unit) => isTorn(unit, there[unit.first] ?? 0));
        const [first] = torn;
        if (first === undefined) continue;
        const { outcome, rows } = first;
        found.tornBatch(
          { round: at + 1, kind, outcome, there: there[first.first] ?? 0, rows, torn: torn.length },
          { case: kind, sent: [first.exchange, exchange] },
        );
      }
    }
    const all = rounds.map(({ crash, units }) => {
      const flying = units.filter((unit) => unit.invokedAt <= crash.killedAt && unit.returnedAt >= crash.killedAt);
      return { crash, inFlight: flying.length };
    });
    const why = whyNoCrash(all) ?? rounds.flatMap((one) => one.why ?? [])[0];
    if (why !== undefined) return unknown(why);
    const written = rounds.flatMap(({ units }) => units).filter(({ outcome }) => outcome === "ok");
    const [pairs, inserts] = (["transaction", "insert"] as const).map(
      (kind) => written.filter((unit) => unit.kind === kind).length,
    );
    if (pairs === 0 || inserts === 0)
      return unknown(
        `${pairs} transactions and ${inserts} inserts were acknowledged before the kills; one of each is needed`,
      );
    const flying = all.reduce((sum, { inFlight }) => sum + inFlight, 0);
    return pass(
      `${pairs} acknowledged transactions and ${inserts} inserts of ${manyRows} rows whole, and ${flying} in flight at the kills whole or not there; ${restartText(rounds.map(({ crash }) => crash.restart))}`,
    );
  },
});

/** A refused one must not be there at all. */
function isTorn({ outcome, rows }: Unit, there: number): boolean {
  if (outcome === "ok") return there !== rows;
  return outcome === "refused" ? there !== 0 : there !== 0 && there !== rows;
}

async function crashRound(target: Target, context: Context, op: Account, round: number): Promise<Round> {
  const table = await sharedTable(target, context, op, `${context.scratch}.batches_${round}`, {
    columns: "id BIGINT PRIMARY KEY, mark TEXT",
    writers: ["service"],
  });
  const accounts = await spreadOver(target, "service", clientCount);
  const units: Unit[] = [];
  const send = async ({ number, as }: Pick<Client, "number" | "as">, turn: number) => {
    const first = (number * 1_000 + turn) * stride;
    // Half of the clients write pairs, the others write many rows at once.
    const kind = number % 2 === 0 ? "transaction" : "insert";
    const rows = kind === "transaction" ? 2 : manyRows;
    const answer = await target.sql(as, kind === "transaction" ? pair(table, first) : insert(table, first, rows));
    const { exchange, sentAt: invokedAt, doneAt: returnedAt } = answer;
    // What ran before a failing statement outside of a transaction would stay; inside it must not.
    const outcome = answer.kind === "refused" && answer.cause === "batchPart" ? "unsure" : answer.kind;
    units.push({ kind, first, rows, outcome, exchange, invokedAt, returnedAt });
    return answer;
  };
  const crash = await crashWhile(target, context, op, {
    clients: accounts.map((as, number) => ({ number, as })),
    write: send,
  });
  if (crash.restart.failed !== null) return { crash, units, there: null, why: null, exchange: 0 };
  const least = units.reduce((sum, { outcome, rows }) => sum + (outcome === "ok" ? rows : 0), 0);
  const reading = await readUntil(target, context, { as: op, table, columns: ["id", "mark"], isWhole: atLeast(least) });
  const rows = reading.cause === "missing" ? [] : reading.rows;
  const why = rows === null ? reading.why : null;
  return { crash, units, there: rows === null ? null : countByUnit(rows), why, exchange: reading.exchange };
}

function countByUnit(rows: readonly Values[]): { [first: string]: number } {
  const there: { [first: string]: number } = {};
  for (const { id } of rows) {
    const first = String(Math.floor(Number(cellText(id)) / stride) * stride);
    there[first] = (there[first] ?? 0) + 1;
  }
  return there;
}

function pair(table: string, first: number): string {
  return `BEGIN; ${insert(table, first, 1)}; ${insert(table, first + 1, 1)}; COMMIT`;
}

function insert(table: string, first: number, rows: number): string {
  const values = Array.from({ length: rows }, (_, at) => `(${first + at}, 'part ${at}')`);
  return `INSERT INTO ${table} (id, mark) VALUES ${values.join(", ")}`;
}
