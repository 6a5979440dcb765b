import { dialect } from "../dialect.ts";
import { translate } from "../sql/errors.ts";
import { mayRead } from "../sql/rights.ts";
import { id, quote, rowsOf, type Catalogue, type Table } from "../store/catalogue.ts";
import { PostgresError, type Bound, type Engine } from "../store/engine.ts";
import { databaseRole, isAdmin, type Account } from "../store/roles.ts";
import type { VersionDomain } from "./notices.ts";
import { LiveRefusal, type LiveQuery } from "./query.ts";
import { Shape, type Cells } from "./shape.ts";

/** One row, whether it matches the live query, and whether the account may see it at all. */
interface Evaluated {
  readonly cells: Cells;
  readonly matches: boolean;
  readonly visible: boolean;
}

/** The version of a row as a number, in a statement on the view. */
export const versionOf = dialect.cursor === "text" ? '"_version"::int8' : '"_seq"';

/**
 * A live query bound to the current shape of its table and to an account. PostgreSQL evaluates the condition on stored rows
 * and on changed ones, so that it means the same as in a SELECT.
 */
export class Plan {
  readonly shape: Shape;
  readonly table: Table;
  /** The owner of the rows; empty for a shared table. */
  readonly owner: string;
  readonly #engine: Engine;
  readonly #query: LiveQuery;
  readonly #account: Account;
  /** The policies for reading, as one condition, bound when the live query opens. */
  readonly #policies: string;

  /** Throws a `LiveRefusal` if the account lacks the privilege or PostgreSQL rejects the query. */
  constructor(engine: Engine, catalogue: Catalogue, query: LiveQuery, account: Account) {
    this.#engine = engine;
    this.#query = query;
    this.#account = account;
    const table = catalogue.table(query.namespace, query.table);
    refuseAccess(query, table, account);
    this.table = table;
    this.owner = table.type === "shared" ? "" : account.user;
    this.#refuseColumns(query.columns ?? []);
    this.shape = new Shape(table, query.columns);
    this.#policies = policiesOf(engine, catalogue, table, account);
    // Run on no rows, so that an invalid query is refused now.
    this.rows("LIMIT 0");
    this.evaluate([]);
  }

  isCurrent(catalogue: Catalogue): boolean {
    const table = catalogue.table(this.table.namespace, this.table.name);
    return (
      table?.version === this.table.version &&
      catalogue.roleOf(this.#account.user) === this.#account.role &&
      policiesOf(this.#engine, catalogue, table, this.#account) === this.#policies
    );
  }

  /** Whether the other plan, of the same live query, shows the same rows. */
  hasPoliciesOf(other: Plan): boolean {
    return this.#policies === other.#policies;
  }

  /** The history that versions of the table belong to; undefined where cursors do without. */
  get domain(): VersionDomain | undefined {
    if (dialect.domain === "none" || this.table.type !== "shared") return undefined;
    const [[created] = []] = this.#engine.query(
      `SELECT format('%s-%s', $2::regclass::oid, (extract(epoch FROM min(created_at)) * 1000)::int8)
         FROM system.schemas WHERE table_id = $1`,
      [`${this.table.namespace}:${this.table.name}`, rowsOf(this.table)],
    );
    return { history_incarnation: created ?? "", table_id: id(this.table), scope_id: 0, partition_id: null };
  }

  /** The table, with its namespace. */
  get name(): string {
    return id(this.table);
  }

  /** Plans with equal keys give equal answers. */
  get key(): string {
    const { alias, columns = ["*"], condition } = this.#query;
    return JSON.stringify([id(this.table), this.#account, alias, columns, condition]);
  }

  /** The stored rows, oldest version first; `rest` is appended to the statement. */
  rows(rest = "", from?: string): Cells[] {
    const { alias, condition } = this.#query;
    const newer = from === undefined ? "" : `${versionOf} > ${BigInt(from)} AND `;
    const order = rest.startsWith("ORDER") ? "" : `ORDER BY ${versionOf}`;
    return this.#run({
      text: `SELECT ${this.shape.names} FROM ${this.#view()} AS ${quote(alias)} WHERE ${newer}(${condition}\n) ${order} ${rest}`,
    });
  }

  /** Evaluates rows from `kalam.changes`, converted back to the types of the table. */
  evaluate(rows: readonly string[]): Evaluated[] {
    const { alias, condition } = this.#query;
    const { names } = this.shape;
    const given = `[${rows.map((row) => `{"_deleted":false,${systemColumns(row)}${row.slice(1)}`).join(",")}]`;
    // Not the condition first: its errors would tell of rows that the account may not see. PostgreSQL writes policies about
    // the columns of the stored table, by its name where another table is near.
    const [, stored = ""] = rowsOf(this.table).split(".");
    const visible = `(SELECT (${this.#policies}) FROM (SELECT ${quote(alias)}.*) AS ${stored}) IS TRUE`;
    const evaluated = this.#run({
      text: `SELECT CASE WHEN ${visible} THEN (${condition}\n) IS TRUE END, ${names} FROM json_populate_recordset(NULL::${this.#view()}, $1) WITH ORDINALITY
        AS ${quote(alias)} (${names}, "_place") ORDER BY "_place"`,
      values: [given],
    });
    return evaluated.map(([matches, ...cells]) => ({ cells, matches: matches === "t", visible: matches !== null }));
  }

  #run(bound: Bound): Cells[] {
    const { user } = this.#account;
    try {
      return [...this.#engine.run(bound, { role: databaseRole(this.#account), user }).rows];
    } catch (error) {
      if (!(error instanceof PostgresError)) throw error;
      const columns = this.table.columns.map((column) => `${id(this.table)}.${column.column_name}`);
      const { message } = translate(error, { columns, key: "", user });
      throw new LiveRefusal("SUBSCRIPTION_FAILED", `Execution error: ${message}`);
    }
  }

  #view(): string {
    return `${quote(this.table.namespace)}.${quote(this.table.name)}`;
  }

  #refuseColumns(names: readonly string[]): void {
    const { columns } = this.table;
    const missing = names.find((name) => !columns.some((column) => column.column_name === name));
    if (missing === undefined) return;
    const valid = columns.map((column) => `${id(this.table)}.${column.column_name}`).join(", ");
    throw new LiveRefusal(
      "SUBSCRIPTION_FAILED",
      `Execution error: Invalid operation: Schema error: No field named ${missing}. Valid fields are ${valid}.`,
    );
  }
}

/** The columns that exist only in the view, not in the log, as the beginning of a JSON object. */
function systemColumns(row: string): string {
  if (dialect.cursor === "number") return "";
  const version = /^\{"_user":"[^"]*","_seq":(\d+)/.exec(row)?.[1] ?? "0";
  const time = new Date(Number(BigInt(version) >> 22n) + Date.UTC(2024, 0)).toISOString();
  return `"_version":"${version}","_timestamp":"${time}",`;
}

/** The policies by which the account may read the table: a row must meet one of them. */
function policiesOf(engine: Engine, catalogue: Catalogue, table: Table, { role }: Account): string {
  if (dialect.sharedAccess === "levels" || table.type !== "shared" || isAdmin({ user: "", role })) return "true";
  const names = new Set(catalogue.policies(table, role, "select").map(({ name }) => name));
  const conditions = engine
    .query("SELECT polname, pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polrelid = $1::regclass ORDER BY 1", [
      rowsOf(table),
    ])
    .flatMap(([name, condition]) => (names.has(name ?? "") ? [`(${condition ?? "true"})`] : []));
  return conditions.length === 0 ? "false" : conditions.join(" OR ");
}

function refuseAccess(
  { namespace, table: name }: LiveQuery,
  table: Table | undefined,
  account: Account,
): asserts table is Table {
  const full = `${namespace}:${name}`;
  if (namespace === "system" && (table === undefined || !mayRead(account, table))) {
    throw new LiveRefusal(
      "UNAUTHORIZED",
      `Permission denied: Cannot subscribe to system table '${full}': insufficient privileges. ` +
        "Only DBA and system roles can subscribe to system tables.",
    );
  }
  if (table === undefined) throw new LiveRefusal("NOT_FOUND", `Not found: Table not found: ${full}`);
  // Changes of system tables are not logged.
  if (table.type === "system") throw new LiveRefusal("UNSUPPORTED", `System table '${full}' has no live queries`);
  if (!mayRead(account, table)) {
    throw new LiveRefusal(
      "UNAUTHORIZED",
      `Permission denied: Cannot subscribe to shared table '${full}': access level '${table.access ?? ""}' requires elevated privileges.`,
    );
  }
}
