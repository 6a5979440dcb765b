import { frameFault } from "../../../src/faults/live.ts";
import { changeRows, claimSuccess } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { latePace, nothing, slowPace, yes } from "../../vocabulary/evidence.ts";
import { liveQueryCanBeKilled } from "./index.ts";

const sound = {
  killed: yes(),
  delivered: 0,
  ended: true,
  broke: false,
  listed: 0 as number | null,
  witnessed: true,
  noticing: latePace,
  leaving: latePace,
};
const kill = /^KILL LIVE QUERY/;

export default proveCheck(liveQueryCanBeKilled, {
  holds: [sound],
  cannotTell: [
    { ...sound, killed: nothing() },
    { ...sound, witnessed: false },
    { ...sound, broke: true },
    { ...sound, listed: null },
    // A server that is slow altogether is not accused.
    { ...sound, ended: false, noticing: slowPace },
    { ...sound, listed: 1, leaving: slowPace },
  ],
  breaks: {
    goesOn: {
      also: ["notTold", "quotaLost"],
      seen: { ...sound, delivered: 1 },
      fault: claimSuccess("killNothing", kill),
    },
    notTold: {
      seen: { ...sound, ended: false },
      // Swallows the message that it has ended.
      fault: frameFault("swallowTheNotice", () => (message, { pass, fired }) => {
        if (
          message["type"] === "change" ||
          message["type"] === "subscription_ack" ||
          message["type"] === "initial_data_batch" ||
          !("subscription_id" in message)
        )
          return pass(message);
        fired();
      }),
    },
    quotaLost: {
      seen: { ...sound, listed: 1 },
      fault: changeRows("keepItListed", /query FROM system\.live WHERE user_id/, (rows) =>
        rows.some((row) => JSON.stringify(row[4]).includes("id > 0"))
          ? undefined
          : [...rows, ["x-y-q1", "q1", "x", "t", "SELECT * FROM t WHERE id > 0"]],
      ),
    },
  },
});
