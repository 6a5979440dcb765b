import { dialect } from "../dialect.ts";
import { recordAction } from "../store/audit.ts";
import { id, literal, quote, rowsOf, storedAs, upsertView, type Table } from "../store/catalogue.ts";
import { isAdmin } from "../store/roles.ts";
import { columnOf, postgresType, readable, type Column } from "../store/types.ts";
import type { Definition, TableType } from "./definition.ts";
import { denied, failed, noTable, wrong } from "./errors.ts";
import { checkColumnName, problemWith, type TableName } from "./names.ts";
import { done, type Outcome, type Session } from "./session.ts";

const isText = dialect.versionColumn === "_version";

/** The system columns of a table; their positions are fixed when the table is created. */
const systemColumns = (type: TableType): readonly Partial<Column>[] => [
  isText
    ? { column_name: "_version", data_type: "Text", column_comment: "Version of the row, in decimal" }
    : { column_name: "_seq", data_type: "BigInt", column_comment: "Version ID (MVCC) with embedded timestamp" },
  ...(isText && type === "stream"
    ? [{ column_name: "_timestamp", data_type: "Timestamp", column_comment: "When the server received the row" }]
    : []),
  {
    column_name: "_deleted",
    data_type: "Boolean",
    column_comment: "Soft delete flag",
    default_value: { Literal: false },
  },
];

/** Identifies the rows of a table without a key; no view shows it. */
const hiddenKey = "_row_id";

const hasUpsert = (table: Table): boolean => dialect.upsert && table.columns.some((column) => column.is_primary_key);
const hasPolicies = (table: Table): boolean => table.type === "shared" && dialect.sharedAccess === "policies";

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
  if (!dialect.keyOptional && type !== "stream" && !definition.columns.some((column) => column.is_primary_key)) {
    throw failed(`Invalid operation: ${type === "user" ? "User" : "Shared"} tables require a PRIMARY KEY column`);
  }
  if (definition.storage !== "local") throw failed(`Invalid operation: Storage '${definition.storage}' does not exist`);

  const columns = [...definition.columns];
  for (const extra of systemColumns(type)) {
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
    engine.script(viewOf(table));
    recordVersion(table, session);
    recordAction(session, "CREATE_TABLE", full, `Type: ${type}`);
  });
  catalogue.reloadTables();
  return made;
}

const published = (table: Table): string => `${quote(table.namespace)}.${quote(table.name)}`;

/** The stored table with the rows of all users; users reach it only through its view. */
function storage(table: Table): string {
  const declared = table.columns.find((column) => column.is_primary_key)?.column_name;
  const key = declared ?? (dialect.keyOptional ? hiddenKey : undefined);
  const hidden = key === hiddenKey ? `"${hiddenKey}" int8 NOT NULL DEFAULT kalam_fn.snowflake_id(), ` : "";
  const unique = key === undefined ? "" : `, PRIMARY KEY ("_user", ${quote(key)})`;
  const kind = literal(table.type === "shared" ? "shared" : "user");
  const rls = hasPolicies(table) ? `ALTER TABLE ${rowsOf(table)} ENABLE ROW LEVEL SECURITY;` : "";
  return `CREATE TABLE ${rowsOf(table)} ("_user" text NOT NULL, "_seq" int8 NOT NULL, ${hidden}${table.columns.filter(isOwn).map(stored).join(", ")}${unique}); ${rls}
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
export function viewOf(table: Table, replaced?: "replaced"): string {
  const shown = table.columns.map(
    ({ column_name: name }) => `${name === "_deleted" ? "false" : storedAs(name)} AS ${quote(name)}`,
  );
  const conditions = table.type === "shared" ? [] : [`"_user" = (SELECT kalam_fn.who())`];
  if (table.type === "stream") {
    const ttl = Number(table.options["ttl_seconds"]);
    conditions.push(`"_seq" > (SELECT kalam.seq_at(clock_timestamp() - interval '${ttl} seconds'))`);
  }
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  // Policies apply to whoever reads, not to the view's owner.
  const reader = hasPolicies(table) ? ", security_invoker" : "";
  const makeView = (name: string, columns: readonly string[]): string =>
    `CREATE VIEW ${name} WITH (security_barrier${reader}) AS SELECT ${columns.join(", ")} FROM ${rowsOf(table)}${where};`;
  const upsert = hasUpsert(table) ? makeView(upsertView(table), [...shown, '"_user"']) : "";
  const drop = replaced === undefined ? "" : `${dropViews(table)} `;
  return `${drop}${makeView(published(table), shown)} ${upsert} ${grants(table)}`;
}

/** `mayRead` and `mayWrite` as PostgreSQL privileges, for whatever the checks of the statement miss. */
function grants(table: Table): string {
  const on = hasUpsert(table) ? `${published(table)}, ${upsertView(table)}` : published(table);
  if (hasPolicies(table)) {
    return `GRANT SELECT, INSERT, UPDATE, DELETE ON ${on}, ${rowsOf(table)} TO kalam_user, kalam_service, kalam_dba;`;
  }
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

const dropViews = (table: Table): string => `DROP VIEW ${published(table)}; DROP VIEW IF EXISTS ${upsertView(table)};`;

/** Replaces a table by its changed form; `change` alters the stored table. */
export function replaceTable(table: Table, change: string, session: Session): void {
  const { engine, catalogue } = session;
  engine.atomically(() => {
    engine.script(
      `${dropViews(table)} ${change === "" ? "" : `ALTER TABLE ${rowsOf(table)} ${change};`} ${viewOf(table)}`,
    );
    recordVersion(table, session);
  });
  catalogue.reloadTables();
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
  return `${dropViews(table)} DROP TABLE ${rowsOf(table)};
    DELETE FROM kalam.scopes WHERE table_id = ${literal(id(table))};
    DELETE FROM kalam.cold WHERE table_id = ${literal(id(table))};
    DELETE FROM kalam.changes WHERE table_id = ${literal(id(table))};
    DELETE FROM system.schemas WHERE table_id = ${literal(`${table.namespace}:${table.name}`)};
    ${dialect.sharedAccess === "policies" ? `DELETE FROM system.table_policies WHERE table_id = ${literal(id(table))};` : ""}`;
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
  catalogue.reloadTables();
  return done(`Table ${full} dropped successfully. Cleanup job: ${job}`);
}

export function refuseSystem(table: Table, verb: "drop" | "alter"): void {
  if (table.type !== "system") return;
  throw failed(`Invalid operation: Cannot ${verb} system table '${id(table)}'. System tables are managed internally.`);
}
