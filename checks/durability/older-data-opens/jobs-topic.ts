/** A topic of which a group has acknowledged some messages. */
import type { Context } from "../../../src/check.ts";
import type { OtherServer } from "../../../src/server/target.ts";
import { createTable } from "../../vocabulary/tables.ts";
import { acknowledge, newGroup, poll, topicStatements } from "../../vocabulary/consumer.ts";
import { namespace } from "./places.ts";

const topic = `${namespace}.work`;
const table = `${namespace}.jobs`;
export const messages = 6;
const acknowledged = 3;
const partition = 0;
/** Messages appear a moment after the insert was acknowledged; what a consumer holds is free again after a while. */
const withinMs = 15_000;
const everyMs = 200;

/** `why`: why there is none; null if there is one. Keys are those of rows. */
export type TopicLeft = {
  readonly why: string | null;
  readonly done: readonly string[];
  readonly open: readonly string[];
};

/** Publishes, and acknowledges some of what came. */
export async function leaveTopic(server: OtherServer, context: Pick<Context, "poll">): Promise<TopicLeft> {
  const { root } = server;
  const none = (why: string): TopicLeft => ({ why, done: [], open: [] });
  const values = Array.from({ length: messages }, (_, id) => `(${id}, 'j${id}')`).join(", ");
  for (const sql of [
    createTable(table, { type: "SHARED", columns: "id BIGINT PRIMARY KEY, v TEXT" }),
    ...topicStatements(topic, table),
    `INSERT INTO ${table} (id, v) VALUES ${values}`,
  ]) {
    const answer = await server.sql(root, sql);
    if (answer.kind !== "ok") return none(`${sql.slice(0, 30)} …: ${answer.message}`);
  }
  const workers = newGroup(topic, "workers");
  const consumer = { as: root, name: "first", partition, limit: acknowledged };
  await context.poll(
    async () => await poll(server, workers, consumer),
    () => workers.delivered.length >= acknowledged,
    { withinMs, everyMs },
  );
  await acknowledge(server, workers, consumer);
  const [failure] = workers.failures;
  if (failure !== undefined) return none(failure.what);
  const [done] = workers.acknowledged;
  if (done?.outcome !== "ok") return none("nothing could be acknowledged");
  const keys = workers.delivered.filter(({ offset }) => BigInt(offset) <= BigInt(done.upTo)).map(({ key }) => key);
  const all = Array.from({ length: messages }, (_, id) => String(id));
  return { why: null, done: [...new Set(keys)], open: all.filter((key) => !keys.includes(key)) };
}

/** `why`: why it could not be polled; null if it was. */
export type TopicShown = {
  readonly why: string | null;
  readonly came: readonly string[];
  /** What another group receives, where something did not come. */
  readonly elsewhere: readonly string[];
  readonly waitedMs: number;
  readonly exchange: number;
};

/** Polls for the same group until all that is open has come. */
export async function resumeTopic(
  server: OtherServer,
  context: Pick<Context, "poll">,
  { open }: TopicLeft,
): Promise<TopicShown> {
  const workers = newGroup(topic, "workers");
  const from = performance.now();
  const consumer = { as: server.root, name: "second", partition, limit: 100 };
  const came = (): string[] => [...new Set(workers.delivered.map(({ key }) => key))];
  await context.poll(
    async () => await poll(server, workers, consumer),
    () => open.every((key) => came().includes(key)),
    { withinMs, everyMs },
  );
  const waitedMs = Math.round(performance.now() - from);
  const isAll = open.every((key) => came().includes(key));
  const why = isAll || workers.delivered.length > 0 ? null : (workers.failures.at(-1)?.what ?? null);
  const exchange = workers.delivered[0]?.poll ?? workers.failures.at(-1)?.exchange ?? 0;
  const others = newGroup(topic, "others");
  if (!isAll) await poll(server, others, consumer);
  return { why, came: came(), elsewhere: others.delivered.map(({ key }) => key), waitedMs, exchange };
}
