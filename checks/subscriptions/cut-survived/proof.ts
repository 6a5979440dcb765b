import { changeRows } from "../../../src/faults/sql.ts";
import { frameFault } from "../../../src/faults/live.ts";
import { proveCheck } from "../../../src/proof.ts";
import { oneResume as resumed } from "../resume-complete/proof.ts";
import { cutSurvived } from "./index.ts";
import { latePace, slowPace } from "../../vocabulary/evidence.ts";

const cuts = ["reset", "cut in the middle of a frame", "half open"].map((name) => ({ name, resumed }));
const sound = { cuts, listed: 0 as number | null, pace: latePace, why: null as string | null };

export default proveCheck(cutSurvived, {
  holds: [sound, { ...sound, cuts: cuts.map((cut) => ({ ...cut, resumed: { ...resumed, ghosts: ["1002"] } })) }],
  cannotTell: [
    { ...sound, listed: null },
    // A server that is slow altogether is not accused.
    { ...sound, listed: 1, pace: slowPace },
    { ...sound, cuts: cuts.slice(1) },
    { ...sound, why: "no live connection" },
    { ...sound, cuts: cuts.map((cut, at) => ({ ...cut, resumed: { ...resumed, fenced: at > 0 } })) },
  ],
  breaks: {
    lostOnResume: {
      seen: {
        ...sound,
        cuts: cuts.map((cut, at) => (at === 0 ? { ...cut, resumed: { ...resumed, lost: ["2007"] } } : cut)),
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
      seen: { ...sound, listed: 1 },
      fault: changeRows("keepTheDeadListed", /query FROM system\.live WHERE user_id/, () => [
        ["x-y-q1", "q1", "x", "t", "SELECT * FROM x.t"],
      ]),
    },
  },
});
