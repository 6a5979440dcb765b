/** A table with many columns of several types, and a value for each row and column that no other has. */
import type { Json } from "../../../src/wire/json.ts";
import { quoted } from "../../vocabulary/values.ts";

export interface Column {
  readonly name: string;
  readonly type: string;
}

const types = ["TEXT", "BIGINT", "INT", "TEXT", "DOUBLE"] as const;

export function columnsOf(count: number): Column[] {
  return Array.from({ length: count }, (_, at) => ({
    name: `c${String(at).padStart(3, "0")}`,
    type: types[at % types.length] ?? "TEXT",
  }));
}

/** As text. Values of one type differ by row and column, so that a value shows where it belongs. */
export function valueOf({ name, type }: Column, row: number): string {
  const number = Number(name.slice(1)) + 1_000 * row;
  return type === "TEXT" ? `${name} of row ${row}, it's` : type === "DOUBLE" ? `${number}.5` : String(number);
}

export function literalOf(column: Column, row: number): string {
  const value = valueOf(column, row);
  return column.type === "TEXT" ? quoted(value) : value;
}

export function parameterOf(column: Column, row: number): Json {
  const value = valueOf(column, row);
  return column.type === "TEXT" ? value : Number(value);
}

/** Fisher and Yates. */
export function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const result = [...list];
  for (let at = result.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    const [one, two] = [result[at] as T, result[other] as T];
    result[at] = two;
    result[other] = one;
  }
  return result;
}
