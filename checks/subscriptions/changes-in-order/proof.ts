import { swapFault } from "../../../src/faults/live.ts";
import { proveCheck } from "../../../src/proof.ts";
import { changesInOrder } from "./index.ts";
import { statementOf } from "./feed-marks.ts";
import { soundStream } from "../stream/evidence.ts";

const sound = soundStream(150);
const swapped = {
  ...sound,
  delivered: sound.delivered.map((change, n, all) =>
    n === 6 ? (all[7] ?? change) : n === 7 ? (all[6] ?? change) : change,
  ),
};

/** Two changes of different keys by different clients, swapped: no order is promised between them. */
const ofDifferentKeys = {
  ...sound,
  delivered: sound.delivered.map((change, n, all) =>
    n === 8 ? (all[9] ?? change) : n === 9 ? (all[8] ?? change) : change,
  ),
};

export default proveCheck(changesInOrder, {
  holds: [sound, ofDifferentKeys, soundStream(100)],
  cannotTell: [{ ...sound, fenceMs: null }, { ...sound, fenceMs: null, notices: ["closed 1006"] }, soundStream(99)],
  breaks: {
    wentBack: {
      seen: swapped,
      fault: swapFault(
        "swapTwoOfOneClient",
        (change) => statementOf(change) !== undefined,
        (first, second) => {
          const [one, other] = [statementOf(first), statementOf(second)];
          return one?.client === other?.client && one?.statement !== other?.statement;
        },
      ),
    },
  },
  mayBeLost: [
    {
      what: /^(INSERT|UPDATE|DELETE) /,
      because: "one of hundreds of changes, and those that were acknowledged are counted",
    },
  ],
});
