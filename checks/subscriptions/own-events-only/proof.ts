import type { Json } from "../../../src/wire/json.ts";
import { changeFault, frameFault } from "../../../src/faults/live.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { ownEventsOnly } from "./index.ts";

const one = (who: string, table: string, change: object = {}) => ({
  who,
  table,
  own: table === "USER" ? 22 : 21,
  foreign: [] as string[],
  fenced: true,
  exchange: 1,
  ...change,
});
const all = ["USER", "STREAM"].flatMap((table) => ["alice", "bob", "alice", "bob"].map((who) => one(who, table)));
const firstIs = (change: object) => ({
  shown: all.map((shown, at) => (at === 0 ? { ...shown, ...change } : shown)),
  sockets: 2,
  unwritten: [] as string[],
});

/** Delivers each change to the subscription that gets the next one, too. */
function deliverToTheNextOne(): Fault {
  let latest: { readonly [key: string]: Json } | undefined;
  return frameFault("deliverToTheNextOneToo", () => {
    const mine = new Set<unknown>();
    return (message, { pass, fired }) => {
      pass(message);
      if (message["type"] !== "change") return;
      mine.add(message);
      if (latest !== undefined && !mine.has(latest)) {
        fired();
        pass(latest);
      }
      latest = message;
    };
  });
}

export default proveCheck(ownEventsOnly, {
  holds: [firstIs({})],
  cannotTell: [
    { ...firstIs({ fenced: false, own: 3 }), unwritten: ["USER"] },
    firstIs({ fenced: false, own: 3 }),
    { shown: all.slice(1), sockets: 2, unwritten: [] },
    { shown: [], sockets: 1, unwritten: [] },
  ],
  breaks: {
    foreignEvent: { seen: firstIs({ foreign: ["bob x late 3"] }), fault: deliverToTheNextOne() },
    lostChange: {
      seen: firstIs({ own: 20 }),
      fault: changeFault(
        "dropOneChangeInTen",
        10,
        () => [],
        (message) => !JSON.stringify(message).includes("fence"),
      ),
    },
  },
});
