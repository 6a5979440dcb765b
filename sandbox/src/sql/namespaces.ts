import { dialect } from "../dialect.ts";
import { recordAction } from "../store/audit.ts";
import { literal, quote } from "../store/catalogue.ts";
import { failed, invalid } from "./errors.ts";
import { checkNamespaceName, readName, refuseRest } from "./names.ts";
import { done, type Outcome, type Session } from "./session.ts";
import { removal } from "./tables.ts";
import type { Reader } from "./tokens.ts";

/** Reads what follows `CREATE NAMESPACE`. */
export function readCreateNamespace(reader: Reader): (session: Session) => Outcome {
  const ifNotExists = reader.accept("IF NOT EXISTS");
  const name = readNamespace(reader, "CREATE NAMESPACE");
  // `CREATE NAMESPACE my ns` must not silently create `my`.
  refuseRest(reader, "CREATE NAMESPACE");
  return (session) => {
    const { engine, catalogue } = session;
    if (ifNotExists && catalogue.hasNamespace(name)) return done(`Namespace '${name}' already exists`);
    checkNamespaceName(name);
    if (catalogue.hasNamespace(name)) throw failed(`Already exists: Namespace '${name}' already exists`);
    engine.atomically(() => {
      engine.script(`CREATE SCHEMA ${quote(name)}; INSERT INTO kalam.namespaces VALUES (${literal(name)});
        GRANT USAGE ON SCHEMA ${quote(name)} TO kalam_user, kalam_service, kalam_dba`);
      recordAction(session, "CREATE_NAMESPACE", name);
    });
    catalogue.reloadTables();
    return done(`Namespace '${name}' created successfully`);
  };
}

/** Reads what follows `DROP NAMESPACE`. */
export function readDropNamespace(reader: Reader): (session: Session) => Outcome {
  const ifExists = reader.accept("IF EXISTS");
  const name = readNamespace(reader, "DROP NAMESPACE");
  const cascade = reader.accept("CASCADE");
  refuseRest(reader, "DROP NAMESPACE");
  return (session) => {
    const { engine, catalogue } = session;
    if (!catalogue.hasNamespace(name)) {
      if (ifExists) return done(`Namespace '${name}' does not exist`);
      throw failed(`Not found: Namespace '${name}' not found`);
    }
    if (name === "default" || name === "dba")
      throw failed(`Invalid operation: Namespace '${name}' is reserved and cannot be dropped`);
    const tables = catalogue.tables(name);
    if (tables.length > 0 && !cascade) {
      throw failed(
        `Invalid operation: Namespace '${name}' holds ${tables.length} table(s): drop them first, or add CASCADE`,
      );
    }
    engine.atomically(() => {
      for (const table of tables) engine.script(removal(table));
      engine.script(`DROP SCHEMA ${quote(name)}; DELETE FROM kalam.namespaces WHERE name = ${literal(name)}`);
      for (const table of tables) session.jobs.add("cleanup", table);
      for (const topic of session.topics.inNamespace(name)) session.topics.drop(topic);
      recordAction(session, "DROP_NAMESPACE", name);
    });
    catalogue.reloadTables();
    return done(`Namespace '${name}' dropped successfully`);
  };
}

function readNamespace(reader: Reader, after: string): string {
  if (dialect.names === "unicode") return readName(reader, after);
  const name = reader.raw().toLowerCase();
  if (name === "") throw invalid(`Entity name is required after ${after}`);
  return name;
}
