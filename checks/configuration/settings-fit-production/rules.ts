/** What settings of a production server must look like. */
import type { Level } from "../../../src/check.ts";

export type Settings = Readonly<Record<string, string>>;

export interface Rule {
  readonly name: string;
  readonly level: Level;
  /** The settings it reads, as 0.4.3 names them; the rule does not apply if one is absent. */
  readonly of: readonly [string, ...string[]];
  /** Of a `block` rule: servers are known that do not show these settings. */
  readonly hidden?: true;
  readonly wanted: string;
  readonly holds: (value: string, others: readonly string[], all: Settings) => boolean;
}

const between = (min: number, max: number) => (value: string) => Number(value) >= min && Number(value) <= max;
const mebibyte = 1024 * 1024;
const loopback = /^(127\.|localhost$|::1$|\[::1\]$)/;

/** `block`: the server should not take traffic with this value. `warn`: it works, at a cost. */
export const rules: readonly Rule[] = [
  {
    name: "connection protection",
    level: "block",
    of: ["rate_limit.enable_connection_protection"],
    wanted: "on, unless the server listens only on loopback",
    holds: (value, _, all) => value === "true" || loopback.test(all["server.host"] ?? ""),
  },
  {
    name: "queries per user",
    level: "block",
    of: ["rate_limit.max_queries_per_sec"],
    wanted: "a limit from 1 to 100,000 per second",
    holds: between(1, 100_000),
  },
  {
    name: "subscriptions per user",
    level: "block",
    of: ["rate_limit.max_subscriptions_per_user"],
    wanted: "a limit from 1 to 10,000",
    holds: between(1, 10_000),
  },
  {
    name: "messages per connection",
    level: "block",
    of: ["rate_limit.max_messages_per_sec"],
    wanted: "a limit from 1 to 100,000 per second",
    holds: between(1, 100_000),
  },
  {
    name: "logins per address",
    level: "block",
    of: ["rate_limit.max_auth_requests_per_ip_per_sec"],
    wanted: "from 1 to 100 per second: more lets attackers guess passwords",
    holds: between(1, 100),
  },
  {
    name: "request body",
    level: "block",
    of: ["rate_limit.request_body_limit_bytes"],
    wanted: "at most 100 MiB: a body is held in memory",
    holds: between(1, 100 * mebibyte),
  },
  {
    name: "message size",
    level: "block",
    of: ["security.max_ws_message_size"],
    wanted: "at most 16 MiB: a message is held in memory",
    holds: between(1, 16 * mebibyte),
  },
  {
    name: "row limits in order",
    level: "block",
    of: ["limits.default_query_limit", "limits.max_query_limit"],
    wanted: "a default above zero and at most the maximum",
    holds: (value, [max]) => Number(value) > 0 && Number(value) <= Number(max),
  },
  {
    name: "row limit",
    level: "warn",
    of: ["limits.max_query_limit"],
    wanted: "at most 100,000 rows: an answer is held in memory",
    holds: between(1, 100_000),
  },
  {
    name: "password hashing",
    level: "block",
    of: ["auth.bcrypt_cost"],
    wanted: "a cost from 10 to 15",
    holds: between(10, 15),
  },
  {
    name: "password length",
    level: "block",
    of: ["auth.min_password_length"],
    wanted: "at least 8 characters",
    holds: between(8, 1_000),
  },
  {
    name: "heartbeat in order",
    level: "block",
    of: ["websocket.heartbeat_interval_secs", "websocket.client_timeout_secs"],
    wanted: "an interval shorter than the client timeout",
    holds: (value, [timeout]) => Number(value) > 0 && Number(value) < Number(timeout),
  },
  {
    name: "statement time-out",
    level: "warn",
    of: ["execution.handler_timeout_seconds"],
    wanted: "from 1 to 300 seconds",
    holds: between(1, 300),
  },
  {
    name: "log level",
    level: "warn",
    of: ["logging.level"],
    wanted: "error, warn or info: other levels fill the disk and log what users query",
    holds: (value) => /^(error|warn|info)$/i.test(value),
  },
  {
    name: "log format",
    level: "warn",
    of: ["logging.format"],
    wanted: "json, so that system.server_logs and log tools can read it",
    holds: (value) => /^json$/i.test(value),
  },
  {
    name: "writes synced",
    level: "warn",
    of: ["storage.rocksdb.sync_writes"],
    wanted: "true: otherwise a power failure loses the last acknowledged writes",
    holds: (value) => value === "true",
  },
  {
    name: "write-ahead log",
    level: "block",
    of: ["storage.rocksdb.disable_wal"],
    hidden: true,
    wanted: "false: without it a crash loses acknowledged writes",
    holds: (value) => value === "false",
  },
];

/** The name of a setting where those of password login begin with these words. */
export function nameIn(settingNames: string, setting: string): string {
  return setting.replace(/^auth\./, `${settingNames}.`);
}
