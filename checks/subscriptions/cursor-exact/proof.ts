import { messageFault } from "../../../src/faults/live.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { integerText } from "../../../src/server/target.ts";
import { cursorExact } from "./index.ts";

const share = (at: number) => ({
  from: at * 250,
  to: (at + 1) * 250,
  pages: 25,
  ended: null as string | null,
  missing: [] as string[],
  missingCount: 0,
  doubled: [] as string[],
  doubledCount: 0,
  exchange: at,
});
const sound = { rows: 1_000, beyondDouble: true, shares: [0, 1, 2, 3].map(share) };
/** The second reader's share changed, and perhaps those of the others. */
const having = (change: object, others: object = {}) => ({
  ...sound,
  shares: sound.shares.map((one, at) => ({ ...one, ...(at === 1 ? change : others) })),
});

/** Asks for the page after another row than the last that came. Rounding to a double goes both ways, and sometimes nowhere. */
function shiftCursor(name: string, by: bigint): Fault {
  return messageFault(name, (message) => {
    const cursor = message["last_seq_id"];
    const digits = integerText(cursor);
    if (message["type"] !== "next_batch" || digits === undefined) return undefined;
    const exact = String(BigInt(digits) + by);
    return [{ ...message, last_seq_id: typeof cursor === "string" ? exact : { exact } }];
  });
}

export default proveCheck(cursorExact, {
  holds: [sound, { ...sound, beyondDouble: false }, having({ pages: 4 }, { pages: 2 })],
  cannotTell: [
    { ...sound, shares: [] },
    { ...sound, shares: sound.shares.slice(1) },
    having({ pages: 2 }, { pages: 2 }),
    having({ ended: "the connection was closed with 1006" }),
  ],
  breaks: {
    missing: {
      seen: having({ missingCount: 1, missing: ["310"] }),
      says: /^\d+ of \d+ rows are in none of \d+ pages: \d/,
      fault: shiftCursor("roundTheCursorUp", 3n),
    },
    doubled: {
      says: /^\d+ of \d+ rows arrived more than once in \d+ pages: \d/,
      seen: having({ doubledCount: 1, doubled: ["308"], ended: "page 400 of the snapshot did not come" }),
      fault: shiftCursor("roundTheCursorDown", -3n),
    },
  },
});
