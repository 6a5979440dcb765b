import { sendInstead, sqlFault, errorBody } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { badFlushCommandRefused } from "./index.ts";

const tried = Array.from({ length: 14 }, (_, at) => ({
  case: `case ${at}`,
  role: "dba",
  sql: "STORAGE FLUSH TABLE t right now",
  said: no("INVALID_SQL", "Unexpected tokens", "parse"),
}));
const job = { id: "FL-1", type: "flush", about: '{"table_id":"kr_a1b2c_1.t"}' };
const proper = { case: "proper", role: "dba", sql: "STORAGE FLUSH TABLE t", said: yes("started. Job ID: FL-1") };
const sound = { tried, jobs: [] as (typeof job)[], proper, after: [job] };
const firstSaid = (said: (typeof tried)[number]["said"]) => tried.map((one, at) => (at === 0 ? { ...one, said } : one));
const trailing = /^STORAGE FLUSH TABLE \S+ right now$/;
const withoutTrail = (sql: string): string => sql.replace(" right now", "");

export default proveCheck(badFlushCommandRefused, {
  holds: [sound],
  cannotTell: [
    { ...sound, jobs: null },
    { ...sound, after: null },
    { ...sound, after: [] },
    { ...sound, tried: tried.slice(1) },
    { ...sound, proper: { ...proper, said: no("SQL_EXECUTION_ERROR", "no", "rule") } },
    { ...sound, tried: firstSaid(nothing()) },
    { ...sound, tried: firstSaid(no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429)) },
  ],
  breaks: {
    accepted: {
      seen: { ...sound, tried: firstSaid(yes("started. Job ID: FL-0")), jobs: [{ ...job, id: "FL-0" }] },
      fault: sendInstead("ignoreTrailingWords", trailing, withoutTrail),
    },
    jobCreated: {
      seen: { ...sound, jobs: [{ ...job, id: "FL-0" }] },
      fault: sqlFault("refuseAndFlushAllTheSame", async (sql, _, exchange) => {
        if (!trailing.test(sql)) return undefined;
        await exchange(withoutTrail(sql));
        return { status: 400, body: errorBody("INVALID_SQL", "Unexpected tokens after STORAGE FLUSH TABLE") };
      }),
    },
  },
});
