/** Connections that get as old as the run, and what they deliver at its end. */
import type { Context } from "../../../src/check.ts";
import { pingEveryMs } from "../../../src/server/pings.ts";
import { cellText, type Account, type Subscription, type Target } from "../../../src/server/target.ts";
import { fenceArrives, follow, textsIn, type Following } from "../../vocabulary/following.ts";
import { changesIn, resumeOptions } from "../../vocabulary/resuming/index.ts";
import type { Ended } from "./ages.ts";

type Table = "idle" | "busy";
export type Tables = Readonly<Record<Table, string>>;

/** One line a connection, opened one after the other. */
export const kinds: readonly { readonly kind: string; readonly table: Table }[] = [
  { kind: "an idle", table: "idle" },
  { kind: "a busy", table: "busy" },
  { kind: "another idle", table: "idle" },
];
/** Between two of them, so that an end at one age is told from an end at one moment. */
const openEveryMs = 400;
const writeEveryMs = 2_500;
const lastWithinMs = 8_000;

export type Old = Omit<Ended, "cutAtMs"> & {
  /** Its age when it was cut; null while it is open. */
  readonly cutAtMs: number | null;
  readonly kind: string;
  /** When the last row was written, or when it was cut. */
  readonly ageMs: number;
  /** How it was cut; empty while it is open. */
  readonly how: string;
  /** How long this machine had sent no ping when it was cut, where that was too long for any server; else 0. */
  readonly unheardMs: number;
  /** Its age when it delivered the last change before the end; null where it delivered none. */
  readonly lastMs: number | null;
  /** Whether what was written last has arrived, after a cut on a resumed connection. */
  readonly last: boolean;
  /** Whether what was written last was acknowledged: otherwise nobody knows whether there is anything to deliver. */
  readonly wrote: boolean;
  /** Acknowledged changes, and the marks of those that did not arrive. */
  readonly written: number;
  readonly missing: readonly string[];
  /** Why a connection that was cut could not be resumed. */
  readonly why: string;
  readonly exchange: number;
};

interface Aging {
  readonly connections: readonly (Following & {
    readonly kind: string;
    readonly table: Table;
    readonly openedAt: number;
  })[];
  /** Acknowledged marks by table. */
  readonly written: Readonly<Record<Table, string[]>>;
}

const lastMark = "last";

/** Opens the connections and waits with them; meanwhile the busy one gets its changes. */
export async function growOld(
  target: Target,
  context: Context,
  user: Account,
  tables: Tables,
  leastMs: Parameters<Context["othersDone"]>[0],
): Promise<Aging> {
  const connections = [];
  for (const { kind, table } of kinds) {
    const following = context.need(
      await follow(target, user, `SELECT * FROM ${tables[table]}`),
      `${kind} connection could not subscribe`,
    );
    connections.push({ ...following, kind, table, openedAt: performance.now() });
    await following.live.untilClosed(openEveryMs);
  }
  const written = { idle: [], busy: [] as string[] };
  let over = false;
  const waiting = context.othersDone(leastMs).finally(() => (over = true));
  let key = 0;
  while (!over) {
    key += 1;
    const mark = `busy ${key}`;
    const sql = `INSERT INTO ${tables.busy} (id, mark) VALUES (${key}, '${mark}')`;
    if ((await target.sql(user, sql)).kind === "ok") written.busy.push(mark);
    await Promise.race([waiting, restFor(context, writeEveryMs)]);
  }
  await waiting;
  return { connections, written };
}

async function restFor(context: Context, ms: number): Promise<void> {
  const until = performance.now() + ms;
  const ask = async (): Promise<number> => await Promise.resolve(performance.now());
  await context.poll(ask, (now) => now >= until, { withinMs: 2 * ms, everyMs: ms });
}

/** Writes a last row for each and looks for it, on `control` as well, which has just been opened. */
export async function lookAt(
  target: Target,
  user: Account,
  tables: Tables,
  { connections, written }: Aging,
  control: Following,
): Promise<{ old: Old[]; control: boolean }> {
  const firstAt = connections[0]?.openedAt ?? 0;
  const patienceMs = 2 * pingEveryMs(target.capabilities.settings);
  const lastSeen = connections.map(({ subscription }) => subscription.changes.at(-1)?.at);
  const write = async (table: Table, id: number, mark: string): Promise<boolean> =>
    (await target.sql(user, `INSERT INTO ${tables[table]} (id, mark) VALUES (${id}, '${mark}')`)).kind === "ok";
  const endAt = performance.now();
  const wrote = {
    idle: await write("idle", 1_000_000, lastMark),
    busy: await write("busy", 1_000_000, lastMark),
  };
  const arrived = await fenceArrives(control.subscription, "mark", lastMark, lastWithinMs);
  control.live.close();
  const old = await Promise.all(
    connections.map(async (connection, at): Promise<Old> => {
      const { kind, table, live, subscription, openedAt } = connection;
      const onTime = await fenceArrives(subscription, "mark", lastMark, arrived ? lastWithinMs : 1);
      const closed = live.closed();
      const fence = `fence ${at}`;
      const resumed =
        closed === undefined || onTime
          ? []
          : await resume(target, user, tables[table], subscription, fence, async () => {
              await write(table, 1_000_001 + at, fence);
            });
      const known = new Set([...textsIn(subscription, "mark"), ...(typeof resumed === "string" ? [] : resumed)]);
      const last = onTime || (closed !== undefined && typeof resumed !== "string");
      const lastAt = lastSeen[at];
      return {
        kind,
        openedMs: Math.round(openedAt - firstAt),
        ageMs: Math.round((closed?.at ?? endAt) - openedAt),
        cutAtMs: closed === undefined ? null : Math.round(closed.at - openedAt),
        how: closed === undefined ? "" : `${closed.code} ${closed.reason}`.trim(),
        unheardMs: closed !== undefined && live.silentMs() > patienceMs ? Math.round(live.silentMs()) : 0,
        lastMs: lastAt === undefined ? null : Math.round(lastAt - openedAt),
        last,
        wrote: wrote[table],
        written: written[table].length + 1,
        missing: last
          ? [...written[table], ...(wrote[table] ? [lastMark] : [])].filter((mark) => !known.has(mark))
          : [],
        why: typeof resumed === "string" ? resumed : "",
        exchange: subscription.exchange,
      };
    }),
  );
  return { old, control: arrived };
}

/** The marks that a new connection delivers from where this one was cut, or why there are none. */
async function resume(
  target: Target,
  user: Account,
  table: string,
  subscription: Subscription,
  fence: string,
  writeFence: () => Promise<void>,
): Promise<string[] | string> {
  // One that had no row yet begins anew.
  const again = await follow(target, user, `SELECT * FROM ${table}`, resumeOptions(subscription) ?? {});
  if ("why" in again) return again.why;
  await writeFence();
  if (!(await fenceArrives(again.subscription, "mark", fence))) return "the fence row did not arrive after resuming";
  const marks = [...changesIn(again.rows), ...again.subscription.changes].map(({ row }) => cellText(row?.["mark"]));
  again.live.close();
  return marks;
}
