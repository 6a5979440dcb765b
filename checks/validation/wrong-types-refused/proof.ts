import { claimSuccess, refuseIt, rewordRefusal, sendInstead } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { wrongTypesRefused } from "./index.ts";

const refusal = no("SQL_EXECUTION_ERROR", "Schema coercion failed: Cast error", "type");
const entry = (name: string, said: typeof refusal, stored: string | null) => ({
  case: name,
  role: "dba",
  sql: "INSERT …",
  said,
  type: "INT",
  value: "1.7",
  stored,
});
const bad = Array.from({ length: 23 }, (_, at) => entry(`bad ${at}`, refusal, null));
const good = Array.from({ length: 11 }, (_, at) => entry(`good ${at}`, yes(), "something"));
const way = (name: string, change: object = {}) => ({ way: name, bad, good, wanted: 34, looked: true, ...change });
const ways = ["literal", "parameter", "update"];
const literal = (change: object) => ({ ways: [way("literal", change), way("parameter"), way("update")] });
const firstBad = (said: typeof refusal, stored: string | null) => ({
  bad: [entry("bad 0", said, stored), ...bad.slice(1)],
});

export default proveCheck(wrongTypesRefused, {
  holds: [literal({})],
  cannotTell: [
    { ways: [way("literal")] },
    { ways: ways.map((name) => way(name, { bad: bad.slice(0, 1), good: good.slice(0, 1), wanted: 2 })) },
    literal({ bad: bad.slice(1) }),
    literal({ looked: false }),
    literal(firstBad(nothing(), null)),
    literal(firstBad(no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429), null)),
    literal({ good: [entry("good 0", nothing(), null), ...good.slice(1)] }),
    literal({ good: [entry("good 0", yes(), null), ...good.slice(1)] }),
  ],
  breaks: {
    coerced: {
      seen: literal(firstBad(yes(), "1")),
      fault: sendInstead("cutTheFraction", /\(id, i\) VALUES \(\d+, 1\.7\)/, (sql) => sql.replace("1.7", "1")),
    },
    accepted: {
      seen: literal(firstBad(yes(), "1.7")),
      fault: claimSuccess("saySoAndStoreNothing", /'not-a-uuid'/, 1),
    },
    unclear: {
      seen: literal(firstBad({ ...refusal, message: "SQL statement failed" }, null)),
      fault: rewordRefusal("hideWhatIsWrong", /VALUES \(\d+, 'maybe'\)/, () => "SQL statement failed"),
    },
    validRefused: {
      seen: literal({ good: [entry("good 0", refusal, null), ...good.slice(1)] }),
      fault: refuseIt("refuseAProperUuid", /SET u = '550e8400-e29b-41d4-a716-446655440000'/),
    },
  },
});
