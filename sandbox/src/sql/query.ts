import { dialect } from "../dialect.ts";
import { id, type Table } from "../store/catalogue.ts";
import { PostgresError, type Rows } from "../store/engine.ts";
import { publishFigures } from "../store/figures.ts";
import { databaseRole, isAdmin, titled, type Account } from "../store/roles.ts";
import { denied, failed, noColumn, noTable, translate, wrong } from "./errors.ts";
import type { Parameter } from "./parameters.ts";
import type { Query } from "./rewrite.ts";
import { mayRead, mayWrite } from "./rights.ts";
import { answer, present, type Outcome, type Session } from "./session.ts";
import { isOwn } from "./tables.ts";

const pastTense = { INSERT: "Inserted", UPDATE: "Updated", DELETE: "Deleted" } as const;

/** Runs a SELECT, INSERT, UPDATE or DELETE as the session's account, or as the one of EXECUTE AS USER. */
export function runQuery(
  query: Query,
  parameters: readonly Parameter[],
  session: Session,
  as: Account = session.account,
): Outcome {
  const tables = query.relations.map(({ namespace, name }) => existing(session, namespace, name));
  const target = query.target === undefined ? undefined : existing(session, query.target.namespace, query.target.name);
  if (target !== undefined) checkWrite(query, target, session, as);
  for (const table of tables) if (table !== target) checkRead(table, as);
  if (as !== session.account && dialect.executeAs === "any") refuseForOthers(tables);
  publishFigures(tables, session);

  const { settings } = session;
  const limit = settings[query.limited ? "limits.max_query_limit" : "limits.default_query_limit"];
  try {
    const result = withoutOwner(
      session.engine.run(
        {
          text: query.text,
          values: parameters.map(({ text }) => text),
          types: parameters.map(({ type }) => type),
          limit: query.verb === "SELECT" ? limit : 0,
        },
        { role: databaseRole(as), user: as.user },
      ),
    );
    if (query.verb !== "SELECT" && !query.returning)
      return { kind: "wrote", verb: pastTense[query.verb], count: result.count };
    const outcome = present(result, session.catalogue, query.outputs, tables);
    return result.cut ? ({ ...outcome, message: `limited to ${limit} rows` } as Outcome) : outcome;
  } catch (error) {
    if (!(error instanceof PostgresError)) throw error;
    throw translate(error, {
      columns: tables.flatMap((table) => table.columns.map((column) => `${id(table)}.${column.column_name}`)),
      key: target?.columns.find((column) => column.is_primary_key)?.column_name ?? "",
      user: target?.type === "shared" ? "" : as.user,
    });
  }
}

/** Another user has rows only in USER and STREAM tables. */
function refuseForOthers(tables: readonly Table[]): void {
  const other = tables.find(({ type }) => type === "shared" || type === "system");
  if (other !== undefined)
    throw failed(`Invalid operation: EXECUTE AS is for USER and STREAM tables, not for '${id(other)}'`);
}

/** The view for ON CONFLICT shows the owner of a row, which no table shows. */
function withoutOwner(result: Rows): Rows {
  const at = result.fields.findIndex(({ name }) => name === "_user");
  if (at < 0) return result;
  return { ...result, fields: result.fields.toSpliced(at, 1), rows: result.rows.map((row) => row.toSpliced(at, 1)) };
}

/** Without a policy for the command nothing can be written; with one, PostgreSQL applies it to each row. */
function refuseWithoutPolicy(verb: Query["verb"], table: Table, { catalogue }: Session, as: Account): void {
  if (isAdmin(as) || catalogue.policies(table, as.role, policyCommands[verb]).length > 0) return;
  throw denied(
    `Permission denied: Role '${titled(as.role)}' cannot ${verb} in table '${id(table)}': no policy allows it`,
  );
}

const policyCommands = { SELECT: "select", INSERT: "insert", UPDATE: "update", DELETE: "delete" } as const;

export function explainQuery(query: Query, { engine, account }: Session): Outcome {
  const plan = engine.run({ text: `EXPLAIN ${query.text}` }, { role: databaseRole(account), user: account.user }).rows;
  return answer("plan_type:Text plan:Text", [["physical_plan", plan.map(([line]) => line).join("\n")]]);
}

function checkUpsert({ target, assigned }: NonNullable<Query["upsert"]>, table: Table): void {
  const key = table.columns.find((column) => column.is_primary_key)?.column_name;
  if (target.length !== 1 || target[0] !== key)
    throw failed("Execution error: Error during planning: ON CONFLICT takes the primary key column");
  for (const name of assigned) {
    const column = table.columns.find((c) => c.column_name === name);
    if (column === undefined || name.startsWith("_"))
      throw noColumn(`Invalid operation: Column '${name}' does not exist`);
    if (column.is_primary_key)
      throw failed(`Error during planning: DO UPDATE cannot modify primary key column '${name}'`);
  }
}

const informationViews = new Set(["schemata", "tables", "columns"]);

/** The table; it must be in the catalogue or one of the information_schema views. */
function existing({ catalogue }: Session, namespace: string, name: string): Table {
  if (namespace === "information_schema" && informationViews.has(name)) {
    return { namespace, name, type: "user", access: null, version: 1, options: {}, columns: [] };
  }
  const table = catalogue.table(namespace, name);
  if (table === undefined) {
    throw noTable(`Table not found: Error during planning: table 'kalam.${namespace}.${name}' not found`);
  }
  return table;
}

function checkRead(table: Table, as: Account): void {
  if (mayRead(as, table)) return;
  const why =
    table.type === "system"
      ? "System tables require 'dba' or 'system' role."
      : `Shared table access denied (access_level=${titled(table.access ?? "")})`;
  throw denied(
    `Permission denied: Access denied: Role '${titled(as.role)}' cannot access table '${id(table)}'. ${why}`,
  );
}

function checkWrite(query: Query, table: Table, session: Session, as: Account): void {
  if (table.type === "system" || table.namespace === "information_schema") {
    throw wrong(`Invalid operation: Cannot ${query.verb.toLowerCase()} system table '${id(table)}'`);
  }
  if (!mayWrite(as, table)) {
    throw denied(
      `Permission denied: Access denied: Role '${titled(as.role)}' cannot access table '${id(table)}'. ` +
        `Shared table write denied (access_level=${titled(table.access ?? "")})`,
    );
  }
  if (dialect.sharedAccess === "policies" && table.type === "shared")
    refuseWithoutPolicy(query.verb, table, session, as);
  if (table.type === "stream" && session.transaction !== undefined)
    throw failed("Invalid operation: STREAM tables take no part in transactions");
  if (table.type === "stream" && query.verb === "UPDATE")
    throw failed("Execution error: Error during planning: UPDATE not supported for STREAM tables");
  if (query.unconditional) throw failed(`Execution error: ${query.verb} without WHERE is not supported`);
  if (query.verb === "DELETE") return;
  if (query.upsert !== undefined) checkUpsert(query.upsert, table);
  for (const name of query.assigned) {
    const column = table.columns.find((c) => c.column_name === name);
    // Clients cannot write `_seq` and `_deleted`: for writes these columns do not exist.
    if (column === undefined || name.startsWith("_"))
      throw noColumn(`Invalid operation: Column '${name}' does not exist`);
    if (column.is_primary_key && query.verb === "UPDATE") {
      throw failed(`Error during planning: UPDATE cannot modify primary key column '${name}'`);
    }
  }
  const all = dialect.hiddenColumns ? table.columns.filter(isOwn) : table.columns;
  const expected = query.assigned.length || all.length;
  if (query.width !== undefined && query.width !== expected) {
    throw failed(
      `Execution error: Error during planning: Inconsistent data length across values list: got ${query.width} values ` +
        `in row 0 but expected ${expected}`,
    );
  }
}
