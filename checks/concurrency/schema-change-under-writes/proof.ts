import { answerWhileAltering } from "../../../src/faults/altering.ts";
import { changeResult, errorBody, acknowledged } from "../../../src/faults/sql.ts";
import type { Operation } from "../../../src/history/history.ts";
import { proveCheck } from "../../../src/proof.ts";
import { isRecord, type Json } from "../../../src/wire/json.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { sentBy } from "../evidence.ts";
import { schemaChangeUnderWrites } from "./index.ts";

const insert = (n: number): Operation => ({
  ...sentBy(n % 3, n, 10 * n, 8),
  kind: "insert",
  key: String(n),
  values: { mark: `m${n}` },
});
const inserts = Array.from({ length: 40 }, (_, n) => insert(n));
const rows = inserts.map((_, n) => ({ id: String(n), mark: `m${n}` }));
const final = (shown: readonly { id: string; mark: string }[] = rows): Operation => ({
  ...sentBy(9, 900, 900, 5),
  kind: "read",
  key: null,
  rows: shown,
});
const before = ["id", "mark"];
const after = ["id", "mark", "extra"];
const look = (at: number, columns: readonly string[], misplaced: string | null = null) => ({
  said: yes(),
  invokedAt: at,
  returnedAt: at + 5,
  columns,
  misplaced,
});
const looks = Array.from({ length: 40 }, (_, n) => look(10 * n, n > 10 && n < 30 ? after : before));
const sound = {
  add: { said: yes(), invokedAt: 100, returnedAt: 110 },
  drop: { said: yes(), invokedAt: 290, returnedAt: 300 },
  flush: { said: yes(), job: "FL-1", status: "completed" },
  looks: [...looks, look(950, before)],
  errors: [],
  operations: [...inserts, final()],
};
const broke = { ...nothing("unavailable"), status: 500, code: "INTERNAL_ERROR", message: "schema mismatch" };

const adding = { change: /^ALTER TABLE \S+\.altered ADD /, write: /^INSERT INTO \S+\.altered / };

export default proveCheck(schemaChangeUnderWrites, {
  holds: [sound],
  cannotTell: [
    { ...sound, add: { ...sound.add, said: no("SQL_EXECUTION_ERROR", "not supported", "rule") } },
    { ...sound, drop: { ...sound.drop, said: nothing() } },
    { ...sound, flush: { ...sound.flush, status: "failed" } },
    {
      ...sound,
      errors: [
        { said: broke, invokedAt: 50 },
        { said: broke, invokedAt: 150 },
      ],
    },
    { ...sound, operations: inserts },
    { ...sound, operations: [...inserts.slice(0, 12), final(rows.slice(0, 12))] },
    { ...sound, looks: [...looks.slice(0, 12), look(950, before)] },
  ],
  breaks: {
    lostRows: {
      seen: { ...sound, operations: [...inserts, final(rows.slice(1))] },
      fault: answerWhileAltering("loseRowsWrittenDuringAlter", adding, acknowledged(1)),
    },
    wrongShape: {
      seen: { ...sound, looks: [...looks, look(200, ["id", "mark", "column_2"]), look(950, before)] },
      fault: changeResult("nameTheNewColumnByItsPlace", /^SELECT \* FROM \S+\.altered /, (result) => {
        const { schema } = result;
        if (!Array.isArray(schema)) return undefined;
        const renamed = (schema as readonly Json[]).map((column) =>
          isRecord(column) && column["name"] === "extra" ? { ...column, name: "column_2" } : column,
        );
        return { ...result, schema: renamed };
      }),
    },
    serverError: {
      seen: { ...sound, errors: [{ said: broke, invokedAt: 105 }] },
      fault: answerWhileAltering("failWritesDuringAlter", adding, {
        status: 500,
        body: errorBody("INTERNAL_ERROR", "schema mismatch"),
      }),
    },
  },
  mayBeLost: [
    { what: /^INSERT /, because: "one of many rows, and those that were acknowledged are counted" },
    { what: /^SELECT \* /, because: "one of many reads, and those that were answered are counted" },
  ],
});
