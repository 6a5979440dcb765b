import { translate } from "../sql/errors.ts";
import { mayRead } from "../sql/rights.ts";
import { id, quote, type Catalogue, type Table } from "../store/catalogue.ts";
import { PostgresError, type Bound, type Engine } from "../store/engine.ts";
import { databaseRole, type Account } from "../store/roles.ts";
import { LiveRefusal, type LiveQuery } from "./query.ts";
import { Shape, type Cells } from "./shape.ts";

/** One row that was looked at, and whether it is one that the live query asks for. */
interface Judged {
  readonly cells: Cells;
  readonly fits: boolean;
}

/**
 * A live query that can be tried on rows: with its table as it is now, on somebody's behalf. The condition is judged by
 * PostgreSQL, on stored rows and on changed ones alike, so that it means the same as in a SELECT.
 */
export class Plan {
  readonly shape: Shape;
  readonly table: Table;
  /** Whose rows these are; nobody's are everybody's. */
  readonly owner: string;
  readonly #engine: Engine;
  readonly #query: LiveQuery;
  readonly #account: Account;

  /** Throws a `LiveRefusal` if the account may not ask this, or PostgreSQL cannot answer it. */
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
    // Once without any rows, so that what cannot be answered is refused now.
    this.rows("LIMIT 0");
    this.judge([]);
  }

  isCurrent(catalogue: Catalogue): boolean {
    const table = catalogue.table(this.table.namespace, this.table.name);
    return table?.version === this.table.version && catalogue.roleOf(this.#account.user) === this.#account.role;
  }

  /** Two plans of which this is the same give the same answers. */
  get key(): string {
    const { alias, columns = ["*"], condition } = this.#query;
    return JSON.stringify([id(this.table), this.#account, alias, columns, condition]);
  }

  /** The rows there are, oldest version first; `rest` is the end of the statement. */
  rows(rest = "", from?: string): Cells[] {
    const { alias, condition } = this.#query;
    const newer = from === undefined ? "" : `"_seq" > ${BigInt(from)} AND `;
    const order = rest.startsWith("ORDER") ? "" : 'ORDER BY "_seq"';
    return this.#run({
      text: `SELECT ${this.shape.names} FROM ${this.#view()} AS ${quote(alias)} WHERE ${newer}(${condition}\n) ${order} ${rest}`,
    });
  }

  /** What `kalam.changes` keeps of rows, as values of the table's types again. */
  judge(rows: readonly string[]): Judged[] {
    const { alias, condition } = this.#query;
    const { names } = this.shape;
    // No stored row is a deleted one; whether it is stands in the view and not in what is kept.
    const given = `[${rows.map((row) => `{"_deleted":false,${row.slice(1)}`).join(",")}]`;
    const judged = this.#run({
      text: `SELECT (${condition}\n) IS TRUE, ${names} FROM json_populate_recordset(NULL::${this.#view()}, $1) WITH ORDINALITY
        AS ${quote(alias)} (${names}, "_place") ORDER BY "_place"`,
      values: [given],
    });
    return judged.map(([fits, ...cells]) => ({ cells, fits: fits === "t" }));
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
  // Nobody writes down what happens to them: there would be nothing to tell.
  if (table.type === "system") throw new LiveRefusal("UNSUPPORTED", `System table '${full}' has no live queries`);
  if (!mayRead(account, table)) {
    throw new LiveRefusal(
      "UNAUTHORIZED",
      `Permission denied: Cannot subscribe to shared table '${full}': access level '${table.access ?? ""}' requires elevated privileges.`,
    );
  }
}
