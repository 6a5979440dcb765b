import { refuseIt, rewordRefusal, sendInstead } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, yes } from "../../vocabulary/evidence.ts";
import { badFlushPolicyRefused } from "./index.ts";

const options = '{"flush_policy":{"type":"combined","row_limit":1000,"interval_seconds":60}}';
const refusal = no("INVALID_SQL", "Invalid row limit in FLUSH_POLICY", "parse");
const bad = Array.from({ length: 9 }, (_, at) => ({
  case: `bad ${at}`,
  role: "dba",
  sql: "CREATE",
  said: refusal,
  made: null,
}));
const good = { case: "valid", role: "dba", sql: "CREATE", said: yes(), made: options };
const sound = { bad, control: good, unread: null };
const firstIs = (change: object) => ({ ...sound, bad: bad.map((one, at) => (at === 0 ? { ...one, ...change } : one)) });

export default proveCheck(badFlushPolicyRefused, {
  holds: [sound],
  cannotTell: [
    { ...sound, bad: bad.slice(1) },
    { ...sound, control: null },
    { ...sound, control: { ...good, said: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429), made: null } },
    { ...sound, unread: "no right" },
    firstIs({ said: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429) }),
    firstIs({ said: { ...refusal, kind: "unsure", status: null, why: "timeout" } }),
  ],
  breaks: {
    accepted: {
      seen: firstIs({ said: yes(), made: options }),
      fault: sendInstead("sendAValidPolicyInstead", /FLUSH_POLICY='rows:abc'/, (sql) =>
        sql.replace("rows:abc", "rows:10"),
      ),
    },
    unclear: {
      seen: firstIs({ said: { ...refusal, message: "Invalid statement" } }),
      fault: rewordRefusal("hideTheReason", /FLUSH_POLICY='interval:xyz'/, () => "SQL statement failed"),
    },
    validRefused: {
      seen: { ...sound, control: { ...good, said: refusal, made: null } },
      fault: refuseIt("refuseTheValidPolicy", /FLUSH_POLICY='rows:1000,interval:60'/),
    },
  },
});
