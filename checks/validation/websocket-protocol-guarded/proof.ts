import { endFault, messageFault } from "../../../src/faults/live.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import type { SocketListener } from "../../../src/wire/wire.ts";
import { latePace, nothing, slowPace, yes } from "../../vocabulary/evidence.ts";
import { badMessages } from "./bad-messages.ts";
import { websocketProtocolGuarded } from "./index.ts";

type Seen = Parameters<typeof websocketProtocolGuarded.judge>[0];
type Asked = Seen["asked"][number];

const refusal = { code: "UNSUPPORTED_DATA", message: "Binary not supported" };
const asked = badMessages.map(({ name, before, mayDrop, parts: [part] }, at): Asked => {
  const byError = part !== undefined && "binary" in part;
  return {
    case: name,
    connected: "in",
    error: byError ? refusal : null,
    replies: [],
    closed: byError
      ? null
      : { code: mayDrop === true ? 1002 : 1011, reason: mayDrop === true ? "" : "Invalid message" },
    continued: byError && before !== true ? true : null,
    pace: latePace,
    siblings: "alive",
    times: 1,
    exchange: at,
  };
});
const sound: Seen = { endedEarly: null, asked, afterwards: yes() };

/** Sound evidence with the attempt of one bad message changed. */
export function withAttempt(name: string, change: Partial<Asked>): Seen {
  return { ...sound, asked: asked.map((one) => (one.case === name ? { ...one, ...change } : one)) };
}

const lost = { lost: ["a connection of another account (the connection was closed with 1006)"] };
const silent = { error: null, closed: null };

/** Inspects what each connection sends; `begin` returns what decides whether it is sent, and may end all others. */
function senderFault(name: string, begin: () => (text: string, endOthers: () => void) => boolean): Fault {
  return {
    name,
    wrap(wire, fired) {
      const { socket } = wire;
      const open = new Set<SocketListener>();
      if (socket === undefined) return wire;
      return {
        ...wire,
        async socket(request, listener) {
          const goesOut = begin();
          const outcome = await socket(request, listener);
          if (outcome.kind === "failed") return outcome;
          open.add(listener);
          const endOthers = (): void => {
            const close = { code: 1006, reason: "", at: performance.now() };
            for (const other of open) if (other !== listener) other.closed(close);
            open.clear();
            fired();
          };
          const send = (data: string | Uint8Array): void => {
            if (typeof data !== "string" || goesOut(data, endOthers)) outcome.socket.send(data);
            else fired();
          };
          return { ...outcome, socket: { ...outcome.socket, send } };
        },
      };
    },
  };
}

const isUnknownType = (text: string): boolean => text.includes('"shout"');

export default proveCheck(websocketProtocolGuarded, {
  holds: [
    sound,
    withAttempt("a reserved bit", { closed: { code: 1006, reason: "" } }),
    withAttempt("a close frame of one byte", { closed: { code: 1000, reason: "" } }),
    withAttempt("no type", {
      error: { code: "INVALID_MESSAGE", message: "no type" },
      closed: { code: 1006, reason: "" },
    }),
    withAttempt("no type", { error: { code: "INVALID_MESSAGE", message: "no type" }, closed: null, continued: true }),
  ],
  cannotTell: [
    { ...sound, asked: asked.slice(1) },
    { ...sound, afterwards: nothing() },
    { ...sound, endedEarly: "no live connection", asked: asked.slice(0, 3), afterwards: nothing("reset") },
    { ...withAttempt("no type", { siblings: lost }), endedEarly: "no live connection", afterwards: nothing() },
    withAttempt("no type", { siblings: lost }),
    withAttempt("no type", { siblings: "undetermined" }),
    withAttempt("no type", { ...silent, continued: false, siblings: "undetermined" }),
    withAttempt("no type", { ...silent, continued: false, pace: slowPace }),
    withAttempt("no type", { connected: "login unsure" }),
    withAttempt("no type", { error: { code: "RATE_LIMIT_EXCEEDED", message: "slower" } }),
    withAttempt("no type", { closed: { code: 1013, reason: "" } }),
    withAttempt("no type", { closed: { code: 1006, reason: "" } }),
  ],
  breaks: {
    accepted: {
      seen: withAttempt("subscription without id", { ...silent, replies: ["subscription_ack"], continued: true }),
      fault: messageFault("ignoreUnknownTypes", ({ type }) => (type === "shout" ? [] : undefined)),
    },
    letPass: {
      seen: withAttempt("a reserved bit", { ...silent, continued: true }),
      fault: messageFault("ignoreASecondLogin", ({ token, method, protocol }) =>
        token === "garbage" && method === "jwt" && JSON.stringify(protocol).includes("json") ? [] : undefined,
      ),
    },
    killedSiblings: {
      seen: withAttempt("unknown type", { siblings: lost, times: 2 }),
      fault: senderFault("endOthersAtUnknownType", () => (text, endOthers) => {
        if (isUnknownType(text)) endOthers();
        return true;
      }),
    },
    hung: {
      seen: withAttempt("unknown type", { ...silent, continued: false }),
      fault: senderFault("stopReadingAtUnknownType", () => {
        let stopped = false;
        return (text) => {
          stopped ||= isUnknownType(text);
          return !stopped;
        };
      }),
    },
    unclearEnd: {
      seen: withAttempt("no type", { closed: { code: 1000, reason: "" } }),
      fault: endFault("closeNormallyOnBadMessage", (close) =>
        close.code === 1011 ? { ...close, code: 1000, reason: "" } : undefined,
      ),
    },
  },
});
