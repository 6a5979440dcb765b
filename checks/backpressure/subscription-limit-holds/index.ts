import { defineCheck, pass, unknown } from "../../../src/check.ts";
import type { Opening } from "../../vocabulary/opening.ts";
import { openingText } from "../../vocabulary/opening.ts";
import { isLimit, observeQuota, type Returned } from "./quota.ts";

export const subscriptionLimitHolds = defineCheck({
  id: "backpressure/subscription-limit-holds",
  title: "The limit of subscriptions per user holds",
  failureTitle: "The limit of subscriptions does not hold, or is not freed",
  description:
    "Opens as many subscriptions as a user may have (rate_limit.max_subscriptions_per_user), on two sockets. One more must be refused by its code, while the user's other subscriptions and another user go on. Unsubscribing with ids that do not exist must free nothing. After an unsubscribe, a close and a TCP reset as many must be possible as ended, and no more.",
  blindTo: "Limits per connection and per server, and limits above 40, which take too many subscriptions.",
  risk: "One client can use up the server for all others, or is locked out by subscriptions that no longer exist.",
  remedy:
    "Keep the subscriptions of a client on few sockets, unsubscribe before opening others, and limit clients in a proxy.",
  covers: [],
  touches: "load",
  needs: ["dba"],
  level: "block",
  estimateMs: 4_000,
  estimateRequests: 60,
  timeoutMs: 150_000,
  findings: {
    noLimit: {
      say: (d: { opened: number; limit: number }) =>
        `one user opened ${d.opened} subscriptions, although the limit is ${d.limit}`,
    },
    belowLimit: {
      say: (d: { opened: number; limit: number; code: string }) =>
        `a new user was refused after ${d.opened} subscriptions (${d.code}), although the limit is ${d.limit}`,
      level: "warn",
      risk: "Clients are refused before they reach what they are promised.",
      remedy: "Set the limit one higher than what clients need.",
    },
    hurtOthers: {
      say: (d: { who: string; what: string }) => `after one user reached the limit, ${d.who} ${d.what}`,
      risk: "One client at its limit disturbs the others.",
      remedy: "Look in the server's log for what happened to the other connections at that moment.",
    },
    quotaLost: {
      say: (d: { way: string; freed: number; back: number; waitedMs: number; code: string }) =>
        `${d.freed} subscriptions ended by ${wayText(d.way)}, but only ${d.back} new ones could be opened within ${Math.round(d.waitedMs / 1000)} s: ${d.code}`,
      timed: true,
      risk: "A client that reconnects often is locked out until the server restarts.",
      remedy: "Unsubscribe explicitly before closing a connection, and raise the limit.",
    },
    quotaForged: {
      say: (d: { how: string }) => `a subscription above the limit was accepted after ${d.how}`,
      remedy: "Limit subscriptions in a proxy in front of the server.",
    },
  },
  observe: observeQuota,
  judge({ limit, tooMany, opened, extra, forged, others, returned, end }, { found }) {
    if (limit === null) return unknown("the limit is not in the settings");
    if (tooMany) return unknown(`a limit of ${limit} subscriptions is too high to try`);
    if (opened > limit) found.noLimit({ opened, limit }, { sent: extra ?? [] });
    if (opened < limit && extra !== null && isLimit(extra))
      found.belowLimit({ opened, limit, code: openingText(extra) }, { sent: extra });
    const held = opened === limit && extra !== null && isLimit(extra);
    if (held && forged !== null && forged.kind === "ready")
      found.quotaForged({ how: "unsubscribing with ids that do not exist" }, { sent: forged });
    for (const { who, closed, delivered, control } of others) {
      if (isClosed(closed)) found.hurtOthers({ who, what: `lost the connection: ${closed}` });
      else if (closed === null && control && !delivered) found.hurtOthers({ who, what: "received no more changes" });
    }
    for (const { way, freed, back, waitedMs, last } of returned)
      if (held && back < freed && isLimit(last))
        found.quotaLost({ way, freed, back, waitedMs, code: openingText(last) }, { case: way, sent: last });
    const allBack = returned.length === waysCount && returned.every(({ back, freed }) => back === freed && freed > 0);
    if (held && forged?.kind === "refused" && allBack && end?.kind === "ready")
      found.quotaForged(
        { how: `subscriptions ended by ${returned.map(({ way }) => wayText(way)).join(", ")}` },
        { sent: end },
      );

    if (!held)
      return unknown(
        `${opened} of ${limit} subscriptions could be opened: ${extra === null ? "" : openingText(extra)}`,
      );
    const unclear = whyUnclear([forged, end], returned);
    if (unclear !== undefined) return unknown(unclear);
    const cut = others.find(({ closed }) => closed !== null);
    if (cut !== undefined)
      return unknown(`${cut.who} lost the connection (${cut.closed ?? ""}), maybe by something in between`);
    const unheard = others.find(({ delivered }) => !delivered);
    if (unheard !== undefined || others.length < 2)
      return unknown(`${unheard?.who ?? "nobody else"} received no change`);
    const ways = returned.map(({ way, freed }) => `${freed} after ${wayText(way)}`);
    return pass(`${limit} subscriptions opened, one more refused (${extra.code}); as many again: ${ways.join(", ")}`);
  },
});

const waysCount = 3;

function whyUnclear(openings: readonly (Opening | null)[], returned: readonly Returned[]): string | undefined {
  const odd = openings.find((one) => one === null || !isLimit(one));
  if (odd !== undefined)
    return `one more subscription was neither refused nor accepted: ${odd === null ? "" : openingText(odd)}`;
  const short = returned.find(({ back, freed }) => back < freed || freed === 0);
  if (short !== undefined) return `after ${wayText(short.way)}: ${openingText(short.last)}`;
  return returned.length < waysCount ? "not every way to end a subscription was tried" : undefined;
}

function wayText(way: string): string {
  return way === "unsubscribe" ? "an unsubscribe" : way === "close" ? "a close" : "a TCP reset";
}

/** By the server: a connection that broke without a close frame (1006) may have been cut by anything in between. */
function isClosed(closed: string | null): boolean {
  return closed !== null && !closed.startsWith("1006");
}
