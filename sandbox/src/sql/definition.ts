import { dialect } from "../dialect.ts";
import { columnOf, typeNamed, type Column } from "../store/types.ts";
import { invalid } from "./errors.ts";
import { readName, readTableName, refuseRest, type TableName } from "./names.ts";
import { valueOf, type Reader } from "./tokens.ts";

export type TableType = "user" | "shared" | "stream";

export interface Definition {
  readonly table: TableName;
  readonly ifNotExists: boolean;
  readonly type: TableType;
  readonly columns: readonly Column[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly access: string | null;
  readonly storage: string;
}

const bad = (what: string): Error => invalid(`Invalid CREATE TABLE statement: ${what}`);

/** Reads what follows `CREATE [USER|SHARED|STREAM] TABLE`. */
export function readDefinition(reader: Reader, typeWord: string | undefined): Definition {
  const ifNotExists = reader.accept("IF NOT EXISTS");
  if (reader.peek()?.kind !== "word" && reader.peek()?.kind !== "quoted") {
    throw bad(`sql parser error: Expected: identifier, found: ${reader.peek()?.text ?? "EOF"}`);
  }
  const table = readTableName(reader, "CREATE TABLE");
  const columns = readColumns(reader);
  const given = reader.accept("WITH") ? readOptions(reader) : new Map<string, string>();
  refuseRest(reader, "CREATE TABLE");
  return { table, ifNotExists, columns, ...readMeaning(given, typeWord) };
}

function readColumns(reader: Reader): Column[] {
  if (reader.next()?.text !== "(") throw bad("Table must have at least one column");
  const columns: Column[] = [];
  const written: string[] = [];
  const keys: string[] = [];
  do {
    if (reader.accept("PRIMARY KEY")) keys.push(...readNames(reader));
    else if (reader.peek()?.text !== ")") {
      written.push(reader.peek()?.text ?? "");
      columns.push(readColumn(reader, columns.length + 1));
    }
  } while (take(reader, ","));
  if (!take(reader, ")")) throw bad(`sql parser error: Expected: ',' or ')', found: ${reader.peek()?.text ?? "EOF"}`);
  if (columns.length === 0) throw bad("Table must have at least one column");
  if (keys.length > 1) throw bad("Composite PRIMARY KEYs are not supported yet");
  keys.push(...columns.filter((column) => column.is_primary_key).map((column) => column.column_name));
  if (keys.length > 1) throw bad("Multiple PRIMARY KEY definitions found");
  const names = columns.map((column) => column.column_name);
  const twice = names.findIndex((name, index) => names.indexOf(name) < index);
  if (twice >= 0) throw bad(`Duplicate column name '${written[twice] ?? ""}'. Column names are case-insensitive.`);
  const asKey = (column: Column): Column => ({ ...column, is_primary_key: true, is_nullable: false });
  return columns.map((column) => (column.column_name === keys[0] ? asKey(column) : column));
}

/** `name type [NOT NULL] [PRIMARY KEY] [DEFAULT …]`, as in CREATE TABLE and ADD COLUMN. */
export function readColumn(reader: Reader, position: number): Column {
  const name = readName(reader, "CREATE TABLE");
  const word = reader.next()?.word ?? "";
  if (word === "DOUBLE") reader.accept("PRECISION");
  const type = typeNamed(word, take(reader, "(") ? readNumbers(reader) : []);
  if (type === undefined) throw bad(`Unsupported custom data type '${word.toLowerCase()}'`);
  let [nullable, primaryKey] = [true, false];
  let fallback: Column["default_value"] = "None";
  for (;;) {
    if (reader.accept("NOT NULL")) nullable = false;
    else if (reader.accept("PRIMARY KEY")) [nullable, primaryKey] = [false, true];
    else if (reader.accept("DEFAULT")) fallback = readDefault(reader);
    else if (!reader.accept("NULL")) break;
  }
  return { ...columnOf(position, name, "", { nullable, primaryKey }), data_type: type, default_value: fallback };
}

const defaultFunctions = new Set(["SNOWFLAKE_ID", "UUID_V7", "ULID", "NOW", "CURRENT_TIMESTAMP", "CURRENT_USER"]);

function readDefault(reader: Reader): Column["default_value"] {
  const token = reader.next();
  const word = token?.word ?? "";
  if (defaultFunctions.has(word)) {
    if (take(reader, "(") && !take(reader, ")")) throw bad(`${word} takes no arguments`);
    return { FunctionCall: { name: word, args: [] } };
  }
  if (word === "NULL") return "None";
  if (word === "TRUE" || word === "FALSE") return { Literal: word === "TRUE" };
  if (token?.kind === "string") return { Literal: valueOf(token) };
  const sign = token?.text === "-" ? "-" : "";
  const number = sign === "" ? token : reader.next();
  // As text if a JavaScript number would round it.
  if (number?.kind === "number")
    return { Literal: number.text.length > 15 ? sign + number.text : Number(sign + number.text) };
  throw bad(`Unsupported DEFAULT ${token?.text ?? ""}`);
}

function readNumbers(reader: Reader): number[] {
  const numbers: number[] = [];
  do numbers.push(Number(reader.next()?.text));
  while (take(reader, ","));
  if (!take(reader, ")") || numbers.some((n) => !Number.isInteger(n)))
    throw bad("sql parser error: Expected: a whole number");
  return numbers;
}

function readNames(reader: Reader): string[] {
  const names: string[] = [];
  if (!take(reader, "(")) throw bad("sql parser error: Expected: (");
  do names.push(readName(reader, "PRIMARY KEY"));
  while (take(reader, ","));
  if (!take(reader, ")")) throw bad("sql parser error: Expected: )");
  return names;
}

/** `(NAME = value, …)`: names in upper case, values as text with their sign. */
export function readOptions(reader: Reader): Map<string, string> {
  const options = new Map<string, string>();
  if (!take(reader, "(")) throw bad("sql parser error: Expected: ( after WITH");
  do {
    const name = reader.next()?.word ?? "";
    if (!take(reader, "=")) throw bad(`sql parser error: Expected: = after ${name}`);
    const sign = take(reader, "-") ? "-" : "";
    const value = reader.next();
    if (value === undefined) throw bad(`sql parser error: Expected: a value for ${name}`);
    options.set(name, sign + valueOf(value));
  } while (take(reader, ","));
  if (!take(reader, ")")) throw bad("sql parser error: Expected: )");
  return options;
}

function take(reader: Reader, symbol: string): boolean {
  const token = reader.peek();
  if (token?.kind !== "symbol" || token.text !== symbol) return false;
  reader.next();
  return true;
}

const tableOptions = new Set([
  "TYPE",
  "FLUSH_POLICY",
  "TTL_SECONDS",
  "STORAGE_ID",
  "USE_USER_STORAGE",
  "COMPRESSION",
  ...(dialect.sharedAccess === "levels" ? ["ACCESS_LEVEL"] : []),
]);

function readMeaning(
  given: ReadonlyMap<string, string>,
  typeWord = "SHARED",
): Pick<Definition, "type" | "options" | "access" | "storage"> {
  const unknown = [...given.keys()].find((name) => !tableOptions.has(name));
  if (unknown !== undefined) throw bad(`Unknown table option '${unknown}'`);
  const written = given.get("TYPE") ?? typeWord;
  if (!/^(USER|SHARED|STREAM)$/i.test(written))
    throw bad(`Invalid TYPE option '${written}'. Supported: USER, SHARED, STREAM`);
  const type = written.toLowerCase() as TableType;
  const flush = given.has("FLUSH_POLICY") ? flushPolicy(given.get("FLUSH_POLICY") ?? "") : null;
  const ttl = given.get("TTL_SECONDS");
  const seconds = Number(ttl ?? dialect.streamTtlSeconds);
  // A TTL of 0 would expire every row immediately.
  if (ttl !== undefined && !(/^\d+$/.test(ttl) && seconds > 0 && seconds <= 0xffff_ffff))
    throw bad("Invalid TTL_SECONDS");
  if (type === "stream" && ttl === undefined && dialect.streamTtlSeconds === undefined)
    throw bad("STREAM tables must specify 'TTL_SECONDS'");
  if (type !== "stream" && ttl !== undefined) throw bad("TTL_SECONDS is only supported for STREAM tables");
  const access = accessLevel(given.get("ACCESS_LEVEL") ?? "PRIVATE");
  if (access === undefined) {
    throw bad(`Invalid ACCESS_LEVEL '${given.get("ACCESS_LEVEL") ?? ""}'. Supported: PUBLIC, PRIVATE, RESTRICTED, DBA`);
  }
  const storage = given.get("STORAGE_ID") ?? "local";
  const byLevel = dialect.sharedAccess === "levels";
  const own = {
    user: { table_type: "USER", storage_id: storage, use_user_storage: false, flush_policy: flush },
    shared: {
      table_type: "SHARED",
      storage_id: storage,
      ...(byLevel ? { access_level: access } : {}),
      flush_policy: flush,
    },
    stream: { table_type: "STREAM", ttl_seconds: seconds, eviction_strategy: "time_based", max_stream_size_bytes: 0 },
  };
  const options = { ...own[type], compression: "snappy" };
  return { type, storage, options, access: byLevel && type === "shared" ? access.toLowerCase() : null };
}

/** The level as spelled in a table's options; undefined if unknown. */
export const accessLevel = (word: string): string | undefined =>
  ["Public", "Private", "Restricted", "Dba"].find((level) => level.toLowerCase() === word.toLowerCase());

function flushPolicy(text: string): Readonly<Record<string, unknown>> {
  let [rows, seconds] = [0, 0];
  for (const part of text.split(",")) {
    const [key = "", value] = part.split(":").map((piece) => piece.trim());
    if (value === undefined) throw bad(`Invalid FLUSH_POLICY format '${text}'. Expected 'key:value'`);
    if (key !== "rows" && key !== "interval") throw bad(`Unknown FLUSH_POLICY key '${key}'`);
    const number = /^\d+$/.test(value) ? Number(value) : NaN;
    if (!(number <= 0xffff_ffff)) throw bad(`Invalid ${key === "rows" ? "row limit" : "interval"} in FLUSH_POLICY`);
    if (key === "rows") rows = number;
    else seconds = number;
  }
  if (rows > 0 && seconds > 0) return { type: "combined", row_limit: rows, interval_seconds: seconds };
  if (rows > 0) return { type: "row_limit", row_limit: rows };
  if (seconds > 0) return { type: "time_interval", interval_seconds: seconds };
  throw bad("FLUSH_POLICY must specify 'rows' or 'interval' > 0");
}
