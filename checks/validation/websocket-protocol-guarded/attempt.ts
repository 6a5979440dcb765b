/** Sends one bad message on a live connection of its own, and notes what came back. */
import { cellText, type Account, type Frame, type Target, truncated } from "../../../src/server/target.ts";
import { isRecord } from "../../../src/wire/json.ts";
import type { BadMessage } from "./bad-messages.ts";
import type { SiblingState } from "./siblings.ts";
import { withPace, type Pace } from "../../vocabulary/pace.ts";

/** How long to wait for an answer before a valid message is sent, whose answer then decides. */
const patienceMs = 1_000;
/**
 * For answers that must come: to a valid message, or before the login. Together with `patienceMs` shorter than the time
 * after which the server disconnects a silent client.
 */
export const answerWithinMs = 8_000;

export type Attempt = {
  readonly case: string;
  /** `in`, or why there was no connection to send it on. */
  readonly connected: string;
  /** The error that came; null if none did. */
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Types of other frames that came, as a valid message gets them. */
  readonly replies: readonly string[];
  readonly closed: { readonly code: number; readonly reason: string } | null;
  /** Whether a valid subscription that followed on the same connection worked; null if there was none. */
  readonly continued: boolean | null;
  /** Of the wait for an answer. */
  readonly pace: Pace;
  readonly siblings: SiblingState;
  /** How often it was sent: a second time if siblings were lost or the connection broke, which may happen by chance. */
  readonly times: number;
  readonly exchange: number;
};

export async function sendBad(
  target: Target,
  as: Account,
  table: string,
  { name, parts, before }: BadMessage,
): Promise<Omit<Attempt, "siblings" | "times">> {
  const live = await target.live(as, before === true ? { login: "none" } : {});
  const unsent = {
    case: name,
    error: null,
    replies: [],
    closed: null,
    continued: null,
    pace: { waitedMs: 0, controlMs: null },
    exchange: 0,
  };
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
  const { value: continued, pace } = await withPace(
    target,
    as,
    async (): Promise<boolean | null> => {
      if (before === true) {
        await live.untilFrame(isAnswer, answerWithinMs, from);
        return null;
      }
      await live.untilFrame(isAnswer, patienceMs, from);
      const begun = await (await live.subscribe(`SELECT * FROM ${table}`, {}, validId)).begin(answerWithinMs);
      return live.closed() === undefined ? begun.kind === "ready" : null;
    },
    patienceMs + 200,
  );
  const answers = live.frames.slice(from).filter((one) => isAnswer(one) && one.about !== validId);
  const error = answers.find(isError);
  const close = live.closed();
  if (continued === true) live.close();
  else if (close === undefined) live.reset();
  const replies = answers.filter((one) => !isError(one)).map(({ type }) => type);
  return {
    case: name,
    connected: "in",
    error: error === undefined ? null : errorOf(error),
    replies: replies.slice(0, 5),
    closed: close === undefined ? null : { code: close.code, reason: truncated(close.reason, 160) },
    continued,
    pace,
    exchange,
  };
}

const validId = "proper";

function isError({ type }: Frame): boolean {
  return type === "error" || type === "auth_error";
}

function errorOf({ type, json }: Frame): NonNullable<Attempt["error"]> {
  const { code = "", message = "" } = isRecord(json) ? json : {};
  return { code: type === "auth_error" ? type : cellText(code), message: truncated(cellText(message), 160) };
}
