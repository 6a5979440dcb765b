/** A consumer that dies with messages it has not acknowledged, and another one of its group that polls from then on. */
import type { Context } from "../../../src/check.ts";
import type { Account, Target } from "../../../src/server/target.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { makeTopic, newGroup, poll, visibilityMs, type Failure, type Group } from "../../vocabulary/consumer.ts";

export const rows = 10;
/** Messages appear a moment after the insert was acknowledged. */
const appearWithinMs = 5_000;
const everyMs = 400;

export type Death = {
  /** After which a message that nobody acknowledged is to be delivered again; null where it is not known, or too long to wait for. */
  readonly timeoutMs: number | null;
  /** Keys that the first consumer received before it died. */
  readonly claimed: readonly string[];
  /** Those that the second one received while it polled. */
  readonly again: readonly string[];
  /** Those that another group received at the end: they were still in the topic. */
  readonly inTopic: readonly string[];
  /** How long the second one polled. */
  readonly waitedMs: number;
  readonly failures: readonly Failure[];
  readonly exchanges: readonly number[];
};

const untried = { claimed: [], again: [], inTopic: [], waitedMs: 0, failures: [], exchanges: [] };

export async function observeDeath(target: Target, context: Context, timeoutMsMax: number): Promise<Death> {
  const timeoutMs = visibilityMs(target);
  if (!(timeoutMs > 0 && timeoutMs <= timeoutMsMax)) return { timeoutMs: null, ...untried };
  const op = await target.account("dba");
  const heir = await target.account("service", "heir");
  const table = await sharedTable(target, context, op, `${context.scratch}.jobs`, {
    columns: "id BIGINT PRIMARY KEY, v TEXT",
  });
  const topic = await makeTopic(target, context, op, { name: "work", table });
  const values = Array.from({ length: rows }, (_, id) => `(${id}, 'j${id}')`).join(", ");
  context.need(await target.sql(op, `INSERT INTO ${table} (id, v) VALUES ${values}`), "the rows could not be written");
  const [workers, others] = [newGroup(topic, "workers"), newGroup(topic, "others")];
  const consume = async (as: Account, name: string, from: Group): Promise<readonly string[]> => {
    await poll(target, from, { as, name, partition: 0, limit: 100 });
    return [...new Set(from.delivered.filter(({ consumer }) => consumer === name).map(({ key }) => key))];
  };
  const claimed = await context.poll(
    async () => await consume(op, "dead", workers),
    (keys) => keys.length >= rows,
    { withinMs: appearWithinMs, everyMs },
  );
  const from = performance.now();
  const isAll = (keys: readonly string[]): boolean => claimed.every((key) => keys.includes(key));
  const again = await context.poll(async () => await consume(heir, "heir", workers), isAll, {
    withinMs: 2.5 * timeoutMs,
    everyMs,
  });
  const waitedMs = Math.round(performance.now() - from);
  const inTopic = isAll(again) ? claimed : await consume(heir, "other", others);
  await target.sql(op, `DROP TOPIC ${topic}`);
  const exchanges = workers.delivered.map((one) => one.poll).slice(0, 1);
  return {
    timeoutMs,
    claimed,
    again,
    inTopic,
    waitedMs,
    failures: [...workers.failures, ...others.failures],
    exchanges,
  };
}
