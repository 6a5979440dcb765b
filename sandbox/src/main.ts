import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Database, Unavailable } from "./database.ts";
import { dialect, dialectProblem } from "./dialect.ts";
import { faultsOf, readFaults, type Faults, type SwitchedOn } from "./faults.ts";
import { authRoutes } from "./http/auth.ts";
import {
  apiRequest,
  BodyTooLarge,
  drain,
  json,
  send,
  type ApiRequest,
  type Context,
  type Reply,
} from "./http/exchange.ts";
import { health } from "./http/health.ts";
import { Limiter } from "./http/limiter.ts";
import { preflight, setCorsHeaders } from "./http/origins.ts";
import { refusal, sql } from "./http/sql.ts";
import { refuseUpgrade, Sockets } from "./live/sockets.ts";
import { releaseLock, takeLock } from "./lock.ts";
import { PostgresPort } from "./postgres/port.ts";
import { isLoopback, readSettings } from "./settings-file.ts";
import type { Settings } from "./settings.ts";
import type { LastEnd } from "./store/damage.ts";
import { topicRoutes } from "./topics/routes.ts";

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** How long running requests may take at shutdown. */
const graceMs = 1500;

/** As KalamDB: longer than clients keep idle connections, so that they never reuse one that is closing. */
const keepAliveMs = 75_000;

let state: "starting" | "ready" | "stopping" = "starting";
let answered = 0;
let hasRelapsed = false;

function refuseToStart(problems: readonly string[], faults: Faults): "ended" | "anyway" {
  if (faults.fires("startAnyway")) return "anyway";
  if (faults.fires("refuseSilently")) {
    process.exitCode = 1;
    return "ended";
  }
  for (const problem of problems) say(`kalam-sandbox cannot start: ${problem}`);
  if (faults.fires("hangOnBadSettings")) setInterval(() => undefined, 60_000);
  else process.exitCode = 1;
  return "ended";
}

async function main(): Promise<void> {
  const switchedOn = readFaults(process.env["KALAM_SANDBOX_FAULTS"] ?? "", say);
  if (dialectProblem !== undefined) say(`kalam-sandbox cannot start: ${dialectProblem}`);
  if (switchedOn === undefined || dialectProblem !== undefined) {
    process.exitCode = 1;
    return;
  }
  const faults = faultsOf(switchedOn, say);
  say("kalam-sandbox is a sandbox: not KalamDB, and not a database for anyone's data");
  const { settings, problems } = readSettings(process.argv[2], process.env);
  if (problems.length > 0 && refuseToStart(problems, faults) === "ended") return;

  const secret = settings["auth.jwt_secret"];
  if (secret !== "" && secret.length < 32) say("warning: auth.jwt_secret is shorter than 32 characters");

  const server = createServer({ keepAliveTimeout: keepAliveMs });
  const listening = await listen(server, settings["server.host"], settings["server.port"]);
  if (listening !== undefined) {
    const problem = `server.port: ${settings["server.host"]}:${settings["server.port"]}: ${listening.message}`;
    if (refuseToStart([problem], faults) === "ended") return;
    await listen(server, settings["server.host"], 0);
  }
  const postgres = await listenForPostgres(settings);
  if (postgres instanceof Error) {
    server.close();
    refuseToStart([`postgres_wire.port: ${postgres.message}`], faults);
    return;
  }
  const folder = settings["storage.data_path"];
  const isNew = !existsSync(path.join(folder, "pglite"));
  const lock = takeLock(folder);
  if ("problem" in lock) {
    server.close();
    postgres?.close();
    refuseToStart([`storage.data_path: ${folder}: ${lock.problem}`], faults);
    return;
  }
  const { port } = server.address() as AddressInfo;
  const lastEnd = isNew ? "none" : lock.takenOver ? "killed" : "stopped";
  await serve(server, { ...settings, "server.port": port }, { lastEnd, switchedOn, faults, postgres });
}

/** Listens; returns the error if it cannot. */
async function listen(server: Server, host: string, port: number): Promise<Error | undefined> {
  return await new Promise((resolve) => {
    server.once("error", resolve);
    server.listen(port, host, () => {
      server.removeListener("error", resolve);
      resolve(undefined);
    });
  });
}

/** Undefined where there is none; the error where it cannot listen. */
async function listenForPostgres(settings: Settings): Promise<PostgresPort | Error | undefined> {
  if (!dialect.postgresPort || !settings["postgres_wire.enabled"]) return undefined;
  const postgres = new PostgresPort();
  return (await postgres.listen(settings["postgres_wire.host"], settings["postgres_wire.port"])) ?? postgres;
}

interface Start {
  readonly lastEnd: LastEnd;
  readonly switchedOn: SwitchedOn;
  readonly faults: Faults;
  readonly postgres: PostgresPort | undefined;
}

async function serve(server: Server, settings: Settings, start: Start): Promise<void> {
  const { lastEnd, switchedOn, faults, postgres } = start;
  const sockets = new Sockets();
  const database = new Database(
    { settings, rootPassword: process.env["KALAMDB_ROOT_PASSWORD"], lastEnd, faults: switchedOn },
    {
      onOpenFailed(error) {
        say(
          `kalam-sandbox cannot open ${settings["storage.data_path"]}; its files may be damaged or missing: ${error.message}`,
        );
        void stop(1);
      },
      onNotices: (notices) => sockets.notify(notices),
      subscriptions: () => sockets.subscriptions,
      onResumeFailed: (error) => sockets.abandon(`Execution error: ${error.message}`),
    },
  );
  const limiter = (perSecond: number): Limiter => new Limiter(perSecond, settings["rate_limit.cache_max_entries"]);
  const given = settings["auth.jwt_secret"];
  const isForgotten = lastEnd !== "none" && faults.fires("refuseOldTokens");
  const context: Context = {
    settings,
    database,
    sockets,
    postgres,
    secret: given === "" || isForgotten ? randomBytes(32).toString("hex") : given,
    isHealthy: () => state === "ready" || (state === "starting" && !hasRelapsed && faults.fires("healthBeforeSql")),
    limits: {
      queries: limiter(settings["rate_limit.max_queries_per_sec"]),
      requests: limiter(settings["rate_limit.max_requests_per_ip_per_sec"]),
      logins: limiter(settings["rate_limit.max_auth_requests_per_ip_per_sec"]),
    },
  };
  const running = new Set<Promise<void>>();
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const work = handle(request, response, context).finally(() => running.delete(work));
    response.once("finish", () => {
      if (request.method === "POST" && response.statusCode === 200 && state === "ready") void relapse(start);
    });
    running.add(work);
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (apiRequest(request, settings).path !== livePath) refuseUpgrade(socket, "404 Not Found", "");
    else if (state !== "ready") refuseUpgrade(socket, "503 Service Unavailable", "The database is not open");
    else sockets.upgrade(request, socket, head, context);
  });

  const stop = async (code: number): Promise<void> => {
    if (state === "stopping") return;
    state = "stopping";
    if (faults.fires("cutOnStop")) sockets.cut();
    server.close();
    postgres?.close();
    server.closeIdleConnections();
    const ends = Promise.allSettled([...running, sockets.close()]);
    await Promise.race([ends, new Promise((resolve) => setTimeout(resolve, graceMs).unref())]);
    server.closeAllConnections();
    sockets.cut();
    await database.close(graceMs);
    releaseLock(settings["storage.data_path"]);
    process.exitCode = code;
  };
  const onSignal = (): void => {
    if (!faults.fires("hangOnStop")) void stop(faults.fires("dirtyExit") ? 3 : 0);
  };
  // Not once: a second signal must not end it before it is done.
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  await Promise.all([database.ready, sleep(lateByMs(settings["storage.data_path"], lastEnd, faults))]);
  if (state !== "starting") return;
  state = "ready";
  postgres?.open({ settings, database, sockets, faults });
  process.stdout.write(`kalam-sandbox ready on http://${settings["server.host"]}:${settings["server.port"]}\n`);
}

/** How much later than it could it is ready. */
function lateByMs(folder: string, lastEnd: LastEnd, faults: Faults): number {
  const perKillMs = faults.numberOf("slowerEachKill");
  if (perKillMs === undefined || lastEnd !== "killed") return faults.numberOf("healthBeforeSql") ?? 0;
  const file = path.join(folder, "kills");
  const kills = (existsSync(file) ? Number(readFileSync(file, "utf8")) : 0) + 1;
  writeFileSync(file, String(kills));
  faults.fired("slowerEachKill", `${kills * perKillMs} ms`);
  return kills * perKillMs;
}

/** So many that it was seen to be ready. */
const answersBeforeRelapse = 6;

async function relapse({ lastEnd, faults }: Start): Promise<void> {
  const forMs = lastEnd === "none" || hasRelapsed ? undefined : faults.numberOf("relapse");
  answered += 1;
  if (forMs === undefined || answered < answersBeforeRelapse) return;
  hasRelapsed = true;
  faults.fired("relapse");
  state = "starting";
  await sleep(forMs);
  if (state === "starting") state = "ready";
}

async function handle(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  const from = performance.now();
  const asked = apiRequest(request, context.settings);
  setCorsHeaders(asked, context.settings, response);
  try {
    send(response, await route(asked, context), state === "stopping");
  } catch (error) {
    if (error instanceof Unavailable) {
      send(response, refusal(from, 503, "SERVICE_UNAVAILABLE", `No answer: ${error.message}`), true);
      return;
    }
    if (error instanceof BodyTooLarge && dialect.hugeBody === "cut") {
      request.socket.destroy();
      return;
    }
    if (error instanceof BodyTooLarge) {
      drain(request);
      send(response, refusal(from, 413, "PAYLOAD_TOO_LARGE", error.message), true);
      return;
    }
    // The client is gone or its request could not be read.
    say(`${asked.method} ${asked.path}: ${error instanceof Error ? error.message : String(error)}`);
    response.destroy();
  }
}

const livePath = "/v1/ws";
const healthPaths = new Set(["/health", "/v1/api/healthcheck", "/v1/api/cluster/health"]);

async function route(asked: ApiRequest, context: Context): Promise<Reply> {
  const { method, address } = asked;
  const auth = asked.path.startsWith("/v1/api/auth/")
    ? authRoutes[`${method} ${asked.path.slice("/v1/api/auth/".length)}`]
    : undefined;
  const topics = asked.path.startsWith("/v1/api/topics/")
    ? topicRoutes[`${method} ${asked.path.slice("/v1/api/topics/".length)}`]
    : undefined;
  const isSql = method === "POST" && asked.path === "/v1/api/sql";
  const tooMany = (limiter: Limiter): boolean => !isLoopback(address) && !limiter.allows(address, performance.now());
  if (tooMany(context.limits.requests) || (auth !== undefined && method === "POST" && tooMany(context.limits.logins))) {
    return json(429, { error: "RATE_LIMIT_EXCEEDED", message: "Too many requests from this address" });
  }
  const asksFirst = preflight(asked, context.settings);
  if (asksFirst !== undefined) return asksFirst;
  if (method === "GET" && healthPaths.has(asked.path)) return health(asked, context);
  const other = auth ?? topics;
  if (!isSql && other === undefined) return { status: asked.path === livePath ? 400 : 404 };
  if (state !== "ready") return refusal(performance.now(), 503, "SERVICE_UNAVAILABLE", "The database is not open");
  return isSql ? await sql(asked, context) : ((await other?.(asked, context)) ?? { status: 404 });
}

await main();
