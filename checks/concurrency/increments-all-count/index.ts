import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { judgeCounter } from "../../../src/history/counter.ts";
import type { Operation } from "../../../src/history/history.ts";
import { overlapOf } from "../../../src/history/overlap.ts";
import {
  connectAll,
  countOutcomes,
  exchangesOf,
  makeWorkload,
  spreadOver,
  together,
} from "../../vocabulary/clients.ts";
import { sharedTable } from "../../vocabulary/tables.ts";

const accountCount = 5;
const clientCount = 10;
const [controlKey, racedKey] = ["1", "2"];
const overlapMin = 3;
const acknowledgedMin = 10;
/** An increment that is missing is late if it shows within this time, and lost otherwise. */
const lateWithinMs = 2_000;

type Seen = {
  /** One client alone. */
  readonly control: readonly Operation[];
  /** Many at once. */
  readonly raced: readonly Operation[];
};

/** The last read of a workload and what it must be. */
function totalOf(operations: readonly Operation[]) {
  const { ok, unsure } = countOutcomes(operations.filter(({ kind }) => kind === "update"));
  const last = operations.findLast((one) => one.kind === "read" && one.rows !== null);
  if (last === undefined) return { acknowledged: ok, unsure, last: null, anomaly: undefined };
  const [anomaly] = judgeCounter([...operations.filter(({ kind }) => kind !== "read"), last], { column: "n" });
  return { acknowledged: ok, unsure, last, anomaly };
}

export const incrementsAllCount = defineCheck({
  id: "concurrency/increments-all-count",
  title: "Concurrent increments of one row all count",
  failureTitle: "Concurrent increments of one row are lost",
  description: `${clientCount} clients increment the same row with UPDATE … SET n = n + 1, several times each. The value must be the number of acknowledged updates. Before that, one client alone does the same on another row, and that must be exact.`,
  blindTo:
    "It does not try several statements in a transaction, and a server may document that concurrent updates are not serialised: this is a warning then.",
  risk: "Counters, stocks and balances drift: two clients read the same value and one overwrites the other's update, although both were acknowledged.",
  remedy:
    "Do not compute new values from old ones in SQL with several writers: insert one row per change and sum them, or use one writer.",
  covers: ["CON-04"],
  touches: "scratch",
  needs: ["dba"],
  level: "warn",
  estimateMs: 1_000,
  estimateRequests: 80,
  from: { effort: "standard", needs: "many concurrent updates of one row" },
  findings: {
    lostUpdates: {
      say: (d: { lost: number; of: number; value: number }) =>
        `${d.lost} of ${d.of} acknowledged increments are lost: the value is ${d.value}`,
    },
    extraUpdates: {
      say: (d: { value: number | null; most: number }) =>
        `the value is ${d.value ?? "no number"}, although at most ${d.most} increments were sent`,
      risk: "An update takes effect twice, although it was sent once.",
      remedy: "Look for a proxy or a driver that sends writes again.",
      level: "block",
    },
    controlWrong: {
      say: (d: { value: number | null; expected: number }) =>
        `one client alone incremented ${d.expected} times, and the value is ${d.value ?? "no number"}`,
      risk: "Updates that follow one another do not add up.",
      remedy: "Report the requests to KalamDB; do not compute new values from old ones in SQL.",
      level: "block",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const accounts = await spreadOver(target, "service", accountCount);
    const table = await sharedTable(target, context, op, `${context.scratch}.counters`, {
      columns: "id BIGINT PRIMARY KEY, n BIGINT",
    });
    context.need(
      await target.sql(op, `INSERT INTO ${table} (id, n) VALUES (${controlKey}, 0), (${racedKey}, 0)`),
      "the counters could not be inserted",
    );
    const each = context.size({ light: 3, standard: 5, deep: 30 });
    const run = async (count: number, key: string): Promise<Operation[]> => {
      const { clients, history } = makeWorkload(target, accounts, count);
      if (count > 1) await connectAll(target, clients);
      const sql = `UPDATE ${table} SET n = n + 1 WHERE id = ${key}`;
      await together(clients, async (client) => {
        for (let n = 0; n < each; n += 1) await client.write(sql, [{ kind: "update", key, values: {} }]);
      });
      await context.poll(
        async () => {
          await clients[0]?.read(`SELECT n FROM ${table} WHERE id = ${key}`, key);
          return totalOf(history()).anomaly;
        },
        (anomaly) => anomaly?.kind !== "lost",
        { withinMs: lateWithinMs, everyMs: 400 },
      );
      return history();
    };
    return { control: await run(1, controlKey), raced: await run(clientCount, racedKey) };
  },
  judge({ control, raced }, { found }) {
    const [alone, many] = [totalOf(control), totalOf(raced)];
    const numberOf = (value: number): number | null => (Number.isNaN(value) ? null : value);
    if (alone.anomaly !== undefined)
      found.controlWrong(
        { value: numberOf(alone.anomaly.value), expected: alone.acknowledged },
        { sent: exchangesOf(control) },
      );
    else if (many.anomaly?.kind === "lost")
      found.lostUpdates(
        { lost: many.acknowledged - many.anomaly.value, of: many.acknowledged, value: many.anomaly.value },
        { sent: exchangesOf(raced.slice(-10)) },
      );
    else if (many.anomaly !== undefined)
      found.extraUpdates(
        { value: numberOf(many.anomaly.value), most: many.anomaly.bound },
        { sent: exchangesOf(raced.slice(-10)) },
      );
    if (alone.last === null || many.last === null) return unknown("the counters could not be read at the end");
    if (alone.acknowledged === 0 || many.acknowledged < acknowledgedMin)
      return unknown(
        `only ${alone.acknowledged} increments by one client and ${many.acknowledged} by many were acknowledged; at least 1 and ${acknowledgedMin} are needed`,
      );
    const { requests } = overlapOf(raced);
    if (requests < overlapMin)
      return unknown(`at most ${requests} increments were in flight together; at least ${overlapMin} are needed`);
    const open = many.unsure === 0 ? "" : `, ${many.unsure} unanswered`;
    return pass(
      `${many.acknowledged} acknowledged increments, all counted${open}; up to ${requests} in flight together; ${alone.acknowledged} by one client exact`,
    );
  },
});
