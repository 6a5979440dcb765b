import { hostname } from "node:os";
import { isLoopback } from "../settings-file.ts";
import { dialect } from "../dialect.ts";
import { json, type ApiRequest, type Context, type Reply } from "./exchange.ts";

const about = { version: dialect.version, api_version: "v1", build_date: "sandbox" };

/** For this host only. Healthy means that the database answers. */
export function health({ path, address }: ApiRequest, { settings, isHealthy }: Context): Reply {
  const isCluster = path.includes("cluster");
  if (!isLoopback(address)) {
    return json(403, {
      error: `Access denied. ${isCluster ? "Cluster health" : "Health endpoint"} is localhost-only.`,
    });
  }
  if (!isHealthy()) return json(503, { status: "unavailable", ...about });
  if (!isCluster) return json(200, { status: "healthy", ...about });
  const seconds = Math.floor(process.uptime());
  const node = {
    node_id: 1,
    role: "leader",
    status: "active",
    api_addr: `${settings["server.host"]}:${settings["server.port"]}`,
    is_self: true,
    is_leader: true,
    replication_lag: null,
    catchup_progress_pct: null,
    hostname: hostname(),
    memory_usage_mb: Math.round(process.memoryUsage.rss() / 1e6),
    cpu_usage_percent: 0,
    uptime_seconds: seconds,
    uptime_human: `${Math.floor(seconds / 60)}m`,
  };
  return json(200, {
    status: "healthy",
    version: dialect.version,
    build_date: "sandbox",
    is_cluster_mode: true,
    cluster_id: hostname(),
    node_id: 1,
    is_leader: true,
    total_groups: 1,
    groups_leading: 1,
    current_term: 1,
    last_applied: 1,
    millis_since_quorum_ack: 0,
    nodes: [node],
  });
}
