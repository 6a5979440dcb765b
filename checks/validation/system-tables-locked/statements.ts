/** Statements that write to system tables. */

/** The run's own entries in the system tables, and the names of those that an accepted statement would add. */
export interface Ours {
  readonly account: string;
  readonly planted: string;
  readonly namespace: string;
  readonly plantedNamespace: string;
}

/** They name only entries of the run, or entries that do not exist. */
export const writes: readonly (readonly [name: string, sql: (ours: Ours) => string])[] = [
  ["insert into users", (o) => `INSERT INTO system.users (user_id, role) VALUES ('${o.planted}', 'dba')`],
  ["update the role in users", (o) => `UPDATE system.users SET role = 'dba' WHERE user_id = '${o.account}'`],
  [
    "update the address in users",
    (o) => `UPDATE system.users SET email = 'kr@example.org' WHERE user_id = '${o.account}'`,
  ],
  ["delete from users", (o) => `DELETE FROM system.users WHERE user_id = '${o.account}'`],
  [
    "insert into namespaces",
    (o) =>
      `INSERT INTO system.namespaces (namespace_id, name) VALUES ('${o.plantedNamespace}', '${o.plantedNamespace}')`,
  ],
  ["delete from namespaces", (o) => `DELETE FROM system.namespaces WHERE namespace_id = '${o.namespace}'`],
  [
    "open a table in schemas",
    (o) => `UPDATE system.schemas SET access_level = 'public' WHERE namespace_id = '${o.namespace}'`,
  ],
  ["delete from tables", (o) => `DELETE FROM system.tables WHERE namespace_id = '${o.namespace}'`],
  [
    "delete from information_schema",
    (o) => `DELETE FROM information_schema.tables WHERE table_schema = '${o.namespace}'`,
  ],
  ["update settings", (o) => `UPDATE system.settings SET value = '0' WHERE name = '${o.planted}'`],
  ["update storages", (o) => `UPDATE system.storages SET storage_name = 'x' WHERE storage_id = '${o.planted}'`],
  ["delete from jobs", (o) => `DELETE FROM system.jobs WHERE job_id = '${o.planted}'`],
  ["delete from the audit log", (o) => `DELETE FROM system.audit_log WHERE audit_id = '${o.planted}'`],
  [
    "update behind a query",
    (o) => `SELECT 1 AS one; UPDATE system.users SET role = 'dba' WHERE user_id = '${o.account}'`,
  ],
  ["delete in a transaction", (o) => `BEGIN; DELETE FROM system.users WHERE user_id = '${o.account}'; COMMIT`],
];

/** They would change the system tables for every user, so they are sent only to a server that kalam-ready started. */
export const alterations: readonly (readonly [name: string, sql: (ours: Ours) => string])[] = [
  ["add a column", () => "ALTER TABLE system.users ADD COLUMN kr_extra TEXT"],
  ["drop a column", () => "ALTER TABLE system.users DROP COLUMN email"],
  ["rename a column", () => "ALTER TABLE system.users RENAME COLUMN email TO kr_email"],
  ["create a table among them", () => "CREATE TABLE system.kr_extra (id BIGINT PRIMARY KEY) WITH (TYPE='SHARED')"],
  ["drop a system table", () => "DROP TABLE system.audit_log"],
];
