import { endFault, messageFault } from "../../../src/faults/live.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import type { SocketListener } from "../../../src/wire/wire.ts";
import { nothing, yes } from "../../vocabulary/evidence.ts";
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
    given: [],
    closed: byError
      ? null
      : { code: mayDrop === true ? 1002 : 1011, reason: mayDrop === true ? "" : "Invalid message" },
    wentOn: byError && before !== true ? true : null,
    others: "well",
    times: 1,
    exchange: at,
  };
});
const sound: Seen = { why: null, asked, afterwards: yes() };

/** What was seen of one bad message made otherwise. */
export function seeing(name: string, change: Partial<Asked>): Seen {
  return { ...sound, asked: asked.map((one) => (one.case === name ? { ...one, ...change } : one)) };
}

const lost = { lost: ["a connection of another account (the connection was closed with 1006)"] };
const silent = { error: null, closed: null };

/** Looks at what goes out on each connection; `meddle` says whether it goes out, and may end every other one. */
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

const isShout = (text: string): boolean => text.includes('"shout"');

export default proveCheck(websocketProtocolGuarded, {
  holds: [
    sound,
    seeing("a reserved bit", { closed: { code: 1006, reason: "" } }),
    seeing("a goodbye of one byte", { closed: { code: 1000, reason: "" } }),
    seeing("no type", { error: { code: "INVALID_MESSAGE", message: "no type" }, closed: { code: 1006, reason: "" } }),
    seeing("no type", { error: { code: "INVALID_MESSAGE", message: "no type" }, closed: null, wentOn: true }),
  ],
  cannotTell: [
    { ...sound, why: "no live connection", asked: [] },
    { ...sound, asked: asked.slice(1) },
    { ...sound, afterwards: nothing() },
    { ...sound, why: "no live connection", asked: asked.slice(0, 3), afterwards: nothing("reset") },
    { ...seeing("no type", { others: lost }), why: "no live connection", afterwards: nothing() },
    seeing("no type", { others: lost }),
    seeing("no type", { others: "undetermined" }),
    seeing("no type", { ...silent, wentOn: false, others: "undetermined" }),
    seeing("no type", { connected: "login unsure" }),
    seeing("no type", { error: { code: "RATE_LIMIT_EXCEEDED", message: "slower" } }),
    seeing("no type", { closed: { code: 1013, reason: "" } }),
    seeing("no type", { closed: { code: 1006, reason: "" } }),
  ],
  breaks: {
    accepted: {
      seen: seeing("subscription without id", { ...silent, given: ["subscription_ack"], wentOn: true }),
      fault: messageFault("ignoreWhatItDoesNotKnow", ({ type }) => (type === "shout" ? [] : undefined)),
    },
    letPass: {
      seen: seeing("a reserved bit", { ...silent, wentOn: true }),
      fault: messageFault("ignoreASecondLogin", ({ token, method, protocol }) =>
        token === "garbage" && method === "jwt" && JSON.stringify(protocol).includes("json") ? [] : undefined,
      ),
    },
    killedSiblings: {
      seen: seeing("unknown type", { others: lost, times: 2 }),
      fault: senderFault("endEverybodyAtAShout", () => (text, endOthers) => {
        if (isShout(text)) endOthers();
        return true;
      }),
    },
    hung: {
      seen: seeing("unknown type", { ...silent, wentOn: false }),
      fault: senderFault("goDeafAtAShout", () => {
        let deaf = false;
        return (text) => {
          deaf ||= isShout(text);
          return !deaf;
        };
      }),
    },
    unclearEnd: {
      seen: seeing("no type", { closed: { code: 1000, reason: "" } }),
      fault: endFault("sayGoodbyeToNonsense", (close) =>
        close.code === 1011 ? { ...close, code: 1000, reason: "" } : undefined,
      ),
    },
  },
});
