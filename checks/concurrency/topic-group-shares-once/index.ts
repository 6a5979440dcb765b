import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { writesIn, type Operation } from "../../../src/history/history.ts";
import {
  judgeGroup,
  type Acknowledgement,
  type Delivery,
  type GroupAnomaly,
} from "../../../src/history/topic-group.ts";
import { connectAll, makeWorkload, sampleOf, spreadOver, together } from "../../vocabulary/clients.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { acknowledge, makeTopic, newGroup, poll, type Failure } from "../../vocabulary/consumer.ts";

const partitions = 2;
/** Rows of one insert, messages of one poll. */
const [rowsAtOnce, pollMax] = [5, 7];
const publishedMin = 20;
/** A message that does not come within this time after another one is lost. */
const drainWithinMs = 4_000;
const pollsMax = 2_000;
/** After an empty poll. */
const restMs = 15;
/** A message that nobody acknowledges is free again after a time that the server chooses, but hardly before this one. */
const claimMs = 1_000;
/** The one that leaves, the one that stays, and the one that comes when both are done. */
const [leaver, stayer, successor] = ["leaver", "stayer", "successor"] as const;

type Seen = {
  readonly published: readonly Operation[];
  readonly delivered: readonly Delivery[];
  readonly acknowledged: readonly Acknowledgement[];
  readonly failures: readonly Failure[];
  /** Keys that were published when the group had acknowledged everything, for the successor. */
  readonly later: readonly string[];
  /** Keys that a group of its own receives; null where nothing was missing. */
  readonly inTopic: readonly string[] | null;
};

function missingIn({ published, delivered }: Pick<Seen, "published" | "delivered">): string[] {
  const seen = new Set(delivered.map(({ key }) => key));
  return writesIn(published).flatMap(({ key, outcome }) => (outcome === "ok" && !seen.has(key) ? [key] : []));
}

/** Whether it was delivered again so long after the first time that the claim of the first consumer may have ended. */
function isFreeAgain(anomaly: GroupAnomaly, delivered: readonly Delivery[]): boolean {
  if (anomaly.kind !== "nonmonotonic" && anomaly.kind !== "deliveredToBoth") return false;
  const { partition, offset, invokedAt } = anomaly.delivery;
  const times = delivered.flatMap((one) =>
    one.partition === partition && one.offset === offset ? [one.returnedAt] : [],
  );
  return invokedAt - Math.min(...times) >= claimMs;
}

export const topicGroupSharesOnce = defineCheck({
  id: "concurrency/topic-group-shares-once",
  title: "Consumers of a group share each message once",
  failureTitle: "Consumers of a group miss messages or get them twice",
  description: `Rows are inserted into a SHARED table that is the source of a topic with ${partitions} partitions, while two consumers of one group poll it and acknowledge. One of them leaves in the middle. Every row must be delivered to one of them, once, in the order of offsets, and nothing again once it was acknowledged. A third consumer, which comes when all is acknowledged, must receive only what is published from then on.`,
  blindTo:
    "A consumer that dies with messages it has not acknowledged; concurrency/unacknowledged-redelivered tries that on a server that kalam-ready starts.",
  risk: "Workers miss jobs, or do them twice.",
  remedy: "Make consumers idempotent by the key of the message, and compare what they did with the table.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 2_500,
  estimateRequests: 150,
  findings: {
    lostMessage: {
      say: (d: { lost: number; of: number; keys: readonly string[]; inTopic: number }) =>
        `${d.lost} of ${d.of} acknowledged rows were delivered to no consumer of the group (ids ${d.keys.join(", ")}); another group received ${d.inTopic} of them`,
      risk: "Workers miss jobs.",
    },
    strangeMessage: {
      say: (d: { key: string; offset: string; times: number }) =>
        `${d.times} messages are of rows that were never inserted, or differ between deliveries, the first with key ${d.key} at offset ${d.offset}`,
      risk: "Workers act on rows that do not exist.",
    },
    offsetWentBack: {
      say: (d: { offset: string; partition: string; times: number; acknowledged: boolean }) =>
        `${d.times} messages were delivered again, the first at offset ${d.offset} of partition ${d.partition}${d.acknowledged ? ", although it was acknowledged before the poll" : " to the consumer that had it already"}`,
      risk: "Workers do jobs again that they have acknowledged.",
    },
    deliveredToBoth: {
      say: (d: { offset: string; partition: string; times: number }) =>
        `${d.times} messages were delivered to both consumers of the group, the first at offset ${d.offset} of partition ${d.partition}`,
      risk: "Two workers do the same job at once.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const accounts = await spreadOver(target, "service", 4);
    const table = await sharedTable(target, context, op, `${context.scratch}.jobs`, {
      columns: "id BIGINT PRIMARY KEY, v TEXT",
    });
    const topic = await makeTopic(target, context, op, { name: "work", table, partitions });
    const group = newGroup(topic, "sharers");
    const { clients, history } = makeWorkload(target, accounts);
    const [first, second, ...publishers] = clients;
    const each = context.size({ light: 4, standard: 20, deep: 80 });
    const publish = async (client: (typeof clients)[number], n: number): Promise<string[]> => {
      const keys = Array.from({ length: rowsAtOnce }, (_, at) => String(client.number * 100_000 + n * rowsAtOnce + at));
      const rows = keys.map((key) => `(${key}, 'j${key}')`);
      const sql = `INSERT INTO ${table} (id, v) VALUES ${rows.join(", ")}`;
      await client.write(
        sql,
        keys.map((key) => ({ kind: "insert", key, values: { v: `j${key}` } })),
      );
      return keys;
    };

    await connectAll(target, clients);
    let hasEnded = false;
    const publishing = together(publishers, async (client) => {
      for (let n = 0; n < each; n += 1) await publish(client, n);
    }).finally(() => {
      hasEnded = true;
    });
    const delivered = (): number => new Set(group.delivered.map(({ key }) => key)).size;
    const half = Math.floor((publishers.length * each * rowsAtOnce) / 2);
    const consume = async (name: string, isDone: () => boolean): Promise<void> => {
      const as = (name === leaver ? first : second)?.as;
      for (let n = 0; as !== undefined && n < pollsMax && !isDone(); n += 1) {
        const partition = n % partitions;
        const consumer = { as, name, partition, limit: pollMax };
        const count = await poll(target, group, consumer);
        if (count === null) return;
        await acknowledge(target, group, consumer);
        if (count === 0)
          await context.poll(
            async () => await Promise.resolve(isDone()),
            (done) => done,
            { withinMs: restMs, everyMs: restMs },
          );
      }
    };
    let [countedAt, counted] = [0, -1];
    /** All that was published has come, or nothing more for a while. */
    const isDrained = (): boolean => {
      if (!hasEnded) return false;
      if (counted !== delivered()) [countedAt, counted] = [performance.now(), delivered()];
      const isLate = performance.now() > countedAt + drainWithinMs;
      return isLate || missingIn({ published: history(), delivered: group.delivered }).length === 0;
    };
    await Promise.all([
      publishing,
      consume(leaver, () => delivered() >= half || isDrained()),
      consume(stayer, isDrained),
    ]);
    const missing = missingIn({ published: history(), delivered: group.delivered });
    const again = newGroup(topic, "others");
    for (let partition = 0; partition < partitions && missing.length > 0; partition += 1)
      await poll(target, again, { as: op, name: "other", partition, limit: 100_000 });

    const last = publishers[0];
    const resume = async (): Promise<void> => {
      for (let partition = 0; partition < partitions; partition += 1)
        await poll(target, group, { as: op, name: successor, partition, limit: 100_000 });
    };
    for (let partition = 0; partition < partitions; partition += 1)
      await acknowledge(target, group, { as: op, name: stayer, partition });
    await resume();
    const later = last === undefined ? [] : await publish(last, each);
    await context.poll(
      async () => {
        await resume();
        return missingIn({ published: history(), delivered: group.delivered });
      },
      (keys) => !keys.some((key) => later.includes(key)),
      { withinMs: drainWithinMs, everyMs: 300 },
    );
    await target.sql(op, `DROP TOPIC ${topic}`);
    const { delivered: all, acknowledged, failures } = group;
    const inTopic = missing.length === 0 ? null : again.delivered.map(({ key }) => key);
    return { published: history(), delivered: all, acknowledged, failures, later, inTopic };
  },
  judge({ published, delivered, acknowledged, failures, later, inTopic }, { found }) {
    const writes = writesIn(published);
    const [failure] = failures;
    const judged = judgeGroup({ published: writes, delivered, acknowledged, leftAt: {} });
    const anomalies = judged.filter((one) => !isFreeAgain(one, delivered));
    const of = <Kind extends GroupAnomaly["kind"]>(...kinds: readonly Kind[]) =>
      anomalies.filter((one): one is Extract<GroupAnomaly, { kind: Kind }> => kinds.includes(one.kind as Kind));
    const lost = of("lost").map(({ write }) => write);
    const all = writes.filter(({ outcome }) => outcome === "ok");
    // A poll that failed may have taken messages with it.
    if (failure !== undefined) return unknown(`a poll or an acknowledgement failed: ${failure.what}`);
    const strange = of("unexpected").map(({ delivery }) => delivery);
    // A row whose message came under another key was delivered to nobody, but it is not lost.
    if (lost.length > strange.length)
      found.lostMessage(
        {
          lost: lost.length,
          of: all.length,
          keys: sampleOf(lost.map(({ key }) => key)),
          inTopic: lost.filter(({ key }) => inTopic?.includes(key) === true).length,
        },
        { sent: sampleOf(lost.map(({ statement }) => statement)) },
      );
    for (const { key, offset, poll: exchange } of strange.slice(0, 1))
      found.strangeMessage({ key, offset, times: strange.length }, { sent: [exchange] });
    const both = of("deliveredToBoth");
    // A message of the other consumer often has a lower offset than the last one of its own.
    const back = of("nonmonotonic", "deliveredAfterAck").filter(
      ({ delivery }) => !both.some((one) => one.delivery === delivery),
    );
    for (const { kind, delivery } of back.slice(0, 1))
      found.offsetWentBack(
        {
          offset: delivery.offset,
          partition: delivery.partition,
          times: back.length,
          acknowledged: kind === "deliveredAfterAck",
        },
        { sent: sampleOf(back.map((one) => one.delivery.poll)) },
      );
    for (const { delivery, before } of both.slice(0, 1))
      found.deliveredToBoth(
        { offset: delivery.offset, partition: delivery.partition, times: both.length },
        { sent: [before.poll, delivery.poll] },
      );
    if (all.length < publishedMin)
      return unknown(`only ${all.length} rows were acknowledged; at least ${publishedMin} are needed`);
    const shares = [leaver, stayer].map((name) => delivered.filter(({ consumer }) => consumer === name).length);
    const resumed = delivered.filter(({ consumer, key }) => consumer === successor && later.includes(key)).length;
    if (shares.includes(0) || resumed === 0)
      return unknown(
        `the consumers received ${[...shares, resumed].join(", ")} messages; each must have received one at least`,
      );
    if (anomalies.length < judged.length)
      return unknown("messages were held for so long that they may have been free again");
    if (!acknowledged.some(({ outcome }) => outcome === "ok")) return unknown("nothing was acknowledged");
    return pass(
      `${all.length} rows, each delivered once: ${shares.join(" and ")} to two consumers at once, ${resumed} to one that came later; ${acknowledged.length} acknowledgements`,
    );
  },
});
