import { refuseIt, sendInstead } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { dropIfExistsIdempotent } from "./index.ts";

const all = ["kr_a1b2c_1", "kr_a1b2c_1_w", "kr_a1b2c_1_x1"];
const sound = { missing: "kr_a1b2c_1_x", before: all, drops: [yes(), yes()], after: all as string[] | null };
const drop = /^DROP NAMESPACE IF EXISTS \w+_x$/;

export default proveCheck(dropIfExistsIdempotent, {
  holds: [sound],
  cannotTell: [
    { ...sound, after: null },
    { ...sound, drops: [no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429), yes()] },
    { ...sound, drops: [yes()] },
    { ...sound, drops: [yes(), nothing()] },
    { ...sound, before: all.slice(0, 1), after: all.slice(0, 1) },
    { ...sound, before: [...all, "kr_a1b2c_1_x"] },
  ],
  breaks: {
    refused: {
      seen: { ...sound, drops: [no("SQL_EXECUTION_ERROR", "not found", "missing"), yes()] },
      fault: refuseIt("refuseIfExists", drop),
    },
    changedSomething: {
      seen: { ...sound, after: all.slice(0, 2) },
      fault: sendInstead("dropAnotherNamespace", drop, (sql) => `${sql}1`),
    },
  },
});
