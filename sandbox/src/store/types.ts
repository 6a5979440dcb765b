/** KalamDB's name for a type, as in a result's schema. */
export type DataType = string | { readonly Decimal: { readonly precision: number; readonly scale: number } };

/** A column as stored in `system.schemas`. */
export interface Column {
  readonly column_id: number;
  readonly column_name: string;
  readonly column_comment: string | null;
  readonly data_type: DataType;
  readonly default_value:
    | "None"
    | { readonly Literal: unknown }
    | { readonly FunctionCall: { readonly name: string; readonly args: readonly [] } };
  readonly ordinal_position: number;
  readonly is_nullable: boolean;
  readonly is_primary_key: boolean;
  readonly is_partition_key: boolean;
}

/** Each type in SQL, in KalamDB and in PostgreSQL, with its aliases. */
export const types: readonly (readonly [sql: string, kalam: string, postgres: string, alias: string])[] = [
  ["BOOLEAN", "Boolean", "bool", "BOOL"],
  ["SMALLINT", "SmallInt", "int2", "INT2"],
  ["INT", "Int", "int4", "INTEGER INT4"],
  ["BIGINT", "BigInt", "int8", "INT8"],
  ["FLOAT", "Float", "float4", "REAL FLOAT4"],
  ["DOUBLE", "Double", "float8", "FLOAT8"],
  ["DECIMAL", "Decimal", "numeric", "NUMERIC"],
  ["TEXT", "Text", "text", "STRING VARCHAR CHAR"],
  // Text, as in KalamDB: it is compared and searched as text, and keeps its formatting.
  ["JSON", "Json", "text", "JSONB"],
  ["BYTES", "Bytes", "bytea", "BYTEA BINARY VARBINARY"],
  ["UUID", "Uuid", "uuid", ""],
  // timestamptz, so that an offset in the literal is applied.
  ["TIMESTAMP", "Timestamp", "timestamptz", ""],
  ["DATETIME", "DateTime", "timestamptz", "TIMESTAMPTZ"],
  ["DATE", "Date", "date", ""],
  ["TIME", "Time", "time", ""],
];

/** The type with that name in SQL; undefined if there is none. */
export function typeNamed(word: string, args: readonly number[]): DataType | undefined {
  const found = types.find(([sql, , , aliases]) => word !== "" && [sql, ...aliases.split(" ")].includes(word));
  if (found === undefined) return undefined;
  if (found[1] !== "Decimal") return found[1];
  return { Decimal: { precision: args[0] ?? 38, scale: args[1] ?? 10 } };
}

export function sqlType(type: DataType): string {
  if (typeof type !== "string") return `DECIMAL(${type.Decimal.precision}, ${type.Decimal.scale})`;
  return types.find(([, kalam]) => kalam === type)?.[0] ?? type.toUpperCase();
}

export function postgresType(type: DataType): string {
  if (typeof type !== "string") return `numeric(${type.Decimal.precision},${type.Decimal.scale})`;
  return types.find(([, kalam]) => kalam === type)?.[2] ?? "text";
}

/** The CHECK of this type: JSON must be valid, and values without a wire format, such as infinity, are rejected. */
export function readable(type: DataType, column: string): string {
  if (type === "Json") return ` CHECK (${column} IS JSON)`;
  if (type === "Float" || type === "Double") return ` CHECK (${column} > '-Infinity' AND ${column} < 'Infinity')`;
  if (typeof type !== "string") return ` CHECK (${column} <> 'NaN')`;
  if (type !== "Timestamp" && type !== "DateTime" && type !== "Date") return "";
  return ` CHECK (${column} >= '0001-01-01' AND ${column} < '10000-01-01')`;
}

export function columnOf(
  position: number,
  name: string,
  sql: string,
  more: { readonly nullable: boolean; readonly primaryKey: boolean },
): Column {
  return {
    column_id: position,
    column_name: name,
    column_comment: null,
    data_type: typeNamed(sql, []) ?? "Text",
    default_value: "None",
    ordinal_position: position,
    is_nullable: more.nullable,
    is_primary_key: more.primaryKey,
    is_partition_key: false,
  };
}

/** KalamDB's type for each PostgreSQL type OID; any other is text. */
const kalamTypes: Readonly<Record<number, string>> = {
  16: "Boolean",
  17: "Bytes",
  20: "BigInt",
  21: "SmallInt",
  23: "Int",
  26: "BigInt",
  114: "Json",
  700: "Float",
  701: "Double",
  1082: "Date",
  1083: "Time",
  1114: "Timestamp",
  1184: "Timestamp",
  1700: "Decimal",
  2950: "Uuid",
  3802: "Json",
};

export function dataType(oid: number, modifier: number): DataType {
  const name = kalamTypes[oid] ?? "Text";
  if (name !== "Decimal") return name;
  const packed = modifier < 4 ? undefined : modifier - 4;
  return {
    Decimal: {
      precision: packed === undefined ? 38 : packed >> 16,
      scale: packed === undefined ? 10 : packed & 0xffff,
    },
  };
}

/** The unit of timestamps: microseconds for columns, milliseconds for most system views, nanoseconds for expressions. */
export type Unit = "ms" | "us" | "ns";

/**
 * Converts PostgreSQL text to JSON text, directly, because a JavaScript number cannot hold a 64-bit integer, a DECIMAL or a
 * timestamp in nanoseconds.
 */
export function toJson(text: string | null, type: DataType, unit: Unit): string {
  if (text === null) return "null";
  switch (type) {
    case "Boolean":
      return text === "t" ? "true" : "false";
    case "SmallInt":
    case "Int":
      return text;
    case "Float":
    case "Double":
      return /\d/.test(text) ? text : JSON.stringify(text);
    case "Bytes":
      return `[${Buffer.from(text.slice(2), "hex").join(",")}]`;
    case "Date":
      return fromEpoch(`${text} 00:00:00`, text, (micros) => micros / 86_400_000_000n);
    case "Time":
      return fromEpoch(`1970-01-01 ${text}`, text, (micros) => micros);
    case "Timestamp":
    case "DateTime":
      return fromEpoch(text, text, (micros) =>
        unit === "ns" ? micros * 1000n : unit === "ms" ? micros / 1000n : micros,
      );
    default:
      return JSON.stringify(text);
  }
}

/** Microseconds since 1970 of `2026-01-02 03:04:05.123456+00`, converted by `convert`; unparsable values stay text. */
function fromEpoch(iso: string, text: string, convert: (micros: bigint) => bigint): string {
  const [, date = "", time = "", fraction = ""] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?/.exec(iso) ?? [];
  const millis = Date.parse(`${date}T${time}Z`);
  if (Number.isNaN(millis) || iso.endsWith("BC")) return JSON.stringify(text);
  return String(convert(BigInt(millis) * 1000n + BigInt(fraction.padEnd(6, "0"))));
}
