import { defineCheck, pass, unknown } from "../../../src/check.ts";
import type { Account, Subscription, Target } from "../../../src/server/target.ts";
import { connect, fenceArrives, follow, subscribe, textsIn } from "../../vocabulary/following.ts";
import { makeTable } from "../../vocabulary/tables.ts";

const rounds = 3;
/** Of every subscription that is ended: clients use an id again. */
const usedId = "again";
/** How long a subscription may be behind another one. */
const silentAfterMs = 2_000;

type Round = {
  /** The rows delivered that were written before and after the unsubscribe. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Whether the other subscription on the same socket delivered the last row. */
  readonly fenced: boolean;
  /** The other one delivered what the new one should have delivered as well. */
  readonly deaf: boolean;
  /** The other one delivered no later row either, and a subscription on another connection did. */
  readonly othersEnded: boolean;
  readonly exchange: number;
};

/** `why`: why a round could not be completed. */
type Seen = { readonly rounds: readonly Round[]; readonly why: string | null };

export const unsubscribeSilences = defineCheck({
  id: "subscriptions/unsubscribe-silences",
  title: "No changes are delivered after an unsubscribe",
  failureTitle: "Changes are delivered after an unsubscribe",
  description: `Subscribes twice to one table on one socket, writes, unsubscribes one of the two, and writes again: the other one must deliver the row, the ended one must not. Then it subscribes again, with the same id, and must receive changes again. ${rounds} times.`,
  blindTo: "Changes in flight at the moment of the unsubscribe may still arrive and do not count.",
  risk: "Clients act on data they unsubscribed from, and ended subscriptions go on counting against the limit.",
  remedy: "Let clients ignore events of subscriptions they have ended, or close the connection.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 600,
  estimateRequests: 16,
  findings: {
    goesOn: {
      say: (d: { told: number; rounds: number }) =>
        `${d.told} changes were delivered after the unsubscribe, in ${d.rounds} rounds`,
    },
    othersEnded: {
      say: (d: { rounds: number; of: number }) =>
        `${d.rounds} of ${d.of} unsubscribes silenced another subscription of the connection, without an error; a new one delivered what it did not`,
      risk: "A client that closes one view no longer sees changes in the others.",
      remedy: "Use a connection for each subscription until this passes.",
    },
    deaf: {
      say: (d: { rounds: number; of: number }) =>
        `${d.rounds} of ${d.of} subscriptions delivered nothing; all had one id, which had been unsubscribed before, and another subscription delivered the row`,
      risk: "A client that opens a view again sees its rows, and no changes.",
      remedy: "Use a new id for every subscription until this passes.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const user = await target.account("user");
    const columns = "id BIGINT PRIMARY KEY, mark TEXT";
    const table = await makeTable(target, context, op, `${context.scratch}.t`, { columns });
    const write = async (id: number, mark: string) =>
      await target.sql(user, `INSERT INTO ${table} (id, mark) VALUES (${id}, '${mark}')`);
    const live = context.need(await connect(target, user), "the user could not connect");
    const witness = context.need(await subscribe(live, `SELECT * FROM ${table}`), "the user could not subscribe");
    const seen: Round[] = [];
    for (let n = 0; n < rounds; n += 1) {
      const following = await subscribe(live, `SELECT * FROM ${table}`, {}, usedId);
      if ("why" in following) return { rounds: seen, why: following.why };
      const { subscription } = following;
      await write(n * 10 + 1, `before ${n}`);
      const [arrived, witnessed] = await Promise.all(
        [subscription, witness.subscription].map(async (one) => await fenceArrives(one, "mark", `before ${n}`)),
      );
      const before = textsIn(subscription, "mark");
      const deaf = arrived === false && witnessed === true && subscription.notices.length === 0;
      subscription.unsubscribe();
      // An unsubscribe has no answer, but messages are read in order: once a later one is answered, it has been read.
      const marker = await subscribe(live, `SELECT * FROM ${table} WHERE id < 0`);
      if ("why" in marker) return { rounds: seen, why: marker.why };
      marker.subscription.unsubscribe();
      await write(n * 10 + 2, `after ${n}`);
      const fenced = await fenceArrives(witness.subscription, "mark", `after ${n}`);
      // An earlier row that came late was in flight.
      const after = textsIn(subscription, "mark").filter((mark) => mark === `after ${n}`);
      const othersEnded =
        !fenced &&
        witnessed === true &&
        (await isSilent(target, user, {
          table,
          witness: witness.subscription,
          write: async () => (await write(n * 10 + 3, `late ${n}`)).kind === "ok",
          mark: `late ${n}`,
        })) &&
        live.closed() === undefined;
      seen.push({ before, after, fenced, deaf, othersEnded, exchange: subscription.exchange });
    }
    live.close();
    return { rounds: seen, why: null };
  },
  judge({ rounds: all, why }, { found }) {
    const noisy = all.filter(({ after }) => after.length > 0);
    const delivered = noisy.reduce((sum, { after }) => sum + after.length, 0);
    if (delivered > 0) found.goesOn({ told: delivered, rounds: noisy.length }, { sent: noisy });
    for (const name of ["othersEnded", "deaf"] as const) {
      const some = all.filter((round) => round[name]);
      if (some.length > 0) found[name]({ rounds: some.length, of: all.length }, { sent: some });
    }
    if (why !== null) return unknown(why);
    if (all.length < rounds || all.some(({ before, fenced }) => before.length === 0 || !fenced))
      return unknown("a subscription did not deliver what it should have, so silence shows nothing");
    return pass(`${all.length} of ${all.length} subscriptions delivered nothing more, the other one went on`);
  },
});

interface Silence {
  readonly table: string;
  readonly witness: Subscription;
  readonly write: () => Promise<boolean>;
  readonly mark: string;
}

/** Whether a subscription on another connection delivers a row that this one does not, and no error came for this one. */
async function isSilent(target: Target, user: Account, { table, witness, write, mark }: Silence): Promise<boolean> {
  const control = await follow(target, user, `SELECT * FROM ${table}`);
  if ("why" in control || !(await write())) return false;
  const arrived = await fenceArrives(control.subscription, "mark", mark);
  control.live.close();
  return arrived && witness.notices.length === 0 && !(await fenceArrives(witness, "mark", mark, silentAfterMs));
}
