import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { foreignOrigin, originText, tryOrigin, type Origin } from "./origin.ts";
import { cases, closeWithinMs, isClearClose, tryCase, type Tried } from "./strangers.ts";

/** A server may refuse some at the upgrade already; the one with no login at all must get in to be timed. */
const openedMin = 1;

type Seen = {
  /** How a valid login went. */
  readonly loggedIn: string;
  readonly tried: readonly Tried[];
  readonly origin: Origin;
};

export const handshakeGuarded = defineCheck({
  id: "subscriptions/handshake-guarded",
  title: "Live connections without a login get no data and are closed",
  failureTitle: "Live connections without a login get data or stay open",
  description: `Opens ${cases.length} live connections without a valid login: with none, subscribing first, with garbage and with a forged token, as a message and in the header. None may receive anything but an error, and each must be closed with a code that says why. Where the server restricts origins over HTTP, a foreign origin must not be able to open a socket either. A valid login shows that connections are possible.`,
  blindTo:
    "Tokens that were once valid: expired ones, those of dropped users and refresh tokens are for the security category.",
  risk: "Anyone on the network reads live data.",
  remedy: "Put a proxy in front that requires a login.",
  covers: [],
  touches: "nothing",
  level: "block",
  limits: { closedMsMax: 10_000 },
  estimateMs: 8_000,
  estimateRequests: cases.length + 3,
  findings: {
    noTimeout: {
      say: (d: { case: string; waitedMs: number }) => `${d.case}: the connection was still open after ${d.waitedMs} ms`,
      risk: "Anyone on the network can hold connections until none are left for others.",
      remedy: "Limit connections by address in a proxy in front, and close those that do not log in.",
      timed: true,
    },
    dataBeforeLogin: {
      say: (d: { case: string; frames: readonly string[] }) => `${d.case}: received ${d.frames.join(", ")}`,
    },
    unclearEnd: {
      say: (d: { case: string; closed: string }) =>
        `${d.case}: the connection ended with ${d.closed}, which does not tell a client that its login was refused`,
      level: "warn",
      risk: "A client with a bad token reconnects again and again instead of asking for a login.",
      remedy: "Let clients treat a close before the login is answered as a failed login.",
    },
    foreignOrigin: {
      say: (d: { origin: string }) =>
        `a page of ${d.origin} may open a live connection, but may not send the same server an HTTP request`,
      risk: "A foreign web page reads live data in the name of a user who visits it.",
      remedy: "Check the Origin header of upgrades to /v1/ws in a proxy in front.",
    },
  },
  async observe(target): Promise<Seen> {
    const control = await target.live(target.login);
    const loggedIn = "why" in control ? control.why : control.login.kind;
    const [tried, origin] = await Promise.all([
      Promise.all(cases.map(async (one) => await tryCase(target, one))),
      tryOrigin(target),
    ]);
    if (!("why" in control)) control.close();
    return { loggedIn, tried, origin };
  },
  judge({ loggedIn, tried, origin }, { found, limits: { closedMsMax } }) {
    for (const { case: name, given, closedMs, opened, closed, code } of tried) {
      const shown = { case: name };
      if (given.length > 0) found.dataBeforeLogin({ case: name, frames: given }, shown);
      if (opened && (closedMs === null || closedMs > closedMsMax))
        found.noTimeout({ case: name, waitedMs: closedMs ?? closeWithinMs }, shown);
      if (code !== null && !isClearClose(code)) found.unclearEnd({ case: name, closed: closed ?? String(code) }, shown);
    }
    if (origin.allowedOverHttp === false && origin.opened) found.foreignOrigin({ origin: foreignOrigin });
    if (loggedIn !== "in") return unknown(`even a valid login failed: ${loggedIn}`);
    const opened = tried.filter((one) => one.opened).length;
    if (tried.length < cases.length || opened < openedMin)
      return unknown(`only ${opened} of ${cases.length} connections were open long enough to be judged`);
    const slowest = Math.max(...tried.map(({ closedMs }) => closedMs ?? 0));
    const codes = [...new Set(tried.map(({ closed }) => closed ?? "refused"))].join(", ");
    return pass(
      `${tried.length} connections without a login: no data, closed within ${slowest} ms (${codes}); ${originText(origin)}`,
    );
  },
});
