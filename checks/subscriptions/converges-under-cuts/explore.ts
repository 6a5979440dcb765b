/** One random history: batches of changes to one table, cuts of a live query with a filter, and a comparison after each batch. */
import type { Context } from "../../../src/check.ts";
import { differenceOf, foldChanges, isSame } from "../../../src/history/state.ts";
import type { Account, Target } from "../../../src/server/target.ts";
import { fenceArrives, follow, type Following } from "../../vocabulary/following.ts";
import { readTable } from "../../vocabulary/tables.ts";
import { changesIn, resumeOptions } from "../../vocabulary/resuming/index.ts";
import { randomFilter, type RandomFilter } from "./filters.ts";

const keys = 12;
const batchesEach = 3;
const changesPerBatch = 8;
const changesWhileAway = 3;
/** A write whose answer was lost may take effect after the table was read: what differs then has to go on differing. */
const lateWithinMs = 1_000;

/** What the subscriber believed and what the table held at one fence. */
export type Round = {
  readonly filter: string;
  readonly fence: number;
  /** How often the connection had been cut until then. */
  readonly cuts: number;
  readonly missing: readonly string[];
  readonly ghosts: readonly string[];
  readonly stale: readonly string[];
  readonly fenced: boolean;
  readonly exchange: number;
};

export interface Explored {
  readonly target: Target;
  readonly context: Context;
  readonly user: Account;
  readonly table: string;
}

export const exploredColumns = "id BIGINT PRIMARY KEY, kind TEXT, n INT, mark TEXT";

/** The n-th history. The rounds as far as they came; `why` is set where it broke off. */
export async function explore(
  { target, context, user, table }: Explored,
  n: number,
): Promise<{ rounds: Round[]; why: string | null }> {
  const rounds: Round[] = [];
  const random = context.random(`values ${n}`);
  const filter = randomFilter(context.random(`filter ${n}`));
  // Fence rows must match whatever the filter asks for, so they match by their keys.
  const where = `(${filter.text}) OR id >= 1000`;
  const select = `SELECT * FROM ${table} WHERE ${where}`;
  const nextChange = randomChanges(table, random, filter);
  const change = async (): Promise<void> => void (await target.sql(user, nextChange()));
  let following: Following | { why: string } = await follow(target, user, select);
  if ("why" in following) return { rounds, why: following.why };
  let believed = foldChanges("id", following.rows, []);
  let cuts = 0;
  for (let batch = 0; batch < batchesEach; batch += 1) {
    // A history without a cut would show nothing.
    const isCut = random() < 0.6 || (batch === 1 && cuts === 0);
    const cutAt = isCut ? Math.floor(random() * changesPerBatch) : -1;
    for (let at = 0; at < changesPerBatch; at += 1) {
      if (at === cutAt) {
        const { live, subscription }: Following = following;
        believed = foldChanges("id", [...believed.values()], subscription.changes);
        const options = resumeOptions(subscription);
        live.reset();
        await live.untilClosed(2_000);
        cuts += 1;
        for (let away = 0; away < changesWhileAway; away += 1) await change();
        following = await follow(target, user, select, options);
        if ("why" in following) return { rounds, why: `resuming: ${following.why}` };
        // Without a version to resume from it starts over.
        const before = options === undefined ? [] : [...believed.values()];
        believed = foldChanges("id", before, changesIn(following.rows));
      }
      await change();
    }
    const fence = 1_000 + batch;
    await target.sql(user, `INSERT INTO ${table} (id, kind, n, mark) VALUES (${fence}, 'fence', 0, 'fence ${batch}')`);
    const { live, subscription }: Following = following;
    const fenced = await fenceArrives(subscription, "mark", `fence ${batch}`);
    const difference = await context.poll(
      async () => {
        const rows = await readTable(target, user, table, ["id", "kind", "n", "mark"], where);
        return rows && differenceOf("id", foldChanges("id", [...believed.values()], subscription.changes), rows);
      },
      (now) => !fenced || now === null || isSame(now) || live.closed() !== undefined,
      { withinMs: lateWithinMs, everyMs: 250 },
    );
    if (difference === null) return { rounds, why: "the table could not be read" };
    rounds.push({
      filter: filter.text,
      fence,
      cuts,
      missing: difference.missing.slice(0, 3),
      ghosts: difference.ghosts.slice(0, 3),
      stale: difference.stale.slice(0, 3),
      fenced: fenced && (isSame(difference) || live.closed() === undefined),
      exchange: subscription.exchange,
    });
  }
  following.live.close();
  return { rounds, why: null };
}

/** Inserts, updates and deletes among a few keys; often such that the row begins or stops to match the filter. */
function randomChanges(table: string, random: () => number, filter: RandomFilter): () => string {
  const present = new Set<number>();
  return () => {
    const key = 1 + Math.floor(random() * keys);
    const { kind, n } = filter.values();
    const mark = `m${Math.floor(random() * 1e9)}`;
    if (!present.has(key)) {
      present.add(key);
      return `INSERT INTO ${table} (id, kind, n, mark) VALUES (${key}, '${kind}', ${n}, '${mark}')`;
    }
    if (random() < 0.35) {
      present.delete(key);
      return `DELETE FROM ${table} WHERE id = ${key}`;
    }
    return `UPDATE ${table} SET kind = '${kind}', n = ${n}, mark = '${mark}' WHERE id = ${key}`;
  };
}
