import { changeFault, rowIn } from "../../../src/faults/live.ts";
import { changeRows } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { streamTablesLive } from "./index.ts";

const ids = ["1", "2", "3", "4", "5"];
const written = ids.map((id, at) => ({
  id,
  acknowledged: true,
  from: at * 10,
  to: at * 10 + 8,
  deliveredAt: (at * 10 + 12) as number | null,
}));
const read = (from: number, rows: readonly string[] | null) => ({ from, to: from + 10, rows, exchange: from });
const alive = [100, 300, 500, 1_000, 2_000, 2_900].map((from) => read(from, ids));
const sound = {
  lifeMs: 3_000,
  controlMs: 10 as number | null,
  written,
  reads: [...alive, read(3_020, ids), read(3_100, [])],
  afterwards: ["99"] as readonly string[] | null,
  notices: [] as string[],
  exchange: 1,
};
const having = (id: string, change: object) => written.map((one) => (one.id === id ? { ...one, ...change } : one));
const ofTable = /^SELECT id FROM \S+\.passing/;

export default proveCheck(streamTablesLive, {
  holds: [
    sound,
    // Rows may stay a little longer.
    { ...sound, reads: [...alive, read(3_500, ids), read(4_500, ["5"]), read(4_900, [])] },
    { ...sound, reads: [...sound.reads, read(3_300, null)] },
    // As few reads as may be, as late as may be.
    { ...sound, written: having("5", { deliveredAt: 1_048 }), reads: [...alive.slice(3), read(3_100, [])] },
    // Sent before the time of the last row was up, and answered after it.
    { ...sound, reads: [...alive, { ...read(3_010, []), to: 3_200 }] },
  ],
  cannotTell: [
    { ...sound, written: having("2", { acknowledged: false, deliveredAt: null }) },
    { ...sound, controlMs: 900, written: having("3", { deliveredAt: 3_028 }) },
    { ...sound, written: having("2", { deliveredAt: null }), notices: ["closed 1006"] },
    { ...sound, reads: [...alive.slice(4), read(3_100, [])] },
    { ...sound, reads: alive },
    // A server that is slow altogether is not accused.
    { ...sound, controlMs: 900, written: having("3", { deliveredAt: null }) },
    { ...sound, controlMs: 900, reads: [...alive, read(5_100, ["1"])] },
    { ...sound, afterwards: [] },
    { ...sound, afterwards: null },
  ],
  breaks: {
    lostChange: {
      seen: { ...sound, written: having("3", { deliveredAt: null }) },
      fault: changeFault(
        "loseOneRow",
        1,
        () => [],
        (message) => rowIn(message)["id"] === "3",
      ),
    },
    evictedEarly: {
      seen: { ...sound, reads: [...alive.slice(0, 4), read(2_000, ["1", "2"]), read(3_100, [])] },
      fault: changeRows("takeOneRowAway", ofTable, (rows) => rows.filter(([id]) => id !== "3")),
    },
    stillRead: {
      seen: { ...sound, reads: [...alive, read(5_100, ["1"])] },
      fault: changeRows("keepOneRow", ofTable, (rows) => (rows.length === 0 ? [["1"]] : undefined)),
    },
  },
});
