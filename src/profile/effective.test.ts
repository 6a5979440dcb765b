import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Category, Check, Touches } from "../check.ts";
import { effectiveProfile, type Effective, type Flags, type Profile } from "./effective.ts";
import { whole } from "./usage.ts";
import { parseUrl } from "./server.ts";
import { UsageError } from "./usage.ts";
import { parseProfile, ProfileError } from "./read.ts";

const check = (id: string, touches: Touches = "scratch"): Check =>
  ({
    id,
    title: id,
    limits: { msMax: 5 },
    findings: { slow: { say: () => "" } },
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

test("where nothing is said, the defaults hold, and say so", () => {
  const { profile: all, origins } = effective();
  expect(all).toEqual({
    name: "p.yaml",
    url: undefined,
    serverBin: undefined,
    serverConfig: undefined,
    kalamBin: undefined,
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
  expect(Object.keys(origins)).toHaveLength(18);
});

describe("a flag comes before the environment, the environment before the profile", () => {
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

  test("what only a profile says has its line for an origin", () => {
    const { origins } = effective("name: shop\nproduction: true\nchecks: {}\naccept: []");
    expect(origins).toMatchObject({ name: "p.yaml:2", production: "p.yaml:3", checks: "p.yaml:4", accept: "p.yaml:5" });
  });
});

describe("a wrong flag or variable is a usage error that names it", () => {
  test.for<[Flags, Environment, string]>([
    [{ effort: "lihgt" }, {}, '--effort: one of light, standard, deep, not "lihgt"; did you mean "light"?'],
    [{}, { KALAM_READY_EFFORT: "x" }, "KALAM_READY_EFFORT: one of light, standard, deep"],
    [{ budget: "30" }, {}, '--budget: a duration with its unit, such as 500ms, 30s, 2m or 1h, not "30"'],
    [{}, { KALAM_READY_TIMEOUT: "soon" }, "KALAM_READY_TIMEOUT: a duration"],
    [{ parallel: "17" }, {}, '--parallel: a whole number from 1 to 16, not "17"'],
    [{ parallel: "2.5" }, {}, "--parallel: a whole number"],
    [{ parallel: "" }, {}, "--parallel: a whole number"],
    [{ maxRps: "0" }, {}, "--max-rps: a whole number from 1"],
    [{ failOn: "never" }, {}, "--fail-on: one of block, warn"],
    [{ user: " " }, {}, "--user is empty"],
    [{ url: "" }, {}, "--url is empty"],
    [{ serverBin: "" }, {}, "--server-bin is empty"],
    [{ only: ["shop/opn"] }, {}, '--only: no check is called "shop/opn"; did you mean "shop/open"?'],
    [{ only: [""] }, {}, '--only: no check is called ""'],
    [{ skip: ["purple"] }, {}, "--skip: no check is called"],
    [{ require: ["shops"] }, {}, '--require: no check is called "shops"; did you mean "shop"?'],
    [
      { allow: ["scratch,lod"] },
      {},
      '--allow: one of nothing, scratch, load, process, disk, not "lod"; did you mean "load"?',
    ],
    [{ allow: [""] }, {}, "--allow: one of"],
    [{ report: ["xml"] }, {}, "--report: one of table, json, junit"],
    [{ report: ["junit="] }, {}, "the path of --report junit= is empty"],
  ])("%j", ([flags, environment, words]) => {
    expect(() => effective("", flags, environment)).toThrow(UsageError);
    expect(() => effective("", flags, environment)).toThrow(words);
  });
});

describe("what may be touched", () => {
  const allow = (yaml: string, flags: Flags = {}): readonly Touches[] => profile(yaml, flags).allow;

  test("is scratch by default, and nothing always", () => {
    expect(allow("")).toEqual(["nothing", "scratch"]);
    expect(allow("allow: []")).toEqual(["nothing"]);
    expect(allow("allow: [load]")).toEqual(["nothing", "load"]);
  });

  test("is what the flags say where they say anything, repeated or with commas, and scratch comes along", () => {
    expect(allow("allow: [load]", { allow: ["process", "disk"] })).toEqual(["nothing", "scratch", "process", "disk"]);
    expect(allow("", { allow: ["disk, load"] })).toEqual(["nothing", "scratch", "load", "disk"]);
    expect(effective("", { allow: ["load"] }).origins["allow"]).toBe("flag --allow");
  });

  test("is nothing with --read-only and with --allow nothing", () => {
    for (const flags of [{ readOnly: true }, { allow: ["nothing"] }, { readOnly: true, allow: ["nothing"] }]) {
      expect(allow("allow: [scratch, load]", flags)).toEqual(["nothing"]);
    }
    expect(() => allow("", { readOnly: true, allow: ["scratch"] })).toThrow(
      "--read-only and --allow do not go together",
    );
  });

  test("on a production server is only what its profile names: the command line can narrow it, and not widen it", () => {
    const yaml = "production: true\nallow: [scratch, load]";
    expect(allow(yaml, { allow: ["scratch"] })).toEqual(["nothing", "scratch"]);
    expect(allow(yaml, { allow: ["load"] })).toEqual(["nothing", "scratch", "load"]);
    expect(allow(yaml, { readOnly: true })).toEqual(["nothing"]);
    expect(allow("production: true")).toEqual(["nothing"]);
    expect(allow("production: true\nallow: [load]", { allow: ["load"] })).toEqual(["nothing", "load"]);
    expect(() => allow(yaml, { allow: ["scratch,process"] })).toThrow(UsageError);
    expect(() => allow(yaml, { allow: ["scratch,process"] })).toThrow(
      "--allow process: the profile says production: true",
    );
    expect(() => allow("production: true", { allow: ["scratch"] })).toThrow("production: true");
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
  test("only: the flag instead of the profile", () => {
    expect(profile("only: [shop/open]").only).toEqual(new Set(["shop/open"]));
    expect(profile("only: [shop/open]", { only: ["touches:load"] }).only).toEqual(new Set(["shop/crowded"]));
    expect(profile("only: [shop/open]", { only: [] }).only).toEqual(new Set(["shop/open"]));
    expect(effective("only: [shop/open]", { only: ["shop"] }).origins["only"]).toBe("flag --only");
  });

  test("skip: the flag besides the profile, each with its reason", () => {
    const { profile: one, origins } = effective("skip: { shop/open: closed, 'shop/c*': too full }", {
      skip: ["touches:load"],
    });
    expect([...one.skip]).toEqual([["shop/open", "closed"], ["shop/crowded", "--skip touches:load"]]); // prettier-ignore
    expect(origins["skip"]).toBe("p.yaml:2, flag --skip");
  });

  test("require: the flag besides the profile", () => {
    const { profile: one, origins } = effective("require: [shop/open]", { require: ["shop/p*"] });
    expect([...one.require]).toEqual(["shop/open", "shop/prices-right"]);
    expect(origins["require"]).toBe("p.yaml:2, flag --require");
  });

  test.for(["only: [shop/opn]", "require: [shop/opn]", "skip: { 'shop/x*': why }"])(
    "an unknown one in %s is a profile error with its line",
    (yaml) => {
      expect(() => profile(yaml)).toThrow(ProfileError);
      expect(() => profile(yaml)).toThrow(/^p\.yaml:2.*: no check is called/);
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

  test("are those of the flags, else of the profile", () => {
    const yaml = "reports: [{ format: junit, path: a.xml }]";
    expect(reports(yaml)).toEqual([{ format: "junit", path: "a.xml" }]);
    expect(reports(yaml, { report: ["json=b=c.json", "table"] })).toEqual([{ format: "json", path: "b=c.json" }, { format: "table" }]); // prettier-ignore
    expect(reports(yaml, { json: true })).toEqual([{ format: "json" }]);
  });

  test("to stdout are one at most", () => {
    const many: [string, Flags][] = [
      ["", { report: ["json", "junit"] }],
      ["", { report: ["json"], json: true }],
      ["reports: [{ format: json }, { format: table }]", {}],
    ];
    for (const [yaml, flags] of many) {
      expect(() => reports(yaml, flags)).toThrow(UsageError);
      expect(() => reports(yaml, flags)).toThrow("at most one report can go to stdout");
    }
    expect(reports("", { report: ["json", "junit=a.xml", "table=b.txt"] })).toHaveLength(3);
  });
});

describe("which server", () => {
  const server = (...of: Parameters<typeof effective>): unknown => {
    const { url, serverBin, serverConfig } = profile(...of);
    return [url, serverBin, serverConfig];
  };

  test("one that runs, or one that is started, never both", () => {
    expect(() => server("", { url: "http://x", serverBin: "/bin/k" })).toThrow(
      "--url and --server-bin do not go together",
    );
    expect(server("", { serverBin: "/bin/k", serverConfig: "s.toml" })).toEqual([undefined, "/bin/k", "s.toml"]);
    expect(server("", { url: "http://x" })).toEqual(["http://x", undefined, undefined]);
  });

  test("a flag before what was named elsewhere", () => {
    const environment = { KALAM_READY_URL: "http://e", KALAMDB_SERVER_BIN: "/bin/e" };
    expect(server("server: http://p", { serverBin: "/bin/k" }, environment)).toEqual([undefined, "/bin/k", undefined]);
    expect(server("server: http://p", { url: "http://x" }, environment)).toEqual(["http://x", undefined, undefined]);
  });

  test("KALAMDB_SERVER_BIN last of all: set for something else, it must not take the place of a named server", () => {
    const environment = { KALAMDB_SERVER_BIN: "/bin/e" };
    expect(server("server: http://p", {}, environment)).toEqual(["http://p", undefined, undefined]);
    expect(server("", {}, { ...environment, KALAM_READY_URL: "http://e" })).toEqual(["http://e", undefined, undefined]);
    expect(server("", {}, environment)).toEqual([undefined, "/bin/e", undefined]);
    expect(server("", { serverConfig: "s.toml" }, environment)).toEqual([undefined, "/bin/e", "s.toml"]);
  });

  test("its settings only where it is started", () => {
    const words = "--server-config goes with --server-bin";
    expect(() => server("", { serverConfig: "s.toml" })).toThrow(words);
    expect(() => server("", { serverConfig: "s.toml", url: "http://x" }, { KALAMDB_SERVER_BIN: "/bin/e" })).toThrow(
      words,
    );
    expect(() => server("server: http://p", { serverConfig: "s.toml" }, { KALAMDB_SERVER_BIN: "/bin/e" })).toThrow(
      words,
    );
    expect(() => server("", { serverBin: "/bin/k", serverConfig: "" })).toThrow("--server-config is empty");
  });

  test("a wrong address in the profile is a profile error with its line", () => {
    expect(() => server("server: ftp://x")).toThrow(ProfileError);
    expect(() => server("server: ftp://x")).toThrow(/^p\.yaml:2.*must begin with http/);
    expect(() => server("server: ${env:U}", {}, { U: "" })).toThrow(/^p\.yaml:2.*server is empty/);
  });
});

describe("an address", () => {
  test.for([
    ["http://127.0.0.1:8080", "http://127.0.0.1:8080"],
    ["http://127.0.0.1:8080/", "http://127.0.0.1:8080"],
    ["https://DB.example.com:443", "https://db.example.com"],
    ["http://[::1]:8080", "http://[::1]:8080"],
    [" http://x ", "http://x"],
  ] as const)("%j is %s", ([text, origin]) => {
    expect(parseUrl("--url", text)).toBe(origin);
  });

  test.for<[string, RegExp]>([
    ["", /^--url is empty: give the server's address/],
    ["  ", /^--url is empty/],
    ["db.example.com", /"db\.example\.com" is no address.*did you mean "http:\/\/db\.example\.com"\?/],
    ["127.0.0.1:8080", /did you mean "http:\/\/127\.0\.0\.1:8080"\?/],
    ["localhost:8080", /must begin with http:\/\/.*did you mean "http:\/\/localhost:8080"\?/],
    ["ftp://x", /must begin with http:\/\/ or https:\/\/$/],
    ["file:///etc/passwd", /must begin with http/],
    ["http://", /is no address/],
    ["http://x:99999", /is no address/],
    ["http://x/db", /at the root of its address; leave out "\/db"/],
    ["http://x/?a=1", /without \?… and #…/],
    ["http://x/#a", /without \?… and #…/],
  ])("%j is refused", ([text, words]) => {
    expect(() => parseUrl("--url", text)).toThrow(UsageError);
    expect(() => parseUrl("--url", text)).toThrow(words);
  });

  test.for([
    "http://root:s3cret-pw@x",
    "http://root@x",
    "https://:s3cret-pw@x:8080/",
    "http://root:s3cret-pw@x:99999",
    "http://root:s3cret pw@x",
    "root:s3cret-pw@x:8080",
    "root:12345-s3cret-pw@x",
    "//root:s3cret-pw@x",
    "http:/root:s3cret-pw@x",
    "ftp://root:s3cret-pw@x",
    "http://root:s3cret-pw@[x",
  ])("credentials in it are refused, and never repeated: %s", (text) => {
    let said = "";
    try {
      parseUrl("--url", text);
    } catch (error) {
      said = error instanceof UsageError ? error.message : "something else";
    }
    expect(said).toMatch(/^--url: /);
    expect(said).not.toMatch(/s3cret|12345|pw/);
    expect(said).toContain("credentials");
  });
});

test("a whole number is digits within its bounds", () => {
  expect(whole(" 7 ", 0, 10)).toBe(7);
  for (const text of ["", "-1", "11", "1e1", "0x1", "1.0", "٣", "999999999999999999999"])
    expect(() => whole(text, 0, 10)).toThrow("a whole number from 0 to 10");
});
