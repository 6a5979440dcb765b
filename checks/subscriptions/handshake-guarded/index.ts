import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { askedTwice } from "../../vocabulary/second-look.ts";
import { foreignOrigin, originText, tryOrigin, type Origin } from "./origin.ts";
import { cases, closeWithinMs, isClearClose, tryCase, type Tried } from "./strangers.ts";
import { isLate, paceText, whySlow, withPace, type Pace } from "../../vocabulary/pace.ts";

/** Servers wait a few seconds for a login, which are no delay. */
const controlAfterMs = 4_000;
/** A server may refuse some at the upgrade already; the one with no login at all must get in to be timed. */
const openedMin = 1;

type Seen = {
  /** How a valid login went; null if nobody logged in. */
  readonly loggedIn: string | null;
  readonly tried: readonly Tried[];
  /** Beside the wait for the closes. */
  readonly controlMs: number | null;
  /** Null where nobody logged in: without a login, a connection that is opened shows nothing about origins. */
  readonly origin: Origin | null;
};

/** It ended without a close frame, or failed. */
function isBroken(one: Tried): boolean {
  return one.opened ? one.code === 1006 : hasFailed(one.refused);
}

/** Whether a connection that was refused with that status got to no server, as behind a proxy without one. */
function hasFailed(status: number | null): boolean {
  return status === null || status >= 500;
}

export const handshakeGuarded = defineCheck({
  id: "subscriptions/handshake-guarded",
  title: "Live connections without a login get no data and are closed",
  failureTitle: "Live connections without a login get data or stay open",
  description: `Opens ${cases.length} live connections without a valid login: with none, subscribing first, with garbage and with a forged token, as a message and in the header. None may receive anything but an error, and each must be closed with a code that says why. Where the server restricts origins over HTTP, a foreign origin must not be able to open a socket either. A valid login shows that connections are possible; without one, the server's answers to these connections must show it, and origins are not tried.`,
  blindTo:
    "Tokens that were once valid: expired ones, those of dropped users and refresh tokens are for the security category.",
  risk: "Anyone on the network reads live data.",
  remedy: "Put a proxy in front that requires a login.",
  covers: [],
  touches: "nothing",
  login: "none",
  level: "block",
  limits: { closedMsMax: 10_000 },
  estimateMs: 8_000,
  estimateRequests: cases.length + 3,
  findings: {
    noTimeout: {
      say: (d: { case: string; pace: Pace }) =>
        `${d.case}: the connection was still open after ${d.pace.waitedMs} ms, ${paceText(d.pace)}`,
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
    const { login } = target;
    const tryAll = async (): Promise<{ value: Tried[]; pace: Pace }> =>
      await withPace(
        target,
        login,
        async () =>
          await Promise.all(
            // A connection that breaks once may break by chance.
            cases.map(async (one) => (await askedTwice(async () => await tryCase(target, one), isBroken)).last),
          ),
        controlAfterMs,
      );
    if (login === null) {
      const { value: tried, pace } = await tryAll();
      return { loggedIn: null, tried, controlMs: pace.controlMs, origin: null };
    }
    const control = await target.live(login);
    const loggedIn = "why" in control ? control.why : control.login.kind;
    const [{ value: tried, pace }, origin] = await Promise.all([tryAll(), tryOrigin(target, login)]);
    if (!("why" in control)) control.close();
    return { loggedIn, tried, controlMs: pace.controlMs, origin };
  },
  judge({ loggedIn, tried, controlMs, origin }, { found, limits: { closedMsMax } }) {
    let slow: string | undefined;
    for (const { case: name, given, closedMs, opened, closed, code } of tried) {
      const shown = { case: name };
      if (given.length > 0) found.dataBeforeLogin({ case: name, frames: given }, shown);
      if (opened && (closedMs === null || closedMs > closedMsMax)) {
        const pace = { waitedMs: closedMs ?? closeWithinMs, controlMs };
        if (isLate(pace)) found.noTimeout({ case: name, pace }, shown);
        else slow ??= `${name}: ${whySlow(pace)}`;
      }
      if (code !== null && !isClearClose(code)) found.unclearEnd({ case: name, closed: closed ?? String(code) }, shown);
    }
    if (origin?.allowedOverHttp === false && origin.opened) found.foreignOrigin({ origin: foreignOrigin });
    if (loggedIn === null && !tried.some(({ frames }) => frames.length > 0))
      return unknown("no connection was answered, and without a login nothing else shows that live queries work here");
    if (loggedIn !== null && loggedIn !== "in") return unknown(`even a valid login failed: ${loggedIn}`);
    // A proxy without a server refuses everybody.
    const failed = tried.find((one) => !one.opened && hasFailed(one.refused));
    if (failed !== undefined) return unknown(`${failed.case}: the connection failed: ${failed.closed}`);
    if (origin?.allowedOverHttp === false && hasFailed(origin.status))
      return unknown("the connection of a foreign origin failed, and nothing shows that it was refused");
    if (origin?.allowedOverHttp === "unanswered")
      return unknown("the preflight of a foreign origin was not answered, so nothing shows what it may do");
    const opened = tried.filter((one) => one.opened).length;
    if (tried.length < cases.length || opened < openedMin)
      return unknown(`only ${opened} of ${cases.length} connections were open long enough to be judged`);
    if (slow !== undefined) return unknown(slow);
    const slowest = Math.max(...tried.map(({ closedMs }) => closedMs ?? 0));
    const codes = [...new Set(tried.map(({ closed }) => closed ?? "refused"))].join(", ");
    return pass(
      `${tried.length} connections without a login: no data, closed within ${slowest} ms (${codes}); ${origin === null ? "origins were not tried without a login" : originText(origin)}`,
    );
  },
});
