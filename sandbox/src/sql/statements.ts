import { dialect } from "../dialect.ts";
import { recordAction } from "../store/audit.ts";
import { isAdmin } from "../store/roles.ts";
import { impersonate, readAlterUser, readCreateUser, readDropUser } from "./accounts.ts";
import { readAlter } from "./alter.ts";
import { readDefinition } from "./definition.ts";
import { denied, failed, invalid, Refusal } from "./errors.ts";
import { readName, readTableName, refuseRest } from "./names.ts";
import { readCreateNamespace, readDropNamespace } from "./namespaces.ts";
import type { Parameter } from "./parameters.ts";
import { readAlterPolicy, readCreatePolicy, readDropPolicy } from "./policies.ts";
import { explainQuery, runQuery } from "./query.ts";
import { rewrite } from "./rewrite.ts";
import { done, type Outcome, type Session } from "./session.ts";
import { readDescribe, readShow, readSubscribe } from "./show.ts";
import { readBackup, readRestore, readStorageCheck, readStorageJob } from "./storage.ts";
import { createTable, dropTable } from "./tables.ts";
import { readAck, readAlterTopic, readConsume, readCreateTopic, readDropTopic } from "../topics/statements.ts";
import { Reader, split, valueOf, type Statement } from "./tokens.ts";

/** A parsed statement. */
export type Command =
  | { readonly kind: "begin" | "commit" | "rollback" }
  | { readonly kind: "savepoint" | "release" | "rollbackTo"; readonly name: string }
  /** SELECT, INSERT, UPDATE, DELETE, run by PostgreSQL; `as` is the user of EXECUTE AS USER. */
  | {
      readonly kind: "query";
      readonly run: (session: Session, parameters: readonly Parameter[]) => Outcome;
      readonly as?: string;
    }
  /** One of KalamDB's own. `administers` names what requires an administrator; `use` is the namespace from here on. */
  | { readonly kind: "own"; readonly run: Run; readonly administers?: string; readonly use?: string };

type Run = (session: Session) => Outcome;

type OwnStatement = readonly [words: string, read: (reader: Reader, namespace: string) => Run, administers?: string];

const schemaStatements: readonly OwnStatement[] = [
  ["CREATE SCHEMA", readCreateNamespace, "namespace operations"],
  ["DROP SCHEMA", readDropNamespace, "namespace operations"],
];

const policyStatements: readonly OwnStatement[] = [
  ["CREATE POLICY", readCreatePolicy, "policy management"],
  ["ALTER POLICY", readAlterPolicy, "policy management"],
  ["DROP POLICY", readDropPolicy, "policy management"],
];

/** How each of KalamDB's own statements begins, and what reads the rest. The first match counts. */
const ownStatements: readonly OwnStatement[] = [
  ...(dialect.schemaWords ? schemaStatements : []),
  ...(dialect.sharedAccess === "policies" ? policyStatements : []),
  ["CREATE NAMESPACE", readCreateNamespace, "namespace operations"],
  ["DROP NAMESPACE", readDropNamespace, "namespace operations"],
  ["CREATE TABLE", (reader) => creation(reader)],
  ["CREATE USER TABLE", (reader) => creation(reader, "USER")],
  ["CREATE SHARED TABLE", (reader) => creation(reader, "SHARED")],
  ["CREATE STREAM TABLE", (reader) => creation(reader, "STREAM")],
  ["ALTER TABLE", readAlter],
  ["DROP TABLE", removal],
  ["DROP USER TABLE", removal],
  ["DROP SHARED TABLE", removal],
  ["DROP STREAM TABLE", removal],
  ["CREATE USER", readCreateUser, "user management"],
  ["ALTER USER", readAlterUser],
  ["DROP USER", readDropUser, "user management"],
  ["STORAGE FLUSH", (reader) => readStorageJob(reader, "flush")],
  ["STORAGE COMPACT", (reader) => readStorageJob(reader, "compact")],
  ["STORAGE CHECK", readStorageCheck, "storage operations"],
  ["BACKUP DATABASE", readBackup, "backup operations"],
  ["RESTORE DATABASE", readRestore, "restore operations"],
  ["DESCRIBE TABLE", readDescribe],
  ["DESC TABLE", readDescribe],
  ["DESCRIBE", readDescribe],
  ["SHOW", readShow],
  ["EXPLAIN", explanation, "EXPLAIN commands"],
  ["SUBSCRIBE TO", readSubscribe],
  ["SET", notServed("this setting"), "SET commands"],
  ["KILL JOB", killJob, "job management"],
  ["KILL LIVE QUERY", killLiveQuery],
  ["CREATE TOPIC", readCreateTopic, "topic management"],
  ["ALTER TOPIC", readAlterTopic, "topic management"],
  ["DROP TOPIC", readDropTopic, "topic management"],
  ["CONSUME FROM", readConsume],
  ["ACK", readAck],
  ...["CREATE", "ALTER", "DROP"].map(
    (verb) => [`${verb} STORAGE`, notServed("storages"), "storage operations"] as const,
  ),
];

/** Statements that KalamDB parses but does not support. */
const unsupportedStatement =
  /^(TRUNCATE|VACUUM|COPY|GRANT|REVOKE|VALUES|CREATE|ALTER|DROP|MERGE|CALL|LOCK|PREPARE|COMMENT|ANALYZE)$/;

export const dataStatement = /^(SELECT|WITH|INSERT|UPDATE|DELETE)$/;

/** Parses one statement; throws if KalamDB has no such statement. */
export function parseCommand(statement: Statement, namespace: string): Command {
  const reader = new Reader(statement);
  const first = reader.peek();
  const word = first?.word ?? "";
  if (dataStatement.test(word)) {
    const query = rewrite(statement, namespace);
    return { kind: "query", run: (session, parameters) => runQuery(query, parameters, session) };
  }
  if (reader.accept("EXECUTE AS USER") || (dialect.executeAs === "any" && reader.accept("EXECUTE AS")))
    return readExecuteAs(reader, namespace);
  const inTransaction = (dialect.savepoints ? readSavepoint(reader) : undefined) ?? readTransaction(reader);
  if (inTransaction !== undefined) return inTransaction;
  if (reader.accept("USE NAMESPACE") || reader.accept("USE") || reader.accept("SET NAMESPACE")) return use(reader);
  for (const [words, read, administers] of ownStatements) {
    if (!reader.accept(words)) continue;
    const run = read(reader, namespace);
    return {
      kind: "own",
      run: (session) => run({ ...session, namespace }),
      ...(administers === undefined ? {} : { administers }),
    };
  }
  throw invalid(
    unsupportedStatement.test(word)
      ? `Unsupported statement type: ${statement.text.slice(0, 200)}`
      : `sql parser error: Expected: an SQL statement, found: ${first?.text ?? "EOF"}`,
  );
}

/** Checks the privileges that can be checked without running anything. */
export function checkRights(command: Command, session: Session): void {
  if (command.kind === "own" && command.administers !== undefined && !isAdmin(session.account)) {
    throw denied(`Admin privileges (DBA or System role) required for ${command.administers}`);
  }
  if (command.kind === "query" && command.as !== undefined) impersonate(session, command.as);
}

function readSavepoint(reader: Reader): Command | undefined {
  const kind = [
    ["savepoint", "SAVEPOINT"],
    ["release", "RELEASE SAVEPOINT"],
    ["release", "RELEASE"],
    ["rollbackTo", "ROLLBACK TO SAVEPOINT"],
    ["rollbackTo", "ROLLBACK TO"],
  ] as const;
  const [found, words = ""] = kind.find(([, begin]) => reader.accept(begin)) ?? [];
  if (found === undefined) return undefined;
  const name = readName(reader, words);
  refuseRest(reader, words);
  return { kind: found, name };
}

function readTransaction(reader: Reader): Command | undefined {
  const begins = reader.accept("BEGIN") || reader.accept("START TRANSACTION");
  const kind = begins
    ? "begin"
    : reader.accept("COMMIT")
      ? "commit"
      : reader.accept("ROLLBACK")
        ? "rollback"
        : undefined;
  if (kind === undefined) return undefined;
  if (!reader.accept("TRANSACTION")) reader.accept("WORK");
  refuseRest(reader, kind.toUpperCase());
  return { kind };
}

function readExecuteAs(reader: Reader, namespace: string): Command {
  const user = reader.next();
  const wrapped = /^\(([\s\S]*)\)$/.exec(reader.rest());
  if (user === undefined || wrapped === null)
    throw new Refusal("INVALID_INPUT", "EXECUTE AS USER must wrap SQL in parentheses");
  const [inner, second] = split(wrapped[1] ?? "");
  if (inner === undefined || second !== undefined || !dataStatement.test(inner.tokens[0]?.word ?? "")) {
    throw new Refusal("INVALID_INPUT", "EXECUTE AS USER takes one SELECT, INSERT, UPDATE or DELETE");
  }
  const query = rewrite(inner, namespace);
  const as = valueOf(user);
  return {
    kind: "query",
    as,
    run: (session, parameters) => runQuery(query, parameters, session, impersonate(session, as)),
  };
}

function creation(reader: Reader, type?: string): Run {
  if (type !== undefined && !dialect.typedCreate)
    throw invalid(`Unsupported statement type: CREATE ${type} TABLE; use CREATE TABLE … WITH (TYPE = '${type}')`);
  const definition = readDefinition(reader, type);
  return (session) => createTable(definition, session);
}

function removal(reader: Reader): Run {
  const ifExists = reader.accept("IF EXISTS");
  const table = readTableName(reader, "DROP TABLE");
  refuseRest(reader, "DROP TABLE");
  return (session) => dropTable(table, ifExists, session);
}

function explanation(reader: Reader, namespace: string): Run {
  const [statement] = split(reader.rest());
  if (statement === undefined) throw invalid("sql parser error: Expected: an SQL statement, found: EOF");
  const query = rewrite(statement, namespace);
  return (session) => explainQuery(query, session);
}

function use(reader: Reader): Command {
  const name = readName(reader, "USE");
  refuseRest(reader, "USE");
  const run = ({ catalogue }: Session): Outcome => {
    if (!catalogue.hasNamespace(name)) throw failed(`Not found: Namespace '${name}' not found`);
    return done(`Namespace switched to '${name}'`);
  };
  return { kind: "own", run, use: name };
}

function notServed(what: string): (reader: Reader) => Run {
  return (reader) => {
    reader.rest();
    return () => {
      throw failed(`Invalid operation: the sandbox does not serve ${what}`);
    };
  };
}

function killJob(reader: Reader): Run {
  const name = reader.next();
  if (name === undefined) throw invalid("Missing argument after KILL JOB");
  refuseRest(reader, "KILL JOB");
  return ({ jobs }) => {
    jobs.cancel(valueOf(name));
    return done(`Job ${valueOf(name)} cancelled`);
  };
}

function killLiveQuery(reader: Reader): Run {
  const quoted = reader.peek()?.kind === "word" ? undefined : reader.next();
  // An unquoted id is several tokens: words with dashes between.
  const name = quoted === undefined ? reader.rest() : valueOf(quoted);
  refuseRest(reader, "KILL LIVE QUERY");
  if (name === "") throw invalid("Live query ID cannot be empty");
  if (name.split("-").length < 3) {
    throw invalid(`Invalid live_query_id format: ${name}. Expected: {user_id}-{connection_id}-{subscription_id}`);
  }
  return (session) => {
    // Checked first: only administrators may learn which live queries exist.
    if (!isAdmin(session.account)) throw denied("Unauthorized: KILL LIVE QUERY requires DBA or System role");
    if (!session.live.kill(name)) throw failed(`Not found: Live query '${name}' not found`);
    recordAction(session, "KILL", `LIVE_QUERY:${name}`);
    return done(`Live query killed: ${name}`);
  };
}
