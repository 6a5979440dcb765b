import { sqlFault } from "../../../src/faults/sql.ts";
import { failOnConstraints } from "../../../src/faults/gallery/catalogue.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { constraintErrorCoded } from "./index.ts";

const one = (name: string, said: ReturnType<typeof no>) => ({ case: name, role: "dba", sql: "…", said });
const codes = ["UNIQUE_VIOLATION", "NOT_NULL_VIOLATION", "TYPE_MISMATCH", "MISSING_COLUMN", "TABLE_NOT_FOUND"];
const tried = codes.map((code, at) => one(`mistake ${at}`, no(code, "no", "constraint")));
const proper = ["INSERT", "INSERT", "SELECT"].map((name) => one(name, yes()));
const last = (said: ReturnType<typeof no>) => ({ proper, tried: [...tried.slice(0, -1), one("mistake 4", said)] });

export default proveCheck(constraintErrorCoded, {
  holds: [{ tried, proper }],
  cannotTell: [
    { tried: tried.slice(1), proper },
    { tried, proper: proper.slice(1) },
    { tried, proper: [one("INSERT", nothing()), ...proper.slice(1)] },
    last(yes()),
    last(nothing()),
    last({ ...nothing("unavailable"), status: 500 }),
    last({ ...nothing("unavailable"), status: 503, code: "UNAVAILABLE" }),
    last(no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429)),
  ],
  breaks: {
    serverError: {
      seen: last({ ...nothing("unavailable"), status: 500, code: "INTERNAL_ERROR" }),
      fault: failOnConstraints,
    },
    oneCodeForAll: {
      seen: last(no("UNIQUE_VIOLATION", "no", "constraint")),
      fault: sqlFault("giveOneCodeForAll", async (sql, _, exchange) => {
        const said = /_nowhere LIMIT 1$|'again'/.test(sql) ? await exchange() : undefined;
        if (said === undefined) return undefined;
        const body = JSON.stringify(said.body).replace(/"code":"\w+"/, '"code":"SQL_EXECUTION_ERROR"');
        return { status: said.status, body: JSON.parse(body) };
      }),
    },
  },
});
