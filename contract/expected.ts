import type { RecordedRequest, Section } from "./recording.ts";
import type { LeftOut } from "./replay.ts";

/**
 * Differences from the recording, each with its reason, by section and by the name of the entry; of a conversation by
 * `name: subscription`, so that one that may differ excuses no other.
 */
type Differences = Readonly<Partial<Record<Section, Readonly<Record<string, string>>>>>;

const uncompressed = (names: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(names.map((name) => [`${name}: gzip`, "who asked for no compression gets none"]));

/** Where the sandbox is right and what was recorded is not. An entry that does not differ any more fails the test. */
export const better: Differences = {
  envelope: {
    "show tables in system": "SHOW TABLES IN works",
    "show tables in information_schema": "SHOW TABLES IN works",
    "system.users": "the last login is kept for everybody",
  },
  configuration: {
    "namespace my ns": "text behind a name is refused, not ignored",
    "listing after the bad names": "text behind a name is refused, not ignored",
    "drop my": "text behind a name is refused, not ignored",
    "ttl 0": "a stream that keeps nothing is refused",
    "drop ttl": "a stream that keeps nothing is refused",
    "non-empty: drop without CASCADE": "a namespace that holds tables is not dropped in passing",
    "non-empty: tables left": "a namespace that holds tables is not dropped in passing",
    "non-empty: drop with CASCADE": "a namespace that holds tables is not dropped in passing",
  },
  tables: {
    "show tables": "SHOW TABLES IN works",
    "show namespaces": "table_count is right",
    "namespace row": "table_count is right",
    "describe after": "schema_version is the table's",
    history: "schema_version is the one that brought the column",
    "no limit": "a result that was cut says so",
    "limit 5000": "a result that was cut says so",
  },
  errors: {
    "adm: CREATE USER 'sys2' WITH PASSWORD 'Kr-Pass-1234!' ROLE system": "only system makes a system account",
    "drop sys2": "only system makes a system account",
    "INSERT INTO krv.t (id,j,s) VALUES (7,'{bad','s')": "JSON must be JSON",
    "INSERT INTO krv.t (id,i,s) VALUES (8,1.7,'s')": "a number is not cut to fit",
    "BEGIN; INSERT INTO krv.st (id,v) VALUES (1,'x'); COMMIT": "streams take no part in transactions",
    jobs: "what was refused above left no rows to flush and no table to clean up",
    "batch: BEGIN; INSERT INTO krv.t (id,s) VALUES (130,'a'); INSERT INTO krv.t (id,s) VALUES (120,'dup'); COMMI":
      "the statement that repeats a key is named, not the COMMIT",
    "batch: CREATE NAMESPACE my ns": "text behind a name is refused, not ignored",
    "batch: DROP NAMESPACE IF EXISTS my": "text behind a name is refused, not ignored",
  },
  live: {
    ...Object.fromEntries(
      ["krl.t", "krl.t WHERE kind = 'error'", "krl.t OPTIONS (last_rows=10)"].map((what) => [
        `http: SUBSCRIBE TO ${what}`,
        "the address is right, and nothing is said to be created",
      ]),
    ),
    "http: SUBSCRIBE TO t": "a table that is not there is refused",
    "http: SUBSCRIBE TO krl.nope": "a table that is not there is refused",
    "http: SUBSCRIBE TO krl.p": "a table that may not be read is refused",
    "http: SUBSCRIBE TO system.users": "a table that may not be read is refused",
    "bearer on the upgrade: h": "last_rows are the newest",
    "options: last": "last_rows are the newest",
    "options: unknownopt": "an unknown option is refused",
    "bad subscriptions: dup": "an id that is in use is refused",
    ...Object.fromEntries(
      ["eq", "ne", "lt", "like"].map((filter) => [`filters: ${filter}`, "last_rows are the newest that fit"]),
    ),
    ...Object.fromEntries(
      ["inn", "between", "isnull", "fn"].map((filter) => [`filters: ${filter}`, "every filter is live"]),
    ),
    "filters: not": "what was replaced or refused uses up no quota, and every filter is live",
    "leaving a filter: leave": "a row that leaves the filter is told, and last_rows are the newest that fit",
    "resume, second half, from as a number: r2": "what was deleted meanwhile is told",
    "live rows": "the live query of a dropped table is ended",
    "message over 1 MiB": "closed with the code for it and a reason, not cut",
    "message over 1 MiB: protocol": "closed with the code for it and a reason, not cut",
    ...uncompressed(["life cycle", "options", "bad subscriptions"]),
  },
  cursor: uncompressed(["pages with the cursor exact, from _seq", "pages with the cursor string"]),
  params: {
    "params: float_into_int": "a number is not cut to fit",
    rows: "a number is not cut to fit",
    "in where": "a number is not cut to fit",
  },
};

/** Codes by which a program can tell causes apart, and the words of the recording that each of them fits. */
export const specificCodes: Readonly<Record<string, RegExp>> = {
  UNIQUE_VIOLATION: /Primary key violation/,
  NOT_NULL_VIOLATION: /NOT NULL constraint violation/,
  MISSING_COLUMN: /No field named|Column '\w+' does not exist/,
  TABLE_NOT_FOUND: /Table .*not found|^SQL statement failed$/,
  TYPE_MISMATCH: /coercion failed|Cast error|Parser error|Invalid UUID/,
};

/** What the sandbox does not have. This list only shrinks: an entry that does not differ any more fails the test. */
export const notServed: Differences = {
  envelope: {
    "version()": "the sandbox names its own engine",
    "all stats": "figures of RocksDB, DataFusion and open files: there are none",
  },
  tables: {
    "show manifest": "statistics that the server writes about itself",
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

/** What was done between the recorded entries and left out of them, as far as later answers show it. */
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
