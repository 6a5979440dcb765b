import { errorBody, sendInstead, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { duplicateColumnsRefused } from "./index.ts";

const refusal = no("INVALID_SQL", "Duplicate column name 'name'", "parse");
const one = (name: string, said: typeof refusal) => ({ case: name, role: "dba", sql: "…", said });
const attempts = Array.from({ length: 7 }, (_, at) => ({
  ...one(`creation ${at}`, refusal),
  made: null as string | null,
}));
const proper = { ...one("proper", yes()), made: "{}" };
const altered = Array.from({ length: 7 }, (_, at) => one(`change ${at}`, refusal));
const shape = { version: "1", columns: ["id", "name", "other"] };
const sound = {
  quotedCase: "folded" as "folded" | "kept",
  created: { attempts: [...attempts, proper], unread: null },
  before: shape,
  altered,
  after: shape,
  added: one("proper", yes()),
  moved: { version: "2", columns: [...shape.columns, "fresh"] },
};
const attemptsWith = (said: typeof refusal) => ({
  attempts: [{ ...attempts[0], ...one("creation 0", said), made: null }, ...attempts.slice(1), proper],
  unread: null,
});

export default proveCheck(duplicateColumnsRefused, {
  holds: [sound, { ...sound, quotedCase: "kept", altered: altered.slice(1) }],
  cannotTell: [
    { ...sound, created: attemptsWith(nothing()) },
    { ...sound, created: { ...sound.created, unread: "no right" } },
    { ...sound, created: { attempts: [...attempts, { ...proper, made: null }], unread: null } },
    { ...sound, altered: altered.slice(1) },
    { ...sound, before: null },
    { ...sound, added: one("proper", nothing()) },
    { ...sound, moved: shape },
  ],
  breaks: {
    accepted: {
      seen: { ...sound, altered: [one("change 0", yes()), ...altered.slice(1)] },
      fault: sendInstead("callTheSecondOneDifferently", /name TEXT, Name TEXT/, (sql) =>
        sql.replace("Name TEXT", "name_1 TEXT"),
      ),
    },
    versionMoved: {
      seen: { ...sound, after: { ...shape, version: "2" } },
      fault: sqlFault("refuseAndCountAllTheSame", async (sql, _, exchange) => {
        if (!sql.endsWith(" ADD COLUMN name TEXT")) return undefined;
        await exchange(sql.replace("name TEXT", "aside TEXT"));
        await exchange(sql.replace("ADD COLUMN name TEXT", "DROP COLUMN aside"));
        return { status: 400, body: errorBody("SQL_EXECUTION_ERROR", "Column 'name' already exists") };
      }),
    },
  },
  mayBeLost: [{ what: /^CREATE TABLE /, because: "the catalogue shows whether it was made" }],
});
