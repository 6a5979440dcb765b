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
  ({ id, title: id, limits: {}, findings: {}, observation: { touches: "scratch" }, ...rest }) as unknown as Check;
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

/** What is wrong with it: one line for each problem. */
function wrongWith(source: string): string {
  try {
    parse(source);
    return "nothing";
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    return error.message;
  }
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
    expect(reading).toThrow("not what ${env:PW} leads to");
    expect(reading).not.toThrow('not "secret"');
  }
});

test("a version is enough", () => {
  expect(parse("version: 1").document).toEqual({ version: 1 });
});

describe("what is wrong is told with its place and the nearest right word", () => {
  test.for<[string, string]>([
    // The form.
    ["", "1:1: keys and values are wanted here"],
    ["- a", "1:1: keys and values are wanted here"],
    ["name: x", "1:1: version is missing"],
    ["version: 2", '1:10: a whole number from 1 to 1, not "2"'],
    ["version: one", '1:10: a whole number from 1 to 1, not "one"'],
    [v1("server: [http://x"), "2:"],
    [v1("a: b: c"), "2:"],
    [v1("name: a\nname: b"), "3:1: this key stands here twice"],
    [v1("login: { user: a, user: b }"), "2:19: this key stands here twice"],
    [v1("allows: [scratch]"), '2:1: unknown key "allows"; did you mean "allow"?'],
    [v1("login: { usr: a }"), '2:10: unknown key "usr"; did you mean "user"?'],
    [v1("purple: 1"), '2:1: unknown key "purple"'],
    [v1("constructor: 1"), '2:1: unknown key "constructor"'],
    [v1("__proto__: 1"), '2:1: unknown key "__proto__"'],
    [v1("? [a, b]\n: 1"), '2:3: unknown key ""'],
    [v1("name:"), "2:6: a text is wanted here"],
    [v1("name: [a]"), "2:7: a text is wanted here"],
    [v1("name: &n x\nserver: *n"), "3:9: a text is wanted here"],
    // Values.
    [v1("effort: depp"), '2:9: one of light, standard, deep, not "depp"; did you mean "deep"?'],
    [v1("effort: {}"), "2:9: one of light, standard, deep is wanted here"],
    [v1("allow: scratch"), "2:8: a list is wanted here, such as [a, b]"],
    [
      v1("allow: [scratch, lod]"),
      '2:18: one of nothing, scratch, load, process, disk, not "lod"; did you mean "load"?',
    ],
    [v1("production: yes"), '2:13: true or false, not "yes"'],
    [v1("parallel: 0"), '2:11: a whole number from 1 to 16, not "0"'],
    [v1("parallel: 2.5"), '2:11: a whole number from 1 to 16, not "2.5"'],
    [v1("parallel: 17"), '2:11: a whole number from 1 to 16, not "17"'],
    [v1('parallel: ""'), '2:11: a whole number from 1 to 16, not ""'],
    [v1("max-rps: .inf"), '2:10: a number from 1, not ".inf"'],
    [v1("max-rps: 1_000"), '2:10: a number from 1, not "1_000"'],
    // Units.
    [v1("budget: 30"), '2:9: a duration with its unit, such as 500ms, 30s, 2m or 1h, not "30"'],
    [v1("timeout: 2 minutes"), '2:10: a duration with its unit, such as 500ms, 30s, 2m or 1h, not "2 minutes"'],
    [v1("timeout: 0s"), "2:10: a duration with its unit"],
    // References and secrets.
    [v1("server: ${env:GONE}"), "2:9: the environment has no GONE (write ${env:GONE:-default} to give one)"],
    [v1("server: ${file:gone}"), "2:9: gone cannot be read: ENOENT"],
    [v1("server: ${GONE}"), "2:9: ${GONE} is no reference"],
    [
      v1("login: { password: hunter2 }"),
      "2:20: a secret must not stand in a profile: write ${env:NAME} or ${file:PATH} and keep it there",
    ],
    [v1("login: { password: 'x${env:PW}' }"), "2:20: a secret must not stand in a profile"],
    [v1("login: { token: '${env:EMPTY}' }"), "2:17: the reference leads to an empty text"],
    [v1("login: { password: '${env:GONE}' }"), "2:20: the environment has no GONE"],
    // Names of checks.
    [
      v1("checks: { shop/price-right: {} }"),
      '2:11: unknown check "shop/price-right"; did you mean "shop/prices-right"?',
    ],
    [v1("checks: { shop/open: { limits: { x: 1 } } }"), '2:34: unknown limit "x"'],
    [
      v1("checks: { shop/prices-right: { limits: { priceMaxMs: 1 } } }"),
      '2:42: unknown limit "priceMaxMs"; did you mean "priceMsMax"?',
    ],
    [v1("checks: { shop/prices-right: { limits: { priceMsMax: -1 } } }"), '2:54: a number from 0, not "-1"'],
    [
      v1("checks: { shop/prices-right: { findings: { wrongPrices: warn } } }"),
      '2:44: unknown finding "wrongPrices"; did you mean "wrongPrice"?',
    ],
    [v1("checks: { shop/prices-right: { level: info } }"), '2:39: one of block, warn, not "info"'],
    [v1("skip: { shop/opn: why }"), '2:9: no check is called "shop/opn"; did you mean "shop/open"?'],
    [v1("skip: { shop/open: }"), "2:20: a text is wanted here"],
    [v1("skip: { shop/open: ' ' }"), '2:20: a reason, not " "'],
    [v1("skip: [shop/open]"), "2:7: keys and values are wanted here"],
    // Reports.
    [v1("reports: [{ path: x }]"), "2:11: format is missing"],
    [v1("reports: [{ format: xml }]"), '2:21: one of table, json, junit, not "xml"'],
  ])("%j", ([source, words]) => {
    expect(wrongWith(source)).toContain(`p.yaml:${words}`);
  });

  test("a literal secret is not repeated", () => {
    expect(wrongWith(v1("login: { password: hunter2 }"))).not.toContain("hunter2");
  });

  test("several things are told at once, each on its line", () => {
    expect(
      wrongWith(v1("effort: x\nbudget: 5\nnme: a"))
        .split("\n")
        .map((line) => line.split(" ")[0]),
    ).toEqual(["p.yaml:2:9:", "p.yaml:3:9:", "p.yaml:4:1:"]);
  });
});

describe("an acceptance", () => {
  const accept = (rest: string): string => v1(`accept:\n  - { ${rest} }`);
  const full = (until: string): string =>
    accept(`check: shop/prices-right, finding: wrongPrice, reason: known, until: ${until}`);

  test.for<[string, string]>([
    [accept("check: shop/prices-right"), "3:5: finding is missing"],
    [accept("check: shop/prices-right, finding: slow, until: 2026-12-01"), "3:5: reason is missing"],
    [accept("check: shop/prices-right, finding: slow, reason: x"), "3:5: until is missing"],
    [
      accept("check: shop/price, finding: slow, reason: x, until: 2026-12-01"),
      '3:14: unknown check "shop/price"; did you mean "shop/prices-right"?',
    ],
    [
      accept("check: shop/prices-right, finding: slwo, reason: x, until: 2026-12-01"),
      '3:42: shop/prices-right has no finding "slwo"; did you mean "slow"?',
    ],
    [full("tomorrow"), '3:76: a date such as 2027-01-31, not "tomorrow"'],
    [full("2027-1-31"), "3:76: a date such as 2027-01-31"],
    [full("2026-02-30"), "3:76: there is no day 2026-02-30"],
    [full("2026-13-01"), "3:76: there is no day 2026-13-01"],
    [full("2027-05-22"), "3:76: at most 180 days ahead"],
  ])("%j", ([source, words]) => {
    expect(wrongWith(source)).toContain(`p.yaml:${words}`);
  });

  test.for(["2027-05-21", "2026-11-22", "2026-11-21", "2020-01-01", "2028-02-29".replace("2028", "2024")])(
    "until %s is read: 180 days ahead are enough, and one that has run out is the verdict's to tell",
    (until) => {
      expect(parse(full(until)).document.accept?.[0]).toMatchObject({ until });
    },
  );
});

test("the template is a profile, and so is every shipped one", async () => {
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

test("what the template shows in comments is right, too", async () => {
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

  test("by its path, with references beside it", () => {
    const file = path.join(folder, "mine.yaml");
    writeFileSync(file, v1("login: { token: '${file:token}' }"));
    expect(readProfile(file, options)).toMatchObject({ from: file, document: { login: { token: "tok-from-file" } } });
  });

  test("by the name of a shipped one", async () => {
    const real = { ...options, categories: await loadCategories() };
    expect(readProfile("gate", real)).toMatchObject({ from: "gate", document: { name: "gate" } });
  });

  test("as standard, where none is named and none lies here, else the one that lies here", async () => {
    const real = await loadCategories();
    const here = path.join(folder, "here");
    expect(inFolder(here, undefined, real).document.name).toBe("standard");
    writeFileSync(path.join(here, "kalam-ready.yaml"), v1("name: mine"));
    expect(inFolder(here, undefined, real)).toMatchObject({ from: "kalam-ready.yaml", document: { name: "mine" } });
  });

  test("by the name of a shipped one, unless a file of that name lies here; a folder of that name does not matter", async () => {
    const real = await loadCategories();
    const here = path.join(folder, "there");
    mkdirSync(path.join(here, "production"), { recursive: true });
    writeFileSync(path.join(here, "gate"), v1("name: mine"));
    expect(inFolder(here, "gate", real).document.name).toBe("mine");
    expect(inFolder(here, "production", real).document.name).toBe("production");
  });

  test("nowhere: that is told with the names there are and the nearest right one", () => {
    expect(() => readProfile("gaet", options)).toThrow(ProfileError);
    expect(() => readProfile("gaet", options)).toThrow(
      /^gaet: no such file, and no shipped profile.*gate.*did you mean "gate"\?$/,
    );
    expect(() => readProfile("/no/such/file.yaml", options)).toThrow("/no/such/file.yaml: no such file");
  });

  test("as a folder: that cannot be read", () => {
    const named = path.join(folder, "a-folder");
    mkdirSync(named);
    expect(() => readProfile(named, options)).toThrow(/a-folder: /);
  });
});
