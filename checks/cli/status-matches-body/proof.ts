import { isRecord } from "../../../src/wire/json.ts";
import { sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { statusMatchesBody } from "./index.ts";

const refusal = no("SQL_EXECUTION_ERROR", "table not found", "missing");
const tried = [
  ...Array.from({ length: 22 }, (_, at) => ({ case: `good ${at}`, wanted: "good" as "good" | "bad", said: yes() })),
  ...Array.from({ length: 22 }, (_, at) => ({ case: `bad ${at}`, wanted: "bad" as const, said: refusal })),
];
const sound = { tried };
const having = (name: string, said: object) => ({
  tried: tried.map((one) => (one.case === name ? { ...one, said: { ...one.said, ...said } } : one)),
});
const malformed = { kind: "unsure" as const, status: 200, why: "malformed", message: "status 200 with an error in it" };

export default proveCheck(statusMatchesBody, {
  holds: [sound, having("bad 3", { kind: "unsure", why: "unrecognised" })],
  cannotTell: [
    { tried: [] },
    { tried: tried.slice(1) },
    having("good 3", refusal),
    having("bad 3", yes()),
    having("bad 3", nothing()),
    having("good 3", { kind: "unsure", status: 503, why: "unavailable" }),
    having("bad 3", no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429)),
  ],
  breaks: {
    disagree: {
      seen: having("bad 3", malformed),
      fault: sqlFault("answerAlwaysWith200", async (_, __, exchange) => {
        const said = await exchange();
        return said === undefined || said.status === 200 ? undefined : { ...said, status: 200 };
      }),
    },
    codeMissing: {
      seen: having("bad 3", { code: "" }),
      fault: sqlFault("omitErrorCode", async (_, __, exchange) => {
        const said = await exchange();
        if (said === undefined || !isRecord(said.body) || !isRecord(said.body["error"])) return undefined;
        const { code: _code, ...error } = said.body["error"];
        return { ...said, body: { ...said.body, error } };
      }),
    },
  },
});
