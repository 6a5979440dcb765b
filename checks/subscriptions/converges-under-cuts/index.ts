import { defineCheck, fail, pass, unknown, type Context } from "../../../src/check.ts";
import { differenceOf, foldChanges, isSame, type StateRow } from "../../../src/history/state.ts";
import type { Account, Target } from "../../../src/server/target.ts";
import { fenceArrives, follow, type Following } from "../../vocabulary/following.ts";
import { randomFilter } from "./filters.ts";
import { readTable } from "../../vocabulary/tables.ts";

const keys = 12;
const batchesEach = 3;
const changesPerBatch = 8;
const columns = ["id", "kind", "n", "mark"];
/** A write whose answer was lost may take effect after the table was read: what differs then has to go on differing. */
const lateWithinMs = 1_000;
/** Fewer fences with at least one cut before them show nothing about cuts. */
const cutsMin = 2;

type Round = {
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

export const convergesUnderCuts = defineCheck({
  id: "subscriptions/converges-under-cuts",
  title: "Whatever happens, a live query ends up right",
  failureTitle: "A live query does not end up with what the table holds",
  description: `Makes up filters, batches of inserts, updates and deletes, and cuts of the connection, all from the seed. After each batch a fence is written; then what the subscriber believes (snapshot, changes, what it was told on coming back) must be what the same SELECT returns.`,
  blindTo:
    "It explores at random: another seed may find what this one does not. What it finds can be shown again with --seed.",
  risk: "After some sequence of ordinary events a client shows for good what the table does not hold.",
  remedy: "Read the table again after each break and from time to time, until this passes.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 5_000,
  estimateRequests: 220,
  timeoutMs: 180_000,
  findings: {
    diverged: {
      say: (d: { fences: number; of: number; filter: string; cuts: number; what: string }) =>
        `at ${d.fences} of ${d.of} fences the subscriber believed something else than the table holds, the first: WHERE ${d.filter}, after ${d.cuts} cuts, ${d.what}`,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const rounds: Round[] = [];
    const histories = context.size({ light: 3, standard: 6, deep: 40 });
    for (let n = 0; n < histories; n += 1) {
      const user = await target.account("user", `explorer ${n % 3}`);
      const table = `${context.scratch}.history_${n}`;
      const made = await target.sql(
        op,
        `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, kind TEXT, n INT, mark TEXT) WITH (TYPE='USER')`,
      );
      if (made.kind !== "ok") return { rounds, why: made.message };
      const one = await explore(target, context, user, table);
      rounds.push(...one.rounds);
      if (one.why !== null) return { rounds, why: one.why };
    }
    return { rounds, why: null };
  },
  judge({ rounds, why }) {
    const wrong = rounds.filter((round) => round.fenced && !isSame(round));
    const [first] = wrong;
    if (first !== undefined) {
      const what = (["missing", "ghosts", "stale"] as const)
        .flatMap((list) => (first[list].length === 0 ? [] : [`${list} ${first[list].join(", ")}`]))
        .join("; ");
      const data = { fences: wrong.length, of: rounds.length, filter: first.filter, cuts: first.cuts, what };
      return fail({ name: "diverged", data, sent: [first.exchange] });
    }
    if (why !== null) return unknown(why);
    const deaf = rounds.find((round) => !round.fenced);
    if (deaf !== undefined) return unknown(`a fence row did not arrive (WHERE ${deaf.filter})`);
    const cut = rounds.filter((round) => round.cuts > 0).length;
    if (cut < cutsMin) return unknown(`only ${cut} of ${rounds.length} fences came after a cut`);
    return pass(
      `${rounds.length} fences, ${cut} of them after cuts, ${new Set(rounds.map((round) => round.filter)).size} filters: each time the table and nothing else`,
    );
  },
});

async function explore(
  target: Target,
  context: Context,
  user: Account,
  table: string,
): Promise<{ rounds: Round[]; why: string | null }> {
  const rounds: Round[] = [];
  const { text: filter, matching } = randomFilter(context.random("filter"));
  // Fence rows must pass the filter whatever it asks for, so they are let in by their keys.
  const where = `(${filter}) OR id >= 1000`;
  const select = `SELECT * FROM ${table} WHERE ${where}`;
  let following: Following | { why: string } = await follow(target, user, select);
  if ("why" in following) return { rounds, why: following.why };
  let believed = new Map<string, StateRow>(foldChanges("id", following.rows, []));
  let cuts = 0;
  const present = new Set<number>();
  for (let batch = 0; batch < batchesEach; batch += 1) {
    const cutAt = context.random("values")() < 0.6 ? Math.floor(context.random("values")() * changesPerBatch) : -1;
    let at: Following = following;
    for (let n = 0; n < changesPerBatch; n += 1) {
      if (n === cutAt) {
        believed = foldChanges("id", [...believed.values()], at.subscription.changes);
        const from = at.subscription.lastVersion();
        const { versionDomain } = at.subscription;
        at.live.reset();
        await at.live.untilClosed(2_000);
        cuts += 1;
        // Some things happen while it is away.
        for (let away = 0; away < 3; away += 1) await target.sql(user, change(context, table, present, matching));
        const back: Following | { why: string } = await follow(
          target,
          user,
          select,
          from === undefined ? {} : { from, ...(versionDomain === undefined ? {} : { versionDomain }) },
        );
        if ("why" in back) return { rounds, why: `coming back: ${back.why}` };
        const told = back.rows.map((row) =>
          row["_deleted"] === true ? { kind: "delete", row: null, old: row } : { kind: "insert", row, old: null },
        );
        // Without a version to go on from it begins anew.
        believed =
          from === undefined ? foldChanges("id", back.rows, []) : foldChanges("id", [...believed.values()], told);
        at = back;
      }
      await target.sql(user, change(context, table, present, matching));
    }
    const fence = 1_000 + batch;
    await target.sql(user, `INSERT INTO ${table} (id, kind, n, mark) VALUES (${fence}, 'fence', 0, 'fence ${batch}')`);
    const fenced = await fenceArrives(at.subscription, "mark", `fence ${batch}`);
    const { live, subscription } = at;
    const difference = await context.poll(
      async () => {
        const rows = await readTable(target, user, table, columns, where);
        if (rows === null) return null;
        return differenceOf("id", foldChanges("id", [...believed.values()], subscription.changes), rows);
      },
      (now) => !fenced || now === null || isSame(now) || live.closed() !== undefined,
      { withinMs: lateWithinMs, everyMs: 250 },
    );
    if (difference === null) return { rounds, why: "the table could not be read" };
    const firsts = (list: readonly string[]): readonly string[] => list.slice(0, 3);
    rounds.push({
      filter,
      fence,
      cuts,
      missing: firsts(difference.missing),
      ghosts: firsts(difference.ghosts),
      stale: firsts(difference.stale),
      fenced: fenced && (isSame(difference) || live.closed() === undefined),
      exchange: at.subscription.exchange,
    });
    following = at;
  }
  following.live.close();
  return { rounds, why: null };
}

/** An insert, an update or a delete among a few keys; often such that the row passes the filter, or just stops passing. */
function change(
  context: Context,
  table: string,
  present: Set<number>,
  matching: () => { kind: string; n: number },
): string {
  const key = 1 + Math.floor(context.random("values")() * keys);
  const { kind, n } = matching();
  const mark = `m${Math.floor(context.random("values")() * 1e9)}`;
  if (!present.has(key)) {
    present.add(key);
    return `INSERT INTO ${table} (id, kind, n, mark) VALUES (${key}, '${kind}', ${n}, '${mark}')`;
  }
  if (context.random("values")() < 0.35) {
    present.delete(key);
    return `DELETE FROM ${table} WHERE id = ${key}`;
  }
  return `UPDATE ${table} SET kind = '${kind}', n = ${n}, mark = '${mark}' WHERE id = ${key}`;
}
