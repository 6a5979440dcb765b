import { claimSuccess, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { wrongTableTypeRefused } from "./index.ts";

const names = [
  "flush of a STREAM",
  "compaction of a STREAM",
  "access level of a USER table",
  "access level of a USER table, as a property",
  "access level of a STREAM",
  "transaction on a STREAM",
];
const refusal = no("SQL_EXECUTION_ERROR", "Invalid operation: not supported for STREAM tables", "rule");
const one = (name: string, said: typeof refusal) => ({ case: name, role: "dba", sql: "…", said });
const wrong = names.map((name) => one(name, refusal));
const controls = names.map((name, at) => one(name, yes(at === 0 ? "started. Job ID: FL-1" : "done")));
const job = { id: "FL-1", type: "flush", about: '{"table_id":"kr_a1b2c_1.shared"}' };
const sound = {
  sharedAccess: "levels" as "levels" | "policies" | null,
  wrong,
  before: "[]",
  after: "[]",
  rows: '[[["0"]]]',
  plain: one("plain write", yes()),
  controls,
  jobs: [job],
};
const firstIs = <T>(list: readonly T[], first: T): T[] => [first, ...list.slice(1)];
const withoutLevels = (list: typeof wrong) => list.filter(({ case: of }) => !of.startsWith("access level"));
const gone = (name: string) =>
  controls.map((control) => (control.case === name ? one(name, no("INVALID_SQL", "unknown", "parse")) : control));

export default proveCheck(wrongTableTypeRefused, {
  holds: [
    sound,
    { ...sound, sharedAccess: "policies", wrong: withoutLevels(wrong), controls: withoutLevels(controls) },
    { ...sound, controls: gone("access level of a STREAM") },
  ],
  cannotTell: [
    { ...sound, wrong: firstIs(wrong, one("flush of a STREAM", nothing())) },
    { ...sound, wrong: firstIs(wrong, one("flush of a STREAM", no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429))) },
    { ...sound, wrong: wrong.slice(1) },
    { ...sound, controls: gone("transaction on a STREAM") },
    { ...sound, plain: one("plain write", nothing()) },
    { ...sound, jobs: null },
    { ...sound, jobs: [] },
    { ...sound, rows: null },
  ],
  breaks: {
    accepted: {
      seen: { ...sound, wrong: firstIs(wrong, one("flush of a STREAM", yes("Storage flush started"))) },
      fault: claimSuccess("acceptAStreamInATransaction", /^BEGIN; INSERT INTO \S+\.stream /, 1),
    },
    jobCreated: {
      seen: { ...sound, jobs: [job, { ...job, id: "FL-0", about: '{"table_id":"kr_a1b2c_1.stream"}' }] },
      fault: sqlFault("listAJobForTheStream", async (sql, _, exchange) => {
        // The sandbox has no such job, so another one is listed under the name of the stream.
        const said = /FROM system\.jobs WHERE parameters LIKE/.test(sql) ? await exchange() : undefined;
        return said === undefined
          ? undefined
          : { status: said.status, body: JSON.parse(JSON.stringify(said.body).replaceAll(".shared", ".stream")) };
      }),
    },
  },
});
