import { dialect } from "../dialect.ts";
import { failed, invalid } from "./errors.ts";
import { valueOf, type Reader } from "./tokens.ts";

const isUnicode = dialect.names === "unicode";
const reservedNamespaces = new Set([
  "system",
  "default",
  "dba",
  "information_schema",
  "public",
  "kalam",
  ...(isUnicode ? ["sys", "root", "kalamdb", "main", "sql", "admin", "internal", "pg_catalog", "datafusion"] : []),
]);
const reservedColumns = new Set(["_seq", "_deleted", "_user"]);
/** All that 0.8 reserves: its grammar asks for quotes around the others. */
const keywordsOfUnicode = new Set(
  "table tables tablespace index view schema database insert update delete create drop alter".split(" "),
);
const keywords = new Set(
  (
    "all and any as asc between case cast check column constraint create cross current_date current_time " +
    "current_timestamp current_user default delete desc distinct drop else end except exists false fetch for foreign from " +
    "full grant group having in index inner insert intersect into is join left like limit natural not null offset on or " +
    "order outer primary references right select table then to true union unique update user using values when " +
    "where with"
  ).split(" "),
);
/** Bytes in 0.8. */
const nameCharsMax = 64;

/** What is wrong with a name, in lower case unless it was quoted; undefined if nothing. Tables and columns may have hyphens in 0.8. */
export function problemWith(name: string, of: "namespace" | "relation" = "relation"): string | undefined {
  if (/^\d/.test(name)) return "Name cannot start with a number";
  if (name.startsWith("_")) return "Name cannot start with underscore (reserved for system columns)";
  const length = isUnicode ? Buffer.byteLength(name) : name.length;
  if (length > nameCharsMax) return `Name is too long (${length} characters, max ${nameCharsMax})`;
  if (isUnicode) return problemInUnicode(name, of);
  if (!/^[a-z0-9_]+$/.test(name))
    return `Name '${name}' contains invalid characters (only alphanumeric and underscore allowed)`;
  if (keywords.has(name)) return `Name '${name}' is a reserved SQL keyword and cannot be used`;
  return undefined;
}

function problemInUnicode(name: string, of: "namespace" | "relation"): string | undefined {
  const allowed =
    of === "relation" ? /^[A-Za-z\u0080-\uffff][\w$\u0080-\uffff-]*$/ : /^[A-Za-z\u0080-\uffff][\w$\u0080-\uffff]*$/;
  if (!allowed.test(name)) return `Name '${name}' contains invalid characters`;
  return keywordsOfUnicode.has(name.toLowerCase())
    ? `Name '${name}' is a reserved SQL keyword and cannot be used`
    : undefined;
}

export function checkNamespaceName(name: string): void {
  if (reservedNamespaces.has(name.toLowerCase()) || /^(pg|kalam)_/.test(name))
    throw failed(`Namespace '${name}' is reserved and cannot be used`);
  const problem = problemWith(name, "namespace");
  if (problem !== undefined) throw failed(problem);
}

export function checkColumnName(name: string): void {
  // PostgreSQL's limit of 63 applies to columns.
  if (Buffer.byteLength(name) === nameCharsMax)
    throw failed(`Invalid operation: Invalid column name '${name}': Name is too long`);
  const problem = reservedColumns.has(name)
    ? `Column name '${name}' is reserved and cannot be used`
    : problemWith(name);
  if (problem !== undefined) throw failed(`Invalid operation: Invalid column name '${name}': ${problem}`);
}

export interface TableName {
  readonly namespace: string | undefined;
  readonly name: string;
}

/** `namespace.table` or `table`. `after` is the statement, for error messages. */
export function readTableName(reader: Reader, after: string): TableName {
  const first = readName(reader, after);
  if (reader.peek()?.text !== ".") return { namespace: undefined, name: first };
  reader.next();
  return { namespace: first, name: readName(reader, after) };
}

/** A name; lower-cased unless quoted. */
export function readName(reader: Reader, after: string): string {
  const token = reader.next();
  if (token === undefined) throw invalid(`Missing argument after ${after}`);
  if (token.kind === "quoted") return valueOf(token);
  if (token.kind !== "word")
    throw invalid(`sql parser error: Expected: identifier, found: ${token.text} after ${after}`);
  return token.text.toLowerCase();
}

export function refuseRest(reader: Reader, after: string): void {
  if (!reader.done) throw invalid(`Unexpected tokens after ${after}. Found: ${reader.rest()}`);
}
