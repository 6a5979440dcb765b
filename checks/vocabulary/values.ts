/** A value as an SQL literal and as a parameter. */
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

/** An SQL string literal. */
export function quoted(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
