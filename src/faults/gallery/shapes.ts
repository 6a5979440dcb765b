/** What the faults of the gallery go by: the shape of a statement and of its answer, never the name of a check's table. */
import { cellText, isRecord, type Json } from "../../wire/json.ts";
import type { Said } from "../sql.ts";

export type Cells = readonly (readonly Json[])[];
type Body = { readonly [key: string]: Json };

/** Of a table of somebody's own, not of the catalogue. */
export const ownSelect = /^SELECT (?!.*\b(system|information_schema)\.).*\bFROM\s+[\w"]+\./is;

/** The rows of the first result of an answer; undefined if it has none. */
export function rowsIn(said: Said | undefined): Cells | undefined {
  const first = firstResult(said);
  return first !== undefined && Array.isArray(first["rows"]) ? (first["rows"] as Cells) : undefined;
}

function firstResult(said: Said | undefined): Body | undefined {
  const results = said !== undefined && isRecord(said.body) ? said.body["results"] : undefined;
  const first = Array.isArray(results) ? (results[0] as Json) : undefined;
  return isRecord(first) ? first : undefined;
}

/** How many rows a statement reports as changed; 0 if it reports none. */
export function countIn(said: Said | undefined): number {
  const count = firstResult(said)?.["row_count"];
  return typeof count === "number" ? count : 0;
}

/** The message of an error; undefined for an answer that reports none. */
export function errorIn(said: Said | undefined): string | undefined {
  const error = said !== undefined && isRecord(said.body) ? said.body["error"] : undefined;
  return isRecord(error) ? cellText(error["message"]) : undefined;
}

/** An acknowledged statement without rows. */
export function acknowledged(rowCount: number, message: string): Said {
  return { status: 200, body: { status: "success", results: [{ row_count: rowCount, message }], took: 1 } };
}

/** Every text in a value, changed. */
export function mapTexts(value: Json, change: (text: string) => string): Json {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return (value as readonly Json[]).map((one) => mapTexts(one, change));
  return value;
}
