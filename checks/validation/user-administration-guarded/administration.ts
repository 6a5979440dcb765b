/** Statements that administer accounts, namespaces and the server, each naming only what is ours or is not there. */

/** What stands in a statement for `{name}`. */
export interface Names {
  /** The one who tries it. */
  readonly me: string;
  /** An account of the run's own, with nothing to do here but to be left alone. */
  readonly victim: string;
  readonly password: string;
  /** An administrator of the run's own. */
  readonly op: string;
  /** Names of nothing; what a server makes that accepts it begins like all of ours. */
  readonly planted: string;
  readonly plantedNamespace: string;
  /** A namespace of the run's own, with a table `t`. */
  readonly namespace: string;
}

/** `escalated`: somebody would have more rights. `smuggled`: hidden behind or in something harmless. */
export type Finding = "escalated" | "smuggled" | "accepted";

export interface Power {
  readonly name: string;
  readonly sql: string;
  readonly finding: Finding;
  /** Takes back what an acceptance made. */
  readonly undo?: string;
  /** Not every server has the statement; then it is no statement at all, and that is refusal enough. */
  readonly optional?: true;
  /** A harmless form around it that not every server takes: refused for whatever reason is refused. */
  readonly formed?: true;
  /** Only for plain users: service accounts have this right. */
  readonly serviceMay?: true;
}

const create = "CREATE USER '{planted}' WITH PASSWORD '{password}' ROLE";
const undoCreate = "DROP USER IF EXISTS '{planted}'";

/** One line a statement that is not for plain users nor for service accounts. */
export const powers: readonly Power[] = [
  { name: "create an account", sql: `${create} user`, finding: "accepted", undo: undoCreate },
  { name: "create a dba", sql: `${create} dba`, finding: "escalated", undo: undoCreate },
  { name: "raise the own role", sql: "ALTER USER '{me}' SET ROLE dba", finding: "escalated" },
  { name: "raise another's role", sql: "ALTER USER '{victim}' SET ROLE dba", finding: "escalated" },
  { name: "set another's password", sql: "ALTER USER '{victim}' SET PASSWORD '{password}'", finding: "escalated" },
  { name: "set another's address", sql: "ALTER USER '{victim}' SET EMAIL 'kr@example.org'", finding: "accepted" },
  { name: "drop an account", sql: "DROP USER '{victim}'", finding: "accepted" },
  { name: "drop an account if it exists", sql: "DROP USER IF EXISTS '{victim}'", finding: "accepted" },
  {
    name: "act as a dba",
    sql: "EXECUTE AS USER '{op}' (SELECT user_id FROM system.users LIMIT 1)",
    finding: "escalated",
  },
  {
    name: "create a namespace",
    sql: "CREATE NAMESPACE {plantedNamespace}",
    finding: "accepted",
    undo: "DROP NAMESPACE IF EXISTS {plantedNamespace}",
  },
  { name: "drop a namespace", sql: "DROP NAMESPACE {namespace}", finding: "accepted" },
  {
    name: "create a storage",
    // Below a device nothing can be made, not even by a server that does what it is told.
    sql: "CREATE STORAGE {planted} TYPE 'filesystem' NAME 'kr' PATH '/dev/null/{planted}'",
    finding: "accepted",
    undo: "DROP STORAGE {planted}",
    optional: true,
  },
  { name: "drop a storage", sql: "DROP STORAGE {planted}", finding: "accepted", optional: true },
  { name: "back up", sql: "BACKUP DATABASE TO '/dev/null/{planted}'", finding: "accepted", optional: true },
  { name: "kill a job", sql: "KILL JOB 'FL-{planted}'", finding: "accepted", optional: true },
  { name: "kill a live query", sql: "KILL LIVE QUERY '{victim}-{planted}-1-1'", finding: "accepted", optional: true },
  { name: "create a topic", sql: "CREATE TOPIC {namespace}.planted", finding: "accepted", optional: true },
  { name: "flush a table", sql: "STORAGE FLUSH TABLE {namespace}.t", finding: "accepted", serviceMay: true },
  {
    name: "raise the own role behind a query",
    sql: "SELECT 1 AS one; ALTER USER '{me}' SET ROLE dba",
    finding: "smuggled",
  },
  { name: "create a dba behind a query", sql: `SELECT 1 AS one; ${create} dba`, finding: "smuggled", undo: undoCreate },
  {
    name: "raise the own role in a transaction",
    sql: "BEGIN; ALTER USER '{me}' SET ROLE dba; COMMIT",
    finding: "smuggled",
    formed: true,
  },
  { name: "create a dba behind a comment", sql: `/* SELECT 1 */ ${create} dba`, finding: "smuggled", undo: undoCreate },
  {
    name: "create a dba in other letters",
    sql: `\n ${create.replace("CREATE USER", "cReAtE\n  uSeR")} DBA;`,
    finding: "smuggled",
    undo: undoCreate,
  },
  {
    name: "raise the own role as oneself",
    sql: "EXECUTE AS USER '{me}' (ALTER USER '{me}' SET ROLE dba)",
    finding: "smuggled",
    formed: true,
  },
];

/** What is not even for a dba: to make somebody mightier than all dbas. `{system}` is an account with the role system. */
export const powersOverSystem: readonly (Power & { readonly needsSystem?: true })[] = [
  { name: "create a system account", sql: `${create} system`, finding: "escalated", undo: undoCreate },
  { name: "raise the own role to system", sql: "ALTER USER '{me}' SET ROLE system", finding: "escalated" },
  { name: "raise another's role to system", sql: "ALTER USER '{victim}' SET ROLE system", finding: "escalated" },
  {
    name: "set the password of a system account",
    sql: "ALTER USER '{system}' SET PASSWORD '{password}'",
    finding: "escalated",
    needsSystem: true,
  },
  {
    name: "act as a system account",
    sql: "EXECUTE AS USER '{system}' (SELECT 1 AS one)",
    finding: "escalated",
    needsSystem: true,
  },
];

export function fillNames(sql: string, names: Readonly<Record<string, string>>): string {
  return sql.replace(/\{(\w+)\}/g, (whole, name: string) => names[name] ?? whole);
}
