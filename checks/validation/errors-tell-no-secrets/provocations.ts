/** Errors provoked on purpose, and what none of them may tell a plain user. */
import type { Account, Target } from "../../../src/server/target.ts";

/** What stands in a request for `{name}`. */
export type Names = Readonly<Record<"ns" | "other" | "password" | "key" | "planted", string>>;

/** One line an error: a statement, or a request of another kind. */
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
  { name: "no SQL", sql: "SELEC 1" },
  { name: "an open quote", sql: "SELECT 'abc" },
  { name: "a missing table", sql: "SELECT * FROM {ns}.missing" },
  { name: "a missing column", sql: "SELECT missing FROM {ns}.own" },
  { name: "a missing function", sql: "SELECT missing_function(1)" },
  { name: "a private table", sql: "SELECT CAST(v AS INT) FROM {ns}.closed" },
  { name: "writing into a private table", sql: "INSERT INTO {ns}.closed (id, v) VALUES (1, 'x')" },
  { name: "a key twice", sql: "INSERT INTO {ns}.own (id, v) VALUES (1, 'again')" },
  { name: "a text for a number", sql: "INSERT INTO {ns}.own (id, v) VALUES ('abc', 'x')" },
  { name: "casting what cannot be cast", sql: "SELECT CAST(v AS INT) FROM {ns}.own" },
  { name: "dividing by zero", sql: "SELECT 1 / 0" },
  { name: "a file of the server's", sql: "SELECT * FROM '/etc/passwd'" },
  { name: "a file into a table", sql: "CREATE EXTERNAL TABLE {planted} STORED AS CSV LOCATION '/etc/passwd'" },
  { name: "too few parameters", sql: "SELECT $1, $2", params: "[1]" },
  {
    name: "a missing storage",
    sql: "CREATE TABLE {ns}.t (id BIGINT PRIMARY KEY) WITH (TYPE='USER', STORAGE_ID='missing')",
  },
  { name: "the users", sql: "SELECT * FROM system.users" },
  { name: "an account with a password", sql: "CREATE USER '{planted}' WITH PASSWORD '{password}' ROLE user" },
  { name: "acting as another", sql: "EXECUTE AS USER '{other}' (SELECT v FROM {ns}.own)" },
  { name: "a statement far too deep", sql: `SELECT ${"(".repeat(300)}1${")".repeat(300)}` },
  { name: "no JSON", method: "POST", path: "/v1/api/sql", type: "application/json", body: "{bad" },
  { name: "JSON of another shape", method: "POST", path: "/v1/api/sql", type: "application/json", body: '{"sql": 1}' },
  { name: "another type of body", method: "POST", path: "/v1/api/sql", type: "text/plain", body: "SELECT 1" },
  { name: "another method", method: "DELETE", path: "/v1/api/sql" },
  { name: "no such path", method: "GET", path: "/v1/api/kr-missing" },
];

/** What tells about the inside of a server, whatever it is. */
const inside: readonly (readonly [what: string, pattern: RegExp, hidden?: true])[] = [
  ["a stack or a panic", /\bpanicked at\b|stack backtrace|RUST_BACKTRACE|\bthread '[\w-]+' |^\s*at \S+:\d+/gm],
  ["a place in its source", /[\w/.-]+\.(rs|go|py|java|cpp|ts|js):\d+/g],
  [
    "a path on its disk",
    /(^|[\s"'`(=:])(\/(etc|home|root|opt|usr|var|srv|data|mnt|tmp|app|work|build)\/[\w.-]+|[A-Za-z]:\\\\?[\w.-]+)/g,
  ],
  ["an address in its memory", /\b0x[0-9a-f]{8,16}\b/gi],
  ["a hash of a password", /\$2[aby]\$\d\d\$|\$argon2/g, true],
  ["a token", /\beyJ[\w-]{10,}\.[\w-]{10,}/g, true],
  ["what is in a file of its own", /\broot:[x*]?:0:0:/g],
];

export type Provoked = {
  readonly case: string;
  /** Null where no answer came. */
  readonly status: number | null;
  /** The beginning of the body, without what must not be in a report. */
  readonly text: string;
  /** What was found in the whole of head and body, and where it is no secret, its words. */
  readonly leaks: readonly { readonly what: string; readonly words: string }[];
  readonly exchange: number;
};

const textMax = 120;

/** Sends it, and searches head and body of the answer for what is inside of a server and for what is another's. */
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
  const head =
    reply.kind === "answered"
      ? Object.entries(reply.headers)
          .map(([header, value]) => `${header}: ${value}`)
          .join("\n")
      : "";
  const whole = `${head}\n${reply.text}`;
  // What the user wrote may come back to the user, but for a password.
  const asked = sent ?? "";
  const others = { "another's text": secret, "another's key": names.key, "another's name": names.other };
  const found = [
    ...inside.flatMap(([what, pattern, hidden]) => {
      const told = [...whole.matchAll(pattern)].map(([words]) => words.trim()).find((words) => !asked.includes(words));
      return told === undefined ? [] : [{ what, words: hidden === true ? "" : told.slice(0, 80) }];
    }),
    ...Object.entries(others).flatMap(([what, words]) =>
      whole.includes(words) && !asked.includes(words) ? [{ what, words }] : [],
    ),
    ...(whole.includes(names.password) ? [{ what: "a password", words: "" }] : []),
  ];
  return {
    case: name,
    status: reply.kind === "answered" ? reply.status : null,
    text: found.length > 0 ? "" : reply.text.slice(0, textMax),
    leaks: found,
    exchange: reply.exchange,
  };
}
