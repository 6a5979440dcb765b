import { refuseIt, sendInstead, sqlFault, errorBody } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { primaryKeyRequired } from "./index.ts";

const refusal = no("SQL_EXECUTION_ERROR", "User tables require a PRIMARY KEY column", "rule");
const one = (name: string, said = refusal, made: string | null = null) => ({
  case: name,
  role: "dba",
  sql: "CREATE",
  said,
  made,
});
const bad = ["USER without", "SHARED without", "composite", "two"].map((name) => one(name));
const stream = one("STREAM without", yes(), "{}");
const sound = { keyOptional: false, bad, good: [stream], unread: null as string | null };
const keyless = ["USER without", "SHARED without"].map((name) => one(name, yes(), "{}"));
const optional = { ...sound, keyOptional: true, bad: [one("two")], good: [...keyless, stream] };
const first = (change: object) => ({
  ...sound,
  bad: bad.map((each, at) => (at === 0 ? { ...each, ...change } : each)),
});
const streamIs = (change: object) => ({ ...sound, good: [{ ...stream, ...change }] });
// Without a key, and with two.
const badKeys = /^(?=.*(\(id BIGINT, v TEXT\) WITH \(TYPE='USER'\)|b BIGINT PRIMARY KEY\)))/;
const withOneKey = (sql: string): string =>
  sql.replace("id BIGINT,", "id BIGINT PRIMARY KEY,").replace("b BIGINT PRIMARY KEY", "b BIGINT");

export default proveCheck(primaryKeyRequired, {
  holds: [sound, optional],
  cannotTell: [
    first({ said: { ...refusal, message: "quota exceeded" } }),
    first({ said: nothing() }),
    { ...sound, bad: bad.slice(1) },
    { ...sound, good: [] },
    { ...optional, good: [stream] },
    { ...optional, good: keyless },
    { ...optional, bad: [] },
    { ...optional, good: [one("USER without", nothing()), ...optional.good.slice(1)] },
    streamIs({ said: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429) }),
    streamIs({ made: null }),
    { ...sound, unread: "no right" },
  ],
  breaks: {
    accepted: { seen: first({ said: yes(), made: "{}" }), fault: sendInstead("takeOneKey", badKeys, withOneKey) },
    halfAccepted: {
      seen: first({ made: "{}" }),
      fault: sqlFault("rejectButCreateTheTable", async (sql, _, exchange) => {
        if (!/\(a BIGINT PRIMARY KEY, b BIGINT PRIMARY KEY\)/.test(sql)) return undefined;
        await exchange(withOneKey(sql));
        return { status: 400, body: errorBody("SQL_EXECUTION_ERROR", "User tables require one PRIMARY KEY column") };
      }),
    },
    streamRefused: {
      seen: streamIs({ said: refusal, made: null }),
      fault: refuseIt("requireAKeyOfStreams", /TYPE='STREAM'/),
    },
    keylessRefused: {
      where: { keyOptional: true },
      seen: { ...optional, good: [one("USER without"), ...optional.good.slice(1)] },
      fault: refuseIt("requireAKeyAllTheSame", /\(id BIGINT, v TEXT\) WITH \(TYPE='USER'\)/),
    },
  },
});
