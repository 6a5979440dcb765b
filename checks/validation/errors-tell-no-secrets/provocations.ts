/** Provoked errors, and what none of them may reveal to a plain user. */
import type { Account, Target } from "../../../src/server/target.ts";
import { truncated } from "../../../src/server/target.ts";

/** The values of the placeholders, such as `{ns}`. */
export type Names = Readonly<Record<"ns" | "other" | "password" | "key" | "planted", string>>;

/** A statement, or a request of another kind, that causes an error. */
interface Provocation {
  readonly name: string;
  readonly sql?: string;
  readonly params?: string;
  readonly method?: string;
  readonly path?: string;
  readonly type?: string;
  readonly body?: string;
}

export const provocations: readonly Provocation[] = [
  { name: "invalid SQL", sql: "SELEC 1" },
  { name: "an unterminated string", sql: "SELECT 'abc" },
  { name: "a missing table", sql: "SELECT * FROM {ns}.missing" },
  { name: "a missing column", sql: "SELECT missing FROM {ns}.own" },
  { name: "a missing function", sql: "SELECT missing_function(1)" },
  { name: "a private table", sql: "SELECT CAST(v AS INT) FROM {ns}.closed" },
  { name: "writing to a private table", sql: "INSERT INTO {ns}.closed (id, v) VALUES (1, 'x')" },
  { name: "a duplicate key", sql: "INSERT INTO {ns}.own (id, v) VALUES (1, 'again')" },
  { name: "a string for a number", sql: "INSERT INTO {ns}.own (id, v) VALUES ('abc', 'x')" },
  { name: "an impossible cast", sql: "SELECT CAST(v AS INT) FROM {ns}.own" },
  { name: "a division by zero", sql: "SELECT 1 / 0" },
  { name: "a file on the server", sql: "SELECT * FROM '/etc/passwd'" },
  { name: "a file as an external table", sql: "CREATE EXTERNAL TABLE {planted} STORED AS CSV LOCATION '/etc/passwd'" },
  { name: "too few parameters", sql: "SELECT $1, $2", params: "[1]" },
  {
    name: "a missing storage",
    sql: "CREATE TABLE {ns}.t (id BIGINT PRIMARY KEY) WITH (TYPE='USER', STORAGE_ID='missing')",
  },
  { name: "the list of users", sql: "SELECT * FROM system.users" },
  { name: "an account with a password", sql: "CREATE USER '{planted}' WITH PASSWORD '{password}' ROLE user" },
  { name: "acting as another", sql: "EXECUTE AS USER '{other}' (SELECT v FROM {ns}.own)" },
  { name: "a deeply nested statement", sql: `SELECT ${"(".repeat(300)}1${")".repeat(300)}` },
  { name: "invalid JSON", method: "POST", path: "/v1/api/sql", type: "application/json", body: "{bad" },
  { name: "JSON of wrong type", method: "POST", path: "/v1/api/sql", type: "application/json", body: '{"sql": 1}' },
  { name: "another content type", method: "POST", path: "/v1/api/sql", type: "text/plain", body: "SELECT 1" },
  { name: "another method", method: "DELETE", path: "/v1/api/sql" },
  { name: "an unknown path", method: "GET", path: "/v1/api/kr-missing" },
];

/** Internals of any server. */
const internals: readonly (readonly [what: string, pattern: RegExp, hidden?: true])[] = [
  ["a stack trace or a panic", /\bpanicked at\b|stack backtrace|RUST_BACKTRACE|\bthread '[\w-]+' |^[ \t]*at \S+:\d+/gm],
  ["a source location", /(?<![\w/.-])[\w/.-]+\.(rs|go|py|java|cpp|ts|js):\d+/g],
  [
    "a file path",
    /(^|[\s"'`(=:])(\/(etc|home|root|opt|usr|var|srv|data|mnt|tmp|app|work|build)\/[\w.-]+|[A-Za-z]:\\\\?[\w.-]+)/g,
  ],
  ["a memory address", /\b0x[0-9a-f]{8,16}\b/gi],
  ["a password hash", /\$2[aby]\$\d\d\$|\$argon2/g, true],
  ["a token", /(?<![\w-])eyJ[\w-]{10,}\.[\w-]{10,}/g, true],
  ["the content of a file", /\broot:[x*]?:0:0:/g],
];

export type Provoked = {
  readonly case: string;
  /** Null if no answer came. */
  readonly status: number | null;
  /** The beginning of the body; empty if it must not be in a report. */
  readonly text: string;
  /** What was found in headers and body; `words` quotes it unless it is a secret. */
  readonly leaks: readonly { readonly what: string; readonly words: string }[];
  readonly exchange: number;
};

const textMax = 120;

/** Sends it, and searches headers and body of the answer for server internals and data of another account. */
export async function provoke(
  target: Target,
  as: Account,
  one: Provocation,
  names: Names,
  secret: string,
): Promise<Provoked> {
  const { name, sql, params, method = "POST", path = "/v1/api/sql", type = "application/json", body } = one;
  const filled = sql?.replace(/\{(\w+)\}/g, (whole, word: string) => names[word as keyof Names] ?? whole);
  const sent =
    filled === undefined
      ? body
      : `{"sql":${JSON.stringify(filled)}${params === undefined ? "" : `,"params":${params}`}}`;
  const reply = await target.request(as, {
    method,
    path,
    ...(sent === undefined ? {} : { body: sent, headers: { "content-type": type } }),
  });
  const headers =
    reply.kind === "answered"
      ? Object.entries(reply.headers)
          .map(([header, value]) => `${header}: ${value}`)
          .join("\n")
      : "";
  const whole = `${headers}\n${reply.text}`;
  // The error may quote what the user wrote, except a password.
  const asked = sent ?? "";
  const others = {
    "another account's text": secret,
    "another account's key": names.key,
    "another account's name": names.other,
  };
  const found = [
    ...internals.flatMap(([what, pattern, hidden]) => {
      const leak = [...whole.matchAll(pattern)].map(([words]) => words.trim()).find((words) => !asked.includes(words));
      return leak === undefined ? [] : [{ what, words: hidden === true ? "" : truncated(leak, 80) }];
    }),
    ...Object.entries(others).flatMap(([what, words]) =>
      whole.includes(words) && !asked.includes(words) ? [{ what, words }] : [],
    ),
    ...(whole.includes(names.password) ? [{ what: "a password", words: "" }] : []),
  ];
  return {
    case: name,
    status: reply.kind === "answered" ? reply.status : null,
    text: found.length > 0 ? "" : truncated(reply.text, textMax),
    leaks: found,
    exchange: reply.exchange,
  };
}
