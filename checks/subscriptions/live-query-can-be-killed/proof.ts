import { frameFault } from "../../../src/faults/live.ts";
import { changeRows, claimSuccess } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { nothing, yes } from "../../vocabulary/evidence.ts";
import { liveQueryCanBeKilled } from "./index.ts";

const sound = {
  killed: yes() as ReturnType<typeof yes> | null,
  told: 0,
  ended: true,
  listed: 0 as number | null,
  witnessed: true,
  why: null as string | null,
};
const kill = /^KILL LIVE QUERY/;

export default proveCheck(liveQueryCanBeKilled, {
  holds: [sound],
  cannotTell: [
    { ...sound, why: "no live connection" },
    { ...sound, killed: nothing() },
    { ...sound, witnessed: false },
    { ...sound, listed: null },
  ],
  breaks: {
    goesOn: { seen: { ...sound, told: 1 }, fault: claimSuccess("killNobody", kill) },
    notTold: {
      seen: { ...sound, ended: false },
      // The word about its end is swallowed, and so is a close.
      fault: frameFault("sayNothingOfTheEnd", () => (message, { pass, fired }) => {
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
      fault: changeRows("keepItListed", /FROM system\.live WHERE user_id/, (rows) =>
        rows.some((row) => JSON.stringify(row[1]).includes("id > 0"))
          ? undefined
          : [...rows, ["x-y-q1", "SELECT * FROM t WHERE id > 0"]],
      ),
    },
  },
});
