import { changeRows } from "../../../src/faults/sql.ts";
import { frameFault } from "../../../src/faults/live.ts";
import { proveCheck } from "../../../src/proof.ts";
import { cutSurvived } from "./index.ts";

const resumed = {
  missed: 5,
  lost: [] as string[],
  repeated: [] as string[],
  ghosts: [] as string[],
  fenced: true,
  exchange: 1,
};
const cuts = ["reset", "cut in the middle of a frame", "half open"].map((name) => ({ name, resumed }));
const sound = { cuts, listed: 0 as number | null, waitedMs: 11_000, why: null as string | null };

export default proveCheck(cutSurvived, {
  holds: [sound, { ...sound, cuts: cuts.map((cut) => ({ ...cut, resumed: { ...resumed, ghosts: ["1002"] } })) }],
  cannotTell: [
    { ...sound, listed: null },
    { ...sound, cuts: cuts.slice(1) },
    { ...sound, why: "no live connection" },
    { ...sound, cuts: cuts.map((cut) => ({ ...cut, resumed: { ...resumed, fenced: false } })) },
  ],
  breaks: {
    lostOnResume: {
      seen: {
        ...sound,
        cuts: cuts.map((cut, at) => (at === 1 ? { ...cut, resumed: { ...resumed, lost: ["2007"] } } : cut)),
      },
      fault: frameFault("resumeWithoutWhatWasMissed", () => (message, { pass, fired }) => {
        const rows = message["rows"];
        // When resuming the first page holds what was missed; a first subscription to these tables is empty.
        if (message["type"] !== "initial_data_batch" || !Array.isArray(rows) || rows.length === 0) return pass(message);
        fired();
        pass({ ...message, rows: [] });
      }),
    },
    lingering: {
      seen: { ...sound, listed: 1, waitedMs: 21_000 },
      fault: changeRows("keepTheDeadListed", /query FROM system\.live WHERE user_id/, () => [
        ["x-y-q1", "q1", "x", "t", "SELECT * FROM x.t"],
      ]),
    },
  },
});
