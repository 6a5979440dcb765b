import { defineCheck, pass, unknown } from "../../../src/check.ts";
import {
  known,
  rowsOf,
  saidOf,
  type Account,
  type Live,
  type Said,
  type Target,
  type Values,
} from "../../../src/server/target.ts";
import { askedTwice, lookedTwice } from "../../vocabulary/second-look.ts";
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
  /** Rows of the SELECT and of the snapshot. */
  readonly selected: number;
  readonly snapshot: number;
};

/** Who must have tried which table. */
const pairs: readonly Pick<Access, "who" | "table">[] = [
  { who: "user", table: "PUBLIC" },
  { who: "user", table: "PRIVATE" },
  { who: "service", table: "PUBLIC" },
  { who: "service", table: "PRIVATE" },
];

type Seen = {
  readonly sharedAccess: Values["sharedAccess"];
  readonly access: readonly Access[];
  /** Null where a subscription to the table did not begin. */
  readonly tightened: Tightened | null;
};

export const sharedTablesLive = defineCheck({
  id: "subscriptions/shared-tables-live",
  title: "Live queries on shared tables show what SELECT may read",
  failureTitle: "Live queries on shared tables differ from SELECT",
  description:
    "A user and a service account read and subscribe to a PUBLIC and a PRIVATE table: an account may subscribe if and only if it may SELECT. Then the PUBLIC table is made PRIVATE while the user is subscribed: once the user's SELECT is refused, no more changes may be delivered to that user. Where policies take the place of levels, they open the tables as far, and a closed table may also be one that shows no rows; what dropping a policy does to an open live query is promised nowhere there, so rows that are still delivered are a warning.",
  blindTo:
    "RESTRICTED tables and other roles are left to validation/shared-access-levels-hold; policies for single rows are not tried.",
  risk: "An account whose access was revoked goes on reading as long as its connection lasts.",
  remedy: "After closing a table, end the live queries on it (KILL LIVE QUERY) or restart the server.",
  covers: ["SUB-05"],
  expects: ["sharedAccess"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  uses: { user: 1, service: 1 },
  estimateMs: 1_000,
  estimateRequests: 24,
  findings: {
    tooOpen: {
      say: (d: { who: string; table: string; select: string }) =>
        lookedTwice(`a ${d.who} account may subscribe to a ${d.table} table; SELECT: ${d.select}`),
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
        `${d.leaked} of ${d.of} rows written after the table was made PRIVATE were delivered to a user whose SELECT is refused or shows no rows`,
      promised: { sharedAccess: "levels" },
    },
  },
  async observe(target, context): Promise<Seen> {
    const sharedAccess = known(target.dialect.sharedAccess);
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
    // Without the acknowledgement nobody knows which level the table has.
    if (tightened?.said.kind === "ok") {
      const live =
        userLive.closed() === undefined
          ? userLive
          : context.need(await connect(target, user), "the user could not connect again");
      access.push(await tryAccess(target, live, user, `${scratch}.shown`, "tightened"));
    }
    return { sharedAccess, access, tightened };
  },
  judge({ sharedAccess, access, tightened }, { found }) {
    const isHidden = sharedAccess === "policies";
    for (const one of access) {
      const { who, table, select, opening } = one;
      const shown = { case: `${who} ${table}`, sent: [select, opening] };
      if (isTooOpen(one, sharedAccess))
        found.tooOpen({ who, table, select: isDenied(select) ? "no" : select.kind }, shown);
      const mayRead = select.kind === "ok" && (!isHidden || one.selected > 0);
      if (opening.reason === "right" && mayRead) found.tooClosed({ who, table, refusal: openingText(opening) }, shown);
    }
    const closed =
      tightened !== null &&
      (isDenied(tightened.select) || (isHidden && tightened.select.kind === "ok" && tightened.selected === 0));
    if (closed && tightened.leaked > 0)
      found.lateRevoke({ leaked: tightened.leaked, of: tightened.written }, { sent: [tightened, tightened.said] });

    const untried = pairs.find(({ who, table }) => !access.some((one) => one.who === who && one.table === table));
    if (untried !== undefined) return unknown(`no ${untried.who} account tried the ${untried.table} table`);
    const odd = access.find(
      ({ opening, select }) =>
        (opening.kind !== "ready" && opening.reason !== "right") ||
        (select.kind !== "ok" && select.why !== "permission"),
    );
    if (odd !== undefined)
      return unknown(`${odd.who}, ${odd.table}: SELECT ${odd.select.kind}, subscription ${openingText(odd.opening)}`);
    const unlike = access.find((one) => isHidden && one.selected !== one.snapshot);
    if (unlike !== undefined)
      return unknown(
        `${unlike.who}, ${unlike.table}: SELECT shows ${unlike.selected} rows, the live query ${unlike.snapshot}`,
      );
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

function isDenied({ why }: Said): boolean {
  return why === "permission";
}

async function tryAccess(
  target: Target,
  live: Live,
  as: Account,
  name: string,
  table: Access["table"],
): Promise<Access> {
  const ask = async (): Promise<Access> => {
    const answer = await target.sql(as, `SELECT id FROM ${name} LIMIT 10`);
    const { opening, pages } = await tryToSubscribe(live, `SELECT * FROM ${name}`);
    const rows = { selected: rowsOf(answer)?.length ?? 0, snapshot: pages.flat().length };
    return { who: as.role, table, select: saidOf(answer), opening, ...rows };
  };
  return (await askedTwice(ask, (one) => isTooOpen(one, known(target.dialect.sharedAccess)))).last;
}

/** Whether an account may subscribe to what it may not read. */
function isTooOpen(
  { who, table, select, opening, selected, snapshot }: Access,
  sharedAccess: Values["sharedAccess"],
): boolean {
  if (sharedAccess === "policies" && select.kind === "ok")
    return snapshot > 0 && (selected === 0 || (who === "user" && table !== "PUBLIC"));
  return opening.kind === "ready" && (isDenied(select) || (who === "user" && table !== "PUBLIC"));
}
