/** Topics with one source, and consumers of a group, over HTTP. */
import type { Context } from "../../src/check.ts";
import type { Acknowledgement, Delivery } from "../../src/history/topic-group.ts";
import { cellText, integerText, type Account, type Reply, type Target, truncated } from "../../src/server/target.ts";
import { isRecord, type Json } from "../../src/wire/json.ts";

/** Requests for topics that were not answered as they should be. */
export type Failure = { readonly exchange: number; readonly what: string };

/** What the consumers of a group have received and acknowledged so far. */
export interface Group {
  readonly topic: string;
  readonly name: string;
  readonly delivered: Delivery[];
  readonly acknowledged: Acknowledgement[];
  readonly failures: Failure[];
}

export function newGroup(topic: string, name: string): Group {
  return { topic, name, delivered: [], acknowledged: [], failures: [] };
}

/** How long a message that was delivered and not acknowledged is kept from others. */
export const visibilitySetting = "topics.visibility_timeout_secs";

/** NaN where it is not known. */
export function visibilityMs({ control, capabilities }: Pick<Target, "control" | "capabilities">): number {
  return 1_000 * Number(control?.own?.lowered[visibilitySetting] ?? capabilities.settings[visibilitySetting]);
}

/** Make a topic of what is inserted into a table. */
export function topicStatements(topic: string, table: string, partitions?: number): readonly [string, string] {
  return [
    `CREATE TOPIC ${topic}${partitions === undefined ? "" : ` PARTITIONS ${partitions}`}`,
    `ALTER TOPIC ${topic} ADD SOURCE ${table} ON INSERT WITH (payload='full')`,
  ];
}

/** Makes a topic of what is inserted into the table, and returns its name. */
export async function makeTopic(
  target: Pick<Target, "sql">,
  context: Pick<Context, "need" | "topicName">,
  as: Account,
  { name, table, partitions }: { readonly name: string; readonly table: string; readonly partitions?: number },
): Promise<string> {
  const topic = context.topicName(name);
  const [create, addSource] = topicStatements(topic, table, partitions);
  context.need(await target.sql(as, create), "the topic could not be made");
  context.need(await target.sql(as, addSource), "the topic got no source");
  return topic;
}

async function post(
  target: Pick<Target, "request">,
  as: Account,
  path: string,
  body: { readonly [field: string]: Json },
): Promise<Reply> {
  return await target.request(as, {
    method: "POST",
    path: `/v1/api/topics/${path}`,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** The fields of a good answer; undefined for any other, which is kept. */
function fieldsOf(reply: Reply, group: Group): { readonly [field: string]: Json } | undefined {
  if (reply.kind === "answered" && reply.status === 200 && isRecord(reply.json)) return reply.json;
  const what = reply.kind === "answered" ? `status ${reply.status} ${truncated(reply.text, 200)}` : reply.detail;
  group.failures.push({ exchange: reply.exchange, what });
  return undefined;
}

/** Polls once; returns how many messages came, null for a failure. */
export async function poll(
  target: Pick<Target, "request">,
  group: Group,
  consumer: { readonly as: Account; readonly name: string; readonly partition: number; readonly limit: number },
): Promise<number | null> {
  const reply = await post(target, consumer.as, "consume", {
    topic_id: group.topic,
    group_id: group.name,
    start: "Earliest",
    partition_id: consumer.partition,
    limit: consumer.limit,
  });
  const messages = fieldsOf(reply, group)?.["messages"];
  if (!Array.isArray(messages)) return null;
  for (const message of messages as readonly Json[]) {
    const { offset = null, key = null } = isRecord(message) ? message : {};
    group.delivered.push({
      consumer: consumer.name,
      partition: String(consumer.partition),
      offset: integerText(offset) ?? "-1",
      key: cellText(key),
      poll: reply.exchange,
      invokedAt: reply.sentAt,
      returnedAt: reply.doneAt,
    });
  }
  return messages.length;
}

/** The last offset below which everything was delivered to somebody and that is not acknowledged yet. */
function acknowledgeable({ delivered, acknowledged }: Group, partition: string): bigint | undefined {
  const offsets = new Set(delivered.flatMap((one) => (one.partition === partition ? [one.offset] : [])));
  let next = 0n;
  while (offsets.has(String(next))) next += 1n;
  const done = acknowledged.filter((one) => one.partition === partition).map(({ upTo }) => BigInt(upTo));
  return next > 0n && !done.includes(next - 1n) ? next - 1n : undefined;
}

/**
 * Acknowledges what is complete: an acknowledgement covers everything up to its offset, also what another consumer of the
 * group holds.
 */
export async function acknowledge(
  target: Pick<Target, "request">,
  group: Group,
  { as, name, partition }: { readonly as: Account; readonly name: string; readonly partition: number },
): Promise<void> {
  const upTo = acknowledgeable(group, String(partition));
  if (upTo === undefined) return;
  const reply = await post(target, as, "ack", {
    topic_id: group.topic,
    group_id: group.name,
    partition_id: partition,
    upto_offset: Number(upTo),
  });
  const isDone = fieldsOf(reply, group)?.["success"] === true;
  group.acknowledged.push({
    consumer: name,
    partition: String(partition),
    upTo: String(upTo),
    returnedAt: reply.doneAt,
    outcome: isDone ? "ok" : "unsure",
  });
}
