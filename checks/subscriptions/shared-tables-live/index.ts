import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { saidOf, type Account, type Live, type Said, type Target } from "../../../src/server/target.ts";
import { connect } from "../../vocabulary/following.ts";
import { openingText, tryToSubscribe, type Opening } from "../../vocabulary/opening.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { isClosedForPermission, tighten, type Tightened } from "./closing.ts";

/** One account and one table: the answers to SELECT and to a subscription. */
type Access = {
  readonly who: string;
  readonly table: "PUBLIC" | "PRIVATE" | "tightened";
  readonly select: Said;
  readonly opening: Opening;
};

type Seen = {
  readonly access: readonly Access[];
  /** Null where a subscription to the table did not begin. */
  readonly tightened: Tightened | null;
};

export const sharedTablesLive = defineCheck({
  id: "subscriptions/shared-tables-live",
  title: "Live queries on shared tables obey the access level",
  failureTitle: "Live queries on shared tables ignore the access level",
  description:
    "A user and a service account read and subscribe to a PUBLIC and a PRIVATE table: an account may subscribe if and only if it may SELECT. Then the PUBLIC table is made PRIVATE while the user is subscribed: once the user's SELECT is refused, no more changes may be delivered to that user.",
  blindTo:
    "RESTRICTED tables and other roles are left to validation/shared-access-levels-hold; row policies of newer versions are not tried.",
  risk: "An account whose access was revoked goes on reading as long as its connection lasts.",
  remedy: "After closing a table, end the live queries on it (KILL LIVE QUERY) or restart the server.",
  covers: ["SUB-05"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_000,
  estimateRequests: 24,
  findings: {
    tooOpen: {
      say: (d: { who: string; table: string; select: string }) =>
        `a ${d.who} account may subscribe to a ${d.table} table; SELECT: ${d.select}`,
      risk: "Accounts read tables that are closed to them.",
      remedy: "Do not keep confidential rows in shared tables until this passes.",
    },
    tooClosed: {
      say: (d: { who: string; table: string; refusal: string }) =>
        `a ${d.who} account may SELECT from a ${d.table} table but not subscribe to it: ${d.refusal}`,
      risk: "Clients cannot follow a table that they may read.",
      remedy: "Poll the table with SELECT instead of subscribing to it.",
    },
    lateRevoke: {
      say: (d: { leaked: number; of: number }) =>
        `${d.leaked} of ${d.of} rows written after the table was made PRIVATE were delivered to a user whose SELECT is refused`,
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const user = await target.account("user", "reader");
    const service = await target.account("service", "writer");
    const { scratch } = context;
    for (const [name, reader] of [
      ["shown", "user"],
      ["hidden", "service"],
      ["calm", "user"],
    ] as const) {
      const sharing = { columns: "id BIGINT PRIMARY KEY, v TEXT", readers: [reader] };
      const table = await sharedTable(target, context, op, `${scratch}.${name}`, sharing);
      const insert = `INSERT INTO ${table} (id, v) VALUES (1, 'first')`;
      context.need(await target.sql(service, insert), "the first row could not be written");
    }
    const userLive = context.need(await connect(target, user), "the user could not connect");
    const serviceLive = context.need(await connect(target, service), "the service account could not connect");
    const access: Access[] = [];
    for (const [live, as] of [
      [userLive, user],
      [serviceLive, service],
    ] as const) {
      access.push(await tryAccess(target, live, as, `${scratch}.shown`, "PUBLIC"));
      access.push(await tryAccess(target, live, as, `${scratch}.hidden`, "PRIVATE"));
    }
    const tightened = await tighten(target, { op, user, service, userLive, serviceLive, scratch });
    if (tightened !== null) {
      const live =
        userLive.closed() === undefined
          ? userLive
          : context.need(await connect(target, user), "the user could not connect again");
      access.push(await tryAccess(target, live, user, `${scratch}.shown`, "tightened"));
    }
    return { access, tightened };
  },
  judge({ access, tightened }, { found }) {
    for (const { who, table, select, opening } of access) {
      const shown = { case: `${who} ${table}`, sent: [select, opening] };
      const denied = isDenied(select);
      if (opening.kind === "ready" && (denied || (who === "user" && table !== "PUBLIC")))
        found.tooOpen({ who, table, select: denied ? "no" : select.kind }, shown);
      if (opening.kind === "refused" && opening.reason === "right" && select.kind === "ok")
        found.tooClosed({ who, table, refusal: openingText(opening) }, shown);
    }
    const closed = tightened !== null && isDenied(tightened.select);
    if (closed && tightened.leaked > 0)
      found.lateRevoke({ leaked: tightened.leaked, of: tightened.written }, { sent: [tightened, tightened.said] });

    const odd = access.find(
      ({ opening, select }) =>
        (opening.kind !== "ready" && opening.reason !== "right") ||
        (select.kind !== "ok" && select.why !== "permission"),
    );
    if (odd !== undefined)
      return unknown(`${odd.who}, ${odd.table}: SELECT ${odd.select.kind}, subscription ${openingText(odd.opening)}`);
    if (!closed || tightened.said.kind !== "ok")
      return unknown(
        `the PUBLIC table could not be made PRIVATE: ${tightened?.said.message ?? "no subscription to it"}`,
      );
    if (!tightened.alive) return unknown("the user's subscription delivered nothing even before the table was closed");
    if (tightened.insiders < tightened.written)
      return unknown(`even the service account received only ${tightened.insiders} of ${tightened.written} rows`);
    const ended = isClosedForPermission(tightened);
    if (!tightened.fenced && !ended)
      return unknown("the user's connection did not deliver the rows of another table written afterwards");
    return pass(
      `${access.length} of ${access.length} subscriptions agree with SELECT; none of ${tightened.written} rows delivered after the table was closed${ended ? `, the user's connection was closed with ${tightened.ended}` : ""}`,
    );
  },
});

function isDenied({ kind, why }: Said): boolean {
  return kind === "refused" && why === "permission";
}

async function tryAccess(
  target: Target,
  live: Live,
  as: Account,
  name: string,
  table: Access["table"],
): Promise<Access> {
  const select = saidOf(await target.sql(as, `SELECT id FROM ${name} LIMIT 10`));
  const { opening } = await tryToSubscribe(live, `SELECT * FROM ${name}`);
  return { who: as.role, table, select, opening };
}
