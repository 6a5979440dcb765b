import { defineCheck, fail, pass, unknown, type FoundOf } from "../../../src/check.ts";
import { isRecord } from "../../../src/wire/json.ts";
import { cellText, saidOf, type Account, type Frame, type Said, type Target } from "../../../src/server/target.ts";
import { Bystanders, type Wellbeing } from "./bystanders.ts";
import { badMessages, type BadMessage } from "./bad-messages.ts";

/** How long a bad message may stay without an answer until a proper one is sent after it, whose answer then tells. */
const patienceMs = 1_000;
/** For what must come: the answer to a proper message, or one before the login. Together less than after what a silent client is gone. */
const comesWithinMs = 8_000;

type Asked = {
  readonly case: string;
  /** `in`, or why there was no connection to send it on. */
  readonly connected: string;
  /** The error that came; null where none did. */
  readonly error: { readonly code: string; readonly message: string } | null;
  /** What else came: types of frames that a good message gets. */
  readonly given: readonly string[];
  readonly closed: { readonly code: number; readonly reason: string } | null;
  /** Whether a proper subscription after it, on the same connection, was served; null where there was none. */
  readonly wentOn: boolean | null;
  readonly others: Wellbeing;
  /** How often it was tried: again where others were lost or the connection broke, which may have been by chance. */
  readonly times: number;
  readonly exchange: number;
};

type Seen = {
  /** Why it could not be begun, or not be gone on with. */
  readonly why: string | null;
  readonly asked: readonly Asked[];
  /** A query over HTTP in the end. */
  readonly afterwards: Said;
};

const findings = {
  accepted: { say: (d: { case: string; how: string }) => `${d.case}: ${d.how}` },
  letPass: {
    say: (d: { case: string; how: string }) => `${d.case}: ${d.how}, which does no more than a ping`,
    level: "warn",
  },
  killedSiblings: { say: (d: { case: string; lost: readonly string[] }) => `${d.case}: cost ${d.lost.join(" and ")}` },
  hung: {
    say: (d: { case: string; withinMs: number }) =>
      `${d.case}: no end, and nothing was answered on that connection for ${d.withinMs / 1000} s`,
  },
  unclearEnd: {
    say: (d: { case: string; end: string }) => `${d.case}: ${d.end}, which does not tell a client that it was at fault`,
    level: "warn",
  },
} as const;

export const websocketProtocolGuarded = defineCheck({
  id: "validation/websocket-protocol-guarded",
  title: "Bad frames and messages on a live connection are refused",
  failureTitle: "A bad frame on a live connection is taken, hangs, or hurts",
  description: `Sends ${badMessages.length} bad messages, each on a live connection of its own: broken JSON, unknown types, missing and wrong fields, wrong order, binary messages, and frames against the WebSocket protocol (reserved bits, no mask, broken fragments, bad lengths and goodbyes). Each must get an error with a code, or the end of its connection with a fitting code; where the connection lives on, a proper subscription on it must work. Meanwhile two other connections, one of the same account and one of another, must be told each row that is written.`,
  blindTo:
    "Messages that are too large or too many (backpressure), frames that never end, and compression. What is wrong in a subscription's SQL is for subscriptions/bad-subscribe-refused.",
  risk: "A broken client takes live queries away from everybody, or believes in a subscription that is none.",
  remedy: "Put a proxy in front that speaks WebSocket itself, and passes on only frames that keep to its rules.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 3_000,
  estimateRequests: badMessages.length * 4 + 10,
  timeoutMs: 180_000,
  findings,
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const guest = await target.account("user", "guest");
    const neighbour = await target.account("user", "neighbour");
    const table = `${context.scratch}.shown`;
    const made = saidOf(
      await target.sql(op, `CREATE TABLE ${table} (id BIGINT PRIMARY KEY) WITH (TYPE='SHARED', ACCESS_LEVEL='PUBLIC')`),
    );
    if (made.kind !== "ok") return { why: `the table could not be made: ${made.message}`, asked: [], afterwards: made };
    const bystanders = new Bystanders(target, op, table, [
      ["another connection of the same account", guest],
      ["a connection of another account", neighbour],
    ]);
    const asked = new Map<string, Asked>();
    let why = await bystanders.gather();
    for (const one of badMessages) {
      if (why !== null) break;
      for (let times = 1; times <= 2 && why === null; times += 1) {
        const tried = { ...(await send(target, guest, table, one)), others: await bystanders.look(), times };
        asked.set(one.name, tried);
        const hurt = typeof tried.others !== "string";
        if (hurt) why = await bystanders.gather();
        // A connection that breaks once may have broken by itself.
        if (!hurt && !(tried.closed?.code === 1006 && one.mayDrop !== true)) break;
      }
    }
    bystanders.leave();
    return { why, asked: [...asked.values()], afterwards: saidOf(await target.sql(op, "SELECT 1 AS alive")) };
  },
  judge({ why, asked, afterwards }) {
    // Where nobody is there any more, what was tried last may have ended it.
    const gone = why !== null && ["unreachable", "reset"].includes(afterwards.why);
    const judged = asked.map((one) => judgeOne(one, gone));
    const found = judged.flatMap((one) => (one.kind === "found" ? [one.found] : []));
    if (found.length > 0) return fail(...found);
    if (why !== null) return unknown(why);
    const doubt = judged.find((one) => one.kind === "doubt");
    if (doubt !== undefined) return unknown(doubt.why);
    const missing = badMessages.find(({ name }) => !asked.some((one) => one.case === name));
    if (missing !== undefined)
      return unknown(`only ${asked.length} of ${badMessages.length} were sent, not ${missing.name}`);
    if (afterwards.kind !== "ok")
      return unknown(`a plain query afterwards got ${afterwards.status ?? "no answer"} ${afterwards.message}`);
    const named = asked.filter(({ error }) => error !== null).length;
    return pass(
      `${asked.length} of ${asked.length} refused, ${named} by an error and ${asked.length - named} by the end of their connection; two others were told each of ${asked.length} rows`,
    );
  },
});

type Judged =
  | { readonly kind: "refused" }
  | { readonly kind: "doubt"; readonly why: string }
  | { readonly kind: "found"; readonly found: FoundOf<typeof findings> };

function judgeOne(one: Asked, gone: boolean): Judged {
  const { case: name, connected, error, given, closed, wentOn, others, times, exchange } = one;
  const { harmless, mayDrop, mayEnd } = badMessages.find((bad) => bad.name === name) ?? {};
  const about = { case: name, sent: [exchange] };
  const doubt = (why: string): Judged => ({ kind: "doubt", why: `${name}: ${why}` });
  const taken = (how: string): Judged => ({
    kind: "found",
    found: { name: harmless === true ? "letPass" : "accepted", ...about, data: { case: name, how } },
  });
  if (typeof others !== "string") {
    if (times < 2 && !gone) return doubt(`cost ${others.lost.join(" and ")}, and could not be tried again`);
    return { kind: "found", found: { name: "killedSiblings", ...about, data: { case: name, lost: others.lost } } };
  }
  if (connected !== "in") return doubt(`no live connection to send it on: ${connected}`);
  if (given.length > 0) return taken(`answered with ${given.join(", ")}`);
  if (error !== null && /LIMIT/.test(error.code)) return doubt(`${error.code} ${error.message}`);
  if (closed !== null && busyCodes.has(closed.code)) return doubt(`the connection was closed with ${closed.code}`);
  if (error === null && wentOn === true) return taken("went by without a word, and what came after it was served");
  if (closed === null && (wentOn === false || (wentOn === null && error === null))) {
    if (others !== "well") return doubt("not answered, and nobody else was told anything either");
    return { kind: "found", found: { name: "hung", ...about, data: { case: name, withinMs: comesWithinMs } } };
  }
  if (others !== "well") return doubt("afterwards nobody was told of a row");
  const fits =
    error === null
      ? closed !== null && (mayEnd === true || (mayDrop === true && closed.code === 1006) || saysWhy(closed))
      : error.code !== "";
  if (fits) return { kind: "refused" };
  // A server that was found only on a second try to come back has had its chance; one that broke once has not.
  if (closed?.code === 1006 && times < 2) return doubt("the connection broke, and it could not be tried again");
  const end =
    error === null ? `the connection ended with ${closed?.code} ${closed?.reason}`.trim() : "an error without a code";
  return { kind: "found", found: { name: "unclearEnd", ...about, data: { case: name, end } } };
}

/** Going away, restarting, too much to do: not about what was sent. */
const busyCodes: ReadonlySet<number> = new Set([1001, 1012, 1013]);
const rightCodes: ReadonlySet<number> = new Set([1002, 1003, 1007, 1008, 1009]);

/** 1011 is for a server's own trouble, but in words it may tell whose fault it was. */
function saysWhy({ code, reason }: { readonly code: number; readonly reason: string }): boolean {
  return rightCodes.has(code) || (code >= 3000 && code <= 4999) || (code === 1011 && reason !== "");
}

async function send(
  target: Target,
  as: Account,
  table: string,
  { name, parts, before }: BadMessage,
): Promise<Omit<Asked, "others" | "times">> {
  const live = await target.live(as, before === true ? { login: "none" } : {});
  const unsent = { case: name, error: null, given: [], closed: null, wentOn: null, exchange: 0 };
  if ("why" in live) return { ...unsent, connected: live.why };
  if (before !== true && live.login.kind !== "in") return { ...unsent, connected: `login ${live.login.kind}` };
  const from = live.frames.length;
  let exchange = 0;
  for (const part of parts) {
    if ("text" in part) exchange = live.send(part.text.replaceAll("{t}", table));
    else if ("binary" in part) exchange = live.sendBytes(part.binary);
    else exchange = live.write(part.raw);
  }
  const isAnswer = ({ type }: Frame): boolean => type !== "pong";
  let wentOn: boolean | null = null;
  if (before === true) await live.untilFrame(isAnswer, comesWithinMs, from);
  else {
    await live.untilFrame(isAnswer, patienceMs, from);
    const begun = await (await live.subscribe(`SELECT * FROM ${table}`, {}, properId)).begin(comesWithinMs);
    if (live.closed() === undefined) wentOn = begun.kind === "ready";
  }
  const answers = live.frames.slice(from).filter((one) => isAnswer(one) && one.about !== properId);
  const error = answers.find(isError);
  const close = live.closed();
  if (wentOn === true) live.close();
  else if (close === undefined) live.reset();
  return {
    case: name,
    connected: "in",
    error: error === undefined ? null : errorOf(error),
    given: answers
      .filter((one) => !isError(one))
      .map(({ type }) => type)
      .slice(0, 5),
    closed: close === undefined ? null : { code: close.code, reason: close.reason.slice(0, 160) },
    wentOn,
    exchange,
  };
}

const properId = "proper";

function isError({ type }: Frame): boolean {
  return type === "error" || type === "auth_error";
}

function errorOf({ type, json }: Frame): NonNullable<Asked["error"]> {
  const { code = "", message = "" } = isRecord(json) ? json : {};
  return { code: type === "auth_error" ? type : cellText(code), message: cellText(message).slice(0, 160) };
}
