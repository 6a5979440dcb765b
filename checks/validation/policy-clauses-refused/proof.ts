import { errorBody, refuseIt, sendInstead, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { policyClausesRefused, wrong } from "./index.ts";

const refusal = no("INVALID_SQL", "Invalid policy", "parse");
const one = (name: string) => ({
  case: name,
  role: "dba",
  sql: "CREATE POLICY",
  said: refusal,
  userReads: 0 as number | null,
});
const sound = {
  before: 0 as number | null,
  tried: wrong.map(({ name }) => one(name)),
  valid: { ...one("a valid policy"), said: yes(), userReads: 2 as number | null },
};
const first = (change: Partial<ReturnType<typeof one>>) => ({
  ...sound,
  tried: sound.tried.map((each, at) => (at === 0 ? { ...each, ...change } : each)),
});

export default proveCheck(policyClausesRefused, {
  holds: [sound],
  cannotTell: [
    { ...sound, before: 3 },
    { ...sound, before: null },
    { ...sound, tried: sound.tried.slice(1) },
    { ...sound, valid: { ...sound.valid, userReads: 0 } },
    { ...sound, valid: { ...sound.valid, said: nothing() } },
    { ...sound, valid: { ...sound.valid, said: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429) } },
    first({ said: nothing() }),
    first({ userReads: null }),
    first({ said: no("INTERNAL_ERROR", "panicked", "unavailable", 500) }),
  ],
  breaks: {
    accepted: {
      seen: first({ said: yes() }),
      // As a server that reads the word and forgets it.
      fault: sendInstead("ignoreWithCheckOfDelete", /FOR DELETE TO user WITH CHECK/, (sql) =>
        sql.replace("WITH CHECK", "USING"),
      ),
    },
    opened: {
      seen: first({ userReads: 3 }),
      fault: sqlFault("openThenReject", async (sql, _, exchange) => {
        if (!/AS RESTRICTIVE/.test(sql)) return undefined;
        await exchange(sql.replace("AS RESTRICTIVE ", ""));
        return { status: 400, body: errorBody("INVALID_SQL", "RESTRICTIVE policies are not supported") };
      }),
    },
    validRefused: {
      seen: { ...sound, valid: { ...sound.valid, said: refusal, userReads: 0 } },
      fault: refuseIt("refuseConditionsOnNumbers", /CREATE POLICY kr_valid/),
    },
  },
});
