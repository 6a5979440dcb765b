import { recordAction } from "../store/audit.ts";
import { id, literal, quote, rowsOf, type Table } from "../store/catalogue.ts";
import { isAdmin } from "../store/roles.ts";
import { columnOf, postgresType, readable, type Column } from "../store/types.ts";
import type { Definition } from "./definition.ts";
import { denied, failed, noTable, wrong } from "./errors.ts";
import { checkColumnName, problemWith, type TableName } from "./names.ts";
import { done, type Outcome, type Session } from "./session.ts";

/** The system columns of every table; their positions are fixed when the table is created. */
const systemColumns: readonly Partial<Column>[] = [
  { column_name: "_seq", data_type: "BigInt", column_comment: "Version ID (MVCC) with embedded timestamp" },
  {
    column_name: "_deleted",
    data_type: "Boolean",
    column_comment: "Soft delete flag",
    default_value: { Literal: false },
  },
];

export const isOwn = (column: Column): boolean => !column.column_name.startsWith("_");

export function createTable(definition: Definition, session: Session): Outcome {
  const { engine, catalogue, account } = session;
  const { type } = definition;
  const namespace = definition.table.namespace ?? session.namespace;
  const { name } = definition.table;
  const full = id({ namespace, name });
  const made = done(`${type} table ${full} created successfully`);
  if (type === "shared" && account.role === "user")
    throw denied("Unauthorized: Insufficient privileges to create shared tables");
  const problem = problemWith(name);
  if (problem !== undefined) throw failed(`Invalid operation: ${problem}`);
  if (!catalogue.hasNamespace(namespace)) {
    throw failed(
      `Invalid operation: Namespace '${namespace}' does not exist. Create it first with CREATE NAMESPACE ${namespace}`,
    );
  }
  if (catalogue.table(namespace, name) !== undefined) {
    if (definition.ifNotExists) return made;
    throw wrong(`Already exists: Table ${full} already exists`);
  }
  for (const column of definition.columns) checkColumnName(column.column_name);
  if (type !== "stream" && !definition.columns.some((column) => column.is_primary_key)) {
    throw failed(`Invalid operation: ${type === "user" ? "User" : "Shared"} tables require a PRIMARY KEY column`);
  }
  if (definition.storage !== "local") throw failed(`Invalid operation: Storage '${definition.storage}' does not exist`);

  const columns = [...definition.columns];
  for (const extra of systemColumns) {
    columns.push({ ...columnOf(columns.length + 1, "", "", { nullable: false, primaryKey: false }), ...extra });
  }
  const table: Table = {
    namespace,
    name,
    type,
    access: definition.access as Table["access"],
    version: 1,
    options: definition.options,
    columns,
  };
  engine.atomically(() => {
    engine.script(storage(table));
    engine.script(view(table));
    recordVersion(table, session);
    recordAction(session, "CREATE_TABLE", full, `Type: ${type}`);
  });
  catalogue.reload();
  return made;
}

const published = (table: Table): string => `${quote(table.namespace)}.${quote(table.name)}`;

/** The stored table with the rows of all users; users reach it only through its view. */
function storage(table: Table): string {
  const key = table.columns.find((column) => column.is_primary_key)?.column_name;
  const unique = key === undefined ? "" : `, PRIMARY KEY ("_user", ${quote(key)})`;
  const kind = literal(table.type === "shared" ? "shared" : "user");
  return `CREATE TABLE ${rowsOf(table)} ("_user" text NOT NULL, "_seq" int8 NOT NULL, ${table.columns.filter(isOwn).map(stored).join(", ")}${unique});
    CREATE INDEX ON ${rowsOf(table)} ("_user", "_seq");
    CREATE TRIGGER a_same BEFORE UPDATE ON ${rowsOf(table)} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
    CREATE TRIGGER b_stamp BEFORE INSERT OR UPDATE ON ${rowsOf(table)} FOR EACH ROW EXECUTE FUNCTION kalam.stamp(${kind});
    ${Object.keys(transitionTables)
      .map((event) => noteTrigger(table, event, [kind, literal(id(table)), literal(key ?? "_seq")]))
      .join("\n")}`;
}

/** The transition tables of `kalam.note` for each kind of statement. */
const transitionTables: Readonly<Record<string, string>> = {
  INSERT: "NEW TABLE AS touched",
  UPDATE: "NEW TABLE AS touched OLD TABLE AS replaced",
  DELETE: "OLD TABLE AS touched",
};

function noteTrigger(table: Table, event: string, about: readonly string[]): string {
  return `CREATE TRIGGER c_note_${event} AFTER ${event} ON ${rowsOf(table)} REFERENCING ${transitionTables[event] ?? ""}
    FOR EACH STATEMENT EXECUTE FUNCTION kalam.note(${about.join(", ")});`;
}

/** One column of the stored table. */
export function stored(column: Column): string {
  const name = quote(column.column_name);
  const nullable = column.is_nullable ? "" : " NOT NULL";
  return `${name} ${postgresType(column.data_type)}${nullable}${defaultOf(column)}${readable(column.data_type, name)}`;
}

function defaultOf({ default_value: value, data_type: type }: Column): string {
  if (value === "None") return "";
  if ("Literal" in value) return ` DEFAULT ${literal(String(value.Literal))}::${postgresType(type)}`;
  const { name } = value.FunctionCall;
  if (name === "CURRENT_USER") return " DEFAULT kalam_fn.who()";
  return name === "NOW" || name === "CURRENT_TIMESTAMP"
    ? " DEFAULT clock_timestamp()"
    : ` DEFAULT kalam_fn.${name.toLowerCase()}()`;
}

/**
 * The view under the table's name, with the user's own rows. A security barrier, so that no user expression is evaluated on
 * other users' rows and reveals them in an error.
 */
function view(table: Table): string {
  const shown = table.columns.map(({ column_name: name }) =>
    name === "_deleted" ? `false AS "_deleted"` : quote(name),
  );
  const conditions = table.type === "shared" ? [] : [`"_user" = (SELECT kalam_fn.who())`];
  if (table.type === "stream") {
    const ttl = Number(table.options["ttl_seconds"]);
    conditions.push(`"_seq" > (SELECT kalam.seq_at(clock_timestamp() - interval '${ttl} seconds'))`);
  }
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  return `CREATE VIEW ${published(table)} WITH (security_barrier) AS SELECT ${shown.join(", ")} FROM ${rowsOf(table)}${where}; ${grants(table)}`;
}

/** `mayRead` and `mayWrite` as PostgreSQL privileges, for whatever the checks of the statement miss. */
function grants(table: Table): string {
  const on = published(table);
  const roles = ["kalam_dba"];
  if (table.access !== "dba") roles.push("kalam_service");
  if (table.type !== "shared") roles.push("kalam_user");
  const readers = table.access === "public" ? [...roles, "kalam_user"] : roles;
  // This allows no reads, since no user has USAGE on the schema; but PostgreSQL names a duplicate key only to roles that
  // may read it.
  const key = table.columns.find((column) => column.is_primary_key)?.column_name;
  const naming =
    key === undefined ? "" : `GRANT SELECT ("_user", ${quote(key)}) ON ${rowsOf(table)} TO ${roles.join(", ")};`;
  return `REVOKE ALL ON ${on} FROM kalam_user, kalam_service, kalam_dba; GRANT SELECT ON ${on} TO ${readers.join(", ")};
    GRANT INSERT, UPDATE, DELETE ON ${on} TO ${roles.join(", ")}; ${naming}`;
}

/** Replaces a table by its changed form; `change` alters the stored table. */
export function replaceTable(table: Table, change: string, session: Session): void {
  const { engine, catalogue } = session;
  engine.atomically(() => {
    engine.script(
      `DROP VIEW ${published(table)}; ${change === "" ? "" : `ALTER TABLE ${rowsOf(table)} ${change};`} ${view(table)}`,
    );
    recordVersion(table, session);
  });
  catalogue.reload();
}

/** Adds a version to the table's history. */
function recordVersion(table: Table, { engine }: Session): void {
  const key = literal(`${table.namespace}:${table.name}`);
  const created =
    table.version === 1 ? "now()" : `(SELECT min(created_at) FROM system.schemas WHERE table_id = ${key})`;
  const userStorage = table.type === "user" ? "false" : "NULL";
  engine.script(`UPDATE system.schemas SET is_latest = false WHERE table_id = ${key};
    INSERT INTO system.schemas VALUES (${key}, ${literal(table.name)}, ${literal(table.namespace)}, ${literal(table.type)}, ${created},
      ${table.version}, ${literal(JSON.stringify(table.columns))}, NULL, now(), ${literal(JSON.stringify(table.options))},
      ${table.access === null ? "NULL" : literal(table.access)}, true, 'local', ${userStorage});`);
}

/** Drops everything of a table: a new one with that name starts empty. */
export function removal(table: Table): string {
  return `DROP VIEW ${published(table)}; DROP TABLE ${rowsOf(table)};
    DELETE FROM kalam.scopes WHERE table_id = ${literal(id(table))};
    DELETE FROM kalam.changes WHERE table_id = ${literal(id(table))};
    DELETE FROM system.schemas WHERE table_id = ${literal(`${table.namespace}:${table.name}`)};`;
}

export function dropTable({ namespace: given, name }: TableName, ifExists: boolean, session: Session): Outcome {
  const { engine, catalogue, account, jobs } = session;
  const namespace = given ?? session.namespace;
  const full = id({ namespace, name });
  // Checked first: only those who may drop the table may learn whether it exists.
  if (!isAdmin(account)) throw denied("Unauthorized: Insufficient privileges to drop this table");
  const table = catalogue.table(namespace, name);
  if (table === undefined) {
    if (ifExists) return done(`Table ${full} does not exist (skipped)`);
    throw noTable(`Not found: Table '${name}' not found in namespace '${namespace}'`);
  }
  refuseSystem(table, "drop");
  const job = engine.atomically(() => {
    engine.script(removal(table));
    recordAction(session, "DROP_TABLE", full);
    return jobs.add("cleanup", table);
  });
  catalogue.reload();
  return done(`Table ${full} dropped successfully. Cleanup job: ${job}`);
}

export function refuseSystem(table: Table, verb: "drop" | "alter"): void {
  if (table.type !== "system") return;
  throw failed(`Invalid operation: Cannot ${verb} system table '${id(table)}'. System tables are managed internally.`);
}
