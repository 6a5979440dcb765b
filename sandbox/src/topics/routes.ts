import { bearer } from "../http/auth.ts";
import {
  json,
  parseJson,
  plain,
  problemWithBody,
  type ApiRequest,
  type Context,
  type Reply,
} from "../http/exchange.ts";
import { verify } from "../http/jwt.ts";
import { refusal } from "../http/sql.ts";
import type { TopicAnswer } from "./answers.ts";
import type { Position } from "./topics.ts";

type Handler = (request: ApiRequest, context: Context) => Promise<Reply>;

/** The routes below `/v1/api/topics/`. */
export const topicRoutes: Readonly<Record<string, Handler>> = {
  "POST consume": async (request, context) =>
    await answered(
      request,
      context,
      [],
      async (fields, user) =>
        await context.database.ask("consume", {
          user,
          ...fields.common,
          start: readStart(fields.body["start"]),
          limit: readNumber(fields.body, "limit", 100),
        }),
    ),
  "POST ack": async (request, context) =>
    await answered(
      request,
      context,
      ["upto_offset"],
      async (fields, user) =>
        await context.database.ask("ack", { user, ...fields.common, upTo: readNumber(fields.body, "upto_offset") }),
    ),
};

interface Fields {
  readonly body: Readonly<Record<string, unknown>>;
  readonly common: { readonly topic: string; readonly group: string; readonly partition: number };
}

/** What is wrong with a body. */
class Unreadable extends Error {}

async function answered(
  request: ApiRequest,
  context: Context,
  needed: readonly string[],
  ask: (fields: Fields, user: string) => Promise<TopicAnswer>,
): Promise<Reply> {
  const from = performance.now();
  const token = bearer(request);
  if (token === undefined) return refusal(from, 401, "MISSING_AUTHORIZATION", "Authentication required");
  const claims = verify(token, context.secret, Date.now() / 1000);
  if (claims === "expired") return refusal(from, 401, "TOKEN_EXPIRED", "Token expired");
  if (claims === "invalid" || claims.token_type !== "access")
    return refusal(from, 401, "INVALID_CREDENTIALS", "Invalid credentials");
  const text = (await request.body()).toString();
  if (!/^application\/json\b/i.test(request.headers["content-type"] ?? "")) return plain(400, "Content type error");
  const value = parseJson(text);
  const problem = problemWithBody(text, value, {
    known: [],
    strict: false,
    needed: ["topic_id", "group_id", ...needed],
  });
  if (problem !== undefined) return plain(400, problem);
  try {
    const { status, body } = await ask(readFields(value as Fields["body"]), claims.sub);
    return json(status, body);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return plain(400, `Json deserialize error: ${error.message} at line 1 column ${text.length}`);
  }
}

function readFields(body: Fields["body"]): Fields {
  return {
    body,
    common: {
      topic: readText(body, "topic_id"),
      group: readText(body, "group_id"),
      partition: readNumber(body, "partition_id", 0),
    },
  };
}

function readText(body: Fields["body"], name: string): string {
  const value = body[name];
  if (typeof value !== "string") throw new Unreadable(`invalid type: ${JSON.stringify(value)}, expected a string`);
  return value;
}

function readNumber(body: Fields["body"], name: string, absent?: number): number {
  const value = body[name] ?? absent;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
    throw new Unreadable(`invalid value: ${JSON.stringify(value)}, expected an unsigned integer`);
  return value;
}

/** `"Latest"`, `"Earliest"` or `{"Offset": n}`. */
function readStart(value: unknown): Position {
  if (value === undefined) return "latest";
  if (typeof value === "string") {
    const word = value.toLowerCase();
    if (word === "earliest" || word === "latest") return word;
    throw new Unreadable(`Invalid start position: ${value}`);
  }
  const { Offset: offset, offset: lower } = Object(value) as Readonly<Record<string, unknown>>;
  return readNumber({ offset: offset ?? lower }, "offset");
}
