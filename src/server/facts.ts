/** What differs between versions of KalamDB, and where each fact is known from. The only place that knows versions. */

/** The values of a dialect's fields. */
export interface Values {
  /** How a SHARED table is opened to other accounts: ACCESS_LEVEL, or CREATE POLICY. */
  readonly sharedAccess: "levels" | "policies";
  readonly versionColumn: "_seq" | "_version";
  /** The form of a cursor in messages of a live query. */
  readonly cursor: "number" | "text";
  /** Whether the acknowledgement of a live query has a version domain, which a resume of a SHARED table must send back. */
  readonly domain: "none" | "inBatchControl";
  readonly keyOptional: boolean;
  /** Whether a STREAM table without TTL_SECONDS gets a default. */
  readonly ttlOptional: boolean;
  /** `ascii`: only ASCII letters, digits and `_`, and no reserved word of SQL. */
  readonly names: "ascii" | "unicode";
  /** Whether the names "Name" and name, in quotes, are the same column. */
  readonly quotedCase: "folded" | "kept";
  readonly sqlBytesMax: number;
  /** The first words of the settings of password login. */
  readonly settingNames: "auth" | "auth.local";
  /** `user`: EXECUTE AS USER 'id'. `any`: EXECUTE AS 'id', too. */
  readonly executeAs: "user" | "any";
  readonly savepoints: boolean;
  /** Whether INSERT takes ON CONFLICT and RETURNING. */
  readonly upsert: boolean;
  /** Whether a live query may deliver a change a second time. */
  readonly repeats: "never" | "allowed";
  /** Whether every SHOW and DESCRIBE of 0.4.3 is there. */
  readonly showCommands: boolean;
  /** Whether it can open a port that speaks the protocol of PostgreSQL. */
  readonly postgresPort: boolean;
  /** Error codes besides those of 0.4.3. */
  readonly newCodes: readonly string[];
}

export type FieldName = keyof Values;

/** What a sentence calls the field. */
export const fieldWords: { readonly [F in FieldName]: string } = {
  sharedAccess: "how shared tables are opened to other accounts",
  versionColumn: "the column with the row version",
  cursor: "the form of cursors",
  domain: "whether a resume needs a version domain",
  keyOptional: "whether a table may lack a primary key",
  ttlOptional: "whether a stream may lack a TTL",
  names: "which names are valid",
  quotedCase: "whether quoted names keep their case",
  sqlBytesMax: "the longest SQL",
  settingNames: "the names of the settings of password login",
  executeAs: "the form of EXECUTE AS",
  savepoints: "whether there are savepoints",
  upsert: "whether INSERT takes ON CONFLICT and RETURNING",
  repeats: "whether a change may be delivered twice",
  showCommands: "whether SHOW and DESCRIBE are there",
  postgresPort: "whether there can be a PostgreSQL port",
  newCodes: "the error codes",
};

/** What a server shows by what it answers; the others are expectations, which no answer may change. */
export const probedNames = ["sharedAccess", "versionColumn", "cursor", "domain", "settingNames"] as const;

export const fieldNames = Object.keys(fieldWords) as FieldName[];

/** `assumed`: nothing says so, but nothing speaks against it. */
interface Fact<T> {
  readonly value: T;
  readonly from: "seen" | "documented" | "assumed";
  readonly source: string;
}

/** A version of which something is known without asking it. A field that is absent is not known. */
export interface KnownVersion {
  readonly name: string;
  /** The first two numbers of the versions it stands for. */
  readonly minor: readonly [number, number];
  readonly facts: { readonly [F in FieldName]?: Fact<Values[F]> };
}

/** The version on which every check was tried, on a real server. */
export const verifiedOn = "0.4.3-rc.4";

function seen<T>(value: T): Fact<T> {
  return { value, from: "seen", source: verifiedOn };
}
function documented<T>(value: T, source: string): Fact<T> {
  return { value, from: "documented", source };
}

const crate = "crate kalamdb-commons 0.8.0";
const pages = "documentation of 0.8";

/** From the oldest to the newest. */
export const knownVersions: readonly KnownVersion[] = [
  {
    name: "0.4.3",
    minor: [0, 4],
    facts: {
      sharedAccess: seen("levels"),
      versionColumn: seen("_seq"),
      cursor: seen("number"),
      domain: seen("none"),
      keyOptional: seen(false),
      ttlOptional: seen(false),
      names: seen("ascii"),
      quotedCase: seen("folded"),
      sqlBytesMax: seen(1024 * 1024),
      settingNames: seen("auth"),
      executeAs: seen("user"),
      savepoints: seen(false),
      upsert: seen(false),
      repeats: seen("never"),
      showCommands: seen(true),
      postgresPort: seen(false),
      newCodes: seen([]),
    },
  },
  {
    name: "0.8",
    minor: [0, 8],
    facts: {
      sharedAccess: documented("policies", `${pages}: policies, tables`),
      versionColumn: documented("_version", `${crate}, constants`),
      cursor: documented("text", `${crate}, messages of live queries`),
      domain: documented("inBatchControl", `${crate}, messages of live queries`),
      keyOptional: documented(true, `${pages}: tables`),
      ttlOptional: documented(true, `${crate}, options of tables`),
      names: documented("unicode", `${crate}, names of namespaces`),
      quotedCase: { value: "kept", from: "assumed", source: `${pages}: namespaces, which says so of schemas only` },
      sqlBytesMax: documented(4 * 1024 * 1024, `${crate}, constants`),
      settingNames: { value: "auth.local", from: "assumed", source: "sources of 0.5 to 0.7" },
      executeAs: documented("any", `${pages}: execute-as`),
      savepoints: documented(true, `${pages}: transactions`),
      upsert: documented(true, `${pages}: dml`),
      repeats: documented("allowed", `${pages}: websocket`),
      postgresPort: documented(true, `${pages}: postgresql`),
      newCodes: documented(["NOT_NULL_VIOLATION", "MISSING_COLUMN"], `${crate}, coded errors`),
    },
  },
];
