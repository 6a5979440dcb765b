import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { connect, fenceArrives, subscribe, textsIn } from "../../vocabulary/following.ts";

const rounds = 3;

type Round = {
  /** Rows written before and after the unsubscribe that this subscription was told of. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** The other subscription on the same socket saw the last row, so this one could have. */
  readonly fenced: boolean;
  readonly exchange: number;
};

export const unsubscribeSilences = defineCheck({
  id: "subscriptions/unsubscribe-silences",
  title: "After an unsubscribe nothing more is told",
  failureTitle: "A subscription goes on after its unsubscribe",
  description: `Subscribes twice to one table on one socket, writes, ends one of the two, writes again: the other one is told, the ended one is not. Then it subscribes again and must be told again. ${rounds} times.`,
  blindTo: "What was on its way at the moment of the unsubscribe may still arrive and is not counted.",
  risk: "Clients work on what they have put aside, and a quota of subscriptions never frees itself.",
  remedy: "Ignore events of subscriptions that were ended, or close the connection.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 600,
  estimateRequests: 16,
  findings: {
    goesOn: {
      say: (d: { told: number; rounds: number }) =>
        `${d.told} changes were told after the unsubscribe, in ${d.rounds} rounds`,
    },
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    const alice = await target.account("user");
    const table = `${scratch}.t`;
    await target.sql(op, `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, mark TEXT) WITH (TYPE='USER')`);
    const nothing = { rounds: [] as Round[] };
    const live = await connect(target, alice);
    if ("why" in live) return { ...nothing, why: live.why };
    const witness = await subscribe(live, `SELECT * FROM ${table}`);
    if ("why" in witness) return { ...nothing, why: witness.why };
    const seen: Round[] = [];
    for (let n = 0; n < rounds; n += 1) {
      const ended = await subscribe(live, `SELECT * FROM ${table}`);
      if ("why" in ended) return { rounds: seen, why: ended.why };
      const write = async (mark: string): Promise<void> => {
        await target.sql(
          alice,
          `INSERT INTO ${table} (id, mark) VALUES (${n * 10 + (mark.startsWith("before") ? 1 : 2)}, '${mark}')`,
        );
      };
      await write(`before ${n}`);
      await fenceArrives(ended.subscription, "mark", `before ${n}`);
      const before = textsIn(ended.subscription, "mark");
      ended.subscription.unsubscribe();
      // An unsubscribe has no answer. A message that has one, sent after it, tells that it was read: they are read in order.
      const marker = await subscribe(live, `SELECT * FROM ${table} WHERE id < 0`);
      if ("why" in marker) return { rounds: seen, why: marker.why };
      marker.subscription.unsubscribe();
      await write(`after ${n}`);
      const fenced = await fenceArrives(witness.subscription, "mark", `after ${n}`);
      // A row from before that came late was on its way.
      const after = textsIn(ended.subscription, "mark").filter((mark) => mark === `after ${n}`);
      seen.push({ before, after, fenced, exchange: ended.subscription.exchange });
    }
    live.close();
    return { rounds: seen, why: null };
  },
  judge(seen) {
    const told = seen.rounds.filter((round) => round.after.length > 0);
    if (told.length > 0) {
      const data = { told: told.reduce((sum, round) => sum + round.after.length, 0), rounds: told.length };
      return fail({ name: "goesOn", data, sent: told.map((round) => round.exchange) });
    }
    if (seen.why !== null) return unknown(seen.why);
    const dumb = seen.rounds.find((round) => round.before.length === 0 || !round.fenced);
    if (dumb !== undefined || seen.rounds.length < rounds)
      return unknown("a subscription was not told of what it should have been, so its silence shows nothing");
    return pass(
      `${seen.rounds.length} of ${seen.rounds.length} subscriptions fell silent, the one beside them went on`,
    );
  },
});
