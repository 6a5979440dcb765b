import { frameFault, messageFault } from "../../../src/faults/live.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { isRecord } from "../../../src/wire/json.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { cases, statements } from "./cases.ts";
import { badSubscribeRefused } from "./index.ts";

const refused = { kind: "refused" as const, code: "INVALID_SQL", message: "only SELECT", reason: "sql" as const };
const tried = cases.map(({ name, sql }, at) => ({
  case: name,
  sql: sql("kr_a1b2c_1.proper"),
  ...refused,
  rows: [] as string[],
  exchange: at,
}));
const http = statements.map(({ name, sql }) => ({
  case: name,
  role: "user",
  sql: sql("kr_a1b2c_1.proper"),
  said: no("INVALID_SQL", "SQL statement is invalid", "parse"),
}));
const sound = {
  http,
  control: yes(),
  tried,
  alive: true,
  left: "4" as string | null,
};
const having = (name: string, change: object) => ({
  ...sound,
  tried: tried.map((one) => (one.case === name ? { ...one, ...change } : one)),
});
const having0 = (said: ReturnType<typeof yes>) => ({
  ...sound,
  http: http.map((one, at) => (at === 0 ? { ...one, said } : one)),
});
const accepted = { kind: "acknowledged", code: "", message: "", reason: "" };

/** Sends another statement in place of the one that matches. */
function askInstead(name: string, pattern: RegExp, rewrite: (sql: string) => string): Fault {
  return messageFault(name, (message) => {
    const { subscription } = message;
    const sql = isRecord(subscription) ? subscription["sql"] : undefined;
    if (!isRecord(subscription) || typeof sql !== "string" || !pattern.test(sql)) return undefined;
    return [{ ...message, subscription: { ...subscription, sql: rewrite(sql) } }];
  });
}

export default proveCheck(badSubscribeRefused, {
  holds: [sound],
  cannotTell: [
    { ...sound, alive: false },
    { ...sound, left: null },
    { ...sound, tried: tried.slice(1) },
    { ...sound, http: http.slice(1) },
    { ...sound, control: no("INVALID_SQL", "no SUBSCRIBE here", "parse") },
    having0(nothing()),
    having0(no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429)),
    having("JOIN", { kind: "unanswered", code: "", reason: "" }),
    having("JOIN", { code: "SUBSCRIPTION_LIMIT_EXCEEDED", reason: "limit" }),
  ],
  breaks: {
    accepted: {
      seen: having("ORDER BY", { ...accepted, rows: ["1", "2", "3"] }),
      fault: askInstead("overlookTheOrder", / ORDER BY id$/, (sql) => sql.replace(/ ORDER BY id$/, "")),
    },
    unfiltered: {
      seen: having("unparsable WHERE", { ...accepted, rows: ["1"] }),
      fault: askInstead("overlookTheCondition", / WHERE \(\(\($/, (sql) => sql.replace(/ WHERE \(\(\($/, "")),
    },
    connectionLost: {
      seen: having("DELETE", { kind: "closed", message: "1011 only SELECT" }),
      fault: frameFault("closeInsteadOfRefusing", () => (message, { pass, fired, close }) => {
        if (message["type"] !== "error" || message["subscription_id"] !== "bad-4") return pass(message);
        fired();
        close(1011, "Invalid message");
      }),
    },
  },
});
