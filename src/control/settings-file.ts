/** The settings file of a server that kalam-ready starts. */
import { randomBytes } from "node:crypto";
import path from "node:path";
import type { SettingChanges } from "../wire/control.ts";

/** The lowest cost that bcrypt has: at the usual one a debug build of the server takes seconds for each account. */
const cheapPasswords: SettingChanges = { "auth.bcrypt_cost": 4 };
/** So high that nothing waits for half of them. */
const liftedRates: SettingChanges = {
  "rate_limit.max_queries_per_sec": 100_000,
  "rate_limit.max_auth_requests_per_ip_per_sec": 10_000,
};

/** What a consumer of a topic received and did not acknowledge comes again after this: nobody waits for the usual minute. */
const shortClaims: SettingChanges = { "topics.visibility_timeout_secs": 8 };

/** Waiting for the disk at each write. What it protects from, the loss of power, no other check causes. */
export const unsynced: SettingChanges = { "storage.rocksdb.sync_writes": false };

/** What is changed for speed: `exceptRates` for servers whose rate limits are to be tested. */
export const settingsForSpeed: Readonly<Record<"all" | "exceptRates", SettingChanges>> = {
  all: { ...cheapPasswords, ...shortClaims, ...unsynced, ...liftedRates },
  exceptRates: { ...cheapPasswords, ...shortClaims, ...unsynced },
};

/** A settings file in TOML: the minimum that a server needs, and the changes. */
export function settingsFile(folder: string, port: number, changes: SettingChanges): string {
  const settings: Record<string, string | number | boolean> = {
    "server.host": "127.0.0.1",
    "server.port": port,
    "storage.data_path": path.join(folder, "data"),
    "limits.max_query_limit": 1000,
    "limits.default_query_limit": 50,
    "logging.logs_path": path.join(folder, "logs"),
    "logging.level": "info",
    "logging.format": "json",
    "performance.request_timeout": 30,
    "auth.jwt_secret": randomBytes(32).toString("hex"),
    "files.staging_path": path.join(folder, "staging"),
    ...changes,
  };
  const sections = new Map<string, string[]>();
  for (const [key, value] of Object.entries(settings)) {
    const dot = key.indexOf(".");
    const [section, name] = [key.slice(0, dot), key.slice(dot + 1)];
    const lines = sections.get(section) ?? [];
    lines.push(`${name} = ${JSON.stringify(value)}`);
    sections.set(section, lines);
  }
  return [...sections].map(([section, lines]) => `[${section}]\n${lines.join("\n")}\n`).join("\n");
}
