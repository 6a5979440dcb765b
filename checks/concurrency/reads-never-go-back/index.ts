import { defineCheck, pass, unknown } from "../../../src/check.ts";
import type { Operation } from "../../../src/history/history.ts";
import { overlapOf } from "../../../src/history/overlap.ts";
import { judgeRegisters } from "../../../src/history/registers.ts";
import { cellText } from "../../../src/server/target.ts";
import { connectAll, exchangesOf, makeWorkload, spreadOver, together } from "../../vocabulary/clients.ts";
import { flushAfter, whyNotMidway, type MidwayFlush } from "../../vocabulary/midway.ts";
import { sharedTable } from "../../vocabulary/tables.ts";

const accountCount = 4;
const clientCount = 8;
const overlapMin = 3;
const contendedMin = 2;
const [readsMin, writesMin] = [20, 10];

type Seen = { readonly operations: readonly Operation[]; readonly flush: MidwayFlush | null };

export const readsNeverGoBack = defineCheck({
  id: "concurrency/reads-never-go-back",
  title: "A read never returns an older value than one already seen",
  failureTitle: "Reads return values that were already overwritten",
  description: `${clientCount} clients update and read the same few rows of a SHARED table, every value unique, and the table is flushed in the middle. For each row there must be one order of all updates and reads that keeps to real time and explains every value that was read (linearizability, decided by the zones of Gibbons and Korach). An update that was not answered may or may not have happened.`,
  blindTo: "Single rows, one node, read by key. Several rows at once are not compared.",
  risk: "A program reads an old balance or state after it, or another, has seen the new one, and acts on it.",
  remedy:
    "Read and write through one node; look for a cache or a replica that lags behind between your clients and the server.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 2_000,
  estimateRequests: 340,
  findings: {
    staleRead: {
      say: (d: { key: string; value: string; newer: string; afterMs: number; times: number }) =>
        `a read of row ${d.key} returned ${d.value}, sent ${d.afterMs} ms after another request had ${d.newer} (${d.times} contradictions)`,
    },
    inventedValue: {
      say: (d: { key: string; value: string | null; why: string; times: number }) =>
        `a read of row ${d.key} returned ${d.value ?? "not one row"}, ${d.why} (${d.times} times)`,
      risk: "A read shows data of another row, or data that was never stored.",
      remedy: "Report the requests to KalamDB; look for a proxy that mixes up answers.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const accounts = await spreadOver(target, "service", accountCount);
    const table = await sharedTable(target, context, op, `${context.scratch}.registers`, {
      columns: "id BIGINT PRIMARY KEY, v TEXT",
    });
    const keyCount = context.size({ light: 4, standard: 16, deep: 16 });
    const each = context.size({ light: 4, standard: 40, deep: 150 });
    const operator = makeWorkload(target, [op], 1, 99);
    const initial = Array.from({ length: keyCount }, (_, at) => {
      const key = String(at + 1);
      return { kind: "insert", key, values: { v: `first-${key}` } } as const;
    });
    const rows = initial.map(({ key, values }) => `(${key}, '${values.v}')`).join(", ");
    const [writer] = operator.clients;
    context.need(
      await writer?.write(`INSERT INTO ${table} (id, v) VALUES ${rows}`, initial),
      "the rows could not be inserted",
    );

    const { clients, history } = makeWorkload(target, accounts, clientCount);
    const midway = flushAfter(target, context, op, { table, steps: Math.ceil((clientCount * each) / 3) });
    await connectAll(target, clients);
    await together(clients, async (client) => {
      const random = context.random(`client ${client.number}`);
      for (let n = 0; n < each; n += 1) {
        const key = String(1 + Math.floor(random() * keyCount));
        if ((n + client.number) % 5 < 3) await client.read(`SELECT id, v FROM ${table} WHERE id = ${key}`, key);
        else {
          const v = `c${client.number}-${n}`;
          await client.write(`UPDATE ${table} SET v = '${v}' WHERE id = ${key}`, [
            { kind: "update", key, values: { v } },
          ]);
        }
        midway.step();
      }
    });
    const flush = await midway.ended();
    // What was last written must stay when it has moved to cold storage.
    await together(clients.slice(0, keyCount), async (client) => {
      for (let at = client.number; at < keyCount; at += clientCount) {
        const key = String(at + 1);
        await client.read(`SELECT id, v FROM ${table} WHERE id = ${key}`, key);
      }
    });
    return { operations: [...operator.history(), ...history()], flush };
  },
  judge({ operations, flush }, { found }) {
    const anomalies = judgeRegisters(operations, "v");
    const stale = anomalies.filter((one) => one.kind === "stale");
    for (const { read, write, newer } of stale.slice(0, 1))
      found.staleRead(
        {
          key: write.key,
          value: cellText(write.values["v"]),
          newer: `${newer.kind === "read" ? "read" : "written"} ${valueOf(newer)}`,
          afterMs: Math.round(read.invokedAt - newer.returnedAt),
          times: stale.length,
        },
        { sent: exchangesOf([write, newer, read]) },
      );
    const invented = anomalies.filter((one) => one.kind !== "stale");
    for (const one of invented.slice(0, 1)) {
      const why = {
        garbage: "which nobody wrote to it",
        aborted: "whose update was rejected",
        future: "before it was written",
      }[one.kind];
      const value = one.kind === "garbage" ? one.value : cellText(one.write.values["v"]);
      found.inventedValue(
        { key: one.read.key ?? "", value, why, times: invented.length },
        { sent: exchangesOf([one.read]) },
      );
    }

    const answered = operations.filter(({ outcome }) => outcome === "ok");
    const [reads, writes] = ["read", "update"].map((kind) => answered.filter((one) => one.kind === kind)) as [
      Operation[],
      Operation[],
    ];
    if (reads.length < readsMin || writes.length < writesMin)
      return unknown(
        `only ${reads.length} reads and ${writes.length} updates were answered; at least ${readsMin} and ${writesMin} are needed`,
      );
    const { requests, byKey } = overlapOf(operations);
    const contended = [...byKey.values()].filter((most) => most >= 2).length;
    if (requests < overlapMin || contended < contendedMin)
      return unknown(
        `at most ${requests} requests were in flight together, for ${contended} rows two or more; at least ${overlapMin} and ${contendedMin} are needed`,
      );
    const why = whyNotMidway(flush, operations);
    if (why !== undefined) return unknown(why);
    return pass(
      `${reads.length} reads and ${writes.length} updates of ${byKey.size} rows, all in order; up to ${requests} requests in flight together, ${contended} rows contended, flushed midway`,
    );
  },
});

function valueOf(operation: Operation): string {
  return cellText((operation.kind === "read" ? operation.rows?.[0] : operation.values)?.["v"]);
}
