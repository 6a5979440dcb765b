import { claimSuccess, sendInstead } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { tableScriptsRepeat } from "./index.ts";

const rows = '[[["1","kept by repeats"]]]';
const state: Record<string, string | null> = {
  "the catalogue": '[[["shared","shared",1,"{}"]]]',
  "the columns": '[[["shared","id","BIGINT","NO"]]]',
  "the rows of users": rows,
  "the rows of shared": rows,
  "the rows of stream": rows,
};
const exists = no("SQL_EXECUTION_ERROR", "Table kr.users already exists", "exists");
const sound = {
  before: state,
  again: [yes(), yes()],
  otherShape: yes(),
  plain: ["users", "shared", "stream"].map((name) => ({ case: name, role: "dba", sql: "CREATE TABLE", said: exists })),
  after: state,
  dropped: yes(),
  droppedAgain: [yes(), yes()],
  left: "[[]]" as string | null,
};

export default proveCheck(tableScriptsRepeat, {
  holds: [sound, { ...sound, otherShape: exists }],
  cannotTell: [
    { ...sound, again: [yes(), nothing()] },
    { ...sound, dropped: nothing() },
    { ...sound, again: [], droppedAgain: [] },
    { ...sound, before: {}, after: {} },
    { ...sound, after: { ...state, "the columns": null } },
    { ...sound, plain: [] },
    { ...sound, plain: sound.plain.map((one) => ({ ...one, said: nothing() })) },
    { ...sound, otherShape: nothing() },
    { ...sound, left: null },
    { ...sound, droppedAgain: [yes(), no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429)] },
  ],
  breaks: {
    refused: {
      seen: { ...sound, droppedAgain: [yes(), no("SQL_EXECUTION_ERROR", "not found", "missing")] },
      fault: sendInstead("omitIfExists", /^DROP TABLE IF EXISTS/, (sql) => sql.replaceAll("IF EXISTS ", "")),
    },
    changed: {
      seen: {
        ...sound,
        after: { ...state, "the columns": '[[["shared","id","BIGINT","NO"],["shared","other","INT","YES"]]]' },
      },
      fault: sendInstead("recreateWithOtherColumns", /other INT/, (sql) => {
        const drops = [...sql.matchAll(/EXISTS (\S+) /g)].map(([, table]) => `DROP TABLE ${table}`);
        return `${drops.join("; ")}; ${sql}`;
      }),
    },
    repeatAccepted: {
      seen: { ...sound, plain: sound.plain.map((one) => ({ ...one, said: yes() })) },
      fault: claimSuccess("claimCreateOfExisting", /^CREATE TABLE \S+\.shared \(/),
    },
  },
});
