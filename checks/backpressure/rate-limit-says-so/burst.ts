/** More requests at once than one user may send in a second, and what came of each. */
import type { Context } from "../../../src/check.ts";
import { isRecord, type Json } from "../../../src/wire/json.ts";
import { cellText, saidOf, type Account, type Reply, type Target } from "../../../src/server/target.ts";
import { makeTable, readTable } from "../../vocabulary/tables.ts";

const limitUsual = 100;
const limitMax = 300;
/** Served or refused by then, or too late. */
const recoveryMs = 6_000;
const bystanderQueries = 5;
/** Most are reads: a server that is slow to write would be kept below its own limit. */
const writeEvery = 5;

export type Tally = {
  readonly served: number;
  readonly refused: number;
  /** Refusals for the rate that are not 429 with a code, such as "503 " or "429 ". */
  readonly odd: readonly string[];
  /** Neither: no answer, or another error. */
  readonly unclear: number;
};

export type Burst = {
  /** Why nothing was sent; null if it was. */
  readonly unsafe: string | null;
  readonly limit: number;
  readonly tally: Tally;
  /** From the first request to the last answer, milliseconds. */
  readonly tookMs: number;
  /** Until a query was served again; null if none was in time. */
  readonly shutMs: number | null;
  /** Queries of another account meanwhile, and those of them that were served, and refused for the rate. */
  readonly bystander: { readonly asked: number; readonly served: number; readonly refused: number };
  /** INSERTs that were refused. */
  readonly refusedWrites: number;
  /** Keys of them that are in the table; null if it could not be read. */
  readonly done: readonly number[] | null;
  readonly exchanges: readonly number[];
};

const nothingSent = {
  tally: { served: 0, refused: 0, odd: [], unclear: 0 },
  tookMs: 0,
  shutMs: null,
  bystander: { asked: 0, served: 0, refused: 0 },
  refusedWrites: 0,
  done: null,
  exchanges: [],
};

export async function observeBurst(target: Target, context: Context): Promise<Burst> {
  const configured = Number(target.capabilities.settings["rate_limit.max_queries_per_sec"]);
  const limit = Number.isFinite(configured) && configured > 0 ? configured : limitUsual;
  const unsafe = limit > limitMax ? `a limit of ${limit} per second is too high to try` : await whyUnsafe(target);
  if (unsafe !== null) return { unsafe, limit, ...nothingSent };
  const [op, user, bystander] = await Promise.all([
    target.account("dba"),
    target.fresh("user"),
    target.account("user", "bystander"),
  ]);
  const table = await makeTable(target, context, op, `${context.scratch}.rushed`, { columns: "id BIGINT PRIMARY KEY" });
  const send = await unpaced(target, user);
  if (send === null) return { unsafe: "no login is possible without pacing", limit, ...nothingSent };

  const from = performance.now();
  const keys = Array.from({ length: 3 * limit }, (_, at) => at);
  const aside = Promise.all(
    Array.from({ length: bystanderQueries }, async () =>
      saidOf(await target.sql(bystander, "SELECT 1 AS one", { expectRate: true })),
    ),
  );
  const replies = await Promise.all(
    keys.map(
      async (key) =>
        await send(key % writeEvery === 0 ? `INSERT INTO ${table} (id) VALUES (${key})` : `SELECT ${key} AS rushed`),
    ),
  );
  const tookMs = Math.round(performance.now() - from);
  const others = await aside;
  const shutFrom = performance.now();
  const again = await context.poll(
    async () => outcomeOf(await send("SELECT 1 AS again")).kind,
    (kind) => kind === "served",
    { withinMs: recoveryMs, everyMs: 200 },
  );
  const shutMs = again === "served" ? Math.round(performance.now() - shutFrom) : null;
  const outcomes = replies.map(outcomeOf);
  const stored = await readTable(target, user, table, ["id"]);
  const there = new Set(stored?.map(({ id }) => cellText(id)));
  const refused = keys.filter((key) => key % writeEvery === 0 && outcomes[key]?.kind === "refused");
  const shown = replies.filter((_, at) => outcomes[at]?.kind === "refused").slice(0, 2);
  return {
    unsafe: null,
    limit,
    tally: tallyOf(outcomes),
    tookMs,
    shutMs,
    bystander: {
      asked: others.length,
      served: others.filter(({ kind }) => kind === "ok").length,
      refused: others.filter(({ why }) => why === "rate").length,
    },
    refusedWrites: refused.length,
    done: stored === null ? null : refused.filter((key) => there.has(String(key))),
    exchanges: shown.map(({ exchange }) => exchange),
  };
}

/**
 * Why more requests than the limit must not be sent: beyond loopback, servers ban an address that goes on above its limit.
 * Health is told to loopback only, so a tunnel is noticed.
 */
async function whyUnsafe(target: Target): Promise<string | null> {
  if (target.control !== undefined) return null;
  const { hostname } = new URL(target.url);
  const isLoopback = hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
  if (!isLoopback) return "the server is not on this machine, so it could ban this address";
  const health = await target.request(null, { method: "GET", path: "/health" });
  if (health.kind === "answered" && health.status === 200) return null;
  return "the server takes us for a remote client, so it could ban this address";
}

/** Sends as the account, without the pacing that keeps all other requests below half of the limit. */
async function unpaced(target: Target, as: Account): Promise<((sql: string) => Promise<Reply>) | null> {
  const headers = { "content-type": "application/json" };
  const login = await target.request(null, {
    method: "POST",
    path: "/v1/api/auth/login",
    headers,
    body: JSON.stringify({ [target.capabilities.loginField]: as.name, password: target.password(as) }),
  });
  const token = isRecord(login.json) ? login.json["access_token"] : undefined;
  if (typeof token !== "string") return null;
  return async (sql) =>
    await target.request(null, {
      method: "POST",
      path: "/v1/api/sql",
      headers: { ...headers, authorization: `Bearer ${token}` },
      body: JSON.stringify({ sql }),
      expectRate: true,
    });
}

type Outcome = { readonly kind: "served" | "refused" | "unclear"; readonly odd?: string };

function outcomeOf(reply: Reply): Outcome {
  if (reply.kind === "broken") return { kind: "unclear" };
  const code = codeOf(reply.json);
  if (reply.status === 200 && isRecord(reply.json) && reply.json["status"] === "success") return { kind: "served" };
  // A 503 without the server's code may be a proxy's.
  const isRate = reply.status === 429 || code === "RATE_LIMIT_EXCEEDED" || (reply.status === 503 && code !== "");
  if (!isRate) return { kind: "unclear" };
  return reply.status === 429 && code !== ""
    ? { kind: "refused" }
    : { kind: "refused", odd: `${reply.status} ${code}`.trim() };
}

function codeOf(json: Json | undefined): string {
  const error = isRecord(json) ? json["error"] : undefined;
  return cellText((isRecord(error) ? error["code"] : error) ?? "");
}

function tallyOf(outcomes: readonly Outcome[]): Tally {
  const count = (kind: Outcome["kind"]): number => outcomes.filter((one) => one.kind === kind).length;
  const odd = [...new Set(outcomes.flatMap((one) => one.odd ?? []))].slice(0, 3);
  return { served: count("served"), refused: count("refused"), odd, unclear: count("unclear") };
}
