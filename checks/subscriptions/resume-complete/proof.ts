import { integerText, isRecord, type Json } from "../../../src/wire/json.ts";
import { frameFault, messageFault } from "../../../src/faults/live.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { resumeComplete } from "./index.ts";

export type Message = { readonly [key: string]: Json };
/** A resume at which all that was missed arrived. */
export const oneResume = {
  missed: 5,
  lost: [] as string[],
  repeated: [] as string[],
  ghosts: [] as string[],
  fenced: true,
  silent: false,
  exchange: 1,
};
const one = oneResume;
const sound = { resumed: [one, one, one], why: null as string | null };
const lastIs = (change: object) => ({ ...sound, resumed: [one, one, { ...one, ...change }] });

/** The options of a subscription that resumes; undefined for any other message. */
export function resuming(message: Message): { readonly subscription: Message; readonly options: Message } | undefined {
  const { subscription } = message;
  if (!isRecord(subscription) || !isRecord(subscription["options"])) return undefined;
  const { options } = subscription;
  return "from" in options ? { subscription, options } : undefined;
}

/** Only subscriptions that resume: their options name a version to go on from. */
function onResume(name: string, meddle: (options: Message) => Message) {
  return messageFault(name, (message) => {
    const found = resuming(message);
    if (found === undefined) return undefined;
    return [{ ...message, subscription: { ...found.subscription, options: meddle(found.options) } }];
  });
}

/** Connections on which a subscription is resumed deliver no changes. */
export function silenceResumed(): Fault {
  return {
    name: "noChangesAfterResuming",
    wrap(wire, fired) {
      const { socket: open } = wire;
      if (open === undefined) return wire;
      return {
        ...wire,
        async socket(request, listener) {
          let resumed = false;
          const watched = messageFault("", (message) => {
            resumed ||= resuming(message) !== undefined;
            return undefined;
          }).wrap(wire, () => {});
          const silent = frameFault("", () => (message, { pass }) => {
            if (resumed && message["type"] === "change") fired();
            else pass(message);
          }).wrap(watched, fired);
          return await (silent.socket ?? open)(request, listener);
        },
      };
    },
  };
}

/** A cursor moved by this much, in the same kind as it came. */
function moved(cursor: Json | undefined, by: bigint): Json {
  const digits = integerText(cursor) ?? "0";
  const other = String(BigInt(digits) + by);
  return typeof cursor === "string" ? other : { exact: other };
}

export default proveCheck(resumeComplete, {
  holds: [sound],
  cannotTell: [
    { resumed: [], why: "no live connection" },
    { resumed: [], why: null },
    { ...sound, resumed: [one] },
    lastIs({ fenced: false, lost: ["7"] }),
  ],
  breaks: {
    lostOnResume: {
      seen: lastIs({ lost: ["1007"] }),
      // The first row after resuming is left out, as by a server whose cursor is off by one.
      fault: frameFault("resumeOffByOne", () => {
        let resumed = false;
        return (message, { pass, fired }) => {
          const rows = message["rows"] as readonly Message[] | undefined;
          const first = message["type"] === "initial_data_batch" && !resumed && rows !== undefined && rows.length > 1;
          resumed ||= message["type"] === "initial_data_batch";
          if (!first) return pass(message);
          fired();
          pass({ ...message, rows: rows.slice(1) });
        };
      }),
    },
    repeated: {
      seen: lastIs({ repeated: ["1005"] }),
      fault: onResume("goBackOneTooFar", (options) => ({ ...options, from: moved(options["from"], -1n) })),
    },
    silentAfterResume: {
      seen: lastIs({ fenced: false, silent: true }),
      fault: silenceResumed(),
    },
    ghostRows: {
      seen: lastIs({ ghosts: ["1002"] }),
      fault: frameFault("resumeWithoutDeletes", () => (message, { pass, fired }) => {
        if (message["type"] !== "change" || message["change_type"] !== "delete") return pass(message);
        fired();
      }),
    },
  },
});
