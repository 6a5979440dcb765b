/** A value as it stands in a statement and as a parameter. */
import type { Json } from "../../src/wire/json.ts";

export interface Value {
  readonly literal: string;
  readonly param: Json;
}

export function text(value: string): Value {
  return { literal: quoted(value), param: value };
}

export function number(value: number): Value {
  return { literal: String(value), param: value };
}

/** As a literal of SQL. */
export function quoted(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
