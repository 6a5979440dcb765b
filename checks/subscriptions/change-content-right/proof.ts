import type { Json } from "../../../src/wire/json.ts";
import { changeFault } from "../../../src/faults/live.ts";
import { proveCheck } from "../../../src/proof.ts";
import { changeContentRight } from "./index.ts";
import { soundStream, withEvent } from "../stream/evidence.ts";

const sound = soundStream(150);
type Message = { readonly [key: string]: Json };

/** The first row of a list of rows, changed. */
function inRows(message: Message, list: string, change: { readonly [column: string]: Json }): Message {
  const [first, ...others] = (message[list] ?? []) as readonly Message[];
  return { ...message, [list]: [{ ...first, ...change }, ...others] };
}
const ofKind = (kind: string) => (message: Message) => message["change_type"] === kind;

export default proveCheck(changeContentRight, {
  holds: [sound],
  cannotTell: [{ ...sound, fenceMs: null }, soundStream(20)],
  breaks: {
    wrongRow: {
      seen: withEvent(sound, 6, (change) => [{ ...change, row: { ...change.row, n: 999_999 } }]),
      fault: changeFault(
        "tellAnotherNumber",
        20,
        (message) => [inRows(message, "rows", { n: 999_999 })],
        ofKind("insert"),
      ),
    },
    wrongOld: {
      seen: withEvent(sound, 7, (change) => [{ ...change, old: { id: "2", mark: "another" } }]),
      fault: changeFault(
        "tellAnotherPast",
        10,
        (message) => [inRows(message, "old_values", { note: "another past" })],
        ofKind("update"),
      ),
    },
    wrongKind: {
      seen: withEvent(sound, 6, (change) => [{ ...change, kind: "update" }]),
      fault: changeFault(
        "callInsertsUpdates",
        20,
        (message) => [{ ...message, change_type: "update" }],
        ofKind("insert"),
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
