import { sendInstead } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { fullNamespaceGuarded } from "./index.ts";

const sound = { before: 3, said: no("SQL_EXECUTION_ERROR", "not empty", "rule"), after: 3 as number | null };

export default proveCheck(fullNamespaceGuarded, {
  holds: [sound],
  cannotTell: [
    { ...sound, before: 0 },
    { ...sound, after: null },
    { ...sound, said: nothing() },
  ],
  breaks: {
    droppedRows: {
      seen: { ...sound, said: yes(), after: null },
      fault: sendInstead("addCascade", /^DROP NAMESPACE \w+_full$/, (sql) => `${sql} CASCADE`),
    },
  },
});
