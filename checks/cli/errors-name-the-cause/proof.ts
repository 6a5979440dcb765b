import { rewordRefusal } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { errorsNameTheCause } from "./index.ts";

const texts: Readonly<Record<string, string>> = {
  "missing table": "table 'kalam.kr.absent_table' not found",
  "missing table to insert into": "table 'kalam.kr.absent_table' not found",
  "missing table to drop": "Table 'absent_table' not found",
  "missing column": "No field named absent_column",
  "missing column to set": "Column 'absent_column' does not exist",
  "missing column to fill": "Column 'absent_column' does not exist",
  "missing namespace": "Namespace 'kr_absent' does not exist",
  "missing namespace to drop": "Namespace 'kr_absent' not found",
  "missing function": "Invalid function 'absent_function'",
  "missing user": "User 'kr_absent' not found",
  "existing table": "Table kr.t already exists",
  "existing key": "value '1' already exists in column 'id'",
  NULL: "column 'v' cannot be NULL",
  "wrong type": "Cannot cast string 'abc'",
  syntax: "Expected: end of statement, found: kr at Line: 1, Column: 16",
  "open string": "Unterminated string literal",
  "open parenthesis": "Expected: ), found: EOF",
  "no statement": "found: SELEKT",
  "no right to a view": "Permission denied",
  "no right to make users": "Admin privileges required",
};
const tried = Object.entries(texts).map(([name, message]) => ({
  case: name,
  sql: "…",
  said: no("SQL_EXECUTION_ERROR", message, "missing"),
}));
const sound = { tried, control: yes() };
const having = (name: string, said: object) => ({
  ...sound,
  tried: tried.map((one) => (one.case === name ? { ...one, said: { ...one.said, ...said } } : one)),
});

export default proveCheck(errorsNameTheCause, {
  holds: [sound],
  cannotTell: [
    { ...sound, tried: [] },
    { ...sound, tried: tried.slice(1) },
    { ...sound, control: nothing() },
    having("syntax", yes()),
    having("syntax", nothing()),
    having("missing table", no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429)),
  ],
  breaks: {
    unclear: {
      seen: having("missing column", { message: "SQL statement failed" }),
      fault: rewordRefusal("omitCause", /absent_column/, () => "SQL statement failed"),
    },
  },
});
