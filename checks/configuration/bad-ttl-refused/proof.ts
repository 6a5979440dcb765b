import { refuseIt, sendInstead } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { badTtlRefused } from "./index.ts";

const names = ["-100", "0", "abc", "'abc'", "99999999999999999999", "none"];
const bad = names.map((name) => ({
  case: name,
  role: "dba",
  sql: "CREATE",
  said: no("INVALID_SQL", "Invalid TTL_SECONDS", "parse"),
  made: null as string | null,
}));
const good = { case: "10", role: "dba", sql: "CREATE", said: yes(), made: '{"ttl_seconds":10}' };
const sound = { ttlOptional: false, bad, control: good, unread: null };
const having = (name: string, change: object) => ({
  ...sound,
  bad: bad.map((one) => (one.case === name ? { ...one, ...change } : one)),
});

export default proveCheck(badTtlRefused, {
  holds: [sound, { ...sound, ttlOptional: true, bad: bad.slice(0, -1) }],
  cannotTell: [
    { ...sound, bad: bad.slice(1) },
    { ...sound, control: null },
    { ...sound, control: { ...good, said: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429) } },
    { ...sound, unread: "no right" },
    having("abc", { said: nothing() }),
  ],
  breaks: {
    accepted: {
      seen: having("abc", { said: yes(), made: "{}" }),
      fault: sendInstead("sendAValidTtlInstead", /TTL_SECONDS=-100/, (sql) => sql.replace("-100", "100")),
    },
    zeroAccepted: {
      seen: having("0", { said: yes(), made: "{}" }),
      fault: sendInstead("sendOneForZero", /TTL_SECONDS=0\)/, (sql) => sql.replace("=0)", "=1)")),
    },
    validRefused: {
      seen: { ...sound, control: { ...good, made: '{"ttl_seconds":60}' } },
      fault: refuseIt("refuseTheValidTtl", /TTL_SECONDS=10\)/),
    },
  },
});
