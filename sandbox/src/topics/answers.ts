import type { Role } from "../store/roles.ts";
import type { Position, Topics } from "./topics.ts";

export interface Consuming {
  readonly topic: string;
  readonly group: string;
  readonly partition: number;
  readonly start: Position;
  readonly limit: number;
}

export interface Acknowledging {
  readonly topic: string;
  readonly group: string;
  readonly partition: number;
  readonly upTo: number;
}

/** The answer of an endpoint: a status and what is written as JSON. */
export interface TopicAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export const mayConsume = (role: Role | undefined): boolean => role !== undefined && role !== "user";

const refused = (status: number, code: string, error: string): TopicAnswer => ({ status, body: { error, code } });
const forbidden = (what: string): TopicAnswer =>
  refused(403, "FORBIDDEN", `Topic ${what} requires service, dba, or system role`);
const missing = (topic: string): TopicAnswer => refused(404, "NOT_FOUND", `Topic '${topic}' does not exist`);

const titled = { insert: "Insert", update: "Update", delete: "Delete" } as const;

/** `POST /v1/api/topics/consume`. */
export function answerConsume(topics: Topics, role: Role | undefined, wanted: Consuming): TopicAnswer {
  const { topic, group, partition, limit } = wanted;
  if (!mayConsume(role)) return forbidden("consumption");
  if (!topics.has(topic)) return missing(topic);
  const from = topics.start(topic, partition, group, wanted.start);
  const messages = topics.fetch(topic, partition, { group, from, limit });
  const body = {
    messages: messages.map(({ offset, payload, key, publishedMs, user, op }) => ({
      topic_id: topic,
      partition_id: partition,
      offset,
      payload: Buffer.from(payload).toString("base64"),
      key,
      timestamp_ms: Number(publishedMs),
      ...(user === null ? {} : { user }),
      op: titled[op],
    })),
    next_offset: (messages.at(-1)?.offset ?? from - 1) + 1,
    has_more: messages.length === limit,
  };
  return { status: 200, body };
}

/** `POST /v1/api/topics/ack`. */
export function answerAck(topics: Topics, role: Role | undefined, wanted: Acknowledging): TopicAnswer {
  const { topic, group, partition, upTo } = wanted;
  if (!mayConsume(role)) return forbidden("acknowledgment");
  if (!topics.has(topic)) return missing(topic);
  topics.acknowledge(topic, partition, group, upTo);
  return { status: 200, body: { success: true, acknowledged_offset: upTo } };
}
