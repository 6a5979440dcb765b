import { gunzipSync } from "node:zlib";
import { dialect } from "../dialect.ts";
import { Refusal } from "../sql/errors.ts";
import { parseExactly, toParameter, type Parameter } from "../sql/parameters.ts";
import { bearer } from "./auth.ts";
import { json, parseJson, problemWithBody, type ApiRequest, type Context, type Reply } from "./exchange.ts";
import { verify } from "./jwt.ts";

const { sqlBytesMax, jsonBytesMax } = dialect;

/** `POST /v1/api/sql`. */
export async function sql(request: ApiRequest, context: Context): Promise<Reply> {
  const from = performance.now();
  const { authorization } = request.headers;
  if (authorization === undefined) return refusal(from, 401, "MISSING_AUTHORIZATION", "Authentication required");
  const claims = verify(bearer(request) ?? "", context.secret, Date.now() / 1000);
  if (claims === "expired") return refusal(from, 401, "TOKEN_EXPIRED", "Token expired");
  if (claims === "invalid" || claims.token_type !== "access") {
    return refusal(from, 401, "INVALID_CREDENTIALS", "Invalid credentials");
  }
  if (!context.limits.queries.allows(claims.sub, from)) {
    return refusal(from, 429, "RATE_LIMIT_EXCEEDED", "Too many queries per second");
  }
  try {
    const parsed = await readRequest(request);
    const who = { user: claims.sub, address: request.address };
    const answer = await context.database.ask("sql", {
      ...parsed,
      ...who,
      sockets: context.sockets.figures,
      wireSessions: context.postgres?.sessions ?? [],
    });
    if (answer.kind === "refused") return refusal(from, answer.status, answer.code, answer.message, answer.details);
    // Built as text: the rows are JSON already, and parsing would round their numbers.
    const more = answer.single ? ',"error":null' : "";
    return {
      status: 200,
      body: `{"status":"success","results":[${answer.results.join(",")}],"took":${elapsed(from)}${more}}`,
    };
  } catch (error) {
    if (error instanceof Refusal) return refusal(from, error.status, error.code, error.message);
    throw error;
  }
}

const elapsed = (from: number): number => Math.round((performance.now() - from) * 1000) / 1000;

export function refusal(from: number, status: number, code: string, message: string, details?: string): Reply {
  return json(status, { status: "error", results: [], took: elapsed(from), error: { code, message, details } });
}

interface SqlRequest {
  readonly sql: string;
  readonly parameters: readonly Parameter[];
  readonly namespace: string;
}

const bad = (problem: string): Refusal => new Refusal("INVALID_INPUT", `Invalid JSON payload: ${problem}`);

async function readRequest(request: ApiRequest): Promise<SqlRequest> {
  const raw = await request.body();
  if (!/^application\/json\b/i.test(request.headers["content-type"] ?? "")) throw bad("Content type error");
  if (raw.length > jsonBytesMax)
    throw bad(`JSON payload (${raw.length} bytes) is larger than allowed (limit: ${jsonBytesMax} bytes).`);
  const text = textOf(raw, request.headers["content-encoding"]);
  const value = parseJson(text, parseExactly);
  const problem = problemWithBody(text, value, { known: [], strict: false, needed: ["sql"] });
  if (problem !== undefined) throw bad(problem);
  const { sql: statement, params, namespace_id: namespace } = value as Readonly<Record<string, unknown>>;
  const at = `at line 1 column ${text.length}`;
  if (typeof statement !== "string")
    throw bad(`Json deserialize error: invalid type: ${JSON.stringify(statement)}, expected a string ${at}`);
  if (params !== undefined && params !== null && !Array.isArray(params))
    throw bad(`Json deserialize error: invalid type, expected a sequence ${at}`);
  if (namespace !== undefined && namespace !== null && typeof namespace !== "string") {
    throw bad(`Json deserialize error: invalid type, expected a string ${at}`);
  }
  if (typeof namespace === "string" && !/^\w{1,64}$/.test(namespace))
    throw new Refusal("INVALID_INPUT", `Invalid namespace_id ${JSON.stringify(namespace)}`, true);
  const length = Buffer.byteLength(statement);
  if (length > sqlBytesMax)
    throw new Refusal("INVALID_SQL", `SQL query too long: ${length} bytes (maximum ${sqlBytesMax} bytes)`, true);
  const parameters = ((params ?? []) as readonly unknown[]).map(toParameter);
  // PostgreSQL text cannot hold NUL or a lone surrogate.
  if (statement.includes("\u0000")) throw new Refusal("INVALID_SQL", "SQL must not contain NUL", true);
  if ([statement, ...parameters.map((parameter) => parameter.text ?? "")].some((part) => /\p{Surrogate}/u.test(part))) {
    throw bad(`Json deserialize error: lone surrogate ${at}`);
  }
  return { sql: statement, parameters, namespace: namespace ?? "default" };
}

/** The body as text, decompressed if needed; invalid UTF-8 is rejected, not replaced. */
function textOf(raw: Buffer, encoding: string | undefined): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      encoding === "gzip" ? gunzipSync(raw, { maxOutputLength: jsonBytesMax }) : raw,
    );
  } catch (error) {
    throw bad(`it cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
