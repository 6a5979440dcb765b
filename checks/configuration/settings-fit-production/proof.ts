import { changeRows } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { no, yes } from "../../vocabulary/evidence.ts";
import { settingsFitProduction } from "./index.ts";

const sound = {
  settings: {
    "auth.bcrypt_cost": "12",
    "limits.default_query_limit": "50",
    "limits.max_query_limit": "1000",
    "logging.level": "info",
  } as Record<string, string>,
  said: yes(),
};
const having = (setting: string, value: string) => ({ ...sound, settings: { ...sound.settings, [setting]: value } });

function changeSetting(name: string, setting: string, value: string): Fault {
  return changeRows(name, /FROM system\.settings ORDER BY/, (rows) =>
    rows.map((row) => (row[0] === setting ? [setting, value] : row)),
  );
}

export default proveCheck(settingsFitProduction, {
  holds: [
    sound,
    having("storage.rocksdb.sync_writes", "true"),
    { ...sound, settings: { "rate_limit.enable_connection_protection": "false", "server.host": "127.0.0.1" } },
  ],
  cannotTell: [
    { ...sound, settings: {} },
    { settings: {}, said: no("PERMISSION_DENIED", "no", "permission", 403) },
  ],
  breaks: {
    unsafeSetting: {
      seen: having("limits.default_query_limit", "5000"),
      fault: changeSetting("hashPasswordsCheaply", "auth.bcrypt_cost", "4"),
    },
    weakSetting: {
      seen: having("logging.level", "trace"),
      fault: changeSetting("logEverything", "logging.level", "trace"),
    },
  },
});
