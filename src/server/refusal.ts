/**
 * Why the server refused a statement, from status, code and message. KalamDB uses one code for nearly everything and
 * answers 400 even to a failed commit, so only the causes listed here prove that nothing was changed.
 */

export type Cause =
  /** Not valid SQL, or not a valid request. */
  | "parse"
  /** Valid, but against a rule for names, options or operations on this object. */
  | "rule"
  /** A value of the wrong type for its column. */
  | "type"
  /** Primary key, NOT NULL. */
  | "constraint"
  | "exists"
  | "missing"
  | "permission"
  /** No login, a bad token, a locked account. */
  | "login"
  /** Too large or too many. */
  | "limit"
  /** Rate limit exceeded, or banned. */
  | "rate"
  /** A later statement of a batch failed; the ones before it were executed. */
  | "batchPart";

const codes: Readonly<Record<string, Cause>> = {
  EMPTY_SQL: "parse",
  INVALID_SQL: "parse",
  INVALID_INPUT: "parse",
  INVALID_PARAMETER: "parse",
  PARAMS_WITH_BATCH: "parse",
  BATCH_PARSE_ERROR: "parse",
  PERMISSION_DENIED: "permission",
  FORBIDDEN: "permission",
  MISSING_AUTHORIZATION: "login",
  INVALID_CREDENTIALS: "login",
  TOKEN_EXPIRED: "login",
  unauthorized: "login",
  account_locked: "login",
  setup_required: "login",
  RATE_LIMIT_EXCEEDED: "rate",
  IP_BANNED: "rate",
  TOO_MANY_CONNECTIONS: "rate",
  BODY_TOO_LARGE: "limit",
  NOT_NULL_VIOLATION: "constraint",
  UNIQUE_VIOLATION: "constraint",
  MISSING_COLUMN: "missing",
  TABLE_NOT_FOUND: "missing",
  TYPE_MISMATCH: "type",
};

/** The first pattern that matches the message decides. The order matters: a duplicate key also says "Already exists". */
const words: readonly (readonly [RegExp, Cause])[] = [
  [/too long|larger than allowed|count exceeded|size exceeded|too large/i, "limit"],
  [/primary key violation|not null constraint|constraint violation/i, "constraint"],
  [/schema coercion failed|cast error|cannot cast|error parsing|invalid uuid literal/i, "type"],
  [/parsererror|tokenizererror|sql parser error|recursionlimitexceeded|invalid function|parameter binding/i, "parse"],
  [
    /(require|missing|without|composite|multiple).{0,20}primary key|primary key.{0,30}(require|must|not supported)/i,
    "rule",
  ],
  [/already exists/i, "exists"],
  [/not found|does not exist|no field named/i, "missing"],
  [/unauthorized|permission denied|access denied|insufficient privileges|privileges .{0,80} required/i, "permission"],
  [/invalid characters|cannot start with|is reserved|reserved sql keyword|not supported|invalid operation/i, "rule"],
  [/divide by zero|error during planning|not implemented|is still in use|not empty/i, "rule"],
];

/** Only these causes of a commit or Raft error come from the data; any other may have happened after the write. */
const fromTheData: ReadonlySet<Cause | undefined> = new Set(["constraint", "type"]);

export function causeOf(status: number, code: string, message: string): Cause | undefined {
  const known = Object.hasOwn(codes, code) ? codes[code] : undefined;
  if (status === 429 || known === "rate") return "rate";
  const part = /^Statement (\d+) failed/.exec(message);
  if (part !== null && Number(part[1]) > 1) return "batchPart";
  // The code is more reliable than the message, but INVALID_SQL also stands for SQL that is too long.
  if (known !== undefined && known !== "parse") return known;
  if (status === 401) return "login";
  if (status === 403) return "permission";
  const said = words.find(([pattern]) => pattern.test(message))?.[1] ?? known;
  return /\braft error:|failed to commit/i.test(message) && !fromTheData.has(said) ? undefined : said;
}
