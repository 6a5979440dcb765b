import { changeRows, sendInstead } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { unknownTypeRefused } from "./index.ts";

const names = ["table type", "misspelt option", "access level", "storage", "option of another type"];
const bad = names.map((name) => ({
  case: name,
  role: "dba",
  sql: "CREATE",
  said: no("INVALID_SQL", "Invalid", "parse"),
  made: null as string | null,
}));
const good = { case: "valid", role: "dba", sql: "CREATE", said: yes(), made: "{}" };
const sound = { sharedAccess: "levels" as "levels" | "policies" | null, bad, control: good, unread: null };
const first = (change: object) => ({ ...sound, bad: bad.map((one, at) => (at === 0 ? { ...one, ...change } : one)) });

/** Accepts the unknown type: creates a SHARED table and shows the requested type in the catalogue. */
const acceptAnyType: Fault = {
  name: "acceptAnyType",
  wrap(wire, fired) {
    const create = sendInstead("", /TYPE='UNKNOWN'/, (sql) => sql.replace("UNKNOWN", "SHARED"));
    const show = changeRows("", /FROM system\.tables/, (rows) =>
      rows.map((row) =>
        row.map((cell) =>
          typeof cell === "string"
            ? cell.replace('"table_type":"SHARED","storage_id"', '"table_type":"UNKNOWN","storage_id"')
            : cell,
        ),
      ),
    );
    return show.wrap(create.wrap(wire, fired), fired);
  },
};

export default proveCheck(unknownTypeRefused, {
  holds: [sound, { ...sound, sharedAccess: "policies", bad: bad.filter((one) => one.case !== "access level") }],
  cannotTell: [
    first({ said: nothing() }),
    { ...sound, bad: bad.slice(1) },
    { ...sound, control: null },
    { ...sound, control: { ...good, made: null } },
    { ...sound, unread: "no right" },
  ],
  breaks: {
    accepted: { seen: first({ said: yes(), made: '{"table_type":"UNKNOWN"}' }), fault: acceptAnyType },
    silentlyIgnored: {
      seen: first({ said: yes(), made: '{"table_type":"SHARED"}' }),
      fault: sendInstead("dropTheMisspeltOption", /FLUSH_POLICI/, (sql) => sql.replace(", FLUSH_POLICI='rows:10'", "")),
    },
  },
});
