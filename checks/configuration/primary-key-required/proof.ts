import { refuseIt, sendInstead, sqlFault, errorBody } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { primaryKeyRequired } from "./index.ts";

const refusal = no("SQL_EXECUTION_ERROR", "User tables require a PRIMARY KEY column", "rule");
const bad = ["USER without", "SHARED without", "composite", "two"].map((name) => ({
  case: name,
  role: "dba",
  sql: "CREATE",
  said: refusal,
  made: null as string | null,
}));
const control = { case: "STREAM without", role: "dba", sql: "CREATE", said: yes(), made: "{}" as string | null };
const sound = { bad, control, unread: null };
const first = (change: object) => ({ ...sound, bad: bad.map((one, at) => (at === 0 ? { ...one, ...change } : one)) });
const userWithout = /\(id BIGINT, v TEXT\) WITH \(TYPE='USER'\)/;
const withKey = (sql: string): string => sql.replace("id BIGINT,", "id BIGINT PRIMARY KEY,");

export default proveCheck(primaryKeyRequired, {
  holds: [sound],
  cannotTell: [
    first({ said: { ...refusal, message: "quota exceeded" } }),
    first({ said: nothing() }),
    { ...sound, bad: bad.slice(1) },
    { ...sound, control: null },
    { ...sound, control: { ...control, said: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429) } },
    { ...sound, control: { ...control, made: null } },
    { ...sound, unread: "no right" },
  ],
  breaks: {
    accepted: { seen: first({ said: yes(), made: "{}" }), fault: sendInstead("addAKey", userWithout, withKey) },
    halfAccepted: {
      seen: first({ made: "{}" }),
      fault: sqlFault("rejectButCreateTheTable", async (sql, _, exchange) => {
        if (!userWithout.test(sql)) return undefined;
        await exchange(withKey(sql));
        return { status: 400, body: errorBody("SQL_EXECUTION_ERROR", "User tables require a PRIMARY KEY column") };
      }),
    },
    streamRefused: {
      seen: { ...sound, control: { ...control, said: refusal, made: null } },
      fault: refuseIt("requireAKeyOfStreams", /TYPE='STREAM'/),
    },
  },
});
