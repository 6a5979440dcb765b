import { changeRows } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { cellText } from "../../../src/wire/json.ts";
import { no, yes } from "../../vocabulary/evidence.ts";
import { settingsFitProduction } from "./index.ts";

/** What 0.4.3 shows. */
export const shown: Readonly<Record<string, string>> = {
  "server.host": "0.0.0.0",
  "rate_limit.enable_connection_protection": "true",
  "rate_limit.max_queries_per_sec": "100",
  "rate_limit.max_subscriptions_per_user": "10",
  "rate_limit.max_messages_per_sec": "50",
  "rate_limit.max_auth_requests_per_ip_per_sec": "20",
  "rate_limit.request_body_limit_bytes": "10485760",
  "security.max_ws_message_size": "1048576",
  "limits.default_query_limit": "50",
  "limits.max_query_limit": "1000",
  "auth.bcrypt_cost": "12",
  "auth.min_password_length": "8",
  "websocket.heartbeat_interval_secs": "5",
  "websocket.client_timeout_secs": "10",
  "execution.handler_timeout_seconds": "30",
  "logging.level": "info",
  "logging.format": "json",
};
const sound = {
  settingNames: "auth" as "auth" | "auth.local",
  settings: shown as Record<string, string>,
  chosen: {} as Record<string, string>,
  said: yes(),
};
const having = (setting: string, value: string) => ({ ...sound, settings: { ...sound.settings, [setting]: value } });

const without = (setting: string) => ({
  ...sound,
  settings: Object.fromEntries(Object.entries(shown).filter(([name]) => name !== setting)),
});
const localNames: Record<string, string> = Object.fromEntries(
  Object.entries(shown).map(([name, value]) => [name.replace("auth.", "auth.local."), value]),
);

function changeSetting(name: string, setting: RegExp, value: string): Fault {
  return changeRows(name, /FROM system\.settings ORDER BY/, (rows) =>
    rows.map(([named = null, was = null]) => [named, setting.test(cellText(named)) ? value : was]),
  );
}

export default proveCheck(settingsFitProduction, {
  holds: [
    sound,
    having("storage.rocksdb.sync_writes", "true"),
    { ...having("auth.bcrypt_cost", "4"), chosen: { "auth.bcrypt_cost": "4" } },
    {
      ...sound,
      settings: { ...shown, "rate_limit.enable_connection_protection": "false", "server.host": "127.0.0.1" },
    },
    { ...sound, settingNames: "auth.local", settings: localNames },
    without("logging.format"),
  ],
  cannotTell: [
    { ...sound, settings: {} },
    { ...sound, settings: { "auth.bcrypt_cost": "4" }, chosen: { "auth.bcrypt_cost": "4" }, said: yes() },
    without("auth.bcrypt_cost"),
    // The names of one version on another.
    { ...sound, settings: localNames },
    { ...sound, settingNames: "auth.local" },
    { ...sound, settings: {}, chosen: {}, said: no("PERMISSION_DENIED", "no", "permission", 403) },
  ],
  breaks: {
    unsafeSetting: {
      seen: having("limits.default_query_limit", "5000"),
      fault: changeSetting("hashPasswordsCheaply", /^auth\.(local\.)?bcrypt_cost$/, "5"),
    },
    weakSetting: {
      seen: having("logging.level", "trace"),
      fault: changeSetting("logEverything", /^logging\.level$/, "trace"),
    },
  },
});
