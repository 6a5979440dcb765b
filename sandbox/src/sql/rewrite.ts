import { dialect } from "../dialect.ts";
import { quote, upsertView } from "../store/catalogue.ts";
import { failed, invalid } from "./errors.ts";
import type { Statement } from "./tokens.ts";
import { list, nameOf, node, parse, text, walk, type Node } from "./tree.ts";

const verbs = { SelectStmt: "SELECT", InsertStmt: "INSERT", UpdateStmt: "UPDATE", DeleteStmt: "DELETE" } as const;
type Kind = keyof typeof verbs;

interface Name {
  readonly namespace: string;
  readonly name: string;
}

/** A statement that PostgreSQL can run, and what to know about it. */
export interface Query {
  readonly verb: (typeof verbs)[Kind];
  readonly text: string;
  /** Every table or view that it reads or writes. */
  readonly relations: readonly Name[];
  /** The table that it writes. */
  readonly target?: Name;
  /** The columns that it assigns; empty for an INSERT without a column list. */
  readonly assigned: readonly string[];
  /** The number of values per row of an INSERT. */
  readonly width: number | undefined;
  readonly limited: boolean;
  /** An INSERT with ON CONFLICT: the columns of its target, and those that it assigns to a row that is there. */
  readonly upsert: { readonly target: readonly string[]; readonly assigned: readonly string[] } | undefined;
  readonly returning: boolean;
  /** An UPDATE or DELETE without WHERE. */
  readonly unconditional: boolean;
  /** One entry per column of the result; empty if one of them is a `*`. */
  readonly outputs: readonly Output[];
}

export interface Output {
  /** KalamDB's name for an unnamed expression, where it differs from PostgreSQL's. */
  readonly name: string | undefined;
  /** The name of the column, if the expression is a plain column. */
  readonly column: string | undefined;
  /** Reads no column: its timestamps are in nanoseconds. */
  readonly constant: boolean;
}

/** Parses a statement, refuses what KalamDB lacks, and rewrites what means something else in PostgreSQL. */
export function rewrite(statement: Statement, namespace: string): Query {
  const { source, kind, top } = parse(statement);
  if (!(kind in verbs)) throw invalid(`Unsupported statement type: ${statement.text.slice(0, 200)}`);
  const verb = verbs[kind as Kind];
  refuseUnsupported(top, verb);

  const bytes = Buffer.from(source);
  const edits: Edit[] = [];
  const relations = qualify(top, namespace, edits);
  const outputs = verb === "SELECT" ? selects(top) : [];
  for (const select of outputs) for (const target of list(select["targetList"])) widen(target, bytes, edits);
  const returned = list(node(top["returningClause"])["exprs"]);
  const upsert = top["onConflictClause"] === undefined ? undefined : readUpsert(top, namespace, edits);
  return {
    verb,
    text: apply(bytes, edits),
    relations,
    ...(verb === "SELECT" ? {} : { target: fullName(node(top["relation"]), namespace) }),
    assigned: list(top[verb === "INSERT" ? "cols" : "targetList"]).map((item) => text(node(item["ResTarget"])["name"])),
    width: verb === "INSERT" ? widthOf(top) : undefined,
    limited: top["limitCount"] !== undefined && node(node(top["limitCount"])["A_Const"])["isnull"] !== true,
    unconditional: (verb === "UPDATE" || verb === "DELETE") && top["whereClause"] === undefined,
    outputs: outputsOf(outputs[0] === undefined ? returned : list(outputs[0]["targetList"])),
    upsert,
    returning: returned.length > 0,
  };
}

const unsupported = (what: string): Error => failed(`Execution error: Error during planning: ${what} not supported`);

/** Refuses PostgreSQL features that KalamDB lacks, and writes hidden in a query. */
export function refuseUnsupported(top: Node, verb: Query["verb"]): void {
  if (top["onConflictClause"] !== undefined && !dialect.upsert) throw unsupported("Insert-on clause");
  if (top["returningClause"] !== undefined && !(dialect.upsert && verb === "INSERT"))
    throw unsupported("RETURNING clause");
  if (verb === "SELECT" && top["valuesLists"] !== undefined) throw invalid("Unsupported statement type: VALUES");
  walk(top, (name, value) => {
    if (/^(Insert|Update|Delete|Merge)Stmt$/.test(name)) throw unsupported("A write inside a query");
    if (name === "intoClause" || name === "lockingClause") throw unsupported("SELECT INTO and FOR UPDATE");
    const schema =
      name === "FuncCall" && list(value["funcname"]).length > 1 ? nameOf(value["funcname"], 0) : "kalam_fn";
    if (schema !== "kalam_fn") throw unsupported(`A function of ${schema}`);
  });
}

/**
 * ON CONFLICT goes to the view that shows whose row it is: the key of a stored row is its owner and its key. Only for VALUES
 * and the columns of a key, as in KalamDB.
 */
function readUpsert(top: Node, namespace: string, edits: Edit[]): Query["upsert"] {
  const clause = node(top["onConflictClause"]);
  const infer = node(clause["infer"]);
  const target = list(infer["indexElems"]).map((item) => text(node(item["IndexElem"])["name"]));
  if (target.length === 0 || target.includes("") || infer["whereClause"] !== undefined)
    throw unsupported("ON CONFLICT without the primary key");
  if (list(node(node(top["selectStmt"])["SelectStmt"])["valuesLists"]).length === 0)
    throw unsupported("ON CONFLICT without VALUES");
  const relation = node(top["relation"]);
  const [full, at] = [fullName(relation, namespace), Number(relation["location"] ?? 0)];
  const before = edits.findIndex((edit) => edit.at === at);
  if (before >= 0) edits.splice(before, 1);
  const alias = relation["alias"] === undefined ? ` AS ${quote(full.name)}` : "";
  edits.push({ at, insert: `${upsertView(full)}${alias}`, remove: tableName });
  edits.push({ at: Number(infer["location"] ?? 0) + 1, insert: '"_user", ' });
  const assigned = list(clause["targetList"]).map((item) => text(node(item["ResTarget"])["name"]));
  return { target, assigned };
}

const namePart = String.raw`(?:"(?:[^"]|"")*"|[A-Za-z_\x80-\xff][\w$\x80-\xff]*)`;
const tableName = new RegExp(String.raw`^(?:${namePart}\s*\.\s*)?${namePart}`);

/** Qualifies table names: an unqualified one is in the request's namespace, never one of PostgreSQL's own. */
function qualify(top: Node, namespace: string, edits: Edit[]): Name[] {
  const temporary = new Set<string>();
  walk(top, (name, value) => {
    if (name === "CommonTableExpr") temporary.add(text(value["ctename"]));
  });
  const relations: Name[] = [];
  walk(top, (name, value) => {
    if (name !== "RangeVar" && (name !== "relation" || value["relname"] === undefined)) return;
    const schema = value["schemaname"];
    if (schema === undefined && temporary.has(text(value["relname"]))) return;
    const full = fullName(value, namespace);
    relations.push(full);
    const at = Number(value["location"] ?? 0);
    if (schema === undefined) edits.push({ at, insert: `${quote(namespace)}.` });
    if (schema === "information_schema")
      edits.push({ at, insert: "kalam_info", remove: /^("information_schema"|information_schema)/i });
  });
  return relations;
}

const fullName = (range: Node, namespace: string): Name => ({
  namespace: text(range["schemaname"] ?? namespace),
  name: text(range["relname"]),
});

/** Number literals are BIGINT or DOUBLE in KalamDB, but INT or NUMERIC in PostgreSQL. */
function widen(item: unknown, bytes: Buffer, edits: Edit[]): void {
  const [kind, inner] = Object.entries(node(item))[0] ?? ["", {}];
  const value = node(inner);
  const into = (...parts: unknown[]): void => {
    for (const part of parts) widen(part, bytes, edits);
  };
  if (kind === "ResTarget") into(value["val"]);
  else if (kind === "A_Expr") into(value["lexpr"], value["rexpr"]);
  else if (kind === "CaseExpr")
    into(...list(value["args"]).map((when) => node(when["CaseWhen"])["result"]), value["defresult"]);
  else if (kind === "CoalesceExpr" || kind === "MinMaxExpr") into(...list(value["args"]));
  else if (kind === "FuncCall" && /^(sum|min|max|avg|abs|round|nullif)$/.test(nameOf(value["funcname"], -1)))
    into(...list(value["args"]));
  else if (kind === "A_Const" && (value["ival"] !== undefined || value["fval"] !== undefined)) {
    const at = Number(value["location"] ?? 0);
    const written = /^[-+]?\s*[\d.]+(?:e[+-]?\d+)?/i.exec(bytes.toString("latin1", at, at + 400))?.[0] ?? "";
    edits.push({ at: at + written.length, insert: isBigInt(written) ? "::int8" : "::float8" });
  }
}

const isBigInt = (digits: string): boolean =>
  /^[-+]?\s*\d+$/.test(digits) && BigInt(digits.replace(/^[-+]?\s*/, "")) <= 9_223_372_036_854_775_807n;

function outputsOf(targets: readonly Node[]): Output[] {
  const outputs = targets.map((item): Output | undefined => {
    const target = node(item["ResTarget"]);
    const value = node(target["val"]);
    const parts = list(node(value["ColumnRef"])["fields"]);
    if (parts.some((part) => part["A_Star"] !== undefined)) return undefined;
    let constant = true;
    walk(value, (name) => {
      if (name === "ColumnRef") constant = false;
    });
    const last = parts.at(-1);
    return {
      name: target["name"] === undefined ? nameFor(value) : undefined,
      column: last === undefined ? undefined : text(node(last["String"])["sval"]),
      constant,
    };
  });
  return outputs.includes(undefined) ? [] : outputs.filter((output) => output !== undefined);
}

function nameFor(value: Node): string | undefined {
  const constant = node(value["A_Const"]);
  if (constant["ival"] !== undefined) return `Int64(${text(node(constant["ival"])["ival"]) || 0})`;
  if (constant["fval"] !== undefined) return `Float64(${text(node(constant["fval"])["fval"])})`;
  if (constant["sval"] !== undefined) return `Utf8("${text(node(constant["sval"])["sval"])}")`;
  if (value["FuncCall"] === undefined) return undefined;
  const call = node(value["FuncCall"]);
  const name = nameOf(call["funcname"], -1).replace(/^who$/, "current_user");
  return call["agg_star"] === true ? `${name}(*)` : call["args"] === undefined ? `${name}()` : undefined;
}

/** The SELECTs that produce the result: one, or the branches of a UNION from left to right. */
function selects(top: Node): Node[] {
  return top["larg"] === undefined ? [top] : [...selects(node(top["larg"])), ...selects(node(top["rarg"]))];
}

function widthOf(insert: Node): number | undefined {
  const rows = list(node(node(insert["selectStmt"])["SelectStmt"])["valuesLists"]);
  return rows[0] === undefined ? undefined : list(node(rows[0]["List"])["items"]).length;
}

interface Edit {
  readonly at: number;
  readonly insert: string;
  readonly remove?: RegExp;
}

/** Positions are byte offsets, as in PostgreSQL's parse tree. */
function apply(bytes: Buffer, edits: readonly Edit[]): string {
  const parts: Buffer[] = [];
  let done = 0;
  for (const { at, insert, remove } of edits.toSorted((a, b) => a.at - b.at)) {
    parts.push(bytes.subarray(done, at), Buffer.from(insert));
    done = at + (remove?.exec(bytes.toString("latin1", at, at + 400))?.[0].length ?? 0);
  }
  return Buffer.concat([...parts, bytes.subarray(done)]).toString();
}
