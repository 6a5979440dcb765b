import { createHash } from "node:crypto";
import type { Engine } from "./engine.ts";
import type { Role } from "./roles.ts";
import type { Column, DataType, Unit } from "./types.ts";
import { systemViews } from "./views.ts";

export interface Table {
  readonly namespace: string;
  readonly name: string;
  readonly type: "user" | "shared" | "stream" | "system";
  readonly access: "public" | "private" | "restricted" | "dba" | null;
  readonly version: number;
  readonly options: Readonly<Record<string, unknown>>;
  readonly columns: readonly Column[];
}

/** What a result's schema says about a column read from a table. */
export interface Origin {
  readonly flags: readonly ("pk" | "nn" | "uq")[];
  readonly type: DataType;
  readonly unit: Unit;
}

export function originOf(column: Column): Origin {
  const flags = column.is_primary_key ? (["pk", "nn", "uq"] as const) : column.is_nullable ? [] : (["nn"] as const);
  return { flags, type: column.data_type, unit: "us" };
}

export const id = (table: { readonly namespace: string; readonly name: string }): string =>
  `${table.namespace}.${table.name}`;
export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** The stored table; its name is a hash, because PostgreSQL limits names to 63 bytes. */
export const rowsOf = (table: Pick<Table, "namespace" | "name">): string =>
  `kalam_rows.t_${createHash("md5").update(id(table)).digest("hex")}`;

/** PostgreSQL's parser truncates names, so tables are looked up by the truncated ones. */
const cut = (name: string): string => name.slice(0, 63);
const keyOf = (namespace: string, name: string): string => `${cut(namespace)}.${cut(name)}`;

/** All tables, namespaces and roles, in memory. Only the sandbox's own statements change them, and reload it. */
export class Catalogue {
  readonly #engine: Engine;
  #namespaces = new Set<string>();
  #tables = new Map<string, Table>();
  /** By relation, loaded on first use: few are needed between two reloads. */
  #origins = new Map<number, ReadonlyMap<number, Origin>>();
  #roles = new Map<string, Role>();

  constructor(engine: Engine) {
    this.#engine = engine;
    this.reload();
  }

  reload(): void {
    this.#namespaces = new Set(
      this.#engine.query("SELECT name FROM kalam.namespaces").map(([name]) => cut(name ?? "")),
    );
    const accounts = this.#engine.query("SELECT user_id, role FROM system.users WHERE deleted_at IS NULL");
    this.#roles = new Map(accounts.map(([user, role]) => [user ?? "", role as Role]));
    this.#tables = new Map();
    const latest = this.#engine.query(
      "SELECT namespace_id, table_name, table_type, access_level, schema_version, options, columns FROM system.schemas WHERE is_latest",
    );
    for (const [namespace, name, type, access, version, options, columns] of latest) {
      const table: Table = {
        namespace: namespace ?? "",
        name: name ?? "",
        type: type as Table["type"],
        access: access as Table["access"],
        version: Number(version),
        options: JSON.parse(options ?? "{}") as Table["options"],
        columns: JSON.parse(columns ?? "[]") as Column[],
      };
      this.#tables.set(keyOf(table.namespace, table.name), table);
    }
    this.#origins = new Map();
  }

  /** The current role of an account that was not dropped, whatever its token says. */
  roleOf(user: string): Role | undefined {
    return this.#roles.get(user);
  }

  hasNamespace(name: string): boolean {
    return this.#namespaces.has(cut(name));
  }

  table(namespace: string, name: string): Table | undefined {
    return this.#tables.get(keyOf(namespace, name));
  }

  tables(namespace?: string): readonly Table[] {
    return [...this.#tables.values()].filter((table) => namespace === undefined || table.namespace === namespace);
  }

  origin(relation: number, column: number): Origin | undefined {
    let origins = this.#origins.get(relation);
    if (origins === undefined) this.#origins.set(relation, (origins = this.#originsOf(relation)));
    return origins.get(column);
  }

  #originsOf(relation: number): Map<number, Origin> {
    const origins = new Map<number, Origin>();
    const attributes = this.#engine.query(
      `SELECT attnum, nspname, relname, attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
       JOIN pg_namespace n ON n.oid = relnamespace WHERE attrelid = ${relation} AND attnum > 0
       AND (nspname = 'system' OR nspname IN (SELECT name FROM kalam.namespaces))`,
    );
    for (const [number, namespace, table, column] of attributes) {
      const found = this.table(namespace ?? "", table ?? "")?.columns.find((c) => c.column_name === column);
      if (found === undefined) continue;
      const viewColumn = systemViews[namespace === "system" ? (table ?? "") : ""]?.columns.find(
        (c) => c.column_name === column,
      );
      origins.set(Number(number), { ...originOf(found), unit: viewColumn?.milliseconds === true ? "ms" : "us" });
    }
    return origins;
  }
}
