import { frameFault, rowIn } from "../../../src/faults/live.ts";
import type { Json } from "../../../src/wire/json.ts";
import { proveCheck } from "../../../src/proof.ts";
import { cellText } from "../../../src/server/target.ts";
import { handoverGapless } from "./index.ts";

const round = {
  burst: false,
  during: 12,
  missing: [] as string[],
  ghosts: [] as string[],
  stale: [] as string[],
  doubled: [] as string[],
  fenced: true,
  notices: [] as string[],
  exchange: 1,
};
const sound = { rounds: Array.from({ length: 6 }, () => round), why: null as string | null };
const lastIs = (change: object) => ({ ...sound, rounds: [...sound.rounds.slice(1), { ...round, ...change }] });
type Message = { readonly [key: string]: Json };

export default proveCheck(handoverGapless, {
  holds: [sound],
  cannotTell: [
    { rounds: [], why: "no live connection" },
    lastIs({ fenced: false, missing: ["7"] }),
    { ...sound, rounds: sound.rounds.map((one) => ({ ...one, during: 0 })) },
  ],
  breaks: {
    lostInHandover: {
      seen: lastIs({ missing: ["10003"] }),
      // The first change on each connection falls in the hand-over: a server that begins to listen too late has missed it.
      fault: frameFault("listenTooLate", () => {
        let listens = false;
        return (message, { pass, fired }) => {
          if (listens || message["type"] !== "change" || cellText(rowIn(message)["mark"]).startsWith("fence"))
            return pass(message);
          listens = true;
          fired();
        };
      }),
    },
    doubledInHandover: {
      seen: lastIs({ doubled: ["7 seed 6"] }),
      fault: frameFault("repeatTheSnapshot", () => {
        let first: Message | undefined;
        return (message, { pass, fired }) => {
          pass(message);
          if (message["type"] === "initial_data_batch") first ??= ((message["rows"] ?? []) as readonly Message[])[0];
          if (message["type"] !== "change" || first === undefined) return;
          fired();
          pass({
            type: "change",
            subscription_id: message["subscription_id"] ?? "",
            change_type: "insert",
            rows: [first],
          });
          first = undefined;
        };
      }),
    },
  },
  mayBeLost: [
    { what: /^(INSERT|UPDATE|DELETE) /, because: "one of many changes: what was delivered is compared with the table" },
  ],
});
