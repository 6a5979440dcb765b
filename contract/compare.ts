import { specificCodes } from "./expected.ts";
import { rebuild, type Answer, type Entry } from "./recording.ts";

/**
 * Messages of KalamDB's own statements are compared literally. Those of its engine are compared only by what checks read in
 * them: each of these phrases in the recorded message must be in the answer, too.
 */
const engineWords =
  /Raft|Arrow|Optimizer|planning|ParserError|TokenizerError|sql parser error|Json deserialize|coercion|Schema error|already has an active/;
const phrases = [
  /Statement \d+ failed/,
  /Primary key violation: value '[^']*'/,
  /in column '[^']*'/,
  /NOT NULL constraint violation: column '[^']*' cannot be NULL/,
  /No field named \w+/,
  /\w+\.\w+\.id,/,
  /table 'kalam\.[\w.]+' not found/,
  /Invalid function '\w+'/,
  /Access denied: Role '\w+' cannot access table '[\w.]+'/,
  /access_level=\w+/,
  /System tables require/,
  /Divide by zero/,
  /coercion failed/,
  /(unknown|missing) field `\w+`/,
  /Column '\w+' does not exist/,
  /UPDATE cannot modify primary key column '\w+'/,
  /Expected: an SQL statement, found: \w+/,
  /got \d+ values in row \d+ but expected \d+/,
  /JSON payload \(\d+ bytes\) is larger than allowed \(limit: \d+ bytes\)/,
  /RecursionLimitExceeded/,
  /Insert-on clause not supported/,
  /ParserError/,
];

/** Fields that depend on the machine or the time. */
const varyingKeys =
  /^(took|_commit_seq|memory_usage_mb|cpu_usage_percent|uptime_seconds|uptime_human|hostname|cluster_id|api_addr|build_date|total_groups|groups_leading|current_term|last_applied|millis_since_quorum_ack|size_bytes)$/;
/** Always 0 in the recording. The sandbox counts correctly; a check covers that. */
const untrueKeys = /^total_rows$/;
/** Columns that vary likewise; descriptions are worded freely. */
const varyingColumns = /^(password_hash|description|latency_ms|total_bytes|used_bytes|audit_id)$/;
const varyingSettings =
  /^(server\.port|server\.public_origin|rate_limit\.max_queries_per_sec|websocket\.client_timeout_secs)$/;

/** Timestamps after this one come from the recorded server or from the one under test. */
const recordedAfterS = 1_790_000_000;

function maskNumber(value: number): unknown {
  for (const [unit, perSecond] of [
    ["ms", 1e3],
    ["us", 1e6],
    ["ns", 1e9],
  ] as const) {
    if (value > recordedAfterS * perSecond && value < 2 * recordedAfterS * perSecond) return `<${unit}>`;
  }
  return value > 3e17 && value < 5e17 ? "<seq>" : value;
}

const maskedTexts: readonly (readonly [RegExp, string])[] = [
  [/eyJ[\w-]+\.[\w-]+\.[\w-]*/g, "<jwt>"],
  // Payloads of messages: JSON in base64, which the recorder took for tokens.
  [/^eyJ[\w+/]+=*$/g, "<jwt>"],
  [/\b17\d{11}\b/g, "<ms>"],
  [/\b(?!550e8400)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "<uuid>"],
  [/\b(FL|CO|BK|CL|TC)-[0-9a-f]{12}\b/g, "$1-<job>"],
  [/\bsub-(\w+-\w+)-[0-9a-f]{32}\b/g, "sub-$1-<number>"],
  [/20\d\d-\d\d-\d\dT[\d:.]+\+00:00/g, "<moment>"],
  [/Expires=\w{3}, \d\d \w{3} 20\d\d [\d:]+ GMT/g, "Expires=<moment>"],
  [/\(\d+\.\d\d MB\)/g, "(<size>)"],
  [/\b[0-9a-f]{32}\b/g, "<connection>"],
  [/\b3\d{17}\b/g, "<seq>"],
];

/** Masks what varies between runs. */
export function mask(value: unknown, folder: string): unknown {
  if (typeof value === "number") return maskNumber(value);
  if (Array.isArray(value)) return value.map((part) => mask(part, folder));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, part]) => [
        key,
        varyingKeys.test(key) || untrueKeys.test(key) ? `<${key}>` : mask(part, folder),
      ]),
    );
  }
  if (typeof value !== "string") return value;
  if (/^[{[]/.test(value) && isJson(value)) return mask(JSON.parse(value), folder);
  let text = value.replaceAll(folder, "<dir>");
  for (const [pattern, instead] of maskedTexts) text = text.replace(pattern, instead);
  return text;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

interface Result {
  readonly schema?: readonly {
    readonly name: string;
    readonly data_type: unknown;
    readonly index: number;
    readonly flags?: readonly string[];
  }[];
  readonly rows?: readonly (readonly unknown[])[];
  readonly row_count: number;
  readonly message?: string;
  readonly as_user: string;
}

interface Envelope {
  readonly status: string;
  readonly results: readonly Result[];
  readonly error?: { readonly code: string; readonly message: string; readonly details?: string } | null;
}

const isEnvelope = (body: unknown): body is Envelope => typeof body === "object" && body !== null && "results" in body;

/** How the answer differs from the recorded one, one line per difference. `folder` is `<dir>` in the recording. */
export function differences(entry: Entry, answer: Answer | { readonly broke: string }, folder: string): string[] {
  const { response } = entry;
  if (response === undefined || "broke" in answer) {
    return (response === undefined) === "broke" in answer
      ? []
      : [`answered ${JSON.stringify(answer).slice(0, 200)}, recorded ${entry.error ?? "an answer"}`];
  }
  const found: string[] = [];
  const same = (what: string, recorded: unknown, now: unknown): void => {
    const [a, b] = [stable(mask(recorded, folder)), stable(mask(now, folder))];
    if (a !== b) found.push(`${what}: recorded ${a.slice(0, 400)}\n      now      ${b.slice(0, 400)}`);
  };
  same("status", response.status, answer.status);
  same("type", response.type, answer.type);
  same("cookies", response.setCookie, answer.setCookie);
  if (!isEnvelope(response.body) || !isEnvelope(answer.body)) {
    if (typeof response.body === "string") found.push(...message(response.body, String(answer.body), folder));
    else same("body", response.body, answer.body);
    return found;
  }
  const sql = (Object(entry.request?.body) as { sql?: string }).sql ?? "";
  const [recorded, now] = [response.body, answer.body];
  same("envelope", shapeOf(recorded), shapeOf(now));
  if (!isMoreSpecific(recorded, now)) same("error.code", recorded.error?.code, now.error?.code);
  const isInProgress = /FROM system\.jobs/.test(sql) && /"(queued|running)"/.test(JSON.stringify(recorded.results));
  found.push(...message(recorded.error?.message, now.error?.message, folder));
  same("error.details", rebuild(recorded.error?.details ?? ""), now.error?.details ?? "");
  same("results", recorded.results.length, now.results.length);
  recorded.results.forEach((result, index) => {
    const other = now.results[index];
    if (other === undefined) return;
    same("row_count", result.row_count, other.row_count);
    same("as_user", result.as_user, other.as_user);
    found.push(...message(result.message, other.message, folder));
    same("schema", columnsOf(result), columnsOf(other));
    // Without ORDER BY, a LIMIT may keep any rows.
    if (!isCut(result, sql) && !isInProgress) same("rows", rowsOf(result, sql), rowsOf(other, sql));
  });
  return found;
}

/** Whether the sandbox has a more specific code that fits the recorded message of a SQL_EXECUTION_ERROR. */
function isMoreSpecific(recorded: Envelope, now: Envelope): boolean {
  const fits = specificCodes[now.error?.code ?? ""];
  return recorded.error?.code === "SQL_EXECUTION_ERROR" && fits?.test(recorded.error.message) === true;
}

/** The fields of the envelope; `took` must be a number. */
const shapeOf = (body: Envelope): unknown => [
  Object.keys(body).toSorted(),
  body.status,
  typeof (body as { took?: unknown }).took,
  body.error === null,
];

/** Names of unnamed expressions depend on the engine. */
const columnsOf = ({ schema }: Result): unknown =>
  schema?.map((column) => ({
    ...column,
    name: /\(/.test(column.name) || /^(min|max|count)$/.test(column.name) ? "<expression>" : column.name,
  }));

const isCut = ({ row_count: count }: Result, sql: string): boolean =>
  count > 0 && !/ORDER BY/i.test(sql) && Number(/LIMIT (\d+)/i.exec(sql)?.[1]) === count && !/\bWHERE\b/i.test(sql);

function rowsOf({ schema, rows }: Result, sql: string): unknown {
  // Their rows depend on the machine and on what ran before.
  if (/system\.(cluster|audit_log)\b/.test(sql)) return rows?.length;
  const shown = rows?.map((row) =>
    row.map((cell, index) => {
      const { name = "", data_type: type } = schema?.[index] ?? {};
      if (varyingColumns.test(name) && cell !== null) return `<${name}>`;
      if (name === "value" && varyingSettings.test(String(row[0]))) return "<value>";
      if (name === "metric_value" && !/^(server_version|cluster_mode)$/.test(String(row[0]))) return "<figure>";
      const text = type === "Bytes" && Array.isArray(cell) ? Buffer.from(cell as number[]).toString() : cell;
      const isText = (type === "Json" || text !== cell) && typeof text === "string" && isJson(text);
      return isText ? (JSON.parse(text) as unknown) : cell;
    }),
  );
  return /ORDER BY/i.test(sql) ? shown : shown?.map((row) => JSON.stringify(row)).toSorted();
}

export function message(recorded: string | undefined, now: string | undefined, folder: string): string[] {
  const [a, b] = [plain(recorded, folder), plain(now, folder)];
  const missing = engineWords.test(a)
    ? phrases.map((phrase) => phrase.exec(a)?.[0]).find((phrase) => phrase !== undefined && !b.includes(phrase))
    : undefined;
  if (engineWords.test(a) ? missing === undefined : a === b) return [];
  return [`message: recorded ${a}\n      now      ${b}${missing === undefined ? "" : `\n      lacks    ${missing}`}`];
}

const plain = (text: string | undefined, folder: string): string => {
  const masked = String(mask(text ?? "", folder));
  return masked.replace(/^CREATE TABLE via Raft consensus: /, "").replace(/ at line \d+ column \d+$/, "");
};

/** JSON with sorted keys. */
export function stable(value: unknown): string {
  return (
    JSON.stringify(value, (_key, part: unknown) =>
      typeof part === "object" && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    ) ?? "nothing"
  );
}
