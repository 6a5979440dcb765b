import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { Database, Unavailable } from "./database.ts";
import { readFaults, type Faults } from "./faults.ts";
import { authRoutes } from "./http/auth.ts";
import { apiRequest, json, send, type ApiRequest, type Context, type Reply } from "./http/exchange.ts";
import { health } from "./http/health.ts";
import { Limiter } from "./http/limiter.ts";
import { preflight, setCorsHeaders } from "./http/origins.ts";
import { refusal, sql } from "./http/sql.ts";
import { refuseUpgrade, Sockets } from "./live/sockets.ts";
import { releaseLock, takeLock } from "./lock.ts";
import { isLoopback, readSettings } from "./settings-file.ts";
import type { Settings } from "./settings.ts";

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** How long running requests may take at shutdown. */
const graceMs = 1500;

/** As KalamDB: longer than clients keep idle connections, so that they never reuse one that is closing. */
const keepAliveMs = 75_000;

let state: "starting" | "ready" | "stopping" = "starting";

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
  const faults = readFaults(process.env["KALAM_SANDBOX_FAULTS"] ?? "", say);
  if (faults === undefined) {
    process.exitCode = 1;
    return;
  }
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
  const locked = takeLock(settings["storage.data_path"]);
  if (locked !== undefined) {
    server.close();
    refuseToStart([`storage.data_path: ${settings["storage.data_path"]}: ${locked}`], faults);
    return;
  }
  const { port } = server.address() as AddressInfo;
  await serve(server, { ...settings, "server.port": port });
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

async function serve(server: Server, settings: Settings): Promise<void> {
  const sockets = new Sockets();
  const database = new Database(
    { settings, rootPassword: process.env["KALAMDB_ROOT_PASSWORD"] },
    {
      onOpenFailed(error) {
        say(`kalam-sandbox cannot open ${settings["storage.data_path"]}: ${error.message}`);
        void stop(1);
      },
      onNotices: (notices) => sockets.notify(notices),
      subscriptions: () => sockets.subscriptions,
      onResumeFailed: (error) => sockets.abandon(`Execution error: ${error.message}`),
    },
  );
  const limiter = (perSecond: number): Limiter => new Limiter(perSecond, settings["rate_limit.cache_max_entries"]);
  const context: Context = {
    settings,
    database,
    sockets,
    secret: settings["auth.jwt_secret"] === "" ? randomBytes(32).toString("hex") : settings["auth.jwt_secret"],
    limits: {
      queries: limiter(settings["rate_limit.max_queries_per_sec"]),
      requests: limiter(settings["rate_limit.max_requests_per_ip_per_sec"]),
      logins: limiter(settings["rate_limit.max_auth_requests_per_ip_per_sec"]),
    },
  };
  const running = new Set<Promise<void>>();
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const work = handle(request, response, context).finally(() => running.delete(work));
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
    server.close();
    server.closeIdleConnections();
    const ends = Promise.allSettled([...running, sockets.close()]);
    await Promise.race([ends, new Promise((resolve) => setTimeout(resolve, graceMs).unref())]);
    server.closeAllConnections();
    sockets.cut();
    await database.close(graceMs);
    releaseLock(settings["storage.data_path"]);
    process.exitCode = code;
  };
  process.once("SIGTERM", () => void stop(0));
  process.once("SIGINT", () => void stop(0));
  await database.ready;
  if (state !== "starting") return;
  state = "ready";
  process.stdout.write(`kalam-sandbox ready on http://${settings["server.host"]}:${settings["server.port"]}\n`);
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
    // The client is gone or its request could not be read.
    say(`${asked.method} ${asked.path}: ${error instanceof Error ? error.message : String(error)}`);
    response.destroy();
  }
}

const livePath = "/v1/ws";
const healthPaths = new Set(["/health", "/v1/api/healthcheck", "/v1/api/cluster/health"]);

async function route(asked: ApiRequest, context: Context): Promise<Reply> {
  const { method, path, address } = asked;
  const auth = path.startsWith("/v1/api/auth/")
    ? authRoutes[`${method} ${path.slice("/v1/api/auth/".length)}`]
    : undefined;
  const isSql = method === "POST" && path === "/v1/api/sql";
  const tooMany = (limiter: Limiter): boolean => !isLoopback(address) && !limiter.allows(address, performance.now());
  if (tooMany(context.limits.requests) || (auth !== undefined && method === "POST" && tooMany(context.limits.logins))) {
    return json(429, { error: "RATE_LIMIT_EXCEEDED", message: "Too many requests from this address" });
  }
  const asksFirst = preflight(asked, context.settings);
  if (asksFirst !== undefined) return asksFirst;
  if (method === "GET" && healthPaths.has(path)) return health(asked, context);
  if (!isSql && auth === undefined) return { status: path === livePath ? 400 : 404 };
  if (state !== "ready") return refusal(performance.now(), 503, "SERVICE_UNAVAILABLE", "The database is not open");
  return isSql ? await sql(asked, context) : ((await auth?.(asked, context)) ?? { status: 404 });
}

await main();
