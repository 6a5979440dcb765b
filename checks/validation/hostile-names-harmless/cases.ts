/** Path-like and empty names in every place where a name can become part of a path. */
import { createTable } from "../../vocabulary/tables.ts";
import { quoted } from "../../vocabulary/values.ts";

/** Each is appended to a name that belongs to the run. */
const suffixes = { slash: "/x", dots: "/../x", "two dots": "..x", backslash: "\\x", NUL: "\u0000x" } as const;

export type Sent = { readonly sql: string; readonly namespace?: string } | { readonly path: string };
interface Case {
  /** Where the name is used; each place has at most one finding of a kind. */
  readonly place: string;
  readonly name: string;
  /** A plain user wherever one may send it: that is the likely attacker. */
  readonly as: "dba" | "user";
  /** `own` is a name of the run, `scratch` its namespace. */
  readonly send: (own: string, scratch: string) => Sent;
}

const identifier = (value: string): string => `"${value.replaceAll('"', '""')}"`;
const createUser = (name: string): Sent => ({
  sql: `CREATE USER ${quoted(name)} WITH PASSWORD 'Kr1-Never-used-9' ROLE user`,
});
const userTable = (table: string): string => createTable(table, { columns: "id BIGINT PRIMARY KEY" });
const unqualified = (namespace: string): Sent => ({ sql: "SELECT id FROM t LIMIT 1", namespace });

const withEachSuffix = (
  place: string,
  what: string,
  as: Case["as"],
  send: (name: string, scratch: string) => Sent,
): Case[] =>
  Object.entries(suffixes).map(([word, suffix]) => ({
    place,
    name: `${what} with ${word}`,
    as,
    send: (own, scratch) => send(own + suffix, scratch),
  }));
const asDba = (place: string, name: string, send: (own: string) => Sent): Case => ({ place, name, as: "dba", send });
const asUser = (place: string, sql: (name: string) => string): Case => ({
  place,
  name: place,
  as: "user",
  send: (own) => ({ sql: sql(`${own}/../x`) }),
});
const file = (name: string, path: (own: string, scratch: string) => string): Case => ({
  place: "address of a file",
  name,
  as: "user",
  send: (own, scratch) => ({ path: `/v1/files/${path(own, scratch)}` }),
});

export const cases: readonly Case[] = [
  ...withEachSuffix("CREATE NAMESPACE", "namespace", "dba", (name) => ({ sql: `CREATE NAMESPACE ${name}` })),
  ...withEachSuffix("CREATE USER", "user", "dba", createUser),
  ...withEachSuffix("CREATE TABLE", "table", "user", (name, scratch) => ({
    sql: userTable(`${scratch}.${identifier(name)}`),
  })),
  ...withEachSuffix("namespace_id", "namespace_id", "user", unqualified),
  { place: "namespace_id", name: "namespace_id empty", as: "user", send: () => unqualified("") },
  asDba("CREATE USER", "user without a name", () => createUser("")),
  asDba("ALTER USER", "ALTER USER", (own) => ({ sql: `ALTER USER ${quoted(`${own}/x`)} SET ROLE user` })),
  asDba("DROP USER", "DROP USER", (own) => ({ sql: `DROP USER ${quoted(`${own}/x`)}` })),
  asDba("DROP NAMESPACE", "DROP NAMESPACE", (own) => ({ sql: `DROP NAMESPACE ${identifier(`${own}/x`)}` })),
  asUser("EXECUTE AS USER", (name) => `EXECUTE AS USER ${quoted(name)} (SELECT 1)`),
  asUser("SELECT", (name) => `SELECT id FROM ${identifier(name)}.t LIMIT 1`),
  asUser("INSERT", (name) => `INSERT INTO ${identifier(name)}.t (id) VALUES (1)`),
  asUser("CREATE TABLE", (name) => userTable(`${identifier(name)}.t`)),
  asUser("DROP TABLE", (name) => `DROP TABLE ${identifier(name)}.t`),
  asUser("DESCRIBE TABLE", (name) => `DESCRIBE TABLE ${identifier(name)}.t`),
  asUser("USE", (name) => `USE ${identifier(name)}`),
  file("file of a namespace", (own) => `${own}%2F..%2Fx/t/s/f`),
  file("file of a table", (_, scratch) => `${scratch}/..%2F..%2Ft/s/f`),
  file("file of a folder", (_, scratch) => `${scratch}/t/..%2F..%2Fs/f`),
  file("file id", (_, scratch) => `${scratch}/t/s/..%2F..%2F..%2Ff`),
  file("file id with NUL", (_, scratch) => `${scratch}/t/s/a%00b`),
  file("file of a user", (_, scratch) => `${scratch}/t/s/f?user_id=a%2F..%2Fb`),
];
