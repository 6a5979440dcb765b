import { changeFault, rowIn } from "../../../src/faults/live.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { cellText } from "../../../src/server/target.ts";
import { nothing, yes } from "../../vocabulary/evidence.ts";
import { burstReachesAll } from "./index.ts";

const share = (subscriber: number, got: number, change: object = {}) => ({
  subscriber,
  got,
  missing: [] as string[],
  fenced: true,
  notices: [] as string[],
  exchange: subscriber,
  ...change,
});
const burst = (name: string, changes: number, change: object = {}) => ({
  name,
  changes,
  said: yes(),
  there: changes as number | null,
  rows: changes,
  shares: [0, 1, 2, 3, 4].map((at) => share(at, changes)),
  ...change,
});
const below = burst("100 rows in one statement", 100);
const updates = burst("two updates of each of 40 rows", 80);
const seen = (change: object) => ({ bursts: [below, burst("500 rows in one statement", 500, change), updates] });
const firstShare = (got: number, change: object = {}) =>
  seen({
    shares: [share(0, got, { missing: ["2128 row 2128"], ...change }), ...[1, 2, 3, 4].map((at) => share(at, 500))],
  });

/** What a queue for 128 events does: the others of a burst are dropped. */
const dropBeyond128 = changeFault(
  "dropBeyond128",
  1,
  () => [],
  (change) => {
    const [, id = "0"] = /^row (2\d{3})$/.exec(cellText(rowIn(change)["mark"])) ?? [];
    return Number(id) >= 2_128;
  },
);

/** Two changes of one key become one. */
const mergeTwoChanges = changeFault(
  "mergeTwoChangesOfOneKey",
  1,
  () => [],
  (change) => cellText(rowIn(change)["id"]) === "1007" && cellText(rowIn(change)["mark"]) === "once",
);

export default proveCheck(burstReachesAll, {
  holds: [seen({})],
  cannotTell: [
    { bursts: [] },
    { bursts: [below, updates] },
    seen({ said: nothing() }),
    seen({ there: 499, shares: [0, 1, 2, 3, 4].map((at) => share(at, 499)) }),
    seen({ there: null }),
    seen({ shares: [] }),
    firstShare(128, { fenced: false }),
    firstShare(128, { notices: ["SLOW_READER 372 changes were dropped"] }),
  ],
  breaks: { lostChanges: { seen: firstShare(128), fault: dropBeyond128 } },
  mayBeLost: [{ what: /'fence \d'/, because: "another fence follows where one does not come" }],
});

/** Further faults, by the finding that they must cause (faults.test.ts). */
export const alsoFound: Readonly<Record<string, readonly Fault[]>> = { lostChanges: [mergeTwoChanges] };
