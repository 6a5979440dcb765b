import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { observeLimits, type Flood, type Long } from "./limits.ts";

/** In a second, a bucket lets through twice the limit; four times as many messages are sent. */
const floodMsMax = 1_000;

export const messageLimitsHold = defineCheck({
  id: "backpressure/message-limits-hold",
  title: "Limits of live messages hold and say so",
  failureTitle: "Limits of live messages do not hold, or hurt others",
  description:
    "Sends live messages of one byte and of twice more than the server's limit (security.max_ws_message_size), and four times as many unsubscribe messages at once as the limit allows per second (rate_limit.max_messages_per_sec). Each must be refused by an error or a close with a code. Another connection of the same user, another user's, and the one that sent too many must still deliver changes.",
  blindTo:
    "Limits above 8 MiB and 250 messages per second, which take too much to try, and limits of all connections together.",
  risk: "One client with a bug takes the live connections of all others with it, or the server's memory.",
  remedy: "Limit the size and the rate of WebSocket messages in a proxy in front of the server.",
  covers: [],
  touches: "load",
  needs: ["dba"],
  level: "block",
  estimateMs: 3_000,
  estimateRequests: 30,
  timeoutMs: 90_000,
  findings: {
    accepted: {
      say: (d: { what: string; limit: string }) => `${d.what} were accepted, although the limit is ${d.limit}`,
    },
    unexplained: {
      say: (d: { what: string; closed: string }) =>
        `${d.what} ended the connection without an error or a reason (${d.closed})`,
      risk: "A client cannot tell a message that is too long from a network error, reconnects and sends it again.",
      remedy: "Limit the length of messages in the client, well below the server's limit.",
    },
    killedSiblings: {
      say: (d: { who: string; what: string }) => `after messages above the limits, ${d.who} ${d.what}`,
    },
  },
  observe: observeLimits,
  judge({ long, flood, siblings, control, direct }, { found }) {
    for (const one of long) {
      const about = { case: "length", sent: one };
      if (one.answer?.kind === "accepted") found.accepted({ what: longText(one), limit: `${one.limit} bytes` }, about);
      // A proxy may end connections on its own account.
      else if (direct && isBare(one)) found.unexplained({ what: longText(one), closed: one.answer?.text ?? "" }, about);
    }
    if (flood !== null) {
      const about = { case: "rate", sent: flood };
      const { messages, perSecond, tookMs, closed } = flood;
      if (closed === null && flood.refused === 0 && tookMs !== null && tookMs < floodMsMax)
        found.accepted({ what: `${messages} messages within ${tookMs} ms`, limit: `${perSecond} per second` }, about);
      if (direct && closed !== null && isBroken(closed) && flood.refused === 0)
        found.unexplained({ what: `${messages} messages at once`, closed }, about);
    }
    for (const { who, closed, delivered } of siblings) {
      if (closed === null) {
        if (control && !delivered) found.killedSiblings({ who, what: "received no more changes" });
      } else if (who !== ownConnection && !isBroken(closed))
        found.killedSiblings({ who, what: `lost its connection: ${closed}` });
    }
    const why = whyUnknown(long, flood);
    if (why !== undefined) return unknown(why);
    const cut = siblings.find(({ who, closed }) => who !== ownConnection && closed !== null);
    if (cut !== undefined) return unknown(`${cut.who} broke (${cut.closed ?? ""}), maybe by something in between`);
    if (siblings.length < siblingCount || !control) return unknown("no change was delivered afterwards, to nobody");
    return pass(
      `${long.map((one) => `${longText(one)}: ${one.answer?.text ?? ""}`).join("; ")}; ${flood?.refused ?? 0} of ${flood?.messages ?? 0} messages at once refused; the other connections still deliver`,
    );
  },
});

const siblingCount = 3;
const ownConnection = "the connection itself";

function whyUnknown(long: readonly Long[], flood: Flood | null): string | undefined {
  if (long.length === 0) return "the limit of a message's length is too high to try";
  const silent = long.find((one) => one.answer === null);
  if (silent !== undefined) return `${longText(silent)} were not answered in time`;
  const bare = long.find(isBare);
  if (bare !== undefined)
    return `${longText(bare)} ended the connection (${bare.answer?.text ?? ""}), maybe by something in between`;
  if (flood === null) return "the limit of the message rate is too high to try";
  if (flood.closed !== null && flood.refused === 0 && isBroken(flood.closed))
    return `many messages ended the connection (${flood.closed}), maybe by something in between`;
  if (flood.refused > 0 || flood.closed !== null) return undefined;
  return `no message was refused, and the server took ${flood.tookMs ?? "too many"} ms for all of them`;
}

/** No error, and a close without a code of its own. */
function isBare({ answer }: Long): boolean {
  return answer?.kind === "closed" && /^100[056]\b/.test(answer.text);
}

/** Without a close frame, which anything in between can do. */
function isBroken(closed: string): boolean {
  return closed.startsWith("1006");
}

function longText({ bytes }: Long): string {
  return `a message of ${bytes} bytes`;
}
