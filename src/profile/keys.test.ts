import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { Category, Check } from "../check.ts";
import { profileSchema } from "./keys.ts";
import { parseProfile, ProfileError, shippedFile, shippedNames } from "./read.ts";
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
      check("shop/prices-right", { limits: { priceMsMax: 5 }, findings: { wrongPrice: { say: () => "" } } }),
      check("shop/open"),
    ],
  },
];

const schema = profileSchema(categories);
const validate = new Ajv2020({ allErrors: true, strict: true, strictRequired: false }).compile(schema as object);
const environment = { NAME: "shop", PW: "secret", N: "3", YES: "true", WORD: "deep", TIME: "30s", DAY: "2026-12-31" };

/** Whether the schema and the reader let it pass. */
function judged(source: string): { schema: boolean; reader: boolean } {
  let reader = true;
  try {
    parseProfile(source, "p", { categories, environment, folder: "/", today: "2026-11-22", onSecret: () => undefined });
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    reader = false;
  }
  return { schema: validate(parse(source)), reader };
}

const v1 = (rest: string): string => `version: 1\n${rest}`;
const accept = "{ check: shop/prices-right, finding: wrongPrice, reason: known, until: '2026-12-31' }";

describe("the schema and the reader agree on what is valid", () => {
  test.for([
    "version: 1",
    v1("name: a"),
    v1("server: ${env:NAME:-http://x}"),
    v1("production: true"),
    v1("login: { user: root, password: '${env:PW}' }"),
    v1("allow: []"),
    v1("allow: [nothing, scratch, load, process, disk]"),
    v1("effort: light"),
    v1("budget: 1.5h"),
    v1("max-rps: 2.5"),
    v1("parallel: 16"),
    v1("only: [shop, 'touches:load', 'sho?/*']"),
    v1("skip: { shop/open: why, 'shop/*': why }"),
    v1("checks: { shop/prices-right: { level: warn, limits: { priceMsMax: 0.5 }, findings: { wrongPrice: block } } }"),
    v1("checks: { shop/open: { limits: {}, findings: {} } }"),
    v1("checks: { prices-right: { level: warn, limits: { priceMsMax: 0.5 } }, open: {} }"),
    v1(`accept: [${accept}]`),
    v1(`accept: [${accept.replace("shop/", "")}]`),
    v1("reports: [{ format: junit, path: x.xml }, { format: json }]"),
    // Where a value comes from a reference, only reading it tells what it is.
    v1("production: ${env:YES}"),
    v1("effort: ${env:WORD}"),
    v1("budget: ${env:TIME}"),
    v1("timeout: ${env:GONE:-30s}"),
    v1("max-rps: ${env:N}"),
    v1("parallel: ${env:N}"),
    v1("allow: ['${env:GONE:-scratch}']"),
    v1("skip: { shop/open: 'closed ${env:NAME}' }"),
    v1(`accept: [${accept.replace("2026-12-31", "${env:DAY}")}]`),
    profileTemplate()
      .replace("${env:KALAM_READY_PASSWORD}", "${env:PW}")
      .replace(/^require:\n.*\n/m, ""),
  ])("%j", (source) => {
    expect(judged(source)).toEqual({ schema: true, reader: true });
  });
});

describe("the schema and the reader agree on what is invalid", () => {
  test.for([
    "[]",
    "{}",
    "version: 2",
    "version: 1.5",
    "name: a",
    v1("purple: 1"),
    v1("constructor: 1"),
    v1("name: [a]"),
    v1("name:"),
    v1("production: yes"),
    v1("login: { usr: a }"),
    v1("login: { password: hunter2 }"),
    v1("login: { password: 'x${env:PW}' }"),
    v1("login: root"),
    v1("allow: scratch"),
    v1("allow: [lod]"),
    v1("effort: depp"),
    v1("budget: 30"),
    v1("budget: 30 s"),
    v1("max-rps: 0.5"),
    v1("parallel: 0"),
    v1("parallel: 2.5"),
    v1("parallel: 17"),
    v1("only: shop"),
    v1("skip: [shop/open]"),
    v1("skip: { shop/open: ' ' }"),
    v1("skip: { shop/open: [] }"),
    v1("checks: { shop/gone: {} }"),
    v1("checks: { shop/open: { purple: 1 } }"),
    v1("checks: { open: { purple: 1 } }"),
    v1("checks: { prices-right: { limits: { x: 1 } } }"),
    v1("checks: { shop: {} }"),
    v1("checks: { shop/open: { limits: { x: 1 } } }"),
    v1("checks: { shop/open: { findings: { x: warn } } }"),
    v1("checks: { shop/prices-right: { limits: { x: 1 } } }"),
    v1("checks: { shop/prices-right: { limits: { priceMsMax: -1 } } }"),
    v1("checks: { shop/prices-right: { findings: { wrongPrice: info } } }"),
    v1("accept: [{ check: shop/prices-right }]"),
    v1(`accept: [${accept.replace("2026-12-31", "tomorrow")}]`),
    v1(`accept: [${accept.replace("known", "' '")}]`),
    v1("reports: [{ path: x }]"),
    v1("reports: [{ format: xml }]"),
  ])("%j", (source) => {
    expect(judged(source)).toEqual({ schema: false, reader: false });
  });
});

test("the schema accepts what only reading can reject: selectors, days, references, a check named twice", () => {
  for (const source of [
    v1("checks: { shop/open: {}, open: {} }"),
    v1("skip: { shop/opn: why }"),
    v1("server: ${env:GONE}"),
    v1("effort: ${env:NAME}"),
    v1("budget: 0s"),
    v1(`accept: [${accept.replace("2026-12-31", "2026-02-30")}]`),
    v1(`accept: [${accept.replace("2026-12-31", "2027-12-31")}]`),
    v1(`accept: [${accept.replace("wrongPrice", "other")}]`),
  ]) {
    expect(judged(source)).toEqual({ schema: true, reader: false });
  }
});

test("the schema is stricter than the reader about plain strings and quotes", () => {
  for (const source of [v1("name: 2024"), v1("parallel: '4'"), v1("production: 'true'")]) {
    expect(judged(source)).toEqual({ schema: false, reader: true });
  }
});

test("every shipped profile is valid by the schema", () => {
  // The checks of the real thing are other ones than those here; only their ids differ.
  for (const name of shippedNames())
    expect([name, validate(parse(readFileSync(shippedFile(name), "utf8")))]).toEqual([name, true]);
});

test("every key has a description for editors", () => {
  const undescribed: string[] = [];
  const { $defs: definitions } = schema as { $defs: Record<string, unknown> };
  const look = (at: string, node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    const { $ref, description, properties, items } = node as {
      $ref?: string;
      description?: string;
      properties?: Record<string, unknown>;
      items?: unknown;
    };
    if ($ref !== undefined) {
      look($ref, definitions[$ref.slice("#/$defs/".length)]);
      return;
    }
    if (description === undefined || description === "") undescribed.push(at);
    for (const [name, inner] of Object.entries(properties ?? {})) look(`${at}.${name}`, inner);
    if (items !== undefined) look(`${at}[]`, items);
  };
  look("profile", schema);
  expect(undescribed).toEqual([]);
});
