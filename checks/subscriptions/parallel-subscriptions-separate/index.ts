import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import type { Account, Target } from "../../../src/server/target.ts";
import { connect, fenceArrives, subscribe, textsIn, type Following } from "../../vocabulary/following.ts";

const rowsEach = 8;
const socketsMax = 5;
/** What servers allow one user unless they say otherwise. */
const limitUsual = 10;

type Share = {
  readonly sockets: number;
  readonly group: number;
  readonly own: number;
  readonly crossed: readonly string[];
  readonly fenced: boolean;
  readonly exchange: number;
};

export const parallelSubscriptionsSeparate = defineCheck({
  id: "subscriptions/parallel-subscriptions-separate",
  title: "Subscriptions at the same time get each their share",
  failureTitle: "Subscriptions at the same time mix or lose changes",
  description: `Opens as many subscriptions as the server allows one user (at most ${limitUsual}), with filters that do not overlap, all on one socket, and then with another user on ${socketsMax} sockets; writes rows for each of them in mixed statements. Each must be told of all of its own and of nothing else.`,
  blindTo: "The filters compare for equality; filter-agrees-with-select looks at other predicates.",
  risk: "One part of an application works on what was meant for another one.",
  remedy: "Open fewer subscriptions at once, and check in the client what an event is about.",
  covers: ["SUB-09"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 2_500,
  estimateRequests: 70,
  findings: {
    crossed: {
      say: (d: { group: number; sockets: number; first: string }) =>
        `the subscription of group ${d.group} (on ${socketText(d.sockets)}) was told of ${d.first}`,
    },
    lostChange: {
      say: (d: { group: number; sockets: number; own: number }) =>
        `the subscription of group ${d.group} (on ${socketText(d.sockets)}) was told of ${d.own} of ${rowsEach} rows`,
    },
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    const table = `${scratch}.shares`;
    const made = await target.sql(
      op,
      `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, grp INT, mark TEXT) WITH (TYPE='USER')`,
    );
    if (made.kind !== "ok") return { shares: [], groups: 0, why: made.message };
    const told = Number(target.capabilities.settings["rate_limit.max_subscriptions_per_user"]);
    const groups = Math.min(limitUsual, Number.isFinite(told) && told > 0 ? told : limitUsual);
    const shares: Share[] = [];
    for (const sockets of [1, socketsMax]) {
      // Nobody else's before or after: all that a user may have open is opened here, and is given back a moment later.
      const result = await look(target, await target.fresh("user"), { table, groups, sockets });
      shares.push(...result.shares);
      if (result.why !== null) return { shares, groups, why: result.why };
    }
    return { shares, groups, why: null };
  },
  judge({ shares, groups, why }) {
    const crossed = shares.flatMap(({ group, sockets, crossed: some, exchange }) => {
      const [first] = some;
      return first === undefined
        ? []
        : [{ name: "crossed" as const, data: { group, sockets, first }, sent: [exchange] }];
    });
    const lost = shares
      .filter((one) => one.fenced && one.own < rowsEach)
      .map(({ group, sockets, own, exchange }) => ({
        name: "lostChange" as const,
        data: { group, sockets, own },
        sent: [exchange],
      }));
    if (crossed.length + lost.length > 0) return fail(...crossed, ...lost);
    if (why !== null) return unknown(why);
    const deaf = shares.find((one) => !one.fenced);
    if (deaf !== undefined)
      return unknown(`the last row of group ${deaf.group} did not arrive on ${socketText(deaf.sockets)}`);
    if (groups < 2 || shares.length < 2 * groups)
      return unknown(`only ${shares.length} subscriptions could be open at once`);
    return pass(
      `${groups} on one socket and ${groups} on ${socketsMax}, each told of its ${rowsEach} rows and nothing else`,
    );
  },
});

async function look(
  target: Target,
  as: Account,
  { table, groups, sockets }: { table: string; groups: number; sockets: number },
): Promise<{ shares: Share[]; why: string | null }> {
  const followings: Following[] = [];
  const lives = [];
  for (let n = 0; n < sockets; n += 1) {
    const live = await connect(target, as);
    if ("why" in live) return { shares: [], why: live.why };
    lives.push(live);
  }
  for (let group = 0; group < groups; group += 1) {
    const live = lives[group % lives.length];
    if (live === undefined) return { shares: [], why: "no socket" };
    const following = await subscribe(live, `SELECT * FROM ${table} WHERE grp = ${group}`);
    if ("why" in following) return { shares: [], why: following.why };
    followings.push(following);
  }
  // Rows of all groups in each statement, so that the server has to take every statement apart.
  for (let n = 0; n < rowsEach; n += 1) {
    const rows = Array.from({ length: groups }, (_, group) => `(${n * 100 + group}, ${group}, 'g${group} r${n}')`);
    const written = await target.sql(as, `INSERT INTO ${table} (id, grp, mark) VALUES ${rows.join(", ")}`);
    if (written.kind !== "ok") return { shares: [], why: `the rows could not all be written: ${written.message}` };
  }
  const shares: Share[] = [];
  for (const [group, { subscription }] of followings.entries()) {
    const fenced = await fenceArrives(subscription, "mark", `g${group} r${rowsEach - 1}`);
    const marks = textsIn(subscription, "mark");
    const crossed = marks.filter((mark) => !mark.startsWith(`g${group} `));
    shares.push({
      sockets,
      group,
      own: new Set(marks).size - new Set(crossed).size,
      crossed: crossed.slice(0, 3),
      fenced,
      exchange: subscription.exchange,
    });
  }
  for (const live of lives) live.close();
  return { shares, why: null };
}

function socketText(sockets: number): string {
  return sockets === 1 ? "one socket" : `${sockets} sockets`;
}
