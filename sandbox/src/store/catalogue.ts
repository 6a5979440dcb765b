import { createHash } from "node:crypto";
import { dialect } from "../dialect.ts";
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

/** One of the permissive policies of a shared table; PostgreSQL has its conditions. */
export interface Policy {
  readonly name: string;
  readonly command: "all" | "select" | "insert" | "update" | "delete";
  readonly roles: readonly Role[];
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

/** The view for INSERT … ON CONFLICT: it shows the owner of each row, too. */
export const upsertView = (table: Pick<Table, "namespace" | "name">): string =>
  rowsOf(table).replace("kalam_rows.", "kalam_upsert.");

/** How the stored table has a column of the view: the version of a row and its time are one number there. */
export const storedAs = (name: string): string =>
  ({ _version: `"_seq"::text`, _timestamp: `kalam.moment_of("_seq")` })[name] ?? quote(name);

/** PostgreSQL's parser truncates names, so tables are looked up by the truncated ones. */
const cut = (name: string): string =>
  Buffer.byteLength(name) < 64
    ? name
    : Buffer.from(name)
        .subarray(0, 63)
        .toString()
        .replace(/\uFFFD+$/, "");
const keyOf = (namespace: string, name: string): string => `${cut(namespace)}.${cut(name)}`;

/** All tables, namespaces and roles, in memory. Only the sandbox's own statements change them, and reload it. */
export class Catalogue {
  readonly #engine: Engine;
  /** The system's own tables, which never change: most of all columns. */
  readonly #system: readonly Table[];
  #namespaces = new Set<string>();
  #tables = new Map<string, Table>();
  /** By relation, loaded on first use. A view whose columns change is a new relation, so what is known of one stays true. */
  readonly #origins = new Map<number, ReadonlyMap<number, Origin>>();
  #roles = new Map<string, Role>();
  #policies = new Map<string, Policy[]>();

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#system = this.#latest("=");
    this.reload();
  }

  reload(): void {
    this.reloadAccounts();
    this.reloadTables();
  }

  reloadAccounts(): void {
    const { rows: accounts } = this.#engine.run({
      text: "SELECT user_id, role FROM system.users WHERE deleted_at IS NULL",
      prepared: true,
    });
    this.#roles = new Map(accounts.map(([user, role]) => [user ?? "", role as Role]));
  }

  #latest(is: "=" | "<>"): Table[] {
    const { rows } = this.#engine.run({
      text: `SELECT namespace_id, table_name, table_type, access_level, schema_version, options, columns
        FROM system.schemas WHERE is_latest AND table_type ${is} 'system'`,
      prepared: true,
    });
    return rows.map(([namespace, name, type, access, version, options, columns]) => ({
      namespace: namespace ?? "",
      name: name ?? "",
      type: type as Table["type"],
      access: access as Table["access"],
      version: Number(version),
      options: JSON.parse(options ?? "{}") as Table["options"],
      columns: JSON.parse(columns ?? "[]") as Column[],
    }));
  }

  /** Namespaces, their tables and policies. */
  reloadTables(): void {
    const { rows: names } = this.#engine.run({ text: "SELECT name FROM kalam.namespaces", prepared: true });
    this.#namespaces = new Set(names.map(([name]) => cut(name ?? "")));
    const tables = [...this.#system, ...this.#latest("<>")];
    this.#tables = new Map(tables.map((table) => [keyOf(table.namespace, table.name), table]));
    // Of a relation without columns of ours a table may have been made since.
    for (const [relation, origins] of this.#origins) if (origins.size === 0) this.#origins.delete(relation);
    this.#policies = new Map();
    if (dialect.sharedAccess === "policies") this.#loadPolicies();
  }

  #loadPolicies(): void {
    const rows = this.#engine.query("SELECT table_id, policy_name, command, targets FROM system.table_policies");
    for (const [table = "", name, command, targets] of rows) {
      const roles = JSON.parse(targets ?? "[]") as Role[];
      const policy = { name: name ?? "", command: command as Policy["command"], roles };
      this.#policies.set(table ?? "", [...(this.#policies.get(table ?? "") ?? []), policy]);
    }
  }

  policiesOf(table: Pick<Table, "namespace" | "name">): readonly Policy[] {
    return this.#policies.get(id(table)) ?? [];
  }

  /** The table's policies for that role and command. */
  policies(table: Pick<Table, "namespace" | "name">, role: Role, command: Policy["command"]): readonly Policy[] {
    return this.policiesOf(table).filter(
      (one) => one.roles.includes(role) && (one.command === "all" || one.command === command),
    );
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
    const { rows: attributes } = this.#engine.run({
      text: `SELECT attnum, nspname, relname, attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
        JOIN pg_namespace n ON n.oid = relnamespace WHERE attrelid = $1::oid AND attnum > 0
        AND (nspname IN ('system', 'kalam_upsert') OR nspname IN (SELECT name FROM kalam.namespaces))`,
      values: [String(relation)],
      prepared: true,
    });
    for (const [number, namespace, table, column] of attributes) {
      const owner =
        namespace === "kalam_upsert"
          ? this.tables().find((one) => upsertView(one) === `kalam_upsert.${table ?? ""}`)
          : this.table(namespace ?? "", table ?? "");
      const found = owner?.columns.find((c) => c.column_name === column);
      if (found === undefined) continue;
      const viewColumn = systemViews[namespace === "system" ? (table ?? "") : ""]?.columns.find(
        (c) => c.column_name === column,
      );
      origins.set(Number(number), { ...originOf(found), unit: viewColumn?.milliseconds === true ? "ms" : "us" });
    }
    return origins;
  }
}
