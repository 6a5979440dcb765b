import { defineCheck, fail, pass, unknown, type Level } from "../../../src/check.ts";
import { cellText, rowsOf, saidOf } from "../../../src/server/target.ts";

type Settings = Readonly<Record<string, string>>;

interface Rule {
  readonly name: string;
  readonly level: Level;
  /** The settings it looks at; where one is absent it does not apply. */
  readonly of: readonly [string, ...string[]];
  readonly wanted: string;
  readonly holds: (value: string, others: readonly string[], all: Settings) => boolean;
}

const between = (min: number, max: number) => (value: string) => Number(value) >= min && Number(value) <= max;
const mebibyte = 1024 * 1024;
const loopback = /^(127\.|localhost$|::1$|\[::1\]$)/;

/** One line a rule. `block`: this server should not take traffic like that. `warn`: it works, and somebody will be sorry. */
const rules: readonly Rule[] = [
  {
    name: "connection protection",
    level: "block",
    of: ["rate_limit.enable_connection_protection"],
    wanted: "on, unless the server listens on loopback alone",
    holds: (value, _, all) => value === "true" || loopback.test(all["server.host"] ?? ""),
  },
  {
    name: "queries per user",
    level: "block",
    of: ["rate_limit.max_queries_per_sec"],
    wanted: "a limit from 1 to 100,000",
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
    wanted: "a limit from 1 to 100,000",
    holds: between(1, 100_000),
  },
  {
    name: "logins per address",
    level: "block",
    of: ["rate_limit.max_auth_requests_per_ip_per_sec"],
    wanted: "from 1 to 100 a second: more is an invitation to guess passwords",
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
    wanted: "the default above zero and not above the maximum",
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
    wanted: "an interval shorter than the client time-out",
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
    wanted: "error, warn or info: the others fill the disk and tell what users ask for",
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
    wanted: "true: else a power cut takes what was acknowledged last",
    holds: (value) => value === "true",
  },
  {
    name: "write-ahead log",
    level: "block",
    of: ["storage.rocksdb.disable_wal"],
    wanted: "false: without it a crash loses what was acknowledged",
    holds: (value) => value === "false",
  },
];

export const settingsFitProduction = defineCheck({
  id: "configuration/settings-fit-production",
  title: "The settings fit production",
  failureTitle: "A setting does not fit production",
  description: `Reads system.settings and holds ${rules.length} rules against it: protection of connections, limits that are there and in order, password hashing, time-outs, logging, and what kind of crash a write survives, where the server tells. A setting that the server does not show is not counted as right.`,
  blindTo: "It believes what the server says of itself; whether a limit is kept is for the category backpressure.",
  risk: "The server works on a quiet day and falls over, or is taken over, on another one.",
  remedy:
    "Change the named setting in the server's settings file, or accept the finding in the profile with the reason.",
  covers: [],
  touches: "nothing",
  needs: ["dba"],
  level: "block",
  estimateMs: 30,
  estimateRequests: 1,
  findings: {
    unsafeSetting: {
      say: (d: { setting: string; value: string; wanted: string }) =>
        `${d.setting} is ${d.value}; wanted is ${d.wanted}`,
    },
    weakSetting: {
      say: (d: { setting: string; value: string; wanted: string }) =>
        `${d.setting} is ${d.value}; wanted is ${d.wanted}`,
      level: "warn",
    },
  },
  async observe(target) {
    const answer = await target.sql(target.login, "SELECT name, value FROM system.settings ORDER BY name LIMIT 1000");
    const looked = new Set(rules.flatMap((rule) => rule.of).concat("server.host"));
    const settings: Record<string, string> = {};
    for (const { name, value } of rowsOf(answer) ?? [])
      if (looked.has(cellText(name))) settings[cellText(name)] = cellText(value);
    return { settings, said: saidOf(answer) };
  },
  judge({ settings, said }) {
    if (said.kind !== "ok") return unknown(`system.settings could not be read: ${said.message}`);
    const applied = rules.filter((rule) => rule.of.every((setting) => settings[setting] !== undefined));
    const found = applied.flatMap((rule) => {
      const [value = "", ...others] = rule.of.map((setting) => settings[setting] ?? "");
      if (rule.holds(value, others, settings)) return [];
      const data = { setting: rule.of[0], value, wanted: rule.wanted };
      return [
        {
          name: rule.level === "block" ? ("unsafeSetting" as const) : ("weakSetting" as const),
          case: rule.name,
          data,
          sent: [said.exchange],
        },
      ];
    });
    if (found.length > 0) return fail(...found);
    if (applied.length === 0) return unknown("the server shows none of the settings that the rules look at");
    const crash =
      settings["storage.rocksdb.sync_writes"] === undefined
        ? "; it does not tell whether a write survives a power cut"
        : "";
    return pass(`${applied.length} of ${rules.length} rules apply and hold${crash}`);
  },
});
