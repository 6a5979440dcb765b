/**
 * A topic that a group of consumers shares. The anomalies are those of Jepsen's Kafka workload (`jepsen.tests.kafka`, in
 * github.com/jepsen-io/redpanda and jepsen.io/analyses/redpanda-21.10.1): lost, unexpected, nonmonotonic poll, duplicate;
 * and what a group promises besides: a message has one consumer at a time, and none again once it was acknowledged.
 */
import { countWhile } from "./ascending.ts";
import { groupBy, type Write } from "./history.ts";

/** One message as a consumer received it. Times are milliseconds on the clock of the publications. */
export type Delivery = {
  readonly consumer: string;
  readonly partition: string;
  /** Offsets may be beyond 2^53: decimal digits. */
  readonly offset: string;
  readonly key: string;
  /** Number of the poll in the run's recording: equal for messages of one poll, increasing within a consumer. */
  readonly poll: number;
  /** When the poll was sent and when its answer was complete. */
  readonly invokedAt: number;
  readonly returnedAt: number;
};

/** The group's position after a consumer acknowledged everything up to an offset. */
export type Acknowledgement = {
  readonly consumer: string;
  readonly partition: string;
  /** The last offset that is acknowledged. */
  readonly upTo: string;
  readonly returnedAt: number;
  readonly outcome: "ok" | "refused" | "unsure";
};

export interface GroupHistory {
  /** Inserts, with the key of each message. */
  readonly published: readonly Write[];
  readonly delivered: readonly Delivery[];
  readonly acknowledged: readonly Acknowledgement[];
  /** When each consumer gave up what it had not acknowledged: it left, or its claim ended. Absent for one that never did. */
  readonly leftAt: { readonly [consumer: string]: number };
}

export type GroupAnomaly =
  /** Published with an acknowledgement, and delivered to no consumer. */
  | { readonly kind: "lost"; readonly write: Write }
  /** Delivered, and never published, or the publication was refused, or under another key at the same offset. */
  | { readonly kind: "unexpected"; readonly delivery: Delivery }
  /** At or below the offset that the same consumer received before it, without having left in between. */
  | { readonly kind: "nonmonotonic"; readonly delivery: Delivery; readonly before: Delivery }
  /** To a second consumer while the first one had not left. */
  | { readonly kind: "deliveredToBoth"; readonly delivery: Delivery; readonly before: Delivery }
  /** By a poll that was sent after the message was acknowledged. */
  | { readonly kind: "deliveredAfterAck"; readonly delivery: Delivery; readonly acknowledged: Acknowledgement };

/** Judges a group that has been polled until nothing more came; otherwise messages that are still to come count as lost. */
export function judgeGroup(history: GroupHistory): GroupAnomaly[] {
  const { published, delivered } = history;
  const seen = new Set(delivered.map(({ key }) => key));
  const possible = new Set(published.flatMap(({ outcome, key }) => (outcome === "refused" ? [] : [key])));
  const lost = published.filter(({ outcome, key }) => outcome === "ok" && !seen.has(key));
  return [
    ...lost.map((write) => ({ kind: "lost", write }) as const),
    ...delivered.flatMap((delivery) => (possible.has(delivery.key) ? [] : [{ kind: "unexpected", delivery } as const])),
    ...[...groupBy(delivered, ({ partition }) => partition)].flatMap(([partition, ofOne]) => [
      ...backwards(ofOne, history),
      ...again(ofOne, partition, history),
    ]),
  ];
}

/** Within a consumer, in the order in which it received them. */
function backwards(ofPartition: readonly Delivery[], { leftAt }: GroupHistory): GroupAnomaly[] {
  return [...groupBy(ofPartition, ({ consumer }) => consumer).values()].flatMap((received) => {
    let before: Delivery | undefined;
    return received.flatMap((delivery): GroupAnomaly[] => {
      const previous = before;
      before = delivery;
      if (previous === undefined || BigInt(previous.offset) < BigInt(delivery.offset)) return [];
      return (leftAt[delivery.consumer] ?? Infinity) < delivery.returnedAt
        ? []
        : [{ kind: "nonmonotonic", delivery, before: previous }];
    });
  });
}

function again(
  ofPartition: readonly Delivery[],
  partition: string,
  { acknowledged, leftAt }: GroupHistory,
): GroupAnomaly[] {
  const acks = acknowledged.filter((ack) => ack.outcome === "ok" && ack.partition === partition);
  const coveredSince = coverage(acks);
  return [...groupBy(ofPartition, ({ offset }) => offset).values()].flatMap((same) => {
    const inOrder = same.toSorted((one, other) => one.returnedAt - other.returnedAt);
    return inOrder.flatMap((delivery, at): GroupAnomaly[] => {
      const before = inOrder[at - 1];
      const covering = coveredSince(delivery.offset);
      if (covering !== undefined && covering.returnedAt < delivery.invokedAt)
        return [{ kind: "deliveredAfterAck", delivery, acknowledged: covering }];
      if (before === undefined || before.consumer === delivery.consumer) return [];
      // Given up before the second one received it, it was free to be delivered again.
      const wasFree = (leftAt[before.consumer] ?? Infinity) <= delivery.returnedAt;
      if (before.key !== delivery.key) return [{ kind: "unexpected", delivery }];
      return wasFree ? [] : [{ kind: "deliveredToBoth", delivery, before }];
    });
  });
}

/** For an offset, the acknowledgement that covered it first. */
function coverage(acks: readonly Acknowledgement[]): (offset: string) => Acknowledgement | undefined {
  const descending = acks.toSorted((one, other) => Number(BigInt(other.upTo) - BigInt(one.upTo)));
  const upTos = descending.map(({ upTo }) => BigInt(upTo));
  // The earliest among those that reach as far or further.
  const earliest: Acknowledgement[] = [];
  for (const ack of descending) {
    const best = earliest.at(-1);
    earliest.push(best === undefined || ack.returnedAt < best.returnedAt ? ack : best);
  }
  return (offset) => {
    const wanted = BigInt(offset);
    return earliest[countWhile(upTos, (upTo) => upTo >= wanted) - 1];
  };
}
