import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Category, Check } from "../check.ts";
import { loadCategories } from "../../checks/index.ts";
import { packageFolder } from "../package.ts";
import { parseProfile, ProfileError, readProfile, shippedFile, shippedNames, type ProfileSource } from "./read.ts";
import { profileTemplate } from "./template.ts";

const check = (id: string, rest: Partial<Check> = {}): Check =>
  ({
    id,
    title: id,
    limits: {},
    findings: {},
    covers: [],
    observation: { touches: "scratch" },
    ...rest,
  }) as unknown as Check;
const categories: readonly Category[] = [
  {
    id: "shop",
    promise: "",
    checks: [
      check("shop/prices-right", {
        limits: { priceMsMax: 5 },
        findings: { wrongPrice: { say: () => "" }, slow: { say: () => "" } },
      }),
      check("shop/open"),
    ],
  },
];
const today = "2026-11-22";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "profiles-"));
  writeFileSync(path.join(folder, "token"), "tok-from-file\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const environment = { URL: "http://x", PW: "secret", EMPTY: "", N: "3", YES: "true" };

function parse(source: string, secrets: string[] = []): ProfileSource {
  return parseProfile(source, "p.yaml", {
    categories,
    environment,
    folder,
    today,
    onSecret: (value) => secrets.push(value),
  });
}

/** What is wrong with it: the place and the code of each problem. */
function wrongWith(source: string): string[] {
  return errorOf(source).problems.map(({ line, column, code }) => `${line}:${column} ${code}`);
}

function errorOf(source: string): ProfileError {
  try {
    parse(source);
  } catch (error) {
    if (error instanceof ProfileError) return error;
    throw error;
  }
  throw new Error("nothing is wrong with it");
}

const v1 = (rest: string): string => `version: 1\n${rest}`;

test("every key is read", () => {
  const secrets: string[] = [];
  const source = `version: 1
name: shop
server: \${env:URL}
production: \${env:YES}
login: { user: root, password: "\${env:PW}", token: "\${file:token}" }
allow: [scratch, load]
effort: deep
budget: 2m
timeout: 1.5s
max-rps: 2.5
parallel: "\${env:N}"
fail-on: warn
only: [shop, "shop/*"]
skip: { shop/open: closed on sundays, "touches:load": no load, "sho?/*": all of it }
require: [shop/open]
checks:
  shop/prices-right: { level: warn, limits: { priceMsMax: 0.5 }, findings: { slow: block } }
accept:
  - { check: shop/prices-right, finding: wrongPrice, case: big, reason: known, until: 2026-12-31 }
reports: [{ format: junit, path: out/r.xml }, { format: table }]
`;
  const { document, from, lines } = parse(source, secrets);
  expect(document).toEqual({
    version: 1,
    name: "shop",
    server: "http://x",
    production: true,
    login: { user: "root", password: "secret", token: "tok-from-file" },
    allow: ["scratch", "load"],
    effort: "deep",
    budget: 120_000,
    timeout: 1_500,
    "max-rps": 2.5,
    parallel: 3,
    "fail-on": "warn",
    only: ["shop", "shop/*"],
    skip: { "shop/open": "closed on sundays", "touches:load": "no load", "sho?/*": "all of it" },
    require: ["shop/open"],
    checks: { "shop/prices-right": { level: "warn", limits: { priceMsMax: 0.5 }, findings: { slow: "block" } } },
    accept: [{ check: "shop/prices-right", finding: "wrongPrice", case: "big", reason: "known", until: "2026-12-31" }],
    reports: [{ format: "junit", path: "out/r.xml" }, { format: "table" }],
  });
  expect(from).toBe("p.yaml");
  expect(lines).toMatchObject({ version: 1, name: 2, checks: 16, accept: 18, reports: 20 });
  expect(new Set(secrets)).toEqual(new Set(["secret", "tok-from-file"]));
});

test("an error shows the reference, not the secret that it leads to", () => {
  for (const source of ["production", "parallel", "budget", "effort"].map((key) => `version: 1\n${key}: \${env:PW}`)) {
    const reading = (): unknown => parse(source);
    expect(reading).toThrow("got the value of ${env:PW}");
    expect(reading).not.toThrow('"secret"');
  }
});

test("a check's name stands for its id where that is unique, and is read as the id", () => {
  const accept = "{ check: prices-right, finding: wrongPrice, reason: known, until: 2026-12-31 }";
  const { document } = parse(`version: 1\nchecks: { prices-right: { level: warn } }\naccept: [${accept}]\n`);
  expect(document.checks).toEqual({ "shop/prices-right": { level: "warn" } });
  expect(document.accept).toMatchObject([{ check: "shop/prices-right" }]);
});

test("only the version is required", () => {
  expect(parse("version: 1").document).toEqual({ version: 1 });
});

describe("every problem is reported with line, column and code", () => {
  test.for<[string, string]>([
    // The form.
    ["", "1:1 notAMapping"],
    ["- a", "1:1 notAMapping"],
    ["name: x", "1:1 missingKey"],
    ["version: 2", "1:10 notANumber"],
    ["version: one", "1:10 notANumber"],
    [v1("server: [http://x"), "2:18 yamlSyntax"],
    [v1("a: b: c"), "2:4 yamlSyntax"],
    [v1("name: a\nname: b"), "3:1 duplicateKey"],
    [v1("login: { user: a, user: b }"), "2:19 duplicateKey"],
    [v1("allows: [scratch]"), "2:1 unknownKey"],
    [v1("login: { usr: a }"), "2:10 unknownKey"],
    [v1("purple: 1"), "2:1 unknownKey"],
    [v1("constructor: 1"), "2:1 unknownKey"],
    [v1("__proto__: 1"), "2:1 unknownKey"],
    [v1("? [a, b]\n: 1"), "2:3 unknownKey"],
    [v1("name:"), "2:6 notAScalar"],
    [v1("name: [a]"), "2:7 notAScalar"],
    [v1("name: &n x\nserver: *n"), "3:9 notAScalar"],
    // Values.
    [v1("effort: depp"), "2:9 unknownWord"],
    [v1("effort: {}"), "2:9 notAScalar"],
    [v1("allow: scratch"), "2:8 notAList"],
    [v1("allow: [scratch, lod]"), "2:18 unknownWord"],
    [v1("production: yes"), "2:13 notABoolean"],
    [v1("parallel: 0"), "2:11 notANumber"],
    [v1("parallel: 2.5"), "2:11 notANumber"],
    [v1("parallel: 17"), "2:11 notANumber"],
    [v1('parallel: ""'), "2:11 notANumber"],
    [v1("max-rps: .inf"), "2:10 notANumber"],
    [v1("max-rps: 1_000"), "2:10 notANumber"],
    // Units.
    [v1("budget: 30"), "2:9 durationUnit"],
    [v1("timeout: 2 minutes"), "2:10 durationUnit"],
    [v1("timeout: 0s"), "2:10 durationUnit"],
    // References and secrets.
    [v1("server: ${env:GONE}"), "2:9 missingVariable"],
    [v1("server: ${file:gone}"), "2:9 unreadableFile"],
    [v1("server: ${GONE}"), "2:9 invalidReference"],
    [v1("login: { password: hunter2 }"), "2:20 literalSecret"],
    [v1("login: { password: 'x${env:PW}' }"), "2:20 literalSecret"],
    [v1("login: { token: '${env:EMPTY}' }"), "2:17 emptySecret"],
    [v1("login: { password: '${env:GONE}' }"), "2:20 missingVariable"],
    // Names of checks.
    [v1("checks: { shop/price-right: {} }"), "2:11 unknownCheck"],
    [v1("checks: { shop/open: { limits: { x: 1 } } }"), "2:34 unknownLimit"],
    [v1("checks: { shop/prices-right: { limits: { priceMaxMs: 1 } } }"), "2:42 unknownLimit"],
    [v1("checks: { shop/prices-right: { limits: { priceMsMax: -1 } } }"), "2:54 notANumber"],
    [v1("checks: { shop/prices-right: { findings: { wrongPrices: warn } } }"), "2:44 unknownFinding"],
    [v1("checks: { shop/prices-right: { level: info } }"), "2:39 unknownWord"],
    [v1("skip: { shop/opn: why }"), "2:9 unknownCheck"],
    [v1("checks: { open: {}, prices-right: {}, shop/open: {} }"), "2:39 duplicateKey"],
    [v1("checks: { prices: {} }"), "2:11 unknownCheck"],
    [v1("skip: { shop/open: }"), "2:20 notAScalar"],
    [v1("skip: { shop/open: ' ' }"), "2:20 noReason"],
    [v1("skip: [shop/open]"), "2:7 notAMapping"],
    // Reports.
    [v1("reports: [{ path: x }]"), "2:11 missingKey"],
    [v1("reports: [{ format: xml }]"), "2:21 unknownWord"],
  ])("%j", ([source, words]) => {
    expect(wrongWith(source)).toContain(words);
  });

  test("the nearest right word is suggested", () => {
    const suggested = (source: string): string | undefined =>
      /; did you mean "(.*)"\?$/.exec(errorOf(source).message)?.[1];
    expect(suggested(v1("allows: [scratch]"))).toBe("allow");
    expect(suggested(v1("effort: depp"))).toBe("deep");
    expect(suggested(v1("checks: { shop/price-right: {} }"))).toBe("shop/prices-right");
    expect(suggested(v1("checks: { shop/prices-right: { limits: { priceMaxMs: 1 } } }"))).toBe("priceMsMax");
    expect(suggested(v1("checks: { shop/prices-right: { findings: { wrongPrices: warn } } }"))).toBe("wrongPrice");
    expect(suggested(v1("skip: { shop/opn: why }"))).toBe("shop/open");
    expect(suggested(v1("purple: 1"))).toBeUndefined();
  });

  test("a literal secret is not repeated", () => {
    expect(errorOf(v1("login: { password: hunter2 }")).message).not.toContain("hunter2");
  });

  test("several problems are reported at once, each on its own line", () => {
    const error = errorOf(v1("effort: x\nbudget: 5\nnme: a"));
    expect(error.message.split("\n").map((line) => line.split(" ")[0])).toEqual([
      "p.yaml:2:9:",
      "p.yaml:3:9:",
      "p.yaml:4:1:",
    ]);
    expect(error.detail.split("\n").map((line) => /\[\w+\]$/.exec(line)?.[0])).toEqual([
      "[unknownWord]",
      "[durationUnit]",
      "[unknownKey]",
    ]);
  });
});

describe("an acceptance", () => {
  const accept = (rest: string): string => v1(`accept:\n  - { ${rest} }`);
  const full = (until: string): string =>
    accept(`check: shop/prices-right, finding: wrongPrice, reason: known, until: ${until}`);

  test.for<[string, string]>([
    [accept("check: shop/prices-right"), "3:5 missingKey"],
    [accept("check: shop/prices-right, finding: slow, until: 2026-12-01"), "3:5 missingKey"],
    [accept("check: shop/prices-right, finding: slow, reason: x"), "3:5 missingKey"],
    [accept("check: shop/price, finding: slow, reason: x, until: 2026-12-01"), "3:14 unknownCheck"],
    [accept("check: shop/prices-right, finding: slwo, reason: x, until: 2026-12-01"), "3:42 unknownFinding"],
    [full("tomorrow"), "3:76 notADate"],
    [full("2027-1-31"), "3:76 notADate"],
    [full("2026-02-30"), "3:76 noSuchDay"],
    [full("2026-13-01"), "3:76 noSuchDay"],
    [full("2027-05-22"), "3:76 acceptedTooLong"],
  ])("%j", ([source, words]) => {
    expect(wrongWith(source)).toContain(words);
  });

  test.for(["2027-05-21", "2026-11-22", "2026-11-21", "2020-01-01", "2028-02-29".replace("2028", "2024")])(
    "until %s is valid: up to 180 days ahead, and an expired one is left to the verdict",
    (until) => {
      expect(parse(full(until)).document.accept?.[0]).toMatchObject({ until });
    },
  );
});

test("the template and every shipped profile are valid", { timeout: 60_000 }, async () => {
  const real = await loadCategories();
  const options = { categories: real, environment: { KALAM_READY_PASSWORD: "x" }, folder, onSecret: () => undefined };
  expect(parseProfile(profileTemplate(), "template", options).document).toMatchObject({
    server: "http://127.0.0.1:8080",
    login: { user: "root" },
  });
  expect(readdirSync(path.join(packageFolder, "profiles")).map((name) => name.replace(".yaml", ""))).toEqual(
    shippedNames(),
  );
  for (const name of shippedNames()) {
    expect(parseProfile(readFileSync(shippedFile(name), "utf8"), name, options).document).toMatchObject({
      version: 1,
      name,
    });
  }
});

test("the examples in the template's comments are valid", async () => {
  const options = {
    categories: await loadCategories(),
    environment: { KALAM_READY_PASSWORD: "x" },
    folder,
    onSecret: () => undefined,
    today,
  };
  const uncommented = profileTemplate().replace(/^# (skip:|checks:|accept:|reports:| )/gm, "$1");
  expect(Object.keys(parseProfile(uncommented, "template", options).document)).toEqual(
    expect.arrayContaining(["skip", "checks", "accept", "reports"]),
  );
});

describe("a profile is found", () => {
  const options = { categories, environment, onSecret: () => undefined, today };
  /** What is read where the working folder is that one. */
  function inFolder(named: string, wanted: string | undefined, all: readonly Category[]): ProfileSource {
    const before = process.cwd();
    mkdirSync(named, { recursive: true });
    process.chdir(named);
    try {
      return readProfile(wanted, { ...options, categories: all });
    } finally {
      process.chdir(before);
    }
  }

  test("by its path, and files relative to it", () => {
    const file = path.join(folder, "mine.yaml");
    writeFileSync(file, v1("login: { token: '${file:token}' }"));
    expect(readProfile(file, options)).toMatchObject({ from: file, document: { login: { token: "tok-from-file" } } });
  });

  test("by the name of a shipped profile", async () => {
    const real = { ...options, categories: await loadCategories() };
    expect(readProfile("gate", real)).toMatchObject({ from: "gate", document: { name: "gate" } });
  });

  test("by default as kalam-ready.yaml, else as standard", async () => {
    const real = await loadCategories();
    const here = path.join(folder, "here");
    expect(inFolder(here, undefined, real).document.name).toBe("standard");
    writeFileSync(path.join(here, "kalam-ready.yaml"), v1("name: mine"));
    expect(inFolder(here, undefined, real)).toMatchObject({ from: "kalam-ready.yaml", document: { name: "mine" } });
  });

  test("by the name of a shipped profile, unless a file has that name; a folder is ignored", async () => {
    const real = await loadCategories();
    const here = path.join(folder, "there");
    mkdirSync(path.join(here, "production"), { recursive: true });
    writeFileSync(path.join(here, "gate"), v1("name: mine"));
    expect(inFolder(here, "gate", real).document.name).toBe("mine");
    expect(inFolder(here, "production", real).document.name).toBe("production");
  });

  test("or not: the error lists the shipped names and suggests the nearest", () => {
    const notFound = (profile: string): Error =>
      expect.objectContaining({ code: "profileNotFound", data: { profile } }) as Error;
    expect(() => readProfile("gaet", options)).toThrow(ProfileError);
    expect(() => readProfile("gaet", options)).toThrow(notFound("gaet"));
    expect(() => readProfile("gaet", options)).toThrow(/gate.*did you mean "gate"\?$/);
    expect(() => readProfile("/no/such/file.yaml", options)).toThrow(notFound("/no/such/file.yaml"));
  });

  test("but a folder is an error", () => {
    const named = path.join(folder, "a-folder");
    mkdirSync(named);
    expect(() => readProfile(named, options)).toThrow(expect.objectContaining({ code: "profileUnreadable" }));
  });
});

describe("what a variable yields", () => {
  const hidden = (source: string): string[] => {
    const secrets: string[] = [];
    try {
      parse(v1(source), secrets);
    } catch (error) {
      if (!(error instanceof ProfileError)) throw error;
    }
    return secrets;
  };

  test.each([
    "name: ${env:PW}",
    "name: a ${env:PW} b",
    "login: { user: '${env:PW}' }",
    "skip: { shop/open: 'because of ${env:PW}' }",
    "reports: [{ format: json, path: '${env:PW}.json' }]",
    "server: http://${env:PW}.example.com",
    "server: ${env:PW}",
    "effort: ${env:PW}",
    "only: ['${env:PW}']",
  ])("is a secret where a text may be one: %s", (source) => {
    expect([...new Set(hidden(source))]).toEqual(["secret"]);
  });

  test.each([
    "server: ${env:URL}",
    "parallel: ${env:N}",
    "production: ${env:YES}",
    "name: ${env:GONE:-default}",
    "name: a ${env:EMPTY:-default}",
  ])("is none where it is a word of a list, a number or an address: %s", (source) => {
    expect(hidden(source)).toEqual([]);
  });
});
