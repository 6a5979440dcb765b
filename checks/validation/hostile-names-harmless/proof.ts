import { claimSuccess, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { hostileNamesHarmless } from "./index.ts";

const refusal = no("SQL_EXECUTION_ERROR", "Name contains invalid characters", "rule");
const one = (at: number, change: object = {}) => ({
  place: `place ${at % 12}`,
  case: `case ${at}`,
  role: "user",
  sent: 'USE "a/b"',
  said: refusal,
  next: yes(),
  ...change,
});
const tried = Array.from({ length: 38 }, (_, at) => one(at));
const controls = ["CREATE NAMESPACE", "EXECUTE AS USER"].map((place) => ({ place, said: yes() }));
const first = (change: object) => ({ controls, tried: [one(0, change), ...tried.slice(1)] });
const refusedControl = [{ place: "EXECUTE AS USER", said: refusal }];

export default proveCheck(hostileNamesHarmless, {
  holds: [{ controls, tried }, first({ said: no("PERMISSION_DENIED", "no right", "permission", 403) })],
  cannotTell: [
    { controls, tried: tried.slice(1) },
    { controls: refusedControl, tried },
    first({ said: nothing() }),
    first({ said: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429) }),
    first({ next: nothing("rate") }),
    first({ said: { ...nothing("unavailable"), status: 503 } }),
  ],
  breaks: {
    crashed: {
      seen: { ...first({ said: nothing("reset") }), controls: refusedControl },
      fault: sqlFault("cutTheConnectionAtASlash", (sql) =>
        /^EXECUTE AS USER '[^']*\/\.\./.test(sql) ? Promise.resolve("lost") : undefined,
      ),
    },
    accepted: { seen: first({ said: yes() }), fault: claimSuccess("takeASlash", /^CREATE NAMESPACE \w+\/x$/) },
  },
});
