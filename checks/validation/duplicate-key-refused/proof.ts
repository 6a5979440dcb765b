import { errorBody, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { isRecord, cellText } from "../../../src/wire/json.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { cases, initialRows, stages } from "./cases.ts";
import { duplicateKeyRefused } from "./index.ts";

const refusal = no("SQL_EXECUTION_ERROR", "Primary key violation", "constraint");
const tried = stages.map(({ name: stage }) => ({
  stage: stage as string,
  tried: cases.map(({ name }) => ({ case: name, role: "user", sql: `INSERT ${name}`, said: refusal })),
}));
const rows = [...initialRows, ["900", "control"] as const].toSorted(([a], [b]) => Number(a) - Number(b));
const table = {
  kind: "USER",
  tried,
  rows: rows as typeof rows | null,
  notFlushed: null as string | null,
  planned: stages.length * cases.length,
  control: yes(),
};
const raced = (key: string, change: object = {}) => ({
  key,
  winners: ["client 1"],
  unsure: 0,
  overlapped: true,
  stored: ["client 1"] as string[] | null,
  exchanges: [1, 2, 3, 4],
  ...change,
});
const races = ["1", "2", "3"].map((key) => raced(key));
const sound = { tables: [table, { ...table, kind: "SHARED" }], race: races };
const shared = (change: object) => ({ ...sound, tables: [table, { ...table, kind: "SHARED", ...change }] });
const saying = (name: string, said: typeof refusal) => ({
  tried: tried.map((one) =>
    one.stage === "flushed"
      ? { ...one, tried: one.tried.map((each) => (each.case === name ? { ...each, said } : each)) }
      : one,
  ),
});
const replaced = rows.map(([id, v]) => (id === "101" ? (["101", "again"] as const) : ([id, v] as const)));
const last = (change: object) => ({ ...sound, race: [...races.slice(1), raced("9", change)] });

/** A duplicate key is answered as if it had been inserted. */
function acknowledgeDuplicates(name: string, of: (sql: string) => boolean): Fault {
  return sqlFault(name, async (sql, _, exchange) => {
    if (!sql.startsWith("INSERT") || !of(sql)) return undefined;
    const said = await exchange();
    const error = said !== undefined && isRecord(said.body) ? said.body["error"] : undefined;
    if (!isRecord(error) || !/primary key/i.test(cellText(error["message"]))) return undefined;
    const result = { row_count: 1, message: "Inserted 1 row(s)" };
    return { status: 200, body: { status: "success", results: [result], took: 1 } };
  });
}

export default proveCheck(duplicateKeyRefused, {
  holds: [sound],
  cannotTell: [
    { tables: [], race: races },
    shared({ rows: null }),
    shared({ rows: rows.slice(1) }),
    shared({ notFlushed: "the flush did not complete" }),
    shared({ control: refusal }),
    shared(saying("one row", nothing())),
    shared({ tried: tried.slice(1) }),
    { ...sound, race: races.slice(0, 1) },
    { ...sound, race: races.map((one) => ({ ...one, overlapped: false })) },
    last({ stored: null }),
    last({ winners: [], unsure: 1, stored: [] }),
    last({ unsure: 1, stored: ["client 2"] }),
  ],
  breaks: {
    accepted: {
      seen: shared({ ...saying("one row", yes("Inserted 1 row(s)")), rows: replaced }),
      fault: acknowledgeDuplicates("acknowledgeDuplicatesOfFlushedRows", (sql) => /VALUES \(10\d, /.test(sql)),
    },
    changed: {
      seen: shared({ rows: replaced }),
      // The row is replaced before the duplicate is noticed.
      fault: sqlFault("replaceAndRefuse", async (sql, _, exchange) => {
        const [, name, key] = /^INSERT INTO (\S+_keys) \(id, v\) VALUES \((10?1), 'again'\)$/.exec(sql) ?? [];
        if (name === undefined) return undefined;
        await exchange(`UPDATE ${name} SET v = 'again' WHERE id = ${key}`);
        const message = "Statement 1 failed: Already exists: Primary key violation";
        return { status: 400, body: errorBody("SQL_EXECUTION_ERROR", message) };
      }),
    },
    severalWinners: {
      seen: last({ winners: ["client 0", "client 1"] }),
      fault: acknowledgeDuplicates("acknowledgeAllRacers", (sql) => sql.includes(".raced ")),
    },
    wrongWinner: {
      seen: last({ stored: ["client 2"] }),
      fault: sqlFault("storeAnotherValue", async (sql, _, exchange) =>
        /\.raced .*'client \d'/.test(sql) ? await exchange(sql.replace(/'client \d'/, "'client 9'")) : undefined,
      ),
    },
  },
});
