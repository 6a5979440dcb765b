/** Judges what came of one bad message. Pure. */
import type { Collector } from "../../../src/check.ts";
import { type Attempt } from "./attempt.ts";
import { badMessages } from "./bad-messages.ts";
import { isLate, paceText, whySlow, type Pace } from "../../vocabulary/pace.ts";

export const findings = {
  accepted: { say: (d: { case: string; how: string }) => `${d.case}: ${d.how}` },
  letPass: {
    say: (d: { case: string; how: string }) => `${d.case}: ${d.how}; it has no more effect than a ping`,
    level: "warn",
    risk: "A broken client gets no error for its invalid messages.",
  },
  killedSiblings: {
    say: (d: { case: string; lost: readonly string[] }) => `${d.case}: disconnected ${d.lost.join(" and ")}`,
    risk: "One broken client ends the live queries of others.",
  },
  hung: {
    say: (d: { case: string; pace: Pace }) =>
      `${d.case}: the connection stayed open, and nothing was answered on it for ${d.pace.waitedMs} ms, ${paceText(d.pace)}`,
    risk: "A broken client waits forever, on a connection that the server keeps open.",
    timed: true,
  },
  unclearEnd: {
    say: (d: { case: string; end: string }) =>
      `${d.case}: ${d.end}, which does not tell the client that it was at fault`,
    level: "warn",
    risk: "A broken client takes its own error for one of the network, and sends the same message again.",
  },
} as const;

/** `refused` as it must be, `reported` as a finding, or why it is inconclusive. */
export type Outcome = "refused" | "reported" | { readonly why: string };

/** `gone`: the server was no longer reachable after the last attempt. */
export function judgeAttempt(one: Attempt, gone: boolean, found: Collector<typeof findings>): Outcome {
  const { case: name, connected, error, replies, closed, continued, siblings, times } = one;
  const { harmless, mayDrop, mayEnd } = badMessages.find((bad) => bad.name === name) ?? {};
  const shown = { case: name, sent: one };
  const doubt = (why: string): Outcome => ({ why: `${name}: ${why}` });
  const accepted = (how: string): Outcome => {
    found[harmless === true ? "letPass" : "accepted"]({ case: name, how }, shown);
    return "reported";
  };
  if (typeof siblings !== "string") {
    if (times < 2 && !gone) return doubt(`disconnected ${siblings.lost.join(" and ")}, and could not be sent again`);
    found.killedSiblings({ case: name, lost: siblings.lost }, shown);
    return "reported";
  }
  if (connected !== "in") return doubt(`no live connection to send it on: ${connected}`);
  if (replies.length > 0) return accepted(`answered with ${replies.join(", ")}`);
  if (error !== null && /LIMIT/.test(error.code)) return doubt(`${error.code} ${error.message}`);
  if (closed !== null && busyCodes.has(closed.code)) return doubt(`the connection was closed with ${closed.code}`);
  if (error === null && continued === true) return accepted("got no answer, and a message after it was served");
  if (closed === null && (continued === false || error === null)) {
    if (siblings !== "alive") return doubt("not answered, and no other connection received anything either");
    if (!isLate(one.pace)) return doubt(`not answered; ${whySlow(one.pace)}`);
    found.hung({ case: name, pace: one.pace }, shown);
    return "reported";
  }
  if (siblings !== "alive") return doubt("no connection received a row afterwards");
  const fits =
    error === null
      ? closed !== null && (mayEnd === true || (mayDrop === true && closed.code === 1006) || blamesClient(closed))
      : error.code !== "";
  if (fits) return "refused";
  // A connection that broke once may have broken by chance.
  if (closed?.code === 1006 && times < 2) return doubt("the connection broke, and it could not be sent again");
  const end =
    error === null ? `the connection ended with ${closed?.code} ${closed?.reason}`.trim() : "an error without a code";
  found.unclearEnd({ case: name, end }, shown);
  return "reported";
}

/** Going away, restarting, overloaded: not about what was sent. */
const busyCodes: ReadonlySet<number> = new Set([1001, 1012, 1013]);
const clientErrorCodes: ReadonlySet<number> = new Set([1002, 1003, 1007, 1008, 1009]);

/** 1011 means an error of the server, but its reason may name the client's. */
function blamesClient({ code, reason }: { readonly code: number; readonly reason: string }): boolean {
  return clientErrorCodes.has(code) || (code >= 3000 && code <= 4999) || (code === 1011 && reason !== "");
}
