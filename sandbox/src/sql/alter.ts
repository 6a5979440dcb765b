import { dialect } from "../dialect.ts";
import { id, quote, type Table } from "../store/catalogue.ts";
import { sqlType, type Column } from "../store/types.ts";
import { accessLevel, readColumn, readOptions } from "./definition.ts";
import { asRefusal, denied, failed, invalid, noColumn, noTable, wrong, type Refusal } from "./errors.ts";
import { checkColumnName, readName, readTableName, refuseRest } from "./names.ts";
import { done, type Outcome, type Session } from "./session.ts";
import { isOwn, refuseSystem, replaceTable, stored } from "./tables.ts";
import type { Reader } from "./tokens.ts";

/** One change of a table. */
type Change = (table: Table) => { readonly table: Table; readonly stored: string; readonly said: string };

/** Reads what follows `ALTER TABLE`. */
export function readAlter(reader: Reader): (session: Session) => Outcome {
  const name = readTableName(reader, "ALTER TABLE");
  const change = readChange(reader);
  refuseRest(reader, "ALTER TABLE");
  return (session) => {
    const namespace = name.namespace ?? session.namespace;
    const table = session.catalogue.table(namespace, name.name);
    if (table === undefined) throw noTable(`Not found: Table '${name.name}' not found in namespace '${namespace}'`);
    refuseSystem(table, "alter");
    if (session.account.role === "user") throw denied("Unauthorized: Insufficient privileges to alter table");
    const altered = change(table);
    if (altered.table === table) {
      return done(`Table ${id(table)} unchanged: ${altered.said} (version ${table.version} - no changes needed)`);
    }
    const next = { ...altered.table, version: table.version + 1 };
    try {
      replaceTable(next, altered.stored, session);
    } catch (error) {
      throw asRefusal(error, { columns: [], key: "", user: "" });
    }
    return done(`Table ${id(table)} altered successfully: ${altered.said} (version ${next.version})`);
  };
}

function readChange(reader: Reader): Change {
  if (reader.accept("ADD COLUMN") || reader.accept("ADD")) return addColumn(readColumn(reader, 0));
  if (reader.accept("DROP COLUMN") || reader.accept("DROP")) return dropColumn(readName(reader, "DROP COLUMN"));
  if (reader.accept("RENAME COLUMN")) {
    const from = readName(reader, "RENAME COLUMN");
    if (!reader.accept("TO")) throw invalid("Expected TO in RENAME COLUMN");
    return renameColumn(from, readName(reader, "TO"));
  }
  if (dialect.sharedAccess === "policies") throw invalid(`Unsupported ALTER TABLE operation: ${reader.rest()}`);
  if (reader.accept("SET ACCESS LEVEL")) return setAccess(reader.next()?.text ?? "");
  if (reader.accept("SET TBLPROPERTIES")) {
    const properties = readOptions(reader);
    const unknown = [...properties.keys()].find((key) => key !== "ACCESS_LEVEL");
    if (unknown !== undefined) throw invalid(`Unknown table property '${unknown}'`);
    return setAccess(properties.get("ACCESS_LEVEL") ?? "");
  }
  throw invalid(`Unsupported ALTER TABLE operation: ${reader.rest()}`);
}

function addColumn(column: Column): Change {
  return (table) => {
    const { column_name: name } = column;
    if (table.columns.some((c) => c.column_name === name))
      throw wrong(`Invalid operation: Column '${name}' already exists`);
    checkColumnName(name);
    if (column.is_primary_key) throw failed("Invalid operation: A PRIMARY KEY cannot be added to a table");
    const number = Math.max(...table.columns.map((c) => c.column_id)) + 1;
    const added = { ...column, column_id: number, ordinal_position: table.columns.length + 1 };
    return {
      table: { ...table, columns: [...table.columns, added] },
      stored: `ADD COLUMN ${stored(column)}`,
      said: `ADD COLUMN ${name} ${sqlType(column.data_type)}`,
    };
  };
}

function dropColumn(name: string): Change {
  return (table) => {
    if (ownColumn(table, name, "drop").is_primary_key)
      throw failed(`Invalid operation: Cannot drop primary key column '${name}'`);
    const left = table.columns.filter((c) => c.column_name !== name).map(placed);
    return { table: { ...table, columns: left }, stored: `DROP COLUMN ${quote(name)}`, said: `DROP COLUMN ${name}` };
  };
}

const placed = (column: Column, index: number): Column => ({ ...column, ordinal_position: index + 1 });

function renameColumn(from: string, to: string): Change {
  return (table) => {
    ownColumn(table, from, "rename");
    if (table.columns.some((c) => c.column_name === to))
      throw wrong(`Invalid operation: Column '${to}' already exists`);
    checkColumnName(to);
    const columns = table.columns.map((c) => (c.column_name === from ? { ...c, column_name: to } : c));
    return {
      table: { ...table, columns },
      stored: `RENAME COLUMN ${quote(from)} TO ${quote(to)}`,
      said: `RENAME COLUMN ${from} TO ${to}`,
    };
  };
}

function ownColumn(table: Table, name: string, verb: string): Column {
  const column = table.columns.find((c) => c.column_name === name);
  if (name.startsWith("_")) throw refused(name, verb);
  if (column === undefined || !isOwn(column)) throw noColumn(`Invalid operation: Column '${name}' does not exist`);
  return column;
}

const refused = (name: string, verb: string): Refusal =>
  failed(`Invalid operation: Cannot ${verb} column '${name}': system column cannot be modified`);

function setAccess(word: string): Change {
  const level = accessLevel(word);
  if (level === undefined) throw invalid(`Invalid ACCESS_LEVEL '${word}'. Supported: PUBLIC, PRIVATE, RESTRICTED, DBA`);
  return (table) => {
    if (table.type !== "shared") throw failed("Invalid operation: ACCESS LEVEL can only be set on SHARED tables");
    const said = `SET ACCESS LEVEL ${level}`;
    const access = level.toLowerCase() as Table["access"];
    if (access === table.access) return { table, stored: "", said };
    return { table: { ...table, access, options: { ...table.options, access_level: level } }, stored: "", said };
  };
}
