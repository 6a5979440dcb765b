/** Writes rows in every way into a followed table, and reads what was delivered of them and what SELECT shows. */
import type { Context } from "../../../../src/check.ts";
import { saidOf, type Account, type Said, type Subscription, type Target } from "../../../../src/server/target.ts";
import { fenceArrives } from "../../../vocabulary/following.ts";
import { readTable } from "../../../vocabulary/tables.ts";
import { inSpan, isInSpan, isSettled, rowsByKey, toldBy, type Rows, type Told, type Written } from "../told-rows.ts";
import { baseKeys, baseOf, waySpan, type Place, type TableKind, type Way } from "./ways.ts";

export type Step = Written & {
  readonly table: TableKind;
  readonly way: string;
  /** The server need not have it. */
  readonly isOptional: boolean;
  readonly said: Said;
};

export type Followed = {
  readonly steps: readonly Step[];
  /** Whether the row that was written last was delivered, too. */
  readonly fenced: boolean;
  readonly exchange: number;
};

export interface Parties {
  readonly kind: TableKind;
  readonly place: Omit<Place, "base">;
  readonly writer: Account;
  readonly service: Account;
  readonly subscription: Subscription;
}

/** After the last row has arrived: how long a change that is missing may take, and a table that lags. */
const lateWithinMs = 2_000;
export const fence = { id: 99, v: "fence" } as const;

/** The rows that the ways change. */
export function baseRows(ways: readonly Way[]): string {
  const keys = ways.flatMap((way) => baseKeys.map((key) => baseOf(way) + key));
  return keys.map((key) => `(${key}, 'was', ${key})`).join(", ");
}

export async function writeAll(
  target: Target,
  context: Context,
  { kind, place, writer, service, subscription }: Parties,
  ways: readonly Way[],
): Promise<Followed> {
  const { table } = place;
  const read = async (): Promise<Rows | null> => {
    const rows = await readTable(target, writer, table, ["id", "v", "n"]);
    return rows === null ? null : rowsByKey(rows);
  };
  const before = context.need(await read(), `${table} could not be read before the writes`);
  const sent: { readonly way: Way; readonly said: Said }[] = [];
  for (const way of ways) {
    const { sql, ...options } = way.make({ ...place, base: baseOf(way) });
    sent.push({ way, said: saidOf(await target.sql(way.asUser === true ? service : writer, sql, options)) });
  }
  await target.sql(writer, `INSERT INTO ${table} (id, v) VALUES (${fence.id}, '${fence.v}')`);
  const fenced = await fenceArrives(subscription, "v", fence.v);
  const look = async (): Promise<Step[] | null> => {
    const after = await read();
    if (after === null) return null;
    const told = toldBy(subscription);
    return sent.map(({ way, said }) => {
      const base = baseOf(way);
      return {
        table: kind,
        way: way.name,
        isOptional: way.isOptional === true,
        said,
        plan: planFrom(base, way.plan),
        before: inSpan(before, base, waySpan),
        after: inSpan(after, base, waySpan),
        told: told.filter(({ key }) => isInSpan(key, base, waySpan)),
      };
    });
  };
  const steps = await settled(context, look, fenced);
  return {
    steps: context.need(steps, `${table} could not be read after the writes`),
    fenced,
    exchange: subscription.exchange,
  };
}

export function planFrom(base: number, plan: Way["plan"]): Step["plan"] {
  return Object.fromEntries(Object.entries(plan).map(([key, count]) => [base + Number(key), count]));
}

/** Looks again for a while where something is missing or differs. */
export async function settled(
  context: Context,
  look: () => Promise<Step[] | null>,
  fenced: boolean,
): Promise<Step[] | null> {
  return await context.poll(look, (steps) => !fenced || steps?.every(isSettled) === true, {
    withinMs: lateWithinMs,
    everyMs: 250,
  });
}

/** Another account's live query on the USER table: what it received besides the row of its own. */
export type Bystander = {
  readonly who: string;
  readonly foreign: readonly Told[];
  readonly fenced: boolean;
  readonly exchange: number;
};

const foreignMax = 5;

export async function standBy(
  target: Target,
  { who, as, table, subscription }: { who: string; as: Account; table: string; subscription: Subscription },
): Promise<Bystander> {
  await target.sql(as, `INSERT INTO ${table} (id, v) VALUES (${fence.id}, '${who}')`);
  const fenced = await fenceArrives(subscription, "v", who);
  const foreign = toldBy(subscription).filter(({ key }) => key !== String(fence.id));
  return { who, foreign: foreign.slice(0, foreignMax), fenced, exchange: subscription.exchange };
}
