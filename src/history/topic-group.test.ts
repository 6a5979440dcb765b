import fc from "fast-check";
import { expect, test } from "vitest";
import { legalRuns, manyOperations, patient, veryPatient } from "./legal-histories.ts";
import type { Write } from "./history.ts";
import { judgeGroup, type Acknowledgement, type Delivery, type GroupHistory } from "./topic-group.ts";

const base = "9007199254740993";
const offsetOf = (n: number): string => String(BigInt(base) + BigInt(n));

const published = (n: number, outcome: Write["outcome"] = "ok"): Write => ({
  client: 0,
  statement: n,
  dueAt: n,
  invokedAt: n,
  returnedAt: n + 2,
  outcome,
  kind: "insert",
  key: `m${n}`,
  values: {},
});

interface Turn {
  readonly consumer: string;
  readonly count: number;
  readonly ack: "ok" | "unsure" | "none";
  /** Whether it leaves, so that what it has not acknowledged goes to another one. */
  readonly leaves: boolean;
}

/** A group that does everything right: one position, and consumers that poll, acknowledge or leave, one after the other. */
function historyOf(outcomes: readonly Write["outcome"][], turns: readonly Turn[]): GroupHistory {
  const writes = outcomes.map((outcome, n) => published(n, outcome));
  const messages = writes.filter(({ outcome }) => outcome !== "refused");
  const delivered: Delivery[] = [];
  const acknowledged: Acknowledgement[] = [];
  const leftAt: Record<string, number> = {};
  let [now, next, done, poll] = [1_000, 0, 0, 0];
  const take = (consumer: string, count: number): void => {
    poll += 1;
    for (const message of messages.slice(next, next + count)) {
      const offset = offsetOf(next);
      delivered.push({ consumer, partition: "0", offset, key: message.key, poll, invokedAt: now, returnedAt: now + 3 });
      next += 1;
    }
    now += 5;
  };
  const present = new Set<string>();
  const leave = (): void => {
    for (const name of present) leftAt[name] = now;
    present.clear();
    next = done;
    now += 2;
  };
  let times = 0;
  for (const { consumer, count, ack, leaves } of turns) {
    // A consumer that left comes back under another name.
    const name = `${consumer} ${times}`;
    present.add(name);
    take(name, count);
    if (next > 0 && ack !== "none") {
      acknowledged.push({
        consumer: name,
        partition: "0",
        upTo: offsetOf(next - 1),
        returnedAt: now + 1,
        outcome: ack,
      });
      if (ack === "ok") done = next;
      now += 3;
    }
    if (!leaves) continue;
    leave();
    times += 1;
  }
  leave();
  take("last", messages.length);
  return { published: writes, delivered, acknowledged, leftAt };
}

const histories = fc
  .tuple(
    fc.array(fc.constantFrom("ok" as const, "ok" as const, "ok" as const, "unsure" as const, "refused" as const), {
      minLength: 3,
      maxLength: 20,
    }),
    fc.array(
      fc.record({
        consumer: fc.constantFrom("a", "b"),
        count: fc.integer({ min: 1, max: 6 }),
        ack: fc.constantFrom("ok" as const, "ok" as const, "unsure" as const, "none" as const),
        leaves: fc.boolean(),
      }),
      { maxLength: 8 },
    ),
  )
  .map(([outcomes, turns]) => historyOf(outcomes, turns));

test("no false alarm", patient, () => {
  fc.assert(
    fc.property(histories, (history) => {
      expect(judgeGroup(history)).toEqual([]);
    }),
    { numRuns: legalRuns },
  );
});

test("an acknowledged message that comes to no consumer is lost", patient, () => {
  fc.assert(
    fc.property(histories, fc.nat(), (history, pick) => {
      const known = history.published.filter(({ outcome }) => outcome === "ok");
      const victim = known[pick % Math.max(1, known.length)];
      fc.pre(victim !== undefined);
      const delivered = history.delivered.filter(({ key }) => key !== victim.key);
      expect(judgeGroup({ ...history, delivered })).toEqual([{ kind: "lost", write: victim }]);
    }),
  );
});

const delivery = (n: number, consumer: string, at: number): Delivery => ({
  consumer,
  partition: "0",
  offset: offsetOf(n),
  key: `m${n}`,
  poll: at,
  invokedAt: at,
  returnedAt: at + 2,
});
const three = { published: [0, 1, 2].map((n) => published(n)), acknowledged: [], leftAt: {} };
const kindsOf = (history: GroupHistory): string[] => judgeGroup(history).map(({ kind }) => kind);
const inOrder = [delivery(0, "a", 10), delivery(1, "b", 20), delivery(2, "a", 30)];

test("what nobody published, or only a refused statement, is unexpected", () => {
  expect(kindsOf({ ...three, delivered: [...inOrder, delivery(7, "a", 40)] })).toEqual(["unexpected"]);
  const refused = [published(0), published(1), published(2, "refused")];
  expect(kindsOf({ ...three, published: refused, delivered: inOrder })).toEqual(["unexpected"]);
});

test("offsets that do not rise within a consumer are nonmonotonic", () => {
  const back = [delivery(0, "a", 10), delivery(2, "a", 20), delivery(1, "a", 30)];
  expect(kindsOf({ ...three, delivered: back })).toEqual(["nonmonotonic"]);
  expect(kindsOf({ ...three, delivered: [...inOrder, delivery(2, "a", 40)] })).toEqual(["nonmonotonic"]);
});

test("a second consumer gets a message only when the first has left", () => {
  const both = [...inOrder, delivery(2, "b", 40)];
  expect(kindsOf({ ...three, delivered: both })).toEqual(["deliveredToBoth"]);
  expect(kindsOf({ ...three, delivered: both, leftAt: { a: 35 } })).toEqual([]);
  expect(kindsOf({ ...three, delivered: both, leftAt: { a: 45 } })).toEqual(["deliveredToBoth"]);
});

test("nobody gets a message again after it was acknowledged", () => {
  const acknowledged = [{ consumer: "a", partition: "0", upTo: offsetOf(1), returnedAt: 25, outcome: "ok" }] as const;
  const again = { ...three, acknowledged, delivered: [...inOrder, delivery(1, "c", 40)], leftAt: { a: 35, b: 23 } };
  expect(kindsOf(again)).toEqual(["deliveredAfterAck"]);
  expect(kindsOf({ ...again, acknowledged: [{ ...acknowledged[0], outcome: "unsure" }] })).toEqual([]);
  expect(kindsOf({ ...again, delivered: [...inOrder, delivery(1, "c", 24)] })).toEqual([]);
});

test("a hundred thousand messages are judged, and the one that is wrong is found", veryPatient, () => {
  const writes = Array.from({ length: manyOperations }, (_, n) => published(n));
  const delivered = writes.map((_, n) => delivery(n, n % 2 === 0 ? "a" : "b", n));
  const acknowledged = writes.flatMap(({ key: _key }, n) =>
    n % 100 === 0
      ? [{ consumer: "a", partition: "0", upTo: offsetOf(n), returnedAt: n + 5, outcome: "ok" as const }]
      : [],
  );
  const history = { published: writes, acknowledged, leftAt: {} };
  expect(judgeGroup({ ...history, delivered })).toEqual([]);
  expect(kindsOf({ ...history, delivered: delivered.filter(({ key }) => key !== "m4711") })).toEqual(["lost"]);
});
