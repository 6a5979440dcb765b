import { expect, test } from "vitest";
import { judged, yes } from "../../vocabulary/evidence.ts";
import { settingsFitProduction } from "./index.ts";
import { shown } from "./proof.ts";

const judge = (settings: Record<string, string>): string => {
  const [first = ""] = judged(settingsFitProduction, {
    settingNames: "auth",
    settings: { ...shown, ...settings },
    chosen: {},
    said: yes(),
  });
  return first.slice(0, first.indexOf(":"));
};

test.each([
  ["rate_limit.max_queries_per_sec", 1, 100_000],
  ["rate_limit.max_subscriptions_per_user", 1, 10_000],
  ["rate_limit.max_messages_per_sec", 1, 100_000],
  ["rate_limit.max_auth_requests_per_ip_per_sec", 1, 100],
  ["rate_limit.request_body_limit_bytes", 1, 104_857_600],
  ["security.max_ws_message_size", 1, 16_777_216],
  ["auth.bcrypt_cost", 10, 15],
  ["auth.min_password_length", 8, 1_000],
])("%s may be from %d to %d", (setting, min, max) => {
  expect([min - 1, min, max, max + 1].map((value) => judge({ [setting]: String(value) }))).toEqual([
    "unsafeSetting",
    "pass",
    "pass",
    "unsafeSetting",
  ]);
});

test.each([["execution.handler_timeout_seconds", 1, 300]])("%s should be from %d to %d", (setting, min, max) => {
  expect([min - 1, min, max, max + 1].map((value) => judge({ [setting]: String(value) }))).toEqual([
    "weakSetting",
    "pass",
    "pass",
    "weakSetting",
  ]);
});

test("an answer should not have more than 100,000 rows", () => {
  const results = ["1", "100000", "100001"].map((max) =>
    judge({ "limits.default_query_limit": "1", "limits.max_query_limit": max }),
  );
  expect(results).toEqual(["pass", "pass", "weakSetting"]);
});

test.each([
  ["limits.default_query_limit", "limits.max_query_limit", ["0", "1", "9", "10"], "11"],
  ["websocket.heartbeat_interval_secs", "websocket.client_timeout_secs", ["0", "1", "9"], "10"],
])("%s is above zero and below %s", (setting, limit, [zero = "", ...good], bad) => {
  const results = [zero, ...good, bad].map((value) => judge({ [setting]: value, [limit]: "10" }));
  expect(results).toEqual(["unsafeSetting", ...good.map(() => "pass"), "unsafeSetting"]);
});

const of = (settingNames: "auth" | "auth.local", settings: Record<string, string>): string[] =>
  judged(settingsFitProduction, { settingNames, settings, chosen: {}, said: yes() });

test("a rule whose setting is not shown is told, and one that could fail the run makes the check unknown", () => {
  const { "logging.format": format, ...unformatted } = shown;
  expect(format).toBe("json");
  expect(of("auth", unformatted)).toEqual([
    expect.stringMatching(
      /^pass: 14 of 17 rules apply and hold; not shown by the server, so not judged: logging\.format, storage/,
    ),
  ]);
  const { "limits.max_query_limit": max, ...unlimited } = shown;
  expect(max).toBe("1000");
  expect(of("auth", { ...unlimited, "limits.default_query_limit": "0" })).toEqual([
    "unknown: the server does not show limits.max_query_limit; expected for: row limits in order",
  ]);
});

test("the settings of password login have the names that they have in the server's version", () => {
  const renamed = (cost: string) => ({
    ...Object.fromEntries(Object.entries(shown).map(([name, value]) => [name.replace("auth.", "auth.local."), value])),
    "auth.local.bcrypt_cost": cost,
  });
  expect(of("auth.local", renamed("12"))).toEqual([expect.stringMatching(/^pass: 15 of 17/)]);
  expect(of("auth.local", renamed("4"))).toEqual([
    expect.stringMatching(/^unsafeSetting: password hashing: .*auth\.local\.bcrypt_cost/),
  ]);
  expect(of("auth", renamed("4"))).toEqual([
    "unknown: the server does not show auth.bcrypt_cost, auth.min_password_length; expected for: password hashing, password length",
  ]);
});

test("connections are protected, or come from this machine only", () => {
  const setting = "rate_limit.enable_connection_protection";
  expect(judge({ [setting]: "true", "server.host": "0.0.0.0" })).toBe("pass");
  expect(judge({ [setting]: "false", "server.host": "127.0.0.1" })).toBe("pass");
  expect(judge({ [setting]: "false", "server.host": "0.0.0.0" })).toBe("unsafeSetting");
  expect(judge({ [setting]: "false" })).toBe("unsafeSetting");
});

test("writes must reach the log before they are acknowledged", () => {
  expect(judge({ "storage.rocksdb.disable_wal": "false" })).toBe("pass");
  expect(judge({ "storage.rocksdb.disable_wal": "true" })).toBe("unsafeSetting");
});

test("a refused look is no value, even beside settings", () => {
  const said = { ...yes(), kind: "refused" as const };
  const settings = { "auth.bcrypt_cost": "4" };
  expect(judged(settingsFitProduction, { settingNames: "auth", settings, chosen: {}, said })).toEqual([
    "unknown: system.settings could not be read: done",
  ]);
});

test("a pass says whether the server shows that writes survive a power failure", () => {
  expect(of("auth", shown)).toEqual([expect.stringContaining("does not show whether writes survive")]);
  expect(of("auth", { ...shown, "storage.rocksdb.sync_writes": "true" })).toEqual([
    expect.not.stringContaining("does not show"),
  ]);
});

test("what kalam-ready chose is not judged, but only with the value that it chose", () => {
  const all = { ...shown, "storage.rocksdb.sync_writes": "false", "storage.rocksdb.disable_wal": "false" };
  const own = (chosen: Record<string, string>): string[] =>
    judged(settingsFitProduction, { settingNames: "auth", settings: all, chosen, said: yes() });
  expect(own({ "storage.rocksdb.sync_writes": "false", "auth.bcrypt_cost": "4" })).toEqual([
    "pass: 16 of 17 rules apply and hold; not judged, because kalam-ready changed it for speed: storage.rocksdb.sync_writes",
  ]);
  expect(own({ "storage.rocksdb.sync_writes": "true" })).toEqual([
    expect.stringMatching(/^weakSetting: writes synced/),
  ]);
});

test("a rule of two settings is not judged where one of them is kalam-ready's", () => {
  const settings = { ...shown, "limits.default_query_limit": "0" };
  for (const chosen of [{ "limits.default_query_limit": "0" }, { "limits.max_query_limit": "1000" }])
    expect(judged(settingsFitProduction, { settingNames: "auth", settings, chosen, said: yes() })).toEqual([
      expect.stringMatching(/^pass/),
    ]);
});
