import type { Json } from "../../../src/wire/json.ts";
import { changeResult, changeRows } from "../../../src/faults/sql.ts";
import { tellAs } from "../../../src/faults/gallery/catalogue.ts";
import { proveCheck } from "../../../src/proof.ts";
import { emptyResultDescribed } from "./index.ts";

const asked = (rows: readonly (readonly Json[])[]) => ({
  columns: [["c", "BigInt"]] as [string, Json][] | null,
  rows,
  rowCount: rows.length as number | null,
  outcome: "200 success",
  exchange: 1,
});
const figures: Readonly<Record<string, readonly (readonly Json[])[]>> = {
  "named columns": [],
  "all columns": [],
  expressions: [],
  groups: [],
  "a join": [],
  "a count": [["0"]],
  "a sum": [[null]],
  "least, greatest and average": [[null, null, null]],
};
const pairs = Object.entries(figures).map(([query, rows]) => ({ query, empty: asked(rows), filled: asked([["1"]]) }));
const sound = { filled: true, pairs };
const having = (query: string, change: object) => ({
  ...sound,
  pairs: pairs.map((one) => (one.query === query ? { ...one, ...change } : one)),
});

const confused = (rows: readonly (readonly Json[])[]) => ({
  ...asked(rows),
  columns: [
    ["id", "Int"],
    ["n", "Int"],
  ] as [string, Json][],
});

export default proveCheck(emptyResultDescribed, {
  holds: [sound, having("a count", { empty: asked([[0]]) })],
  cannotTell: [
    { ...sound, pairs: [] },
    { ...sound, pairs: pairs.slice(1) },
    { ...sound, filled: false },
    having("groups", { empty: { ...asked([]), columns: null, outcome: "timeout" } }),
    having("groups", { filled: asked([]) }),
    having("groups", { empty: { ...asked([]), columns: [] }, filled: { ...asked([["1"]]), columns: [] } }),
  ],
  breaks: {
    noSchema: {
      seen: having("groups", { empty: { ...asked([]), columns: [] } }),
      fault: changeResult("omitColumnsOfEmptyResult", /^SELECT id, v, n/, (result) => {
        const { schema: _schema, rows, ...rest } = result;
        return Array.isArray(rows) && rows.length === 0 ? rest : undefined;
      }),
    },
    typeConfused: {
      seen: having("named columns", { empty: confused([]), filled: confused([["1", 1]]) }),
      fault: tellAs("tellBigIntsAsInts", "BigInt", "Int"),
    },
    wrong: {
      seen: having("a sum", { empty: asked([["0"]]) }),
      fault: changeRows("returnZeroForNull", /^SELECT SUM\(n\)/, ([row]) => (row?.[0] === null ? [["0"]] : undefined)),
    },
  },
});
