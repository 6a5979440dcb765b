import { translate } from "../sql/errors.ts";
import { mayRead } from "../sql/rights.ts";
import { id, quote, type Catalogue, type Table } from "../store/catalogue.ts";
import { PostgresError, type Bound, type Engine } from "../store/engine.ts";
import { databaseRole, type Account } from "../store/roles.ts";
import { LiveRefusal, type LiveQuery } from "./query.ts";
import { Shape, type Cells } from "./shape.ts";

/** One row, and whether it matches the live query. */
interface Evaluated {
  readonly cells: Cells;
  readonly matches: boolean;
}

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
    // Run on no rows, so that an invalid query is refused now.
    this.rows("LIMIT 0");
    this.evaluate([]);
  }

  isCurrent(catalogue: Catalogue): boolean {
    const table = catalogue.table(this.table.namespace, this.table.name);
    return table?.version === this.table.version && catalogue.roleOf(this.#account.user) === this.#account.role;
  }

  /** Plans with equal keys give equal answers. */
  get key(): string {
    const { alias, columns = ["*"], condition } = this.#query;
    return JSON.stringify([id(this.table), this.#account, alias, columns, condition]);
  }

  /** The stored rows, oldest version first; `rest` is appended to the statement. */
  rows(rest = "", from?: string): Cells[] {
    const { alias, condition } = this.#query;
    const newer = from === undefined ? "" : `"_seq" > ${BigInt(from)} AND `;
    const order = rest.startsWith("ORDER") ? "" : 'ORDER BY "_seq"';
    return this.#run({
      text: `SELECT ${this.shape.names} FROM ${this.#view()} AS ${quote(alias)} WHERE ${newer}(${condition}\n) ${order} ${rest}`,
    });
  }

  /** Evaluates rows from `kalam.changes`, converted back to the types of the table. */
  evaluate(rows: readonly string[]): Evaluated[] {
    const { alias, condition } = this.#query;
    const { names } = this.shape;
    // `_deleted` exists only in the view, not in the log; it is false for every stored row.
    const given = `[${rows.map((row) => `{"_deleted":false,${row.slice(1)}`).join(",")}]`;
    const evaluated = this.#run({
      text: `SELECT (${condition}\n) IS TRUE, ${names} FROM json_populate_recordset(NULL::${this.#view()}, $1) WITH ORDINALITY
        AS ${quote(alias)} (${names}, "_place") ORDER BY "_place"`,
      values: [given],
    });
    return evaluated.map(([matches, ...cells]) => ({ cells, matches: matches === "t" }));
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
