import { claimSuccess } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { latePace, no, nothing, slowPace, yes } from "../../vocabulary/evidence.ts";
import { revokedUserCutOff } from "./index.ts";

const one = (how: string, change: object = {}) => ({
  how,
  said: yes(),
  delivered: 0,
  witnessed: true,
  broke: false,
  pace: latePace,
  ...change,
});
const sound = { revoked: [one("dropped"), one("demoted")] };

export default proveCheck(revokedUserCutOff, {
  holds: [sound],
  cannotTell: [
    { revoked: [] },
    { revoked: [one("dropped")] },
    { revoked: [one("dropped"), one("demoted", { broke: true })] },
    // A server that is slow altogether is not accused.
    { revoked: [one("dropped", { delivered: 1, pace: slowPace }), one("demoted")] },
    { revoked: [one("dropped"), one("demoted", { witnessed: false })] },
    { revoked: [one("dropped"), one("demoted", { said: no("SQL_EXECUTION_ERROR", "no", "rule") })] },
    { revoked: [one("dropped"), one("demoted", { said: nothing(), delivered: 1 })] },
  ],
  breaks: {
    goesOn: {
      seen: { revoked: [one("dropped", { delivered: 1 }), one("demoted")] },
      fault: claimSuccess("dropNoUser", /^DROP USER/),
    },
  },
});
