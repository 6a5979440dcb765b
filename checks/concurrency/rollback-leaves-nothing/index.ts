import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { readsIn, type Operation, type Read } from "../../../src/history/history.ts";
import { cellText, rowsOf, saidOf, type Account, type Said, type Target } from "../../../src/server/target.ts";
import { connectAll, makeWorkload, readWhile, sampleOf, spreadOver, together } from "../../vocabulary/clients.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { isAnswered } from "../answered.ts";
import { inFlightWith } from "../in-flight.ts";

const accountCount = 3;
const readerCount = 3;
/** Reads that were in flight together with a batch. */
const readsMin = 10;
/** Batches of each kind that were answered. */
const answeredMin = 3;
/** What is still there after this time is left. */
const settlesWithinMs = 2_000;

const kinds = ["rolled back", "failing", "without an end"] as const;
type Kind = (typeof kinds)[number];
type Batch = {
  readonly kind: Kind;
  readonly said: Said;
  readonly invokedAt: number;
  readonly returnedAt: number;
};
type Open = { readonly transaction: string; readonly owner: string };
type Seen = {
  readonly batches: readonly Batch[];
  readonly operations: readonly Operation[];
  /** Transactions of these batches that the server still lists at the end; null where it could not be read. */
  readonly open: readonly Open[] | null;
};

/** Two rows for each kind: one that its batches would change, one that they would delete. */
const baseRows: readonly (readonly [key: string, mark: string])[] = kinds.flatMap((_, at) => [
  [String(2 * at + 1), "base"],
  [String(2 * at + 2), "base"],
]);

/** What a read shows besides the rows as they were before all batches, or lacks of them: `+ key mark` or `- key mark`. */
function differencesOf({ rows }: Read): string[] {
  const shown = new Set((rows ?? []).map((row) => `${cellText(row["id"])} ${cellText(row["mark"])}`));
  const base = new Set(baseRows.map((row) => row.join(" ")));
  return [
    ...[...shown].filter((row) => !base.has(row)).map((row) => `+ ${row}`),
    ...[...base].filter((row) => !shown.has(row)).map((row) => `- ${row}`),
  ];
}

function batchOf(table: string, kind: Kind, turn: number): string {
  const at = kinds.indexOf(kind);
  const [changed, deleted] = [2 * at + 1, 2 * at + 2];
  const fresh = 1_000 * (at + 1) + 2 * turn;
  const insert = (key: number): string => `INSERT INTO ${table} (id, mark) VALUES (${key}, 'undone')`;
  const ends: Readonly<Record<Kind, readonly string[]>> = {
    "rolled back": ["ROLLBACK"],
    failing: [insert(changed), "COMMIT"],
    "without an end": [],
  };
  return [
    "BEGIN",
    insert(fresh),
    `UPDATE ${table} SET mark = 'undone' WHERE id = ${changed}`,
    `DELETE FROM ${table} WHERE id = ${deleted}`,
    insert(fresh + 1),
    ...ends[kind],
  ].join("; ");
}

/** Transactions that belong to request ids that begin like this. */
async function openOf(target: Target, as: Account, prefix: string): Promise<Open[] | null> {
  const rows = rowsOf(
    await target.sql(
      as,
      `SELECT transaction_id, owner_id FROM system.transactions WHERE owner_id LIKE '%${prefix}%' LIMIT 100`,
    ),
  );
  return (
    rows
      ?.map((row) => ({ transaction: cellText(row["transaction_id"]), owner: cellText(row["owner_id"]) }))
      .filter(({ owner }) => owner.includes(prefix)) ?? null
  );
}

export const rollbackLeavesNothing = defineCheck({
  id: "concurrency/rollback-leaves-nothing",
  title: "Rolled back transactions leave nothing and are never seen",
  failureTitle: "Rolled back transactions leave rows or are seen",
  description: `Three clients send batches that insert, change and delete rows of a SHARED table after BEGIN: one ends them with ROLLBACK, one with a duplicate key before COMMIT, one not at all. ${readerCount} others read the table meanwhile. No read may show anything of these batches, at the end the rows must be as before, and no transaction of theirs may be open.`,
  blindTo:
    "Open transactions are found by the X-Request-ID that the batches carry; a server that does not list transactions by it shows none.",
  risk: "Other clients act on data that was never committed.",
  remedy:
    "Do not rely on ROLLBACK to undo a batch: validate before writing, and write what must be whole in one statement.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_000,
  estimateRequests: 120,
  from: { effort: "standard", needs: "many transactions beside reads" },
  findings: {
    dirtyRead: {
      say: (d: { rows: readonly string[]; times: number; of: number }) =>
        `${d.times} of ${d.of} reads saw something of a batch that was not committed, the first ${d.rows.join(", ")}`,
    },
    keptRows: {
      say: (d: { rows: readonly string[] }) =>
        `after all batches were rolled back, the table differs from before: ${d.rows.join(", ")}`,
      risk: "A batch that was refused or rolled back is applied in part.",
    },
    openTransaction: {
      say: (d: { count: number; owner: string }) =>
        `${d.count} transactions are still open after their requests ended, the first of ${d.owner}`,
      risk: "Transactions that nobody can end keep memory, and versions that compaction cannot remove.",
      remedy: "Watch system.transactions, and end every batch with COMMIT or ROLLBACK.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const accounts = await spreadOver(target, "service", accountCount);
    const table = await sharedTable(target, context, op, `${context.scratch}.undone`, {
      columns: "id BIGINT PRIMARY KEY, mark TEXT",
    });
    const rows = baseRows.map(([key, mark]) => `(${key}, '${mark}')`);
    context.need(
      await target.sql(op, `INSERT INTO ${table} (id, mark) VALUES ${rows.join(", ")}`),
      "the rows could not be inserted",
    );
    const turns = context.size({ light: 6, standard: 15, deep: 60 });
    const { clients, history } = makeWorkload(target, accounts, kinds.length + readerCount);
    const [writers, readers] = [clients.slice(0, kinds.length), clients.slice(kinds.length)];
    const query = `SELECT id, mark FROM ${table} ORDER BY id LIMIT 500`;
    const batches: Batch[] = [];
    await connectAll(target, clients);
    const undoing = together(writers, async ({ as }, at) => {
      for (let turn = 0; turn < turns; turn += 1) {
        const kind = kinds[at] ?? "rolled back";
        const headers = { "x-request-id": `${context.scratch}-${at}-${turn}` };
        const answer = await target.sql(as, batchOf(table, kind, turn), { headers });
        batches.push({ kind, said: saidOf(answer), invokedAt: answer.sentAt, returnedAt: answer.doneAt });
      }
    });
    await readWhile(undoing, readers, 3 * turns, async (client) => await client.read(query));
    const settled = { withinMs: settlesWithinMs, everyMs: 400 };
    await context.poll(
      async () => {
        await readers[0]?.read(query);
        return readsIn(history()).at(-1);
      },
      (last) => last !== undefined && last.rows !== null && differencesOf(last).length === 0,
      settled,
    );
    const open = await context.poll(
      async () => await openOf(target, op, context.scratch),
      (listed) => listed?.length === 0,
      settled,
    );
    return { batches, operations: history(), open };
  },
  judge({ batches, operations, open }, { found }) {
    const reads = readsIn(operations).filter(({ rows }) => rows !== null);
    // Whoever acknowledges a duplicate key commits by that what stands before it.
    const accepted = batches.find(({ kind, said }) => kind === "failing" && said.kind === "ok");
    if (accepted !== undefined) return unknown("a batch with a duplicate key was acknowledged");
    const wrong = reads.filter((read) => differencesOf(read).length > 0);
    const last = reads.at(-1);
    const [first] = wrong;
    if (last !== undefined && wrong.includes(last))
      found.keptRows(
        { rows: sampleOf(differencesOf(last)) },
        { sent: [...sampleOf(batches).map(({ said }) => said), { exchange: last.statement }] },
      );
    else if (first !== undefined)
      found.dirtyRead(
        { rows: sampleOf(differencesOf(first)), times: wrong.length, of: reads.length },
        { sent: sampleOf(wrong.map(({ statement }) => statement)) },
      );
    const [left] = open ?? [];
    if (left !== undefined && open !== null)
      found.openTransaction(
        { count: open.length, owner: left.owner },
        {
          sent: batches
            .filter(({ kind }) => kind === "without an end")
            .map(({ said }) => said)
            .slice(0, 1),
        },
      );
    if (last === undefined) return unknown("the table could not be read");
    for (const kind of kinds) {
      const answered = batches.filter((one) => one.kind === kind && isAnswered(one.said)).length;
      if (answered < answeredMin)
        return unknown(`only ${answered} batches ${kind} were answered; at least ${answeredMin} are needed`);
    }
    const refusedEnd = batches.find(({ kind, said }) => kind === "rolled back" && said.kind !== "ok");
    if (refusedEnd !== undefined)
      return unknown(`a batch with ROLLBACK was not acknowledged: ${refusedEnd.said.message}`);
    const during = inFlightWith(reads, batches);
    if (during.length < readsMin)
      return unknown(
        `only ${during.length} reads were in flight together with a batch; at least ${readsMin} are needed`,
      );
    if (open === null) return unknown("the open transactions could not be read");
    return pass(
      `${batches.length} batches left nothing; ${reads.length} reads saw nothing of them, ${during.length} of these in flight with one; no transaction is open`,
    );
  },
});
