import { defineCheck, pass, unknown } from "../../../src/check.ts";
import type { Operation, Values } from "../../../src/history/history.ts";
import { overlapOf } from "../../../src/history/overlap.ts";
import { judgeWinners } from "../../../src/history/winner.ts";
import { saidOf, type Said, truncated } from "../../../src/server/target.ts";
import {
  connectAll,
  countOutcomes,
  exchangesOf,
  makeWorkload,
  spreadOver,
  together,
} from "../../vocabulary/clients.ts";
import { flushToSegments, type InSegments } from "../../vocabulary/cold.ts";
import { sharedTable } from "../../vocabulary/tables.ts";

const accountCount = 4;
const [clientCount, clientsAtLight] = [8, 5];
const keysMin = 3;
/** Beyond constraints and existing keys, what a server may say to the loser of a race. */
const saysWhy = /conflict|duplicate|unique|serializ|retry/i;
/** Reasons that have nothing to do with the race. */
const otherReasons = new Set(["rate", "permission", "login", "limit"]);

/** Whether a rejection tells that somebody else has the key. */
function tellsKey({ why, message }: Said): boolean {
  return why === "constraint" || why === "exists" || saysWhy.test(message);
}

type Seen = {
  readonly operations: readonly Operation[];
  /** What the losers were told, once for each text. */
  readonly refusals: readonly Said[];
  /** Statements that were rejected for another reason than the key: they lost no race. */
  readonly apart: readonly number[];
  /** Rows in segments before keys were inserted again, or why that is not known. */
  readonly cold: InSegments | string;
  /** From this time on, keys were inserted that are in cold storage. Milliseconds. */
  readonly coldSince: number;
};

export const sameKeyOneWinner = defineCheck({
  id: "concurrency/same-key-one-winner",
  title: "Of concurrent inserts of one key, exactly one wins",
  failureTitle: "Concurrent inserts of one key have several winners, or none",
  description: `${clientCount} clients (${clientsAtLight} at light effort) insert the same key at once, each with a value of its own, for one key after the other. Exactly one insert per key must be acknowledged and its value stored; the others must be rejected as duplicates. Then the table is flushed, and the same is tried for keys that are only in cold storage: nobody may win again.`,
  blindTo: "It inserts single rows of a SHARED table; it does not try upserts or several keys in one statement.",
  risk: "Two clients each believe that they own the same order number, seat or lock.",
  remedy: "Do not rely on primary keys to decide a race; use one writer per key until this passes.",
  covers: ["CON-02"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 2_000,
  estimateRequests: 260,
  findings: {
    severalWinners: {
      say: (d: { key: string; acknowledged: number; rows: number; storage: string; keys: number }) =>
        `${d.acknowledged} inserts of key ${d.key} were acknowledged, ${d.rows} rows are stored (${d.storage} storage; keys affected: ${d.keys})`,
    },
    noWinner: {
      say: (d: { key: string; refused: number; keys: number }) =>
        `${d.refused} inserts of key ${d.key} were rejected, although nobody had inserted it (keys affected: ${d.keys})`,
      risk: "Clients are told that a key is taken which nobody has; nobody can use it.",
      remedy: "Look the key up after a rejection before you treat it as taken.",
    },
    wrongSurvivor: {
      say: (d: { key: string; stored: Values | null; winner: Values | null }) =>
        `key ${d.key} is stored as ${JSON.stringify(d.stored)}; acknowledged was ${JSON.stringify(d.winner)}`,
      risk: "A client whose insert was rejected has overwritten the one whose insert was acknowledged.",
    },
    unclearRefusal: {
      say: (d: { status: number | null; code: string; message: string }) =>
        `an insert that lost was rejected without naming the duplicate key: ${d.status ?? ""} ${d.code} ${d.message}`,
      risk: "Clients cannot tell a lost race from an error that they should report.",
      remedy: "Look the key up after any rejected insert.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const accounts = await spreadOver(target, "service", accountCount);
    const table = await sharedTable(target, context, op, `${context.scratch}.won`, {
      columns: "id BIGINT PRIMARY KEY, mark TEXT",
    });
    const { clients, history } = makeWorkload(
      target,
      accounts,
      context.size({ light: clientsAtLight, standard: clientCount, deep: clientCount }),
    );
    const keys = Array.from({ length: context.size({ light: 4, standard: 20, deep: 80 }) }, (_, at) => String(at + 1));
    const refusals = new Map<string, Said>();
    const apart: number[] = [];
    const race = async (key: string, round: string): Promise<void> =>
      await together(clients, async (client) => {
        const values = { mark: `${round}-${client.number}-${key}` };
        const sql = `INSERT INTO ${table} (id, mark) VALUES (${key}, '${values.mark}')`;
        const said = saidOf(await client.write(sql, [{ kind: "insert", key, values }]));
        if (said.kind === "ok") return;
        const text = said.message.replace(/\d+/g, "n");
        if (!refusals.has(text)) refusals.set(text, said);
        if (said.kind === "refused" && !tellsKey(said)) apart.push(said.exchange);
      });
    const readAll = async (): Promise<unknown> =>
      await clients[0]?.read(`SELECT id, mark FROM ${table} ORDER BY id LIMIT 1000`);

    await connectAll(target, clients);
    for (const key of keys) await race(key, "hot");
    await readAll();
    const cold = await flushToSegments(target, context, op, table, ["shared"]);
    await readAll();
    const coldSince = Math.floor(performance.now());
    for (const key of keys.slice(0, Math.ceil(keys.length / 4))) await race(key, "cold");
    await readAll();
    return { operations: history(), refusals: [...refusals.values()], apart, cold, coldSince };
  },
  judge({ operations: all, refusals, apart, cold, coldSince }, { found }) {
    const set = new Set(apart);
    const operations = all.filter(({ statement }) => !set.has(statement));
    const anomalies = judgeWinners(operations, "id");
    const several = anomalies.find((one) => one.kind === "severalWinners");
    const count = (kind: string): number =>
      new Set(anomalies.flatMap((one) => (one.kind === kind ? [one.key] : []))).size;
    if (several !== undefined) {
      const { key, winners, rows } = several;
      const storage = winners.some(({ invokedAt }) => invokedAt >= coldSince) ? "cold" : "hot";
      found.severalWinners(
        { key, acknowledged: winners.length, rows, storage, keys: count("severalWinners") },
        { sent: exchangesOf(winners) },
      );
    }
    for (const { key, refused } of anomalies.filter((one) => one.kind === "noWinner").slice(0, 1))
      found.noWinner({ key, refused: refused.length, keys: count("noWinner") }, { sent: exchangesOf(refused) });
    for (const { key, row, winner, read } of anomalies.filter((one) => one.kind === "wrongSurvivor").slice(0, 1))
      found.wrongSurvivor(
        { key, stored: row, winner: winner?.values ?? null },
        { sent: exchangesOf([...(winner === null ? [] : [winner]), read]) },
      );
    const unclear = refusals.filter((said) => {
      const wasRefused = said.kind === "refused" || (said.why === "unrecognised" && said.code !== "");
      return wasRefused && !tellsKey(said) && !otherReasons.has(said.why);
    });
    for (const { status, code, message, exchange } of unclear.slice(0, 1))
      found.unclearRefusal({ status, code, message: truncated(message, 200) }, { sent: [exchange] });

    const [inserts, reads] = [true, false].map((wanted) =>
      operations.filter(({ kind }) => (kind === "insert") === wanted),
    );
    const isRaced = (list: readonly Operation[]): number =>
      [...overlapOf(list).byKey.values()].filter((most) => most >= 2).length;
    const hot = (inserts ?? []).filter(({ invokedAt }) => invokedAt < coldSince);
    const again = (inserts ?? []).filter(({ invokedAt }) => invokedAt >= coldSince);
    if (isRaced(hot) < keysMin)
      return unknown(`inserts of only ${isRaced(hot)} keys were in flight together; at least ${keysMin} are needed`);
    if (countOutcomes(reads ?? []).ok < 3) return unknown("the rows could not be read after each round");
    if (typeof cold === "string") return unknown(cold);
    if ((cold["shared"] ?? 0) < new Set(hot.map(({ key }) => key)).size)
      return unknown(`only ${cold["shared"] ?? 0} rows reached cold storage before keys were inserted again`);
    if (isRaced(again) === 0) return unknown("no inserts of a key in cold storage were in flight together");
    const unclearCount = countOutcomes(inserts ?? []).unsure + apart.length;
    if (unclearCount > all.length / 10)
      return unknown(
        `${unclearCount} of ${all.length} requests were neither acknowledged nor lost to another: ${refusals[0]?.message ?? ""}`,
      );
    const most = Math.max(...overlapOf(hot).byKey.values());
    return pass(
      `${isRaced(hot)} keys, one winner each; ${isRaced(again)} of them tried again in cold storage, no second winner; up to ${most} inserts of one key in flight together`,
    );
  },
});
