import { changeRows, sendInstead } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { wideTableExact } from "./index.ts";

const tried = (name: string, said = yes()) => ({ case: name, role: "user", sql: "INSERT", said });
const refusal = no("SQL_EXECUTION_ERROR", "Inconsistent data length across values list", "rule");
const wrong = { row: 2, column: "c101", want: "2101", got: "2102", belongsTo: "c102 of row 2" };
const reading = (change: object = {}) => ({
  when: "read with *",
  compared: 90 as number | null,
  wrong: [] as (typeof wrong)[],
  wrongCount: 0,
  exchange: 4,
  ...change,
});
const table = (columns: number, change: object = {}) => ({
  columns,
  made: tried("CREATE TABLE"),
  written: ["in the order of the table", "in a shuffled order", "with parameters"].map((name) => tried(name)),
  arity: [tried("one value too few", refusal), tried("one value too many", refusal)],
  stored: 0 as number | null,
  unflushed: null as string | null,
  readings: [reading(), reading(), reading(), reading()],
  ...change,
});
const seen = (change: object) => ({ tables: [table(30), table(120, change)] });

/** Above a hundred columns, each column gets the value of the next one of its type. */
const swapBeyondAHundred: Fault = changeRows(
  "swapColumnsBeyondAHundred",
  /^SELECT .* FROM \S+\.wide_\d+ WHERE id < 90/,
  (rows, columns) => {
    if (columns.length <= 101) return undefined;
    const [one, other] = [columns.indexOf("c101"), columns.indexOf("c106")];
    return rows.map((row) =>
      row.map((cell, at) => (at === one ? (row[other] ?? null) : at === other ? (row[one] ?? null) : cell)),
    );
  },
);

export default proveCheck(wideTableExact, {
  holds: [seen({})],
  cannotTell: [
    { tables: [] },
    { tables: [table(30)] },
    seen({ made: tried("CREATE TABLE", no("X", "too many columns", "limit")) }),
    seen({ written: [] }),
    seen({ written: [tried("in a shuffled order", nothing())] }),
    seen({ arity: [] }),
    seen({ arity: [tried("one value too few", nothing()), tried("one value too many", refusal)] }),
    seen({ stored: null }),
    seen({ unflushed: "nothing was flushed" }),
    seen({ readings: [reading()] }),
    seen({ readings: [reading(), reading(), reading(), reading({ compared: null })] }),
  ],
  breaks: {
    swappedColumns: {
      seen: seen({ readings: [reading(), reading(), reading({ wrong: [wrong], wrongCount: 2 }), reading()] }),
      fault: swapBeyondAHundred,
    },
    wrongArityAccepted: {
      seen: seen({ arity: [tried("one value too few"), tried("one value too many", refusal)], stored: 1 }),
      // As a server that fills up what is left out.
      fault: sendInstead("fillUpWithNull", /^INSERT INTO \S+\.wide_\d+ .*VALUES \(91, /, (sql) =>
        sql.replace(/\)$/, ", NULL)"),
      ),
    },
  },
});

/** Further faults, by the finding that they must cause (faults.test.ts). */
export const alsoFound: Readonly<Record<string, readonly Fault[]>> = {
  swappedColumns: [
    // The column list is ignored: values go into the columns in the order of the table.
    sendInstead("ignoreTheColumnList", /^INSERT INTO \S+\.wide_\d+ \(.*, id\) VALUES \(.*, 2\)$/, (sql) => {
      const [, into = "", list = "", values = ""] = /^(INSERT INTO \S+) \((.*)\) VALUES \((.*)\)$/.exec(sql) ?? [];
      const names = list.split(", ");
      const texts = names.filter((name) => ["0", "3"].includes(String(Number(name.slice(1)) % 5)));
      const [one = "", other = ""] = texts;
      const swapped = names.map((name) => (name === one ? other : name === other ? one : name));
      return `${into} (${swapped.join(", ")}) VALUES (${values})`;
    }),
  ],
};
