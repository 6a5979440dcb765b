import { changeFault } from "../../../src/faults/live.ts";
import { claimSuccess } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { everyChangeArrives } from "./index.ts";
import { soundStream, withEvent } from "../stream/evidence.ts";

const sound = soundStream(150);
// The last write of all is an insert here, so that no later change of its key speaks for it.
const ends = soundStream(151);

export default proveCheck(everyChangeArrives, {
  holds: [
    sound,
    {
      ...withEvent(sound, 7, () => []),
      writes: sound.writes.map((write, n) => (n === 7 ? { ...write, outcome: "unsure" as const } : write)),
    },
  ],
  cannotTell: [{ ...sound, fenceMs: null }, soundStream(20)],
  breaks: {
    lostOnTheWay: { seen: withEvent(sound, 7, () => []), fault: changeFault("dropOneChangeInFifty", 50, () => []) },
    lostInData: {
      also: ["lostOnTheWay"],
      seen: { ...withEvent(ends, 150, () => []), table: ends.table.filter(([key]) => key !== "50") },
      fault: claimSuccess("acknowledgeWithoutDoing", /^UPDATE \S+\.feed SET mark = 'w2-/, 1),
    },
  },
  mayBeLost: [
    {
      what: /^(INSERT|UPDATE|DELETE) /,
      because: "one of hundreds of changes, and those that were acknowledged are counted",
    },
  ],
});
