import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Category, Check, Touches } from "../check.ts";
import { effectiveProfile, type Effective, type Profile } from "./effective.ts";
import { parseProfile, ProfileError } from "./read.ts";
import type { Flags } from "./settings.ts";
import { UsageError, type UsageCode } from "./usage.ts";

const check = (id: string, touches: Touches = "scratch"): Check =>
  ({
    id,
    title: id,
    limits: { msMax: 5 },
    findings: { slow: { say: () => "" } },
    covers: [],
    observation: { touches },
  }) as unknown as Check;
const categories: readonly Category[] = [
  { id: "shop", promise: "", checks: [check("shop/open"), check("shop/prices-right"), check("shop/crowded", "load")] },
];

type Environment = Readonly<Record<string, string>>;
function effective(yaml = "", flags: Flags = {}, environment: Environment = {}): Effective {
  const options = { categories, environment, folder: "/", today: "2026-11-22", onSecret: () => undefined };
  return effectiveProfile(parseProfile(`version: 1\n${yaml}`, "p.yaml", options), flags, environment, categories);
}
const profile = (...of: Parameters<typeof effective>): Profile => effective(...of).profile;

/** The error of an act: its class, code and data. */
function errorOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    if (error instanceof UsageError) return { usage: error.code, ...error.data };
    if (error instanceof ProfileError) return { profile: error.code, lines: error.problems.map(({ line }) => line) };
    throw error;
  }
}

test("without any setting the defaults apply, with that origin", () => {
  const { profile: all, origins } = effective();
  expect(all).toEqual({
    name: "p.yaml",
    url: undefined,
    serverBin: undefined,
    serverConfig: undefined,
    way: { insecure: false, headers: [], headersGiven: [], tlsFromProfile: false },
    kalamBin: undefined,
    postgres: undefined,
    production: false,
    user: undefined,
    allow: ["nothing", "scratch"],
    effort: "standard",
    budgetMs: 600_000,
    timeoutMs: 60_000,
    maxPerSecond: undefined,
    parallel: 4,
    failOn: "block",
    only: undefined,
    skip: new Map(),
    require: new Set(),
    checks: {},
    accept: [],
    reports: [],
  });
  expect(new Set(Object.values(origins))).toEqual(new Set(["default"]));
  expect(Object.keys(origins)).toHaveLength(22);
});

describe("a flag overrides the environment, the environment overrides the profile", () => {
  test.for<[keyof Profile, string, string, Flags, Environment, unknown[]]>([
    [
      "effort",
      "effort",
      "effort: deep",
      { effort: "light" },
      { KALAM_READY_EFFORT: "standard" },
      ["deep", "standard", "light"],
    ],
    ["budgetMs", "budget", "budget: 1m", { budget: "3m" }, { KALAM_READY_BUDGET: "2m" }, [60_000, 120_000, 180_000]],
    ["timeoutMs", "timeout", "timeout: 1s", { timeout: "3s" }, { KALAM_READY_TIMEOUT: "2s" }, [1_000, 2_000, 3_000]],
    ["maxPerSecond", "max-rps", "max-rps: 1.5", { maxRps: "3" }, { KALAM_READY_MAX_RPS: "2" }, [1.5, 2, 3]],
    ["parallel", "parallel", "parallel: 1", { parallel: "3" }, { KALAM_READY_PARALLEL: "2" }, [1, 2, 3]],
    [
      "failOn",
      "fail-on",
      "fail-on: warn",
      { failOn: "warn" },
      { KALAM_READY_FAIL_ON: "block" },
      ["warn", "block", "warn"],
    ],
    [
      "url",
      "server",
      "server: http://p",
      { url: "http://f" },
      { KALAM_READY_URL: "http://e" },
      ["http://p", "http://e", "http://f"],
    ],
    ["user", "login", "login: { user: p }", { user: "f" }, { KALAM_READY_USER: "e" }, ["p", "e", "f"]],
  ])("%s", ([key, origin, yaml, flags, environment, [written, set, flagged]]) => {
    const [variable = ""] = Object.keys(environment);
    const flag = origin === "server" ? "url" : origin === "login" ? "user" : origin;
    const all = [effective(yaml), effective(yaml, {}, environment), effective(yaml, flags, environment)];
    expect(all.map((one) => one.profile[key])).toEqual([written, set, flagged]);
    expect(all.map((one) => one.origins[origin])).toEqual(["p.yaml:2", `environment ${variable}`, `flag --${flag}`]);
    // An unset variable of a pipeline often arrives as an empty text.
    expect(effective(yaml, {}, { [variable]: "" }).profile[key]).toEqual(written);
  });

  test("a value that only a profile can set has its line as origin", () => {
    const { origins } = effective("name: shop\nproduction: true\nchecks: {}\naccept: []");
    expect(origins).toMatchObject({ name: "p.yaml:2", production: "p.yaml:3", checks: "p.yaml:4", accept: "p.yaml:5" });
  });
});

describe("a wrong flag or variable is a usage error that names it", () => {
  test.for<[Flags, Environment, UsageCode, string]>([
    [{ effort: "lihgt" }, {}, "unknownWord", "--effort"],
    [{}, { KALAM_READY_EFFORT: "x" }, "unknownWord", "KALAM_READY_EFFORT"],
    [{ budget: "30" }, {}, "durationUnit", "--budget"],
    [{}, { KALAM_READY_TIMEOUT: "soon" }, "durationUnit", "KALAM_READY_TIMEOUT"],
    [{ parallel: "17" }, {}, "notANumber", "--parallel"],
    [{ parallel: "2.5" }, {}, "notANumber", "--parallel"],
    [{ parallel: "" }, {}, "notANumber", "--parallel"],
    [{ maxRps: "0" }, {}, "notANumber", "--max-rps"],
    [{ failOn: "never" }, {}, "unknownWord", "--fail-on"],
    [{ user: " " }, {}, "emptyValue", "--user"],
    [{ url: "" }, {}, "emptyValue", "--url"],
    [{ serverBin: "" }, {}, "emptyValue", "--server-bin"],
    [{ serverBin: "/bin/k", olderServerBin: "" }, {}, "emptyValue", "--older-server-bin"],
    [{ kalamBin: "" }, {}, "emptyValue", "--kalam-bin"],
    [{ only: ["shop/opn"] }, {}, "unknownCheck", "--only"],
    [{ only: [""] }, {}, "unknownCheck", "--only"],
    [{ skip: ["purple"] }, {}, "unknownCheck", "--skip"],
    [{ require: ["shops"] }, {}, "unknownCheck", "--require"],
    [{ allow: ["scratch,lod"] }, {}, "unknownWord", "--allow"],
    [{ allow: [""] }, {}, "unknownWord", "--allow"],
    [{ report: ["xml"] }, {}, "unknownWord", "--report"],
    [{ report: ["junit="] }, {}, "emptyValue", "--report junit="],
  ])("%j", ([flags, environment, usage, setting]) => {
    expect(errorOf(() => effective("", flags, environment))).toEqual({ usage, setting });
    expect(() => effective("", flags, environment)).toThrow(new RegExp(`^${setting}: `));
  });

  test("the nearest right word is suggested", () => {
    expect(() => effective("", { effort: "lihgt" })).toThrow('; did you mean "light"?');
    expect(() => effective("", { require: ["shops"] })).toThrow('; did you mean "shop"?');
  });
});

describe("what may be touched", () => {
  const allow = (yaml: string, flags: Flags = {}): readonly Touches[] => profile(yaml, flags).allow;

  test("is scratch by default, and always includes nothing", () => {
    expect(allow("")).toEqual(["nothing", "scratch"]);
    expect(allow("allow: []")).toEqual(["nothing"]);
    expect(allow("allow: [load]")).toEqual(["nothing", "load"]);
  });

  test("comes from the flags if given, repeated or with commas, and then includes scratch", () => {
    expect(allow("allow: [load]", { allow: ["process", "disk"] })).toEqual(["nothing", "scratch", "process", "disk"]);
    expect(allow("", { allow: ["disk, load"] })).toEqual(["nothing", "scratch", "load", "disk"]);
    expect(effective("", { allow: ["load"] }).origins["allow"]).toBe("flag --allow");
  });

  test("is nothing with --read-only or --allow nothing", () => {
    for (const flags of [{ readOnly: true }, { allow: ["nothing"] }, { readOnly: true, allow: ["nothing"] }]) {
      expect(allow("allow: [scratch, load]", flags)).toEqual(["nothing"]);
    }
    expect(errorOf(() => allow("", { readOnly: true, allow: ["scratch"] }))).toEqual({ usage: "readOnlyAndAllow" });
  });

  test("on a production server is what its profile allows: the command line can narrow it, but not widen it", () => {
    const yaml = "production: true\nallow: [scratch, load]";
    expect(allow(yaml, { allow: ["scratch"] })).toEqual(["nothing", "scratch"]);
    expect(allow(yaml, { allow: ["load"] })).toEqual(["nothing", "scratch", "load"]);
    expect(allow(yaml, { readOnly: true })).toEqual(["nothing"]);
    expect(allow("production: true")).toEqual(["nothing"]);
    expect(allow("production: true\nallow: [load]", { allow: ["load"] })).toEqual(["nothing", "load"]);
    const usage = "productionNotAllowed";
    expect(errorOf(() => allow(yaml, { allow: ["scratch,process"] }))).toEqual({ usage, touches: "process" });
    expect(errorOf(() => allow("production: true", { allow: ["scratch"] }))).toEqual({ usage, touches: "scratch" });
  });

  test("on a production server is never more than its profile allows, whatever the flags", () => {
    const kinds = fc.subarray<Touches>(["scratch", "load", "process", "disk"]);
    fc.assert(
      fc.property(kinds, kinds, fc.boolean(), (written, flagged, readOnly) => {
        const flags: Flags = { ...(flagged.length === 0 ? {} : { allow: flagged }), readOnly };
        const yaml = `production: true\nallow: [${written.join(", ")}]`;
        let allowed: readonly Touches[] = [];
        try {
          allowed = allow(yaml, flags);
        } catch (error) {
          if (!(error instanceof UsageError)) throw error;
        }
        expect(allowed.filter((one) => one !== "nothing" && !written.includes(one))).toEqual([]);
      }),
    );
  });
});

describe("which checks", () => {
  test("only: the flag replaces the profile", () => {
    expect(profile("only: [shop/open]").only).toEqual(new Set(["shop/open"]));
    expect(profile("only: [shop/open]", { only: ["touches:load"] }).only).toEqual(new Set(["shop/crowded"]));
    expect(profile("only: [shop/open]", { only: [] }).only).toEqual(new Set(["shop/open"]));
    expect(effective("only: [shop/open]", { only: ["shop"] }).origins["only"]).toBe("flag --only");
  });

  test("skip: the flag adds to the profile, each with a reason", () => {
    const { profile: one, origins } = effective("skip: { shop/open: closed, 'shop/c*': too full }", {
      skip: ["touches:load"],
    });
    expect([...one.skip]).toEqual([["shop/open", "closed"], ["shop/crowded", "--skip touches:load"]]); // prettier-ignore
    expect(origins["skip"]).toBe("p.yaml:2, flag --skip");
  });

  test("require: the flag adds to the profile", () => {
    const { profile: one, origins } = effective("require: [shop/open]", { require: ["shop/p*"] });
    expect([...one.require]).toEqual(["shop/open", "shop/prices-right"]);
    expect(origins["require"]).toBe("p.yaml:2, flag --require");
  });

  test.for(["only: [shop/opn]", "require: [shop/opn]", "skip: { 'shop/x*': why }"])(
    "an unknown check in %s is a profile error with its line",
    (yaml) => {
      expect(errorOf(() => profile(yaml))).toEqual({ profile: "unknownCheck", lines: [2] });
    },
  );

  test("settings and acceptances come from the profile", () => {
    const yaml =
      "checks: { shop/open: { limits: { msMax: 9 } } }\naccept: [{ check: shop/open, finding: slow, reason: known, until: 2026-12-01 }]";
    expect(profile(yaml).checks).toEqual({ "shop/open": { limits: { msMax: 9 } } });
    expect(profile(yaml).accept).toEqual([
      { check: "shop/open", finding: "slow", reason: "known", until: "2026-12-01" },
    ]);
  });
});

describe("reports", () => {
  const reports = (yaml: string, flags: Flags = {}): unknown => profile(yaml, flags).reports;

  test("come from the flags, else from the profile", () => {
    const yaml = "reports: [{ format: junit, path: a.xml }]";
    expect(reports(yaml)).toEqual([{ format: "junit", path: "a.xml" }]);
    expect(reports(yaml, { report: ["json=b=c.json", "table"] })).toEqual([{ format: "json", path: "b=c.json" }, { format: "table" }]); // prettier-ignore
    expect(reports(yaml, { json: true })).toEqual([{ format: "json" }]);
  });

  test("at most one goes to stdout", () => {
    const many: [string, Flags][] = [
      ["", { report: ["json", "junit"] }],
      ["", { report: ["json"], json: true }],
      ["reports: [{ format: json }, { format: table }]", {}],
    ];
    for (const [yaml, flags] of many) {
      expect(errorOf(() => reports(yaml, flags))).toEqual({ usage: "severalReportsOnStdout" });
    }
    expect(reports("", { report: ["json", "junit=a.xml", "table=b.txt"] })).toHaveLength(3);
  });
});

describe("which server", () => {
  const server = (...of: Parameters<typeof effective>): unknown => {
    const { url, serverBin, serverConfig } = profile(...of);
    return [url, serverBin, serverConfig];
  };

  test("a running server or one to start, never both", () => {
    expect(errorOf(() => server("", { url: "http://x", serverBin: "/bin/k" }))).toEqual({ usage: "urlAndServerBin" });
    expect(server("", { serverBin: "/bin/k", serverConfig: "s.toml" })).toEqual([undefined, "/bin/k", "s.toml"]);
    expect(server("", { url: "http://x" })).toEqual(["http://x", undefined, undefined]);
  });

  test("a flag overrides every other source", () => {
    const environment = { KALAM_READY_URL: "http://e", KALAMDB_SERVER_BIN: "/bin/e" };
    expect(server("server: http://p", { serverBin: "/bin/k" }, environment)).toEqual([undefined, "/bin/k", undefined]);
    expect(server("server: http://p", { url: "http://x" }, environment)).toEqual(["http://x", undefined, undefined]);
  });

  test("KALAMDB_SERVER_BIN comes last: set for something else, it must not replace a server that was given", () => {
    const environment = { KALAMDB_SERVER_BIN: "/bin/e" };
    expect(server("server: http://p", {}, environment)).toEqual(["http://p", undefined, undefined]);
    expect(server("", {}, { ...environment, KALAM_READY_URL: "http://e" })).toEqual(["http://e", undefined, undefined]);
    expect(server("", {}, environment)).toEqual([undefined, "/bin/e", undefined]);
    expect(server("", { serverConfig: "s.toml" }, environment)).toEqual([undefined, "/bin/e", "s.toml"]);
  });

  test("--older-server-bin only beside a server to start", () => {
    const usage = "olderServerBinWithoutServerBin";
    const older = (...of: Parameters<typeof effective>): unknown => profile(...of).olderServerBin;
    const [newer, environment] = [{ KALAMDB_SERVER_BIN: "/bin/e" }, { KALAMDB_OLDER_SERVER_BIN: "/bin/o" }];
    expect(errorOf(() => older("", { olderServerBin: "/bin/f" }))).toEqual({ usage });
    expect(errorOf(() => older("", { olderServerBin: "/bin/f", url: "http://x" }, newer))).toEqual({ usage });
    expect(older("", { olderServerBin: "/bin/f", serverBin: "/bin/k" }, environment)).toBe("/bin/f");
    expect(older("", { serverBin: "/bin/k" }, environment)).toBe("/bin/o");
    expect(older("", {}, { ...newer, ...environment })).toBe("/bin/o");
    // It may be set for other runs.
    expect(older("", { url: "http://x" }, environment)).toBe(undefined);
  });

  test("--server-config only for a server to start", () => {
    const usage = "serverConfigWithoutServerBin";
    const environment = { KALAMDB_SERVER_BIN: "/bin/e" };
    const flags = { serverConfig: "s.toml" };
    expect(errorOf(() => server("", flags))).toEqual({ usage });
    expect(errorOf(() => server("", { ...flags, url: "http://x" }, environment))).toEqual({ usage });
    expect(errorOf(() => server("server: http://p", flags, environment))).toEqual({ usage });
    expect(errorOf(() => server("", { serverBin: "/bin/k", serverConfig: "" }))).toEqual({
      usage: "emptyValue",
      setting: "--server-config",
    });
  });

  test("how it is stopped: by a flag, or by the profile, and never another server than the profile's", () => {
    const control = (...of: Parameters<typeof effective>): unknown => profile(...of).control;
    const docker = "control: { docker: { container: db } }";
    const commands = "control: { command: { kill: [systemctl, kill, db], start: [systemctl, start, db] } }";
    expect(control()).toBeUndefined();
    expect(control(docker, { url: "http://x" })).toEqual({ kind: "docker", container: "db" });
    expect(control(`server: http://p\n${commands}`)).toEqual({
      kind: "command",
      commands: { kill: ["systemctl", "kill", "db"], start: ["systemctl", "start", "db"] },
    });
    expect(control(`server: http://p\n${docker}`, { url: "http://x" })).toBeUndefined();
    expect(control(`server: http://p\n${docker}`, { serverBin: "/bin/k" })).toBeUndefined();
    expect(control(commands, { url: "http://x", container: "other" })).toEqual({ kind: "docker", container: "other" });
    expect(errorOf(() => control("", { serverBin: "/bin/k", container: "db" }))).toEqual({
      usage: "containerAndServerBin",
    });
    expect(errorOf(() => control("", { url: "http://x", container: "--rm" }))).toMatchObject({
      usage: "notAContainer",
    });
  });

  test("an odd control is a profile error with its line", () => {
    const problem = (yaml: string): unknown => errorOf(() => effective(yaml));
    expect(problem("control: { docker: { container: db }, command: { kill: [a], start: [b] } }")).toMatchObject({
      profile: "controlTwice",
    });
    expect(problem("control: { command: { kill: [], start: [b] } }")).toMatchObject({ profile: "emptyCommand" });
    expect(problem("control: { command: { kill: [a] } }")).toMatchObject({ profile: "missingKey", lines: [2] });
    expect(problem("control: { docker: { container: -x } }")).toMatchObject({ profile: "notAContainer" });
    expect(problem("control: { compose: db }")).toMatchObject({ profile: "unknownKey" });
  });

  test("an invalid URL in the profile is a profile error with its line, unless it is not used", () => {
    expect(errorOf(() => server("server: ftp://x"))).toEqual({ profile: "urlScheme", lines: [2] });
    expect(errorOf(() => server("server: ${env:U}", {}, { U: "" }))).toEqual({ profile: "emptyValue", lines: [2] });
    expect(server("server: ftp://x", { url: "http://x" })).toEqual(["http://x", undefined, undefined]);
  });
});
