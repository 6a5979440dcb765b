import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { cellText, known, rowsOf, saidOf } from "../../../src/server/target.ts";
import { nameIn, rules } from "./rules.ts";

type Unfit = { readonly setting: string; readonly value: string; readonly wanted: string };
const unfitText = (d: Unfit): string => `${d.setting} is ${d.value}; expected ${d.wanted}`;

export const settingsFitProduction = defineCheck({
  id: "configuration/settings-fit-production",
  title: "The settings fit production",
  failureTitle: "A setting does not fit production",
  description: `Reads system.settings and applies ${rules.length} rules: connection protection, consistent limits, password hashing, timeouts, logging, and the durability of writes where the server shows it. A rule whose setting the server does not show is told, and counts as not applied; if it could fail the run, and servers are known to show its setting, the check is unknown. A rule whose setting kalam-ready itself chose for a server that it started counts as not applied, too.`,
  blindTo: "It trusts the values that the server shows; the backpressure category tests whether limits are enforced.",
  risk: "The server fails under load or in a crash, or is taken over by guessing passwords.",
  remedy: "Change the named setting in the server's settings file, or accept the finding in the profile with a reason.",
  covers: [],
  expects: ["settingNames"],
  touches: "nothing",
  needs: ["dba"],
  level: "block",
  estimateMs: 30,
  estimateRequests: 1,
  findings: {
    unsafeSetting: { say: unfitText },
    weakSetting: {
      say: unfitText,
      level: "warn",
      risk: "The server works, but large answers, slow statements, logs or a power failure can cost more than they should.",
    },
  },
  async observe(target) {
    const answer = await target.sql(target.login, "SELECT name, value FROM system.settings ORDER BY name LIMIT 1000");
    const settingNames = known(target.dialect.settingNames);
    const used = new Set(
      rules.flatMap((rule) => rule.of.map((name) => nameIn(settingNames, name))).concat("server.host"),
    );
    const settings: Record<string, string> = {};
    for (const { name, value } of rowsOf(answer) ?? [])
      if (used.has(cellText(name))) settings[cellText(name)] = cellText(value);
    const chosen = Object.entries(target.control?.own?.lowered ?? {}).map(([name, value]) => [
      nameIn(settingNames, name),
      String(value),
    ]);
    return {
      settingNames,
      settings,
      chosen: Object.fromEntries(chosen) as Record<string, string>,
      said: saidOf(answer),
    };
  },
  judge({ settingNames, settings, chosen, said }, { found }) {
    if (said.kind !== "ok") return unknown(`system.settings could not be read: ${said.message}`);
    // With any other value than the chosen one the setting is the server's own.
    const isOurs = (setting: string): boolean => chosen[setting] !== undefined && chosen[setting] === settings[setting];
    const named = rules.map((rule) => ({ ...rule, of: rule.of.map((setting) => nameIn(settingNames, setting)) }));
    const missing = (of: readonly string[]): string[] => of.filter((setting) => settings[setting] === undefined);
    const shown = named.filter(({ of }) => missing(of).length === 0);
    const applied = shown.filter((rule) => !rule.of.some(isOurs));
    for (const { name, level, of, wanted, holds } of applied) {
      const [value = "", ...others] = of.map((setting) => settings[setting] ?? "");
      const report = level === "block" ? found.unsafeSetting : found.weakSetting;
      if (!holds(value, others, settings))
        report({ setting: of[0] ?? name, value, wanted }, { case: name, sent: said });
    }
    if (applied.length === 0) return unknown("the server shows none of the settings that the rules need");
    const lacking = named.filter(({ of }) => missing(of).length > 0);
    const needed = lacking.filter(({ level, hidden }) => level === "block" && hidden !== true);
    if (needed.length > 0)
      return unknown(
        `the server does not show ${missing(needed.flatMap(({ of }) => of)).join(", ")}; expected for: ${needed.map(({ name }) => name).join(", ")}`,
      );
    const notShown = [...new Set(missing(lacking.flatMap(({ of }) => of)))];
    const hidden = notShown.length === 0 ? "" : `; not shown by the server, so not judged: ${notShown.join(", ")}`;
    const isSilent = settings["storage.rocksdb.sync_writes"] === undefined;
    const durability = isSilent ? "; the server does not show whether writes survive a power failure" : "";
    const ours = Object.keys(chosen).filter(isOurs);
    const lowered =
      ours.length === 0 ? "" : `; not judged, because kalam-ready changed it for speed: ${ours.join(", ")}`;
    return pass(`${applied.length} of ${rules.length} rules apply and hold${lowered}${hidden}${durability}`);
  },
});
