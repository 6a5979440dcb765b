/** The settings file of a server that kalam-ready starts. */
import { randomBytes } from "node:crypto";
import path from "node:path";
import type { SettingChanges } from "../wire/control.ts";

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
