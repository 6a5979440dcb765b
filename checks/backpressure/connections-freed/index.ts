import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import type { Account, Live, Target } from "../../../src/server/target.ts";
import { connect, subscribe } from "../../vocabulary/following.ts";
import { heartbeatsOf } from "../../vocabulary/heartbeats.ts";
import { liveQueriesOf } from "../../vocabulary/live-view.ts";
import { sharedTable } from "../../vocabulary/tables.ts";

/** What one user may have open by default. */
const eachMax = 10;
const loginsUsual = 20;
const ways = ["closed", "reset"] as const;
type Way = (typeof ways)[number];

export const connectionsFreed = defineCheck({
  id: "backpressure/connections-freed",
  title: "Connections that ended are freed",
  failureTitle: "Connections that ended stay in the server",
  description:
    "Opens forty live connections with a subscription each (ten at light effort) and ends them, half by a close and half by a TCP reset. All must have been in the live view before, and none may be there after the server's client timeout and two heartbeats.",
  blindTo:
    "Connections that end without a word are tried by subscriptions/cut-survived; file descriptors and memory of the server are not seen from here.",
  risk: "Every client that reloads leaves something behind, until the server has no connection left for anyone.",
  remedy: "Watch the number of open connections and live queries, and restart the server before its limit is reached.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  waits: true,
  level: "block",
  estimateMs: 6_000,
  estimateRequests: 100,
  timeoutMs: 90_000,
  findings: {
    leaked: {
      say: (d: { listed: number; of: number; ways: readonly string[]; waitedMs: number }) =>
        `${d.listed} of ${d.of} subscriptions of ended connections (${d.ways.join(" and ")}) are still listed after ${Math.round(d.waitedMs / 1000)} s`,
      timed: true,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const table = await sharedTable(target, context, op, `${context.scratch}.watched`, {
      columns: "id BIGINT PRIMARY KEY",
      readers: ["user"],
    });
    const configured = Number(target.capabilities.settings["rate_limit.max_subscriptions_per_user"] ?? eachMax);
    const each = Math.min(eachMax, configured > 0 ? configured : eachMax);
    const users = await Promise.all(
      Array.from({ length: context.size({ light: 1, standard: 4, deep: 4 }) }, async () => await target.fresh("user")),
    );
    // Logins on sockets count for the limit of logins by address, also on loopback: at most half of it.
    const logins = Number(target.capabilities.settings["rate_limit.max_auth_requests_per_ip_per_sec"] ?? loginsUsual);
    const everyMs = 2_000 / (logins > 0 ? logins : loginsUsual);
    const opened: { readonly live: Live; readonly way: Way }[] = [];
    const openFor = async (user: Account): Promise<void> => {
      for (let n = 0; n < each; n += 1) {
        const way = ways[n % ways.length] ?? "reset";
        await pause(context, everyMs * users.length);
        const live = context.need(await connect(target, user), `only ${opened.length} connections could be opened`);
        context.need(
          await subscribe(live, `SELECT * FROM ${table}`, null, `${way} ${n}`),
          `only ${opened.length} connections could subscribe`,
        );
        opened.push({ live, way });
      }
    };
    await Promise.all(users.map(openFor));
    const listedBefore = await listed(target, op, users);
    for (const { live, way } of opened) {
      if (way === "closed") live.close();
      else live.reset();
    }
    const from = performance.now();
    const left = await context.poll(
      async () => await listed(target, op, users),
      (ids) => ids === null || ids.length === 0,
      { withinMs: heartbeatsOf(target).noticedMs, everyMs: 400 },
    );
    return {
      opened: opened.length,
      wanted: users.length * each,
      listedBefore: listedBefore?.length ?? null,
      left,
      waitedMs: Math.round(performance.now() - from),
    };
  },
  judge({ opened, wanted, listedBefore, left, waitedMs }, { found }) {
    if (left !== null && left.length > 0 && listedBefore !== null && left.length <= listedBefore) {
      const kinds = ways.filter((way) => left.some((id) => id.startsWith(way)));
      found.leaked({ listed: left.length, of: opened, ways: kinds, waitedMs });
    }
    if (left === null || listedBefore === null) return unknown("the live view could not be read");
    if (listedBefore < opened)
      return unknown(`only ${listedBefore} of ${opened} subscriptions were listed while they were open`);
    if (opened < wanted || opened < ways.length) return unknown(`only ${opened} of ${wanted} connections were opened`);
    return pass(`${opened} connections opened and ended, half by a reset; none was listed ${waitedMs} ms later`);
  },
});

async function pause({ poll }: Pick<Context, "poll">, ms: number): Promise<void> {
  const from = performance.now();
  const elapsed = async (): Promise<number> => await Promise.resolve(performance.now() - from);
  await poll(elapsed, (passed) => passed >= ms, { withinMs: 2 * ms, everyMs: ms });
}

/** The subscriptions of the accounts that the live view lists; null if it could not be read. */
async function listed(target: Target, op: Account, users: readonly Account[]): Promise<readonly string[] | null> {
  const ids: string[] = [];
  for (const user of users) {
    const queries = await liveQueriesOf(target, op, user);
    if (queries === null) return null;
    ids.push(...queries.map(({ subscriptionId }) => subscriptionId));
  }
  return ids;
}
