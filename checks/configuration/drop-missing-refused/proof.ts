import { claimSuccess, rewordRefusal } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { dropMissingRefused } from "./index.ts";

const missing = "kr_a1b2c_1_missing";
const sound = {
  missing,
  control: yes(),
  said: no("SQL_EXECUTION_ERROR", `Namespace '${missing}' not found`, "missing"),
};
const drop = /^DROP NAMESPACE \w+_missing$/;

export default proveCheck(dropMissingRefused, {
  holds: [sound],
  cannotTell: [
    { ...sound, said: nothing() },
    { ...sound, control: nothing() },
    { ...sound, said: no("PERMISSION_DENIED", missing, "permission", 403) },
  ],
  breaks: {
    accepted: { seen: { ...sound, said: yes() }, fault: claimSuccess("claimToDropAMissingOne", drop) },
    unclear: {
      seen: { ...sound, said: { ...sound.said, message: "SQL statement failed" } },
      fault: rewordRefusal("hideTheName", drop, () => "SQL statement failed"),
    },
  },
});
