import { claimSuccess, sendInstead } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { namespaceScriptsRepeat } from "./index.ts";

const state: Record<string, string | null> = {
  "the list of namespaces": '[[["kr_a1b2c_1_a","kr_a1b2c_1_a",1],["kr_a1b2c_1_b","kr_a1b2c_1_b",1]]]',
  "the row": '[[["1","kept by repeats"]]]',
};
const empty: typeof state = { "the list of namespaces": "[[]]", "the row": "[[]]" };
const exists = no("SQL_EXECUTION_ERROR", "Namespace already exists", "exists");
const plain = { case: "plain", role: "dba", sql: "CREATE NAMESPACE kr_a1b2c_1_a", said: exists };
const sound = {
  before: state,
  again: [yes(), yes()],
  otherShape: null,
  plain: [plain],
  after: state,
  dropped: yes(),
  droppedAgain: [yes(), yes()],
  left: "[[]]" as string | null,
};

export default proveCheck(namespaceScriptsRepeat, {
  holds: [sound],
  cannotTell: [
    { ...sound, again: [yes(), nothing()] },
    { ...sound, dropped: nothing() },
    { ...sound, again: [], droppedAgain: [] },
    { ...sound, before: { ...state, "the row": null } },
    { ...sound, after: { ...state, "the list of namespaces": null } },
    { ...sound, before: empty, after: empty },
    { ...sound, before: {}, after: {} },
    { ...sound, left: null },
    { ...sound, plain: [] },
    { ...sound, plain: [{ ...plain, said: nothing() }] },
    { ...sound, again: [yes(), no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429)] },
  ],
  breaks: {
    refused: {
      seen: { ...sound, again: [yes(), exists] },
      fault: sendInstead("omitIfNotExists", /^CREATE NAMESPACE IF NOT EXISTS/, (sql) =>
        sql.replaceAll("IF NOT EXISTS ", ""),
      ),
    },
    changed: {
      seen: { ...sound, after: empty },
      fault: claimSuccess("claimDropWithoutDropping", /^DROP NAMESPACE IF EXISTS/),
    },
    repeatAccepted: {
      seen: { ...sound, plain: [{ ...plain, said: yes() }] },
      fault: claimSuccess("claimCreateOfExisting", /^CREATE NAMESPACE (?!IF)/),
    },
  },
});
