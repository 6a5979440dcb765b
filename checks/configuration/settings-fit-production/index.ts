import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { cellText, rowsOf, saidOf } from "../../../src/server/target.ts";
import { rules } from "./rules.ts";

type Unfit = { readonly setting: string; readonly value: string; readonly wanted: string };
const unfitText = (d: Unfit): string => `${d.setting} is ${d.value}; expected ${d.wanted}`;

export const settingsFitProduction = defineCheck({
  id: "configuration/settings-fit-production",
  title: "The settings fit production",
  failureTitle: "A setting does not fit production",
  description: `Reads system.settings and applies ${rules.length} rules: connection protection, consistent limits, password hashing, timeouts, logging, and the durability of writes where the server shows it. A rule whose setting the server does not show counts as not applied, not as passed.`,
  blindTo: "It trusts the values that the server shows; the backpressure category tests whether limits are enforced.",
  risk: "The server fails under load or in a crash, or is taken over by guessing passwords.",
  remedy: "Change the named setting in the server's settings file, or accept the finding in the profile with a reason.",
  covers: [],
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
    const used = new Set(rules.flatMap((rule) => rule.of).concat("server.host"));
    const settings: Record<string, string> = {};
    for (const { name, value } of rowsOf(answer) ?? [])
      if (used.has(cellText(name))) settings[cellText(name)] = cellText(value);
    return { settings, said: saidOf(answer) };
  },
  judge({ settings, said }, { found }) {
    if (said.kind !== "ok") return unknown(`system.settings could not be read: ${said.message}`);
    const applied = rules.filter((rule) => rule.of.every((setting) => settings[setting] !== undefined));
    for (const { name, level, of, wanted, holds } of applied) {
      const [value = "", ...others] = of.map((setting) => settings[setting] ?? "");
      const report = level === "block" ? found.unsafeSetting : found.weakSetting;
      if (!holds(value, others, settings)) report({ setting: of[0], value, wanted }, { case: name, sent: said });
    }
    if (applied.length === 0) return unknown("the server shows none of the settings that the rules need");
    const isSilent = settings["storage.rocksdb.sync_writes"] === undefined;
    const durability = isSilent ? "; the server does not show whether writes survive a power failure" : "";
    return pass(`${applied.length} of ${rules.length} rules apply and hold${durability}`);
  },
});
