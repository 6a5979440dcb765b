import { dialect } from "../dialect.ts";
import type { SocketFigures } from "../live/notices.ts";
import type { LiveQueries } from "../live/queries.ts";
import type { WireSession } from "../postgres/sessions.ts";
import type { Settings } from "../settings.ts";
import { originOf, type Catalogue, type Origin, type Table } from "../store/catalogue.ts";
import type { Engine, Rows } from "../store/engine.ts";
import type { Jobs } from "../store/jobs.ts";
import type { Account } from "../store/roles.ts";
import type { Topics } from "../topics/topics.ts";
import { dataType, toJson, type DataType } from "../store/types.ts";
import type { Output } from "./rewrite.ts";

/** The context of one request's statements. */
export interface Session {
  readonly engine: Engine;
  readonly catalogue: Catalogue;
  readonly jobs: Jobs;
  readonly live: LiveQueries;
  readonly topics: Topics;
  readonly sockets: SocketFigures;
  readonly wireSessions: readonly WireSession[];
  readonly settings: Settings;
  readonly account: Account;
  readonly address: string;
  /** The namespace of unqualified tables. */
  readonly namespace: string;
  /** The id of the open transaction. */
  transaction: string | undefined;
}

/** The outcome of one statement. */
export type Outcome =
  | {
      readonly kind: "rows";
      readonly schema: readonly SchemaColumn[];
      readonly rows: readonly string[];
      readonly message?: string;
    }
  | { readonly kind: "wrote"; readonly verb: "Inserted" | "Updated" | "Deleted"; readonly count: number }
  | { readonly kind: "done"; readonly message: string };

interface SchemaColumn {
  readonly name: string;
  readonly data_type: DataType;
  readonly flags?: readonly string[];
}

/** Rows made by the sandbox; columns are `name:Type`, with `!` for NOT NULL and `*` for a part of the key. */
export const answer = (columns: string, rows: readonly (readonly unknown[])[]): Outcome => ({
  kind: "rows",
  schema: columns.split(" ").map(column),
  rows: rows.map((row) => JSON.stringify(row)),
});

function column(text: string): SchemaColumn {
  const [name = "", type = ""] = text.split(":");
  const flags = { "!": ["nn"], "*": ["pk", "nn", "uq"] }[type.slice(-1)];
  return flags === undefined ? { name, data_type: type } : { name, data_type: type.slice(0, -1), flags };
}

export const done = (message: string): Outcome => ({ kind: "done", message });

/** Rows in wire format. Flags and units of columns come from the catalogue; expressions have none. */
export function present(
  { fields, rows }: Rows,
  catalogue: Catalogue,
  outputs: readonly Output[] = [],
  tables: readonly Table[] = [],
): Outcome {
  const shown = fields.map((field, index) => {
    const output = outputs[index];
    const origin = catalogue.origin(field.tableID, field.columnID) ?? originByName(field.name, output, tables);
    return {
      name: output?.name ?? field.name,
      type: origin?.type ?? dataType(field.dataTypeID, field.dataTypeModifier),
      unit: dialect.microseconds ? "us" : (origin?.unit ?? (output?.constant === true ? "ns" : "us")),
      flags: origin?.flags ?? [],
    };
  });
  return {
    kind: "rows",
    schema: shown.map(({ name, type, flags }) =>
      flags.length > 0 ? { name, data_type: type, flags } : { name, data_type: type },
    ),
    rows: rows.map(
      (row) => `[${row.map((cell, i) => toJson(cell, shown[i]?.type ?? "Text", shown[i]?.unit ?? "us")).join(",")}]`,
    ),
  };
}

/** PostgreSQL gives no origin for the columns of a UNION; KalamDB uses the flags of its first branch. */
function originByName(field: string, output: Output | undefined, tables: readonly Table[]): Origin | undefined {
  if (output?.column !== field) return undefined;
  const found = tables[0]?.columns.find(({ column_name: name }) => name === field);
  return found === undefined ? undefined : originOf(found);
}
