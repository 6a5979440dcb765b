import { freemem, hostname, totalmem } from "node:os";
import { reported } from "../settings.ts";
import type { Session } from "../sql/session.ts";
import { dialect } from "../dialect.ts";
import type { Table } from "./catalogue.ts";

const sources: Readonly<Record<string, (session: Session) => unknown>> = {
  stats,
  settings: ({ settings }) => reported(settings),
  cluster,
  live: ({ live, sockets }) => live.rows(sockets),
  sessions: ({ wireSessions }) => wireSessions,
};

/** Sets the figures of this process that the statement's system views read. */
export function publishFigures(tables: readonly Table[], session: Session): void {
  for (const { namespace, name } of tables) {
    const feed = namespace === "system" ? sources[name] : undefined;
    if (feed !== undefined)
      session.engine.query("SELECT set_config($1, $2, false)", [`kalam.${name}`, JSON.stringify(feed(session))]);
  }
}

const uptime = (): { uptime_seconds: string; uptime_human: string } => {
  const seconds = Math.floor(process.uptime());
  return { uptime_seconds: String(seconds), uptime_human: `${Math.floor(seconds / 60)}m` };
};

const megabytes = (bytes: number): string => String(Math.round(bytes / 1e6));

function stats(session: Session): Readonly<Record<string, string>> {
  const count = (sql: string): string => session.engine.query(sql)[0]?.[0] ?? "0";
  const jobs = (status: string): string => count(`SELECT count(*) FROM system.jobs WHERE status = '${status}'`);
  const rss = process.memoryUsage.rss();
  const { uptime_seconds, uptime_human } = uptime();
  const [{ sockets }, queries] = [session, session.live.figures];
  return {
    server_uptime_seconds: uptime_seconds,
    server_uptime_human: uptime_human,
    memory_usage_bytes: String(rss),
    memory_usage_mb: megabytes(rss),
    memory_usage_source: "rss",
    memory_rss_bytes: String(rss),
    memory_rss_mb: megabytes(rss),
    system_total_memory_mb: megabytes(totalmem()),
    system_used_memory_mb: megabytes(totalmem() - freemem()),
    pid: String(process.pid),
    total_users: count("SELECT count(*) FROM system.users"),
    total_namespaces: count("SELECT count(*) FROM kalam.namespaces"),
    total_tables: count("SELECT count(*) FROM system.schemas WHERE is_latest"),
    storage_backend: "pglite",
    total_jobs: count("SELECT count(*) FROM system.jobs"),
    jobs_running: jobs("running"),
    jobs_queued: jobs("queued"),
    jobs_failed: jobs("failed"),
    total_storages: count("SELECT count(*) FROM system.storages"),
    total_live_queries: String(queries.open),
    active_connections: String(sockets.open),
    active_connections_peak: String(sockets.peak),
    active_subscriptions: String(queries.open),
    active_subscriptions_peak: String(queries.peak),
    websocket_sessions: String(sockets.open),
    websocket_sessions_peak: String(sockets.peak),
    node_id: "1",
    server_version: process.env["KALAM_SANDBOX_VERSION"] ?? dialect.version,
    server_build_date: "sandbox",
    cluster_mode: "false",
  };
}

function cluster({ settings }: Session): Readonly<Record<string, unknown>> {
  return {
    cluster_id: hostname(),
    rpc_addr: "",
    api_addr: `${settings["server.host"]}:${settings["server.port"]}`,
    hostname: hostname(),
    version: dialect.version,
    memory_mb: megabytes(totalmem()),
    memory_usage_mb: megabytes(process.memoryUsage.rss()),
    os: process.platform,
    arch: process.arch,
    ...uptime(),
  };
}
