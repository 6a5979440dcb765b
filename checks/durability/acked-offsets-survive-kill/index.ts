import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import { writesIn, type Operation } from "../../../src/history/history.ts";
import type { Acknowledgement, Delivery } from "../../../src/history/topic-group.ts";
import type { Account, Target } from "../../../src/server/target.ts";
import { acknowledge, makeTopic, newGroup, poll, visibilityMs, type Failure } from "../../vocabulary/consumer.ts";
import { makeWorkload, sampleOf, spreadOver } from "../../vocabulary/clients.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { crashRounds, crashTimes, crashWhile, doesNotStart, inFlightAt, whyNoCrash, type Crash } from "../crash.ts";
import { restartText } from "../restart.ts";

const [publishers, rowsAtOnce, pollMax, partition] = [2, 3, 5, 0];
const usualTimeoutMs = 60_000;
const everyMs = 200;
/** A poll that takes everything. */
const unlimited = 100_000;

type Round = {
  readonly crash: Crash;
  readonly published: readonly Operation[];
  /** What the group received and acknowledged until the kill, and what it received after the start. */
  readonly before: readonly Delivery[];
  readonly acknowledged: readonly Acknowledgement[];
  readonly after: readonly Delivery[];
  /** Keys that another group received, where the group missed some. */
  readonly elsewhere: readonly string[];
  readonly waitedMs: number;
  /** Of the polls after the start. */
  readonly failures: readonly Failure[];
};

/** The offset up to which messages are acknowledged: certainly, and at most. */
function acknowledgedIn({ acknowledged }: Pick<Round, "acknowledged">): {
  readonly sure: bigint;
  readonly most: bigint;
} {
  const highest = (all: readonly Acknowledgement[]): bigint =>
    all.reduce((most, { upTo }) => (BigInt(upTo) > most ? BigInt(upTo) : most), -1n);
  return { sure: highest(acknowledged.filter(({ outcome }) => outcome === "ok")), most: highest(acknowledged) };
}

/** Keys of acknowledged rows that the group has not acknowledged, and that must come again. */
function openIn(round: Pick<Round, "published" | "before" | "acknowledged">): string[] {
  const { most } = acknowledgedIn(round);
  const done = new Set(round.before.flatMap(({ offset, key }) => (BigInt(offset) <= most ? [key] : [])));
  return writesIn(round.published).flatMap(({ key, outcome }) => (outcome === "ok" && !done.has(key) ? [key] : []));
}

export const ackedOffsetsSurviveKill = defineCheck({
  id: "durability/acked-offsets-survive-kill",
  title: "Acknowledged offsets of a topic survive kill -9",
  failureTitle: "After kill -9, messages are lost or acknowledged ones come again",
  description: `In rounds on fresh topics, ${publishers} clients insert rows into a SHARED table that is the source of a topic, and a consumer of a group polls and acknowledges, all as fast as they can; the server's process is killed with SIGKILL at a random moment and started again. The group must not receive what it had acknowledged, and must receive every acknowledged row that it had not, under the same offset as before.`,
  blindTo:
    "One partition and one consumer. It ends a process: it shows nothing about a power loss. An acknowledgement in flight at the kill may count or not.",
  risk: "After a crash, workers miss jobs or do finished ones again.",
  remedy: "Make consumers idempotent by the key of the message, and compare what they did with the table.",
  covers: [],
  touches: "process",
  needs: ["control", "dba"],
  alone: true,
  level: "block",
  estimateMs: 8_000,
  estimateRequests: 600,
  timeoutMs: 400_000,
  findings: {
    acknowledgedAgain: {
      say: (d: { round: number; times: number; of: string; offset: string; key: string }) =>
        `round ${d.round}: ${d.times} messages come again after the kill although the group had acknowledged all up to offset ${d.of}, the first at offset ${d.offset} (id ${d.key})`,
      risk: "After a crash, workers do jobs again that they have acknowledged.",
    },
    lostMessages: {
      say: (d: {
        round: number;
        lost: number;
        of: number;
        keys: readonly string[];
        elsewhere: number;
        waitedMs: number;
      }) =>
        `round ${d.round}: ${d.lost} of ${d.of} acknowledged rows whose messages the group had not acknowledged do not come within ${d.waitedMs} ms after the kill, such as ${d.keys.join(", ")}; another group receives ${d.elsewhere} of them`,
      timed: true,
      risk: "After a crash, workers miss jobs.",
    },
    strangeMessages: {
      say: (d: { round: number; times: number; key: string; offset: string; why: string }) =>
        `round ${d.round}: after the kill ${d.times} messages are not as they were, the first with key ${d.key} at offset ${d.offset}: ${d.why}`,
      risk: "Workers act on rows that do not exist, or lose their place.",
    },
    doesNotStart,
  },
  async observe(target, context): Promise<{ readonly rounds: readonly Round[] }> {
    const op = await target.account("dba");
    return { rounds: await crashRounds(context, async (round) => await crashRound(target, context, op, round)) };
  },
  timeline: ({ rounds }) => crashTimes(rounds),
  judge({ rounds }, { found }) {
    const unseen: string[] = [];
    let [acks, comeAgain] = [0, 0];
    for (const [at, one] of rounds.entries()) {
      const round = at + 1;
      const { crash, published, before, acknowledged, after, elsewhere, waitedMs, failures } = one;
      const { failed } = crash.restart;
      if (failed?.ended === true) found.doesNotStart({ round, why: failed.why });
      if (failed !== null) continue;
      const { sure } = acknowledgedIn(one);
      const again = after.filter(({ offset }) => BigInt(offset) <= sure);
      const [first] = again;
      if (first !== undefined) {
        const { offset, key } = first;
        found.acknowledgedAgain({ round, times: again.length, of: String(sure), offset, key }, { sent: [first.poll] });
      }
      const strange = after.flatMap((delivery) => {
        const why = whyStrange(delivery, before, published);
        return why === undefined ? [] : { delivery, why };
      });
      const [odd] = strange;
      if (odd !== undefined) {
        const { key, offset, poll: exchange } = odd.delivery;
        found.strangeMessages({ round, times: strange.length, key, offset, why: odd.why }, { sent: [exchange] });
      }
      const open = openIn(one);
      const came = new Set(after.map(({ key }) => key));
      const lost = open.filter((key) => !came.has(key));
      // A poll that failed may have taken messages with it.
      if (lost.length > 0 && failures[0] !== undefined) unseen.push(`a poll failed: ${failures[0].what}`);
      // A message that came under another key is strange, and not lost.
      else if (lost.length > strange.length) {
        const others = lost.filter((key) => elsewhere.includes(key)).length;
        const data = { round, lost: lost.length, of: open.length, keys: sampleOf(lost), elsewhere: others, waitedMs };
        found.lostMessages(data, { sent: after.slice(-1).map((delivery) => delivery.poll) });
      }
      acks += acknowledged.filter(({ outcome }) => outcome === "ok").length;
      comeAgain += open.length;
    }
    const why = whyNoCrash(rounds.map((one) => ({ crash: one.crash, inFlight: inFlightAt(one.crash, one.published) })));
    if (why !== undefined) return unknown(why);
    if (unseen[0] !== undefined) return unknown(unseen[0]);
    if (acks === 0) return unknown("nothing was acknowledged before the kills");
    if (comeAgain === 0) return unknown("at no kill was a message left that had not been acknowledged");
    return pass(
      `${acks} acknowledgements stayed, and ${comeAgain} messages that were not acknowledged came again; ${restartText(rounds.map(({ crash }) => crash.restart))}`,
    );
  },
});

/** A message of a row that nobody inserted, or whose offset another message had before. */
function whyStrange(
  { key, offset }: Delivery,
  before: readonly Delivery[],
  published: readonly Operation[],
): string | undefined {
  const possible = writesIn(published).some((write) => write.key === key && write.outcome !== "refused");
  if (!possible) return "nobody inserted such a row";
  const was = before.find((one) => one.offset === offset);
  if (was !== undefined && was.key !== key) return `before the kill, key ${was.key} was there`;
  const place = before.find((one) => one.key === key);
  return place === undefined || place.offset === offset ? undefined : `it was at offset ${place.offset} before`;
}

async function crashRound(target: Target, context: Context, op: Account, round: number): Promise<Round> {
  const accounts = await spreadOver(target, "service", publishers + 1);
  const table = await sharedTable(target, context, op, `${context.scratch}.jobs_${round}`, {
    columns: "id BIGINT PRIMARY KEY, v TEXT",
    writers: ["service"],
  });
  const topic = await makeTopic(target, context, op, { name: `work_${round}`, table });
  const [group, resumed, others] = [newGroup(topic, "workers"), newGroup(topic, "workers"), newGroup(topic, "others")];
  const { clients, history } = makeWorkload(target, accounts);
  const [consumer] = clients;
  const as = consumer?.as ?? op;
  const crash = await crashWhile(target, context, op, {
    clients,
    async write(client, turn) {
      if (client === consumer) {
        const count = await poll(target, group, { as, name: "first", partition, limit: pollMax });
        if (count !== null && count > 0) await acknowledge(target, group, { as, name: "first", partition });
        const exchange = group.delivered.at(-1)?.poll ?? 0;
        if (count === null) return { kind: "unsure", exchange };
        // The kill waits for an acknowledgement of each client.
        return { kind: group.acknowledged.some(({ outcome }) => outcome === "ok") ? "ok" : "refused", exchange };
      }
      const keys = Array.from({ length: rowsAtOnce }, (_, at) =>
        String(client.number * 1_000_000 + turn * rowsAtOnce + at),
      );
      const sql = `INSERT INTO ${table} (id, v) VALUES ${keys.map((key) => `(${key}, 'j${key}')`).join(", ")}`;
      return await client.write(
        sql,
        keys.map((key) => ({ kind: "insert", key, values: { v: `j${key}` } })),
      );
    },
  });
  const published = history();
  const { delivered: before, acknowledged } = group;
  const seen = { crash, published, before, acknowledged, after: [], elsewhere: [], waitedMs: 0, failures: [] };
  if (crash.restart.failed !== null) return seen;
  const from = performance.now();
  const missing = (): string[] => {
    const came = new Set(resumed.delivered.map(({ key }) => key));
    return openIn(seen).filter((key) => !came.has(key));
  };
  await context.poll(
    async () => await poll(target, resumed, { as, name: "second", partition, limit: unlimited }),
    () => missing().length === 0,
    { withinMs: 1.5 * timeoutMsOf(target), everyMs },
  );
  const waitedMs = Math.round(performance.now() - from);
  if (missing().length > 0) await poll(target, others, { as: op, name: "other", partition, limit: unlimited });
  await target.sql(op, `DROP TOPIC ${topic}`);
  const elsewhere = others.delivered.map(({ key }) => key);
  return { ...seen, after: resumed.delivered, elsewhere, waitedMs, failures: resumed.failures };
}

/** After this time, what the consumer held at the kill is free again, even where that outlives the process. */
function timeoutMsOf(target: Target): number {
  const known = visibilityMs(target);
  return known > 0 ? Math.min(known, usualTimeoutMs) : usualTimeoutMs;
}
