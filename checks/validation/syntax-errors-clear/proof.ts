import { breakServer, claimSuccess, refuseIt, rewordRefusal } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { syntaxErrorsClear } from "./index.ts";

const explained = no("INVALID_SQL", "sql parser error: Expected: identifier, found: EOF at Line: 1", "parse");
const generic = no("INVALID_SQL", "SQL statement is invalid or not allowed", "parse");
const attempt = (name: string, change: object = {}) => ({
  case: name,
  sql: '"SELEC 1"',
  op: explained,
  user: generic,
  pace: { waitedMs: 3, controlMs: 2 },
  next: yes(),
  ...change,
});
const attempts = Array.from({ length: 19 }, (_, at) => attempt(`case ${at}`));
const first = (change: object, name = "misspelt verb") => ({
  attempts: [attempt(name, change), ...attempts.slice(1)],
  wanted: 19,
});

export default proveCheck(syntaxErrorsClear, {
  holds: [{ attempts, wanted: 19 }],
  cannotTell: [
    { attempts: attempts.slice(1), wanted: 19 },
    { attempts: attempts.slice(0, 3), wanted: 3 },
    first({ op: nothing() }),
    first({ user: nothing() }),
    first({ op: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429) }),
    first({ next: nothing() }),
    // A server that is slow altogether is not accused.
    first({ pace: { waitedMs: 1_500, controlMs: 900 } }),
    first({ next: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429) }),
    first({ op: { ...nothing("unavailable"), status: 503 } }),
  ],
  breaks: {
    accepted: { seen: first({ op: yes() }), fault: claimSuccess("acceptATypo", /^SELEC 1$/) },
    serverError: {
      seen: first({ op: { ...nothing("unavailable"), status: 500 } }),
      fault: breakServer("chokeOnBrackets", /^SELECT \({2000}/),
    },
    leaksInternals: {
      also: ["unclear"],
      seen: first({ op: { ...explained, message: "thread 'main' panicked at src/parser.rs:42" } }),
      fault: rewordRefusal(
        "showWhereItFailed",
        /^SELECT 'open$/,
        (message) => `${message} at crates/sql/src/parser.rs:42:7`,
      ),
    },
    unclear: {
      seen: first({ op: { ...explained, message: "no" } }),
      fault: refuseIt("sayNothing", /^SELECT 1 \+$/, { code: "SQL_EXECUTION_ERROR", message: "Statement 1 failed" }),
    },
    slow: {
      seen: first({ pace: { waitedMs: 1_500, controlMs: 4 } }),
      onPaperOnly: "a finding about time alone: on a busy machine it would flicker",
    },
  },
});
