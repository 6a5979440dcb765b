import { claimSuccess, sendInstead } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { namespaceScriptsRepeat } from "./index.ts";

const state = '[[["kr_a1b2c_1_a","kr_a1b2c_1_a",1],["kr_a1b2c_1_b","kr_a1b2c_1_b",1]]] [[["1","kept"]]]' as
  | string
  | null;
const exists = no("SQL_EXECUTION_ERROR", "Namespace already exists", "exists");
const plain = { case: "plain", role: "dba", sql: "CREATE NAMESPACE kr_a1b2c_1_a", said: exists };
const sound = {
  made: yes(),
  filled: yes(),
  before: state,
  again: [yes(), yes()],
  plain: [plain],
  after: state,
  dropped: yes(),
  droppedAgain: [yes(), yes()],
  left: "[[]]" as string | null,
};

export default proveCheck(namespaceScriptsRepeat, {
  holds: [sound],
  cannotTell: [
    { ...sound, made: nothing() },
    { ...sound, filled: nothing() },
    { ...sound, again: [yes(), nothing()] },
    { ...sound, again: [], droppedAgain: [] },
    { ...sound, before: null },
    { ...sound, after: null },
    { ...sound, before: "[[]] [[]]", after: "[[]] [[]]" },
    { ...sound, left: null },
    { ...sound, plain: [] },
    { ...sound, plain: [{ ...plain, said: nothing() }] },
    { ...sound, again: [yes(), no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429)] },
  ],
  breaks: {
    refused: {
      seen: { ...sound, again: [yes(), exists] },
      fault: sendInstead("forgetIfNotExists", /^CREATE NAMESPACE IF NOT EXISTS/, (sql) =>
        sql.replaceAll("IF NOT EXISTS ", ""),
      ),
    },
    changed: {
      seen: { ...sound, after: "[[]] [[]]" },
      fault: claimSuccess("dropOnlyInWords", /^DROP NAMESPACE IF EXISTS/),
    },
    repeatAccepted: {
      seen: { ...sound, plain: [{ ...plain, said: yes() }] },
      fault: claimSuccess("acceptWhatIsThere", /^CREATE NAMESPACE (?!IF)/),
    },
  },
});
