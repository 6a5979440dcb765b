import { dialect } from "../dialect.ts";
import { Refusal } from "../sql/errors.ts";
import { refuseUnsupported } from "../sql/rewrite.ts";
import { split, tokenize } from "../sql/tokens.ts";
import { list, node, parse, text, walk, type Node, type Parsed } from "../sql/tree.ts";
import type { Code } from "./notices.ts";

/** Columns of the rows of one table that meet a condition. */
export interface LiveQuery {
  readonly namespace: string;
  readonly table: string;
  /** The name of the table in the condition. */
  readonly alias: string;
  /** Undefined for all columns. */
  readonly columns: readonly string[] | undefined;
  /** The condition as PostgreSQL reads it. */
  readonly condition: string;
}

export class LiveRefusal extends Error {
  readonly code: Code;

  constructor(code: Code, message: string) {
    super(message);
    this.code = code;
  }
}

const supportedForm = "Only SELECT ... FROM ... [WHERE ...] is supported.";
const invalid = (message: string): LiveRefusal => new LiveRefusal("INVALID_SQL", `Invalid SQL: ${message}`);
const bad = (what: string): LiveRefusal => invalid(`Invalid SQL: ${what}`);

export function readLiveQuery(sql: string): LiveQuery {
  // PostgreSQL text cannot hold NUL or a lone surrogate.
  if (/\u0000|\p{Surrogate}/u.test(sql)) throw bad("Subscription query must not contain NUL or half a character");
  const [statement, second] = split(sql);
  if (statement === undefined) throw bad("Empty SQL statement");
  if (second !== undefined) throw bad("Subscription query must contain exactly one SELECT statement");
  if (!/^(SELECT|WITH)$/.test(statement.tokens[0]?.word ?? ""))
    throw bad("Only SELECT queries are supported for subscriptions");
  const { source, top } = read(() => parse(statement));
  refuseShape(top);
  read(() => refuseUnsupported(top, "SELECT"));
  const range = node(list(top["fromClause"])[0]?.["RangeVar"]);
  if (range["schemaname"] === undefined) throw invalid("Query must use namespace.table format");
  const table = text(range["relname"]);
  return {
    namespace: text(range["schemaname"]),
    table,
    alias: text(node(range["alias"])["aliasname"] ?? table),
    columns: columnsOf(top),
    condition: top["whereClause"] === undefined ? "true" : conditionOf(source),
  };
}

/** Turns a refusal of PostgreSQL's parser into one of a live query. */
function read<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw invalid(`Parse error: Failed to parse SQL: sql parser error: ${error.message}`);
  }
}

/** The clauses of a simple SELECT; any other needs more than one row to evaluate. */
const supportedClauses = new Set(["targetList", "fromClause", "whereClause", "limitOption", "op"]);
const clauseNames: Readonly<Record<string, string>> = {
  withClause: "WITH clauses",
  groupClause: "GROUP BY",
  sortClause: "ORDER BY",
};

function refuseShape(top: Parsed["top"]): void {
  if (top["op"] !== "SETOP_NONE") throw bad("Subscription query supports only simple SELECT statements.");
  for (const key of Object.keys(top)) {
    if (clauseNames[key] !== undefined)
      throw bad(`Subscription query does not support ${clauseNames[key]}. ${supportedForm}`);
  }
  const [from, another] = list(top["fromClause"]);
  if (from?.["JoinExpr"] !== undefined) throw bad(`Subscription query does not support JOIN clauses. ${supportedForm}`);
  if (Object.keys(top).some((key) => !supportedClauses.has(key)))
    throw bad("Subscription query supports only SELECT ... FROM ... [WHERE ...].");
  if (from === undefined || another !== undefined)
    throw bad("Subscription query requires exactly one table in the FROM clause.");
  if (from["RangeVar"] === undefined) throw bad("Subscription query requires a direct table reference in FROM.");
  // A subquery could change the result without a change of the row.
  walk(top, (name) => {
    if (name === "SubLink") throw bad(`Subscription query does not support subqueries. ${supportedForm}`);
  });
}

function columnsOf(top: Node): readonly string[] | undefined {
  const columns = list(top["targetList"]).map((item) => {
    const target = node(item["ResTarget"]);
    const last = list(node(node(target["val"])["ColumnRef"])["fields"]).at(-1);
    if (last === undefined || target["name"] !== undefined)
      throw bad("Subscription query supports only * or names of columns.");
    return last["A_Star"] === undefined ? text(node(last["String"])["sval"]) : undefined;
  });
  const named = columns.filter((column) => column !== undefined);
  if (named.length === 0 && columns.length === 1) return undefined;
  if (named.length < columns.length || new Set(named).size < named.length)
    throw bad("Subscription query supports only * or names of columns, each once.");
  if (named.some((name) => name === dialect.versionColumn || name === "_deleted"))
    throw bad(`Subscription query cannot project system columns '${dialect.versionColumn}' or '_deleted'.`);
  return named;
}

/** Everything after the first WHERE outside parentheses: nothing follows the condition in such a SELECT. */
function conditionOf(source: string): string {
  let depth = 0;
  for (const { kind, text: written, word, end } of tokenize(source)) {
    if (kind === "symbol" && written === "(") depth += 1;
    if (kind === "symbol" && written === ")") depth -= 1;
    if (kind === "word" && word === "WHERE" && depth === 0) return source.slice(end);
  }
  return "true";
}
