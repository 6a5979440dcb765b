import { integerText, type Json } from "../../../src/wire/json.ts";
import { frameFault, messageFault } from "../../../src/faults/live.ts";
import { proveCheck } from "../../../src/proof.ts";
import { resumeComplete } from "./index.ts";

type Message = { readonly [key: string]: Json };
const one = {
  missed: 5,
  lost: [] as string[],
  repeated: [] as string[],
  ghosts: [] as string[],
  fenced: true,
  exchange: 1,
};
const sound = { resumed: [one, one, one], why: null as string | null };
const lastIs = (change: object) => ({ ...sound, resumed: [one, one, { ...one, ...change }] });

/** Only subscriptions that resume: their options name a version to go on from. */
function onResume(name: string, meddle: (options: Message) => Message) {
  return messageFault(name, (message) => {
    const subscription = message["subscription"] as Message | undefined;
    const options = subscription?.["options"] as Message | undefined;
    if (options?.["from"] === undefined) return undefined;
    return [{ ...message, subscription: { ...subscription, options: meddle(options) } }];
  });
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
    ghostRows: {
      seen: lastIs({ ghosts: ["1002"] }),
      fault: frameFault("resumeWithoutDeletes", () => (message, { pass, fired }) => {
        if (message["type"] !== "change" || message["change_type"] !== "delete") return pass(message);
        fired();
      }),
    },
  },
});
