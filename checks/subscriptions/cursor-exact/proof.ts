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
const first = (change: object) => ({
  ...sound,
  shares: sound.shares.map((one, at) => (at === 0 ? { ...one, ...change } : one)),
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
  holds: [sound, { ...sound, beyondDouble: false }],
  cannotTell: [
    { ...sound, shares: [] },
    { ...sound, shares: sound.shares.slice(1) },
    { ...sound, shares: sound.shares.map((one) => ({ ...one, pages: 1 })) },
    first({ ended: "the connection was closed with 1006" }),
  ],
  breaks: {
    missing: {
      seen: first({ missingCount: 3, missing: ["10", "11", "12"] }),
      fault: shiftCursor("roundTheCursorUp", 3n),
    },
    doubled: {
      seen: first({ doubledCount: 3, doubled: ["8", "9"], ended: "page 400 of the snapshot did not come" }),
      fault: shiftCursor("roundTheCursorDown", -3n),
    },
  },
});
