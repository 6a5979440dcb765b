/** Statements that administer accounts, namespaces and the server. They name only what is the run's own or does not exist. */

/** The values of the placeholders, such as `{me}`. */
export interface Names {
  /** The account that tries it. */
  readonly me: string;
  /** An account of the run's own that must stay unchanged. */
  readonly victim: string;
  readonly password: string;
  /** An administrator of the run's own. */
  readonly op: string;
  /** Unused names of the run's own, so that the clean-up finds what a server makes. */
  readonly planted: string;
  readonly plantedNamespace: string;
  /** A namespace of the run's own, with a table `t`. */
  readonly namespace: string;
}

/** `escalated`: an account would gain privileges. `smuggled`: hidden after or in something harmless. */
export type Finding = "escalated" | "smuggled" | "accepted";

export interface Power {
  readonly name: string;
  readonly sql: string;
  readonly finding: Finding;
  /** Undoes it if it was accepted. */
  readonly undo?: string;
  /** Not every server has the statement, so a parse error is refusal enough. */
  readonly optional?: true;
  /** Not every server takes this form, so any clean refusal will do. */
  readonly anyRefusal?: true;
  /** Only for plain users: service accounts have this privilege. */
  readonly serviceMay?: true;
}

const create = "CREATE USER '{planted}' WITH PASSWORD '{password}' ROLE";
const undoCreate = "DROP USER IF EXISTS '{planted}'";

/** Statements that neither plain users nor service accounts may run, one per line. */
export const powers: readonly Power[] = [
  { name: "create an account", sql: `${create} user`, finding: "accepted", undo: undoCreate },
  { name: "create a dba", sql: `${create} dba`, finding: "escalated", undo: undoCreate },
  { name: "raise their own role", sql: "ALTER USER '{me}' SET ROLE dba", finding: "escalated" },
  { name: "raise another's role", sql: "ALTER USER '{victim}' SET ROLE dba", finding: "escalated" },
  { name: "set another's password", sql: "ALTER USER '{victim}' SET PASSWORD '{password}'", finding: "escalated" },
  { name: "set another's email", sql: "ALTER USER '{victim}' SET EMAIL 'kr@example.org'", finding: "accepted" },
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
    // Nothing can be created below a device, not even if the server accepts the statement.
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
    name: "raise their own role after a query",
    sql: "SELECT 1 AS one; ALTER USER '{me}' SET ROLE dba",
    finding: "smuggled",
  },
  { name: "create a dba after a query", sql: `SELECT 1 AS one; ${create} dba`, finding: "smuggled", undo: undoCreate },
  {
    name: "raise their own role in a transaction",
    sql: "BEGIN; ALTER USER '{me}' SET ROLE dba; COMMIT",
    finding: "smuggled",
    anyRefusal: true,
  },
  { name: "create a dba after a comment", sql: `/* SELECT 1 */ ${create} dba`, finding: "smuggled", undo: undoCreate },
  {
    name: "create a dba in mixed case",
    sql: `\n ${create.replace("CREATE USER", "cReAtE\n  uSeR")} DBA;`,
    finding: "smuggled",
    undo: undoCreate,
  },
  {
    name: "raise their own role through EXECUTE AS",
    sql: "EXECUTE AS USER '{me}' (ALTER USER '{me}' SET ROLE dba)",
    finding: "smuggled",
    anyRefusal: true,
  },
];

/** Statements that not even a dba may run: they grant more than a dba has. `{system}` is an account with the role system. */
export const powersOverSystem: readonly (Power & { readonly needsSystem?: true })[] = [
  { name: "create a system account", sql: `${create} system`, finding: "escalated", undo: undoCreate },
  { name: "raise their own role to system", sql: "ALTER USER '{me}' SET ROLE system", finding: "escalated" },
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
