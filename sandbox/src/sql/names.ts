import { failed, invalid } from "./errors.ts";
import { valueOf, type Reader } from "./tokens.ts";

const reservedNamespaces = new Set(["system", "default", "dba", "information_schema", "public", "kalam"]);
const reservedColumns = new Set(["_seq", "_deleted", "_user"]);
const keywords = new Set(
  (
    "all and any as asc between case cast check column constraint create cross current_date current_time " +
    "current_timestamp current_user default delete desc distinct drop else end except exists false fetch for foreign from " +
    "full grant group having in index inner insert intersect into is join left like limit natural not null offset on or " +
    "order outer primary references right select table then to true union unique update user using values when " +
    "where with"
  ).split(" "),
);
const nameCharsMax = 64;

/** What is wrong with a lower-cased name; undefined if nothing. */
export function problemWith(name: string): string | undefined {
  if (/^\d/.test(name)) return "Name cannot start with a number";
  if (name.startsWith("_")) return "Name cannot start with underscore (reserved for system columns)";
  if (name.length > nameCharsMax) return `Name is too long (${name.length} characters, max ${nameCharsMax})`;
  if (!/^[a-z0-9_]+$/.test(name))
    return `Name '${name}' contains invalid characters (only alphanumeric and underscore allowed)`;
  if (keywords.has(name)) return `Name '${name}' is a reserved SQL keyword and cannot be used`;
  return undefined;
}

export function checkNamespaceName(name: string): void {
  if (reservedNamespaces.has(name) || /^(pg|kalam)_/.test(name))
    throw failed(`Namespace '${name}' is reserved and cannot be used`);
  const problem = problemWith(name);
  if (problem !== undefined) throw failed(problem);
}

export function checkColumnName(name: string): void {
  // PostgreSQL's limit of 63 applies to columns.
  if (name.length === nameCharsMax) throw failed(`Invalid operation: Invalid column name '${name}': Name is too long`);
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
