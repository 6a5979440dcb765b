/**
 * What differs between the versions of KalamDB that the sandbox speaks, and where each difference is known from. 0.4.3 is
 * recorded from a real server (contract/0.4.3); no 0.8 server could be run, so 0.8 is from its documentation and its types.
 */
const switches = {
  version: of("0.4.3-rc.4", "0.8.0+documented", "not a version of KalamDB's: nobody may take it for a real server"),
  port: of(8080, 2900, "documentation of 0.8: getting-started/configuration"),
  sharedAccess: of("levels", "policies", "documentation of 0.8: sql-reference/policies"),
  versionColumn: of("_seq", "_version", "crate kalamdb-commons 0.8.0: constants"),
  cursor: of("number", "text", "crate kalamdb-commons 0.8.0: websocket_messages"),
  domain: of("none", "inBatchControl", "crate kalamdb-commons 0.8.0: websocket_messages"),
  /** Changes of a SHARED table that a client may miss before its cursor expires. */
  replayChangesMax: of(Infinity, 1_024, "release notes of 0.7.1"),
  pageRowsMax: of(Infinity, 1_000, "crate kalamdb-commons 0.8.0: websocket"),
  keyOptional: of(false, true, "documentation of 0.8: tables"),
  /** Whether an INSERT without a column list leaves out the system columns. */
  hiddenColumns: of(false, true, "crate kalamdb-commons 0.8.0: constants"),
  names: of("ascii", "unicode", "crate kalamdb-commons 0.8.0: helpers/naming"),
  typedCreate: of(true, false, "documentation of 0.8: table-types, upgrade"),
  schemaWords: of(false, true, "documentation of 0.8: namespaces"),
  sqlBytesMax: of(1024 * 1024, 4 * 1024 * 1024, "crate kalamdb-commons 0.8.0: constants"),
  /** What becomes of a body above all limits. */
  hugeBody: of("cut", "refused", "0.4.3: contract/0.4.3; 0.8: assumed, as a proxy or the framework refuses it"),
  jsonBytesMax: of(2 * 1024 * 1024, 10 * 1024 * 1024, "assumed: more than the longest SQL"),
  streamTtlSeconds: of(undefined, 86_400, "crate kalamdb-commons 0.8.0: models/schemas/table_options"),
  localAuthSettings: of("auth", "auth.local", "sources of 0.5 to 0.7"),
  upsert: of(false, true, "documentation of 0.8: sql-reference/dml; release notes of 0.5.4-rc.1"),
  savepoints: of(false, true, "documentation of 0.8: sql-reference/transactions"),
  executeAs: of("user", "any", "documentation of 0.8: execute-as"),
  userName: of(/^[\w.@-]{1,64}$/, /^[\w-]{1,128}$/, "crate kalamdb-commons 0.8.0: models/ids/user_id"),
  postgresPort: of(false, true, "documentation of 0.8: postgresql"),
  microseconds: of(false, true, "crate kalamdb-commons 0.8.0: conversions/arrow/json"),
  sessionOrigin: of(false, true, "crate kalamdb-commons 0.8.0: models/session_origin"),
} as const;

function of<const A, const B>(before: A, now: B, source: string): { "0.4.3": A; "0.8": B; source: string } {
  return { "0.4.3": before, "0.8": now, source };
}

type DialectName = "0.4.3" | "0.8";
type Dialect = { readonly [S in keyof typeof switches]: (typeof switches)[S][DialectName] };

const asked = process.env["KALAM_SANDBOX_DIALECT"] ?? "0.4.3";
const isName = (name: string): name is DialectName => name === "0.4.3" || name === "0.8";

/** Why the process must not start; undefined if the dialect is one of the two. */
export const dialectProblem: string | undefined = isName(asked)
  ? undefined
  : `KALAM_SANDBOX_DIALECT: expected 0.4.3 or 0.8, found ${JSON.stringify(asked)}`;

/** The dialect of this process. */
export const dialectName: DialectName = isName(asked) ? asked : "0.4.3";
export const dialect: Dialect = Object.fromEntries(
  Object.entries(switches).map(([name, both]) => [name, both[dialectName]]),
) as unknown as Dialect;
