import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { connect, fenceArrives, subscribe, textsIn } from "../../vocabulary/following.ts";
import { makeTable } from "../../vocabulary/tables.ts";

const rowsEach = { light: 4, standard: 8, deep: 8 };
const socketsMax = 5;
/** What servers allow one user by default. */
const limitUsual = 10;

type Share = {
  readonly sockets: number;
  readonly group: number;
  readonly own: number;
  readonly crossed: readonly string[];
  readonly fenced: boolean;
  /** The last row did not arrive, although the connection lives and no error came. */
  readonly silent: boolean;
  readonly exchange: number;
};

type Seen = {
  readonly shares: readonly Share[];
  readonly groups: number;
  /** How many rows were written for each. */
  readonly rows: number;
  readonly unwritten: number;
};

export const parallelSubscriptionsSeparate = defineCheck({
  id: "subscriptions/parallel-subscriptions-separate",
  title: "Concurrent subscriptions each get only their own changes",
  failureTitle: "Concurrent subscriptions mix up or lose changes",
  description: `Opens as many subscriptions as the server allows one user (at most ${limitUsual}), with filters that do not overlap: all on one socket, and for another user on ${socketsMax} sockets. Each statement then writes a row for every one of them. Each must deliver all of its own rows and no others.`,
  blindTo: "Filters other than equality, which filter-agrees-with-select tries.",
  risk: "One part of an application acts on changes meant for another.",
  remedy: "Open fewer concurrent subscriptions, and check in the client what an event is about.",
  covers: ["SUB-09"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 2_500,
  estimateRequests: 70,
  findings: {
    crossed: {
      say: (d: { group: number; sockets: number; first: string }) =>
        `the subscription of group ${d.group} (on ${socketText(d.sockets)}) delivered a change of another: ${d.first}`,
    },
    lostChange: {
      say: (d: { group: number; sockets: number; own: number; rows: number }) =>
        `the subscription of group ${d.group} (on ${socketText(d.sockets)}) delivered ${d.own} of ${d.rows} rows`,
      risk: "A client with several subscriptions silently misses changes.",
      remedy: "Open fewer concurrent subscriptions, and compare with SELECT from time to time.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const table = await makeTable(target, context, op, `${context.scratch}.shares`, {
      columns: "id BIGINT PRIMARY KEY, grp INT, mark TEXT",
    });
    const configured = Number(target.capabilities.settings["rate_limit.max_subscriptions_per_user"]);
    const groups = Math.min(limitUsual, Number.isFinite(configured) && configured > 0 ? configured : limitUsual);
    // Fresh users: each opens all the subscriptions that a user may have.
    const users = [];
    for (const sockets of [1, socketsMax]) {
      const as = await target.fresh("user");
      const lives = [];
      for (let n = 0; n < sockets; n += 1)
        lives.push(context.need(await connect(target, as), `a user could not open ${socketText(sockets)}`));
      const subscriptions = [];
      for (let group = 0; group < groups; group += 1) {
        const live = context.need(lives[group % sockets], "no socket");
        const following = await subscribe(live, `SELECT * FROM ${table} WHERE grp = ${group}`);
        subscriptions.push(
          context.need(following, `only ${group} of ${groups} subscriptions could be opened`).subscription,
        );
      }
      users.push({ as, sockets, lives, subscriptions });
    }
    const shares: Share[] = [];
    const written = context.size(rowsEach);
    let unwritten = 0;
    for (const { as, sockets, lives, subscriptions } of users) {
      // Rows of all groups in each statement, so that the server has to take every statement apart.
      for (let n = 0; n < written; n += 1) {
        const rows = Array.from({ length: groups }, (_, group) => `(${n * 100 + group}, ${group}, 'g${group} r${n}')`);
        const answer = await target.sql(as, `INSERT INTO ${table} (id, grp, mark) VALUES ${rows.join(", ")}`);
        if (answer.kind !== "ok") unwritten += 1;
      }
      for (const [group, subscription] of subscriptions.entries()) {
        const fenced = await fenceArrives(subscription, "mark", `g${group} r${written - 1}`);
        const marks = new Set(textsIn(subscription, "mark"));
        const crossed = [...marks].filter((mark) => !mark.startsWith(`g${group} `));
        const own = marks.size - crossed.length;
        const isOpen = lives[group % sockets]?.closed() === undefined && subscription.notices.length === 0;
        shares.push({
          sockets,
          group,
          own,
          crossed: crossed.slice(0, 3),
          fenced,
          silent: !fenced && isOpen,
          exchange: subscription.exchange,
        });
      }
      for (const live of lives) live.close();
    }
    return { shares, groups, rows: written, unwritten };
  },
  judge({ shares, groups, rows, unwritten }, { found }) {
    for (const one of shares) {
      const [first] = one.crossed;
      if (first !== undefined) found.crossed({ group: one.group, sockets: one.sockets, first }, { sent: one });
    }
    for (const one of shares) {
      const { group, sockets, own } = one;
      // What comes for its neighbours in milliseconds, and not for it in seconds, is lost.
      const isLeftOut = one.silent && shares.some((other) => other.sockets === sockets && other.fenced);
      if ((one.fenced || isLeftOut) && unwritten === 0 && own < rows)
        found.lostChange({ group, sockets, own, rows }, { sent: one });
    }
    if (unwritten > 0) return unknown(`${unwritten} statements were not acknowledged, so rows may be missing`);
    const missedFence = shares.find((one) => !one.fenced);
    if (missedFence !== undefined)
      return unknown(`the last row of group ${missedFence.group} did not arrive on ${socketText(missedFence.sockets)}`);
    if (groups < 2 || shares.length < 2 * groups)
      return unknown(`only ${shares.length} concurrent subscriptions were judged`);
    return pass(
      `${groups} subscriptions on one socket and ${groups} on ${socketsMax}, each delivered its ${rows} rows and no others`,
    );
  },
});

function socketText(sockets: number): string {
  return sockets === 1 ? "one socket" : `${sockets} sockets`;
}
