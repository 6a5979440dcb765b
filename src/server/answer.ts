/** The answer to one SQL request, read from the raw answer. Nothing here throws, whatever the server sends. */
import { isRecord, JsonLimitError, parseExact, type Json } from "../wire/json.ts";
import { truncated } from "../formats/printable.ts";
import { causeOf, type Cause } from "./refusal.ts";
import type { Breakage, RawAnswer } from "../wire/wire.ts";

export interface Column {
  readonly name: string;
  /** `"BigInt"`, or `{ "Decimal": { precision, scale } }`. */
  readonly type: Json;
  /** `pk`, `nn`, `uq`. */
  readonly flags: readonly string[];
}

/** One result of a request. Statements without rows have no columns. */
export interface Result {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Json[])[];
  readonly rowCount: number;
  readonly message?: string;
  readonly asUser?: string;
}

interface Exchanged {
  /** The number of the exchange in the run's recording; findings refer to it in `sent`. */
  readonly exchange: number;
  /** Milliseconds on the process's monotonic clock. */
  readonly sentAt: number;
  readonly doneAt: number;
  /** For a named connection: how many times it has been opened. */
  readonly opened?: number;
}

/**
 * `ok`: the server acknowledged the request. `refused`: for a cause that we recognise, so it changed nothing. `unsure`:
 * it may have been executed or not.
 */
export type Answer = Exchanged &
  (
    | {
        readonly kind: "ok";
        readonly status: number;
        readonly results: readonly Result[];
        readonly tookMs: number | null;
      }
    | {
        readonly kind: "refused";
        readonly status: number;
        readonly code: string;
        readonly message: string;
        readonly cause: Cause;
      }
    | {
        readonly kind: "unsure";
        /**
         * `rate`: too fast even after waiting, so it was not executed. `expired`: the token that the run had for the
         * account; then there is no status.
         */
        readonly because: Breakage | "unavailable" | "unrecognised" | "rate" | "expired";
        readonly status?: number;
        readonly code?: string;
        readonly message: string;
        /**
         * The answer arrived complete and disagrees with itself: 119 rows with a row_count of 120, success with a status
         * of 500. Always with `malformed`.
         */
        readonly contradiction?: true;
      }
  );

/** The envelope of `/v1/api/sql`, as far as it could be read. */
type Envelope =
  | { readonly kind: "success"; readonly results: readonly Result[]; readonly tookMs: number | null }
  | { readonly kind: "error"; readonly code: string; readonly message: string }
  | ({ readonly kind: "neither" } & Invalid);

/** Why a body or a result is invalid, and whether because its parts disagree. */
interface Invalid {
  readonly why: string;
  readonly contradiction: boolean;
}

export function readAnswer(raw: RawAnswer, exchange: number): Answer {
  const times: { -readonly [Key in keyof Exchanged]: Exchanged[Key] } = {
    exchange,
    sentAt: raw.sentAt,
    doneAt: raw.doneAt,
  };
  if (raw.kind === "broken") {
    const status = raw.status === undefined ? {} : { status: raw.status };
    return { kind: "unsure", because: raw.because, ...status, message: raw.detail, ...times };
  }
  if (raw.opened !== undefined) times.opened = raw.opened;
  const { status } = raw;
  const envelope = readEnvelope(raw.body);
  if (envelope.kind === "success") {
    if (status !== 200)
      return {
        kind: "unsure",
        because: "malformed",
        status,
        message: `status ${status}, but the body reports success`,
        contradiction: true,
        ...times,
      };
    return { kind: "ok", status, results: envelope.results, tookMs: envelope.tookMs, ...times };
  }
  if (envelope.kind === "neither") {
    const because = status === 429 ? "rate" : status >= 500 ? "unavailable" : "malformed";
    const contradiction = envelope.contradiction && because === "malformed" ? ({ contradiction: true } as const) : {};
    return { kind: "unsure", because, status, message: envelope.why, ...contradiction, ...times };
  }
  const { code, message } = envelope;
  if (status < 400) {
    return {
      kind: "unsure",
      because: "malformed",
      status,
      code,
      message: `status ${status}, but the body reports an error: ${message}`,
      contradiction: true,
      ...times,
    };
  }
  if (status >= 500) return { kind: "unsure", because: "unavailable", status, code, message, ...times };
  const cause = causeOf(status, code, message);
  if (cause === undefined) return { kind: "unsure", because: "unrecognised", status, code, message, ...times };
  return { kind: "refused", status, code, message, cause, ...times };
}

function readEnvelope(body: Uint8Array): Envelope {
  let json: Json;
  try {
    json = parseExact(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (error) {
    const why = error instanceof JsonLimitError ? error.message : "not JSON";
    return neither(body.byteLength === 0 ? "an empty body" : `${why}: ${start(body)}`);
  }
  if (!isRecord(json)) return neither(`not a JSON object: ${start(body)}`);
  const { status, results, error, took } = json;
  if (isRecord(error) && status === "success") return neither(`both success and an error: ${start(body)}`, true);
  if (isRecord(error)) return { kind: "error", code: text(error["code"]), message: text(error["message"]) };
  // Refusals by the middleware have no envelope: {"error": "RATE_LIMIT_EXCEEDED", "message": …}.
  if (typeof error === "string") return { kind: "error", code: error, message: text(json["message"]) };
  if (error !== undefined && error !== null)
    return neither(`the error is neither an object nor a code: ${start(body)}`);
  if (status === "error") return { kind: "error", code: "", message: start(body) };
  if (status !== "success" || !Array.isArray(results)) return neither(`neither success nor error: ${start(body)}`);
  const read: Result[] = [];
  for (const [index, result] of results.entries()) {
    const one = readResult(result as Json);
    if ("why" in one) return neither(`result ${index + 1}: ${one.why}`, one.contradiction);
    read.push(one);
  }
  return { kind: "success", results: read, tookMs: typeof took === "number" ? took : null };
}

/** The result, or why it is invalid. */
function readResult(json: Json): Result | Invalid {
  const invalid = (why: string): Invalid => ({ why, contradiction: false });
  const contradictory = (why: string): Invalid => ({ why, contradiction: true });
  if (!isRecord(json)) return invalid("not an object");
  const { schema, rows, row_count: rowCount, message, as_user: asUser } = json;
  if (typeof rowCount !== "number") return invalid("no row_count");
  if ((schema === undefined) !== (rows === undefined))
    return contradictory("rows without a schema, or a schema without rows");
  const columns: Column[] = [];
  if (schema !== undefined) {
    if (!Array.isArray(schema) || !Array.isArray(rows)) return invalid("schema and rows must be arrays");
    for (const column of schema as readonly Json[]) {
      if (!isRecord(column) || typeof column["name"] !== "string") return invalid("a column without a name");
      const flags = column["flags"];
      columns.push({
        name: column["name"],
        type: column["data_type"] ?? null,
        flags: Array.isArray(flags) ? flags.map((flag) => text(flag as Json)) : [],
      });
    }
    const cells = rows as readonly Json[];
    if (cells.length !== rowCount) return contradictory(`row_count is ${rowCount}, but there are ${cells.length} rows`);
    const odd = cells.findIndex((row) => !Array.isArray(row) || row.length !== columns.length);
    if (odd !== -1) return contradictory(`row ${odd + 1} does not have the ${columns.length} columns of the schema`);
  }
  return {
    columns,
    rows: (rows ?? []) as unknown as readonly (readonly Json[])[],
    rowCount,
    ...(typeof message === "string" ? { message: text(message) } : {}),
    ...(typeof asUser === "string" ? { asUser } : {}),
  };
}

/** The row of an answer with exactly one result and one row, by column name; undefined for any other. */
export function onlyRow(answer: Answer): Readonly<Record<string, Json>> | undefined {
  const rows = rowsOf(answer);
  return answer.kind === "ok" && answer.results.length === 1 && rows?.length === 1 ? rows[0] : undefined;
}

/** The rows of the first result, by column name; undefined if the answer is not `ok` or its result has no columns. */
export function rowsOf(answer: Answer): readonly Readonly<Record<string, Json>>[] | undefined {
  const result = tableOf(answer);
  return result?.rows.map((row) =>
    Object.fromEntries(result.columns.map((column, at) => [column.name, row[at] ?? null])),
  );
}

/** The first result, if it has columns: without them, an answer to a query does not show that there are no rows. */
function tableOf(answer: Answer): Result | undefined {
  const first = answer.kind === "ok" ? answer.results[0] : undefined;
  return first === undefined || first.columns.length === 0 ? undefined : first;
}

/** The outcome in one line, for sentences. */
export function outcomeOf(answer: Answer): string {
  switch (answer.kind) {
    case "ok":
      return `${answer.status} success`;
    case "refused":
      return `${answer.status} ${answer.code}: ${answer.message}`;
    case "unsure":
      return `${answer.because}${answer.status === undefined ? "" : ` (status ${answer.status})`}: ${answer.message}`;
  }
}

/** An answer without its rows, as evidence keeps it. */
export type Said = {
  readonly kind: Answer["kind"];
  /** Null if there was no HTTP response. */
  readonly status: number | null;
  readonly code: string;
  readonly message: string;
  /** The cause of a refusal, or what broke in an `unsure` answer. */
  readonly why: string;
  readonly exchange: number;
};

export function saidOf(answer: Answer): Said {
  const { kind, exchange } = answer;
  const status = answer.status ?? null;
  switch (answer.kind) {
    case "ok":
      return {
        kind,
        status,
        code: "",
        message: answer.results.map((result) => result.message ?? "").join("; "),
        why: "",
        exchange,
      };
    case "refused":
      return { kind, status, code: answer.code, message: answer.message, why: answer.cause, exchange };
    case "unsure":
      return { kind, status, code: answer.code ?? "", message: answer.message, why: answer.because, exchange };
  }
}

/**
 * Whether a statement was refused for what it says, with a status from 400 to 499 and a code. A rate limit, a missing
 * login and a missing privilege are other reasons. Whether anything changed anyway must be looked up afterwards.
 */
export function isCleanRefusal(said: Said): boolean {
  if (said.status === null || said.status < 400 || said.status > 499 || said.code === "") return false;
  return !["rate", "login", "permission"].includes(said.why);
}

/** The first column of the first result as text; undefined if the answer is not `ok` or its result has no columns. */
export function listed(answer: Answer): readonly string[] | undefined {
  return tableOf(answer)?.rows.map(([cell]) => (typeof cell === "string" ? cell : JSON.stringify(cell)));
}

function neither(why: string, contradiction = false): Envelope {
  return { kind: "neither", why, contradiction };
}

/** Recordings and evidence keep thousands of messages. */
const textMax = 10_000;

function text(value: Json | undefined): string {
  const whole = typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
  return whole.length > textMax ? `${truncated(whole, textMax)} (${whole.length} characters)` : whole;
}

function start(body: Uint8Array): string {
  const decoded = new TextDecoder().decode(body.subarray(0, 120)).replace(/\s+/g, " ");
  return body.byteLength > 120 ? `${decoded}…` : decoded;
}
