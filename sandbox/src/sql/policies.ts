/** CREATE, ALTER and DROP POLICY: each policy of KalamDB's is one of PostgreSQL's on the stored rows. */
import { recordAction } from "../store/audit.ts";
import { id, quote, rowsOf, type Policy, type Table } from "../store/catalogue.ts";
import type { Role } from "../store/roles.ts";
import { asRefusal, failed, invalid, noColumn, noTable } from "./errors.ts";
import { readName, readTableName, refuseRest, type TableName } from "./names.ts";
import { rewrite } from "./rewrite.ts";
import { done, type Outcome, type Session } from "./session.ts";
import { split, type Reader } from "./tokens.ts";
import { list, node, parse, text, walk } from "./tree.ts";

interface Clauses {
  readonly roles: readonly Role[] | undefined;
  readonly using: string | undefined;
  readonly check: string | undefined;
}

const bad = (what: string): Error => invalid(`Invalid policy: ${what}`);

/** Reads what follows `CREATE POLICY`. */
export function readCreatePolicy(reader: Reader): (session: Session) => Outcome {
  const name = readPolicyName(reader);
  const on = readOn(reader, "CREATE POLICY");
  if (reader.accept("AS") && !reader.accept("PERMISSIVE"))
    throw bad(`policies are PERMISSIVE, not ${reader.peek()?.text ?? ""}`);
  if (!reader.accept("FOR")) throw bad("expected FOR with ALL, SELECT, INSERT, UPDATE or DELETE");
  const command = readCommand(reader);
  const clauses = readClauses(reader);
  refuseRest(reader, "CREATE POLICY");
  refuseClauses(command, clauses);
  if (command === "insert" ? clauses.check === undefined : clauses.using === undefined)
    throw bad(`${command.toUpperCase()} needs ${command === "insert" ? "WITH CHECK" : "USING"}`);
  return (session) => {
    const table = shared(on, session);
    if (policyOf(table, name, session) !== undefined)
      throw failed(`Already exists: Policy '${name}' of table '${id(table)}' already exists`);
    const roles = clauses.roles ?? everyone;
    const change = `CREATE POLICY ${quote(name)} ON ${rowsOf(table)} FOR ${command}`;
    apply(table, `${change} ${definition({ ...clauses, roles }, table)}`, session, () => {
      const key = policyId(table, name);
      session.engine.query("INSERT INTO system.table_policies VALUES ($1, $2, $3, $4, $5, $6, $7)", [
        key,
        id(table),
        name,
        command,
        JSON.stringify(roles),
        clauses.using ?? null,
        clauses.check ?? null,
      ]);
      recordAction(session, "CREATE_POLICY", key);
    });
    return done(`Policy '${name}' created on table '${id(table)}'`);
  };
}

/** Reads what follows `ALTER POLICY`. */
export function readAlterPolicy(reader: Reader): (session: Session) => Outcome {
  const name = readPolicyName(reader);
  const on = readOn(reader, "ALTER POLICY");
  const renamed = reader.accept("RENAME TO") ? readPolicyName(reader) : undefined;
  const clauses = readClauses(reader);
  refuseRest(reader, "ALTER POLICY");
  const { roles, using, check } = clauses;
  if (renamed === undefined && roles === undefined && using === undefined && check === undefined)
    throw bad("ALTER POLICY needs RENAME TO, TO, USING or WITH CHECK");
  return (session) => {
    const table = shared(on, session);
    const { command } = existing(table, name, session);
    refuseClauses(command, clauses);
    if (renamed !== undefined && policyOf(table, renamed, session) !== undefined)
      throw failed(`Already exists: Policy '${renamed}' of table '${id(table)}' already exists`);
    const policy = `POLICY ${quote(name)} ON ${rowsOf(table)}`;
    const change = renamed === undefined ? definition(clauses, table) : `RENAME TO ${quote(renamed)}`;
    apply(table, `ALTER ${policy} ${change}`, session, () => {
      session.engine.query(
        `UPDATE system.table_policies SET policy_id = $2, policy_name = $3, targets = coalesce($4, targets),
           using_sql = coalesce($5, using_sql), with_check_sql = coalesce($6, with_check_sql) WHERE policy_id = $1`,
        [
          policyId(table, name),
          policyId(table, renamed ?? name),
          renamed ?? name,
          roles === undefined ? null : JSON.stringify(roles),
          using ?? null,
          check ?? null,
        ],
      );
      recordAction(session, "ALTER_POLICY", policyId(table, name));
    });
    return done(`Policy '${name}' of table '${id(table)}' altered`);
  };
}

/** Reads what follows `DROP POLICY`. */
export function readDropPolicy(reader: Reader): (session: Session) => Outcome {
  const ifExists = reader.accept("IF EXISTS");
  const name = readPolicyName(reader);
  const on = readOn(reader, "DROP POLICY");
  refuseRest(reader, "DROP POLICY");
  return (session) => {
    const table = shared(on, session);
    if (ifExists && policyOf(table, name, session) === undefined)
      return done(`Policy '${name}' of table '${id(table)}' does not exist (skipped)`);
    existing(table, name, session);
    apply(table, `DROP POLICY ${quote(name)} ON ${rowsOf(table)}`, session, () => {
      session.engine.query("DELETE FROM system.table_policies WHERE policy_id = $1", [policyId(table, name)]);
      recordAction(session, "DROP_POLICY", policyId(table, name));
    });
    return done(`Policy '${name}' dropped from table '${id(table)}'`);
  };
}

const policyId = (table: Table, name: string): string => `${id(table)}:${name}`;

/** PostgreSQL would truncate a longer name. */
const nameBytesMax = 63;

function readPolicyName(reader: Reader): string {
  const name = readName(reader, "POLICY");
  if (name === "" || name.includes(":") || Buffer.byteLength(name) > nameBytesMax)
    throw bad(`the name of a policy has 1 to ${nameBytesMax} bytes and no colon`);
  return name;
}

function readOn(reader: Reader, statement: string): TableName {
  if (!reader.accept("ON")) throw bad(`expected ON after the name in ${statement}`);
  return readTableName(reader, `${statement} … ON`);
}

function readCommand(reader: Reader): Policy["command"] {
  const word = reader.next()?.word ?? "";
  if (/^(ALL|SELECT|INSERT|UPDATE|DELETE)$/.test(word)) return word.toLowerCase() as Policy["command"];
  throw bad(`expected ALL, SELECT, INSERT, UPDATE or DELETE after FOR, found ${word}`);
}

const everyone: readonly Role[] = ["user", "service"];

function readClauses(reader: Reader): Clauses {
  const roles = reader.accept("TO") ? readRoles(reader) : undefined;
  const using = reader.accept("USING") ? readCondition(reader) : undefined;
  const check = reader.accept("WITH CHECK") ? readCondition(reader) : undefined;
  return { roles, using, check };
}

function readRoles(reader: Reader): readonly Role[] {
  if (reader.accept("PUBLIC")) return everyone;
  const roles: Role[] = [];
  for (;;) {
    const role = readName(reader, "TO");
    if (role !== "user" && role !== "service") throw bad(`expected PUBLIC, user or service after TO, found ${role}`);
    roles.push(role);
    if (reader.peek()?.text !== ",") return [...new Set(roles)];
    reader.next();
  }
}

/** What stands in the parentheses. */
function readCondition(reader: Reader): string {
  const from = reader.next();
  if (from?.text !== "(") throw bad("expected a condition in parentheses");
  let depth = 1;
  while (depth > 0) {
    const token = reader.next();
    if (token === undefined) throw bad("a parenthesis is not closed");
    if (token.kind === "symbol" && token.text === "(") depth += 1;
    if (token.kind === "symbol" && token.text === ")") depth -= 1;
    if (depth === 0) return reader.text.slice(from.end, token.start).trim();
  }
  return "";
}

function refuseClauses(command: Policy["command"], { using, check }: Clauses): void {
  if (command === "insert" && using !== undefined) throw bad("INSERT takes WITH CHECK, not USING");
  if ((command === "select" || command === "delete") && check !== undefined)
    throw bad(`${command.toUpperCase()} takes USING, not WITH CHECK`);
}

/** The clauses in PostgreSQL's words. */
function definition({ roles, using, check }: Clauses, table: Table): string {
  const parts: string[] = [];
  if (roles !== undefined) parts.push(`TO ${roles.map((role) => `kalam_${role}`).join(", ")}`);
  if (using !== undefined) parts.push(`USING (${condition(using, table)})`);
  if (check !== undefined) parts.push(`WITH CHECK (${condition(check, table)})`);
  return parts.join(" ");
}

/** The condition as PostgreSQL reads it, if it is one expression about the table's own columns. */
function condition(written: string, table: Table): string {
  const head = `SELECT * FROM ${quote(table.namespace)}.${quote(table.name)} WHERE `;
  const [statement, second] = split(`${head}(${written}\n)`);
  if (statement === undefined || second !== undefined) throw bad("expected one condition");
  const { top } = parse(statement);
  if (list(top["fromClause"]).length !== 1 || Object.keys(top).some((key) => !usual.has(key)))
    throw bad("expected one condition");
  walk(top["whereClause"], (name, value) => {
    const column = name === "ColumnRef" ? text(node(list(value["fields"]).at(-1)?.["String"])["sval"]) : "";
    if (column.startsWith("_")) throw noColumn(`Invalid operation: Column '${column}' does not exist`);
  });
  return rewrite(statement, table.namespace).text.slice(head.length);
}

const usual = new Set(["targetList", "fromClause", "whereClause", "limitOption", "op"]);

function shared({ namespace: given, name }: TableName, { catalogue, namespace: current }: Session): Table {
  const namespace = given ?? current;
  const table = catalogue.table(namespace, name);
  if (table === undefined) throw noTable(`Not found: Table '${name}' not found in namespace '${namespace}'`);
  if (table.type !== "shared")
    throw failed(`Invalid operation: Policies are for SHARED tables; '${id(table)}' is a ${table.type} table`);
  return table;
}

const policyOf = (table: Table, name: string, { catalogue }: Session): Policy | undefined =>
  catalogue.policiesOf(table).find((policy) => policy.name === name);

function existing(table: Table, name: string, session: Session): Policy {
  const policy = policyOf(table, name, session);
  if (policy === undefined) throw failed(`Not found: Policy '${name}' of table '${id(table)}' not found`);
  return policy;
}

function apply(table: Table, change: string, { engine, catalogue }: Session, record: () => void): void {
  try {
    engine.atomically(() => {
      engine.script(change);
      record();
    });
  } catch (error) {
    throw asRefusal(error, { columns: table.columns.map((column) => column.column_name), key: "", user: "" });
  }
  catalogue.reloadTables();
}
