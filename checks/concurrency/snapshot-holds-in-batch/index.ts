import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { writesIn, type Operation } from "../../../src/history/history.ts";
import { saidOf, type Answer, type Said } from "../../../src/server/target.ts";
import { connectAll, makeWorkload, sampleOf, spreadOver, together } from "../../vocabulary/clients.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { inFlightWith } from "../in-flight.ts";

const accountCount = 4;
const selects = 6;
/** Batches that were in flight together with an acknowledged write. */
const batchesMin = 4;
/** More would be beyond the rows that a SELECT returns. */
const insertsMax = 200;

type Batch = {
  readonly said: Said;
  readonly invokedAt: number;
  readonly returnedAt: number;
  /** The rows of each SELECT as JSON text. */
  readonly views: readonly string[];
};
type Seen = { readonly batches: readonly Batch[]; readonly operations: readonly Operation[] };

export function batchIn(answer: Answer): Batch {
  const results = answer.kind === "ok" ? answer.results : [];
  return {
    said: saidOf(answer),
    invokedAt: answer.sentAt,
    returnedAt: answer.doneAt,
    views: results.filter(({ columns }) => columns.length > 0).map(({ rows }) => JSON.stringify(rows)),
  };
}

export const snapshotHoldsInBatch = defineCheck({
  id: "concurrency/snapshot-holds-in-batch",
  title: "Queries of one transaction see the same state",
  failureTitle: "Queries of one transaction see what others commit meanwhile",
  description: `Two clients send batches of ${selects} equal SELECTs between BEGIN and COMMIT, while two others insert and update rows of the same SHARED table. All results of one batch must be equal.`,
  blindTo: "It reads one table with one statement; it does not compare tables with each other.",
  risk: "A report made of several queries adds up states of different moments, even inside a transaction.",
  remedy: "Read what must fit together with one statement.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "warn",
  estimateMs: 800,
  estimateRequests: 80,
  from: { effort: "standard", needs: "many transactions beside writes" },
  findings: {
    sawCommit: {
      say: (d: { number: number; times: number; of: number }) =>
        `in ${d.times} of ${d.of} transactions equal SELECTs returned different rows, in the first one from SELECT ${d.number} on`,
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const accounts = await spreadOver(target, "service", accountCount);
    const table = await sharedTable(target, context, op, `${context.scratch}.seen`, {
      columns: "id BIGINT PRIMARY KEY, n BIGINT",
    });
    context.need(await target.sql(op, `INSERT INTO ${table} (id, n) VALUES (1, 0)`), "the row could not be inserted");
    const { clients, history } = makeWorkload(target, accounts);
    const [inserter, updater, ...readers] = clients;
    const each = context.size({ light: 6, standard: 15, deep: 60 });
    const query = `SELECT id, n FROM ${table} ORDER BY id LIMIT 1000`;
    const batch = ["BEGIN", ...Array.from({ length: selects }, () => query), "COMMIT"].join("; ");
    const batches: Batch[] = [];
    let hasEnded = false;

    await connectAll(target, clients);
    const reading = together(readers, async ({ as }) => {
      for (let n = 0; n < each; n += 1) batches.push(batchIn(await target.sql(as, batch)));
    }).finally(() => {
      hasEnded = true;
    });
    const inserting = together(inserter === undefined ? [] : [inserter], async (client) => {
      for (let n = 2; n < insertsMax && !hasEnded; n += 1)
        await client.write(`INSERT INTO ${table} (id, n) VALUES (${n}, 0)`, [
          { kind: "insert", key: String(n), values: { n: "0" } },
        ]);
    });
    const updating = together(updater === undefined ? [] : [updater], async (client) => {
      for (let n = 1; n < insertsMax && !hasEnded; n += 1)
        await client.write(`UPDATE ${table} SET n = ${n} WHERE id = 1`, [
          { kind: "update", key: "1", values: { n: String(n) } },
        ]);
    });
    await Promise.all([reading, inserting, updating]);
    return { batches, operations: history() };
  },
  judge({ batches, operations }, { found }) {
    const whole = batches.filter(({ views }) => views.length === selects);
    const changed = whole.filter(({ views }) => new Set(views).size > 1);
    const [first] = changed;
    if (first !== undefined)
      found.sawCommit(
        {
          number: first.views.findIndex((view) => view !== first.views[0]) + 1,
          times: changed.length,
          of: whole.length,
        },
        { sent: sampleOf(changed).map(({ said }) => said) },
      );
    const broken = batches.find(({ views }) => views.length !== selects);
    if (whole.length < batchesMin && broken !== undefined)
      return unknown(
        `only ${whole.length} batches returned ${selects} results; another one returned ${broken.views.length}: ${broken.said.message}`,
      );
    const writes = writesIn(operations).filter(({ outcome }) => outcome === "ok");
    const during = inFlightWith(whole, writes);
    if (during.length < batchesMin)
      return unknown(
        `only ${during.length} transactions were in flight together with a write; at least ${batchesMin} are needed`,
      );
    const states = new Set(whole.flatMap(({ views }) => views)).size;
    if (states < 2) return unknown("all transactions saw the same state, so that a write in between would not show");
    return pass(
      `${whole.length} transactions of ${selects} SELECTs each saw one state, ${states} different ones in all; ${during.length} of them were in flight with one of ${writes.length} writes`,
    );
  },
});
