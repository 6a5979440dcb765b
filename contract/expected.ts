import type { RecordedRequest, Section } from "./recording.ts";
import type { LeftOut } from "./replay.ts";

/**
 * Differences from the recording, each with its reason, by section and entry name; in a conversation by
 * `name: subscription`, so that an expected difference in one subscription hides none in another.
 */
type Differences = Readonly<Partial<Record<Section, Readonly<Record<string, string>>>>>;

const uncompressed = (names: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(names.map((name) => [`${name}: gzip`, "clients that ask for no compression get none"]));

/** Where the sandbox is correct and the recorded server is not. An entry that no longer differs fails the test. */
export const better: Differences = {
  envelope: {
    "show tables in system": "SHOW TABLES IN works",
    "show tables in information_schema": "SHOW TABLES IN works",
    "system.users": "the last login is stored for every user",
  },
  configuration: {
    "namespace my ns": "text after a name is rejected, not ignored",
    "listing after the bad names": "text after a name is rejected, not ignored",
    "drop my": "text after a name is rejected, not ignored",
    "ttl 0": "a TTL of 0 is rejected",
    "drop ttl": "a TTL of 0 is rejected",
    "non-empty: drop without CASCADE": "a namespace with tables is not dropped without CASCADE",
    "non-empty: tables left": "a namespace with tables is not dropped without CASCADE",
    "non-empty: drop with CASCADE": "a namespace with tables is not dropped without CASCADE",
  },
  tables: {
    "show tables": "SHOW TABLES IN works",
    "show namespaces": "table_count is correct",
    "namespace row": "table_count is correct",
    "describe after": "schema_version is that of the table",
    history: "schema_version is the one that added the column",
    "no limit": "a truncated result says so",
    "limit 5000": "a truncated result says so",
  },
  errors: {
    "adm: CREATE USER 'sys2' WITH PASSWORD 'Kr-Pass-1234!' ROLE system": "only a system account may create another",
    "drop sys2": "only a system account may create another",
    "INSERT INTO krv.t (id,j,s) VALUES (7,'{bad','s')": "JSON must be valid",
    "INSERT INTO krv.t (id,i,s) VALUES (8,1.7,'s')": "a number is not truncated to fit",
    "BEGIN; INSERT INTO krv.st (id,v) VALUES (1,'x'); COMMIT": "stream tables cannot be written in a transaction",
    jobs: "the statements refused above left no rows to flush and no table to clean up",
    "batch: BEGIN; INSERT INTO krv.t (id,s) VALUES (130,'a'); INSERT INTO krv.t (id,s) VALUES (120,'dup'); COMMI":
      "the statement with the duplicate key is named, not the COMMIT",
    "batch: CREATE NAMESPACE my ns": "text after a name is rejected, not ignored",
    "batch: DROP NAMESPACE IF EXISTS my": "text after a name is rejected, not ignored",
  },
  live: {
    ...Object.fromEntries(
      ["krl.t", "krl.t WHERE kind = 'error'", "krl.t OPTIONS (last_rows=10)"].map((what) => [
        `http: SUBSCRIBE TO ${what}`,
        "the address is correct, and nothing is reported as created",
      ]),
    ),
    "http: SUBSCRIBE TO t": "a missing table is refused",
    "http: SUBSCRIBE TO krl.nope": "a missing table is refused",
    "http: SUBSCRIBE TO krl.p": "a table without read privilege is refused",
    "http: SUBSCRIBE TO system.users": "a table without read privilege is refused",
    "bearer on the upgrade: h": "last_rows are the newest",
    "options: last": "last_rows are the newest",
    "options: unknownopt": "an unknown option is refused",
    "bad subscriptions: dup": "a duplicate id is refused",
    ...Object.fromEntries(
      ["eq", "ne", "lt", "like"].map((filter) => [`filters: ${filter}`, "last_rows are the newest that match"]),
    ),
    ...Object.fromEntries(
      ["inn", "between", "isnull", "fn"].map((filter) => [`filters: ${filter}`, "every filter is supported"]),
    ),
    "filters: not": "replaced and refused subscriptions use no quota, and every filter is supported",
    "leaving a filter: leave":
      "a row that stops matching is delivered as a delete, and last_rows are the newest that match",
    "resume, second half, from as a number: r2": "rows deleted meanwhile are delivered",
    "live rows": "the live query of a dropped table ends",
    "message over 1 MiB": "closed with the protocol's code and a reason, not cut",
    "message over 1 MiB: protocol": "closed with the protocol's code and a reason, not cut",
    ...uncompressed(["life cycle", "options", "bad subscriptions"]),
  },
  cursor: uncompressed(["pages with the cursor exact, from _seq", "pages with the cursor string"]),
  params: {
    "params: float_into_int": "a number is not truncated to fit",
    rows: "a number is not truncated to fit",
    "in where": "a number is not truncated to fit",
  },
};

/** The sandbox's more specific error codes, and the recorded messages that each fits. */
export const specificCodes: Readonly<Record<string, RegExp>> = {
  UNIQUE_VIOLATION: /Primary key violation/,
  NOT_NULL_VIOLATION: /NOT NULL constraint violation/,
  MISSING_COLUMN: /No field named|Column '\w+' does not exist/,
  TABLE_NOT_FOUND: /Table .*not found|^SQL statement failed$/,
  TYPE_MISMATCH: /coercion failed|Cast error|Parser error|Invalid UUID/,
};

/** What the sandbox does not implement. This list only shrinks: an entry that no longer differs fails the test. */
export const notServed: Differences = {
  envelope: {
    "version()": "the sandbox names its own engine",
    "all stats": "the sandbox has no figures of RocksDB, DataFusion and open files",
  },
  tables: {
    "show manifest": "statistics that the server collects about itself",
  },
};

const sql = (as: string, text: string): RecordedRequest => ({
  method: "POST",
  path: "/v1/api/sql",
  as,
  body: { sql: text },
});

const wrongLogin = (user: string): RecordedRequest => ({
  method: "POST",
  path: "/v1/api/auth/login",
  body: { user, password: "wrong-password-1" },
});

/** Requests made between the recorded entries but not recorded, as far as later answers depend on them. */
export const leftOutRequests: Readonly<Partial<Record<Section, LeftOut>>> = {
  envelope: {
    literal: [
      sql("root", "CREATE USER 'weak' WITH PASSWORD 'Kr-Pass-1234!' ROLE user"),
      ...["alice", "bob", "carol", "weak"].map(wrongLogin),
      sql("root", "DROP USER 'weak'"),
    ],
  },
  tables: {
    "drop column": [sql("root", "ALTER TABLE krt.notes ADD COLUMN left_out TEXT")],
  },
  errors: {
    "smuggled row": [sql("alice", "INSERT INTO krv.u (id, s) VALUES (1, 'a')")],
  },
  params: {
    ns: [sql("root", "CREATE NAMESPACE krx")],
  },
};
