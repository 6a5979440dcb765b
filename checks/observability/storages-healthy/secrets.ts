/** Secrets in clear text, recognised by the names of columns and JSON fields. */
import { type Json, parseExact } from "../../../src/wire/json.ts";

const secretName = /secret|password|token|private_?key|access_?key(?!_?id)|credential/i;
const masked = /^(|null|none|\(?(set|unset|hidden|redacted|masked)\)?|[*•]+|<[^>]*>|\[[^\]]*\])$/i;

/** Names of the columns and JSON fields of a row that contain a secret in clear text. */
export function secretsIn(row: Readonly<Record<string, Json>>): string[] {
  return Object.entries(row).flatMap(([column, cell]) => [...new Set(secretsUnder(column, parsed(cell)))]);
}

function secretsUnder(name: string, value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap((one: Json) => secretsUnder(name, one));
  if (typeof value === "object" && value !== null)
    return Object.entries(value).flatMap(([key, inner]: [string, Json]) => secretsUnder(key, inner));
  return secretName.test(name) && typeof value === "string" && !masked.test(value) ? [name] : [];
}

/** A column may hold JSON. */
function parsed(cell: Json): Json {
  if (typeof cell !== "string") return cell;
  try {
    return parseExact(cell);
  } catch {
    return cell;
  }
}
