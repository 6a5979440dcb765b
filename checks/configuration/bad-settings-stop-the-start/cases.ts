/** Settings with which the server must not start. */
import type { SettingChanges, TrialSettings } from "../../../src/wire/control.ts";

export interface SettingsCase {
  readonly name: string;
  readonly settings: (runningPort: number) => TrialSettings;
  /** Matches an error message that names what is wrong. */
  readonly names: RegExp;
}

const changed = (changes: SettingChanges) => (): TrialSettings => ({ kind: "changed", changes });

/** All listen on loopback: a server that accepts what it should reject must not be reachable from elsewhere. */
export const cases: readonly SettingsCase[] = [
  { name: "missing file", settings: () => ({ kind: "noFile" }), names: /server\.toml|config|settings/i },
  {
    name: "broken TOML",
    settings: () => ({ kind: "text", text: "[server\nport = 1\n" }),
    names: /toml|parse|syntax|line 1/i,
  },
  { name: "port 0", settings: changed({ "server.port": 0 }), names: /port/i },
  {
    name: "port in use",
    settings: (port) => ({ kind: "changed", changes: { "server.port": port } }),
    names: /port|address|in use|bind/i,
  },
  { name: "bad log level", settings: changed({ "logging.level": "shouting" }), names: /shouting|log.?level/i },
  {
    name: "default limit above the maximum",
    settings: changed({ "limits.max_query_limit": 10, "limits.default_query_limit": 50 }),
    names: /default_query_limit|max_query_limit|query limit/i,
  },
  { name: "wrong type", settings: changed({ "server.port": "eighty" }), names: /eighty|port/i },
  {
    name: "data path below a regular file",
    settings: changed({ "storage.data_path": "{file}/data" }),
    names: /data_path|data path|data (folder|directory)|regular-file/i,
  },
];
