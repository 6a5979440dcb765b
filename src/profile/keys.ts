/** Every key of a profile: one description for the reader, its errors and the JSON Schema. Most keys are settings. */
import { isScalar } from "yaml";
import { levels, touchesOrder, type Category, type Check, type Level } from "../check.ts";
import type { Json } from "../wire/json.ts";
import { formatNames } from "../formats/names.ts";
import { didYouMean } from "../nearest.ts";
import { checkKind, selectorKind, uniqueNames } from "../selector.ts";
import { controlShape } from "./control.ts";
import { headerText, isSecretHeader, secretsIn, wrongHeaderName } from "./headers.ts";
import { description, settings } from "./settings.ts";
import {
  list,
  object,
  problem,
  record,
  referenceSchema,
  secret,
  text,
  value,
  type Keys,
  type ProfileCode,
  type Shape,
} from "./shape.ts";
import { address, anyText, mismatchMessage, number, oneOf, pattern, type Kind } from "./values.ts";

const reason = value("The reason, shown wherever it applies.", {
  ...pattern("noReason", "a reason", /\S/),
  mayBeSecret: () => true,
});
/** Read only when it is used: --url may take its place. An address without credentials is no secret. */
const serverText = value(description(settings.url), {
  ...anyText,
  mayBeSecret: (url, whole) => !whole || !("value" in address.parse(url)),
});
const server: typeof serverText = {
  ...serverText,
  read: (node, reading) =>
    serverText.read(node, {
      ...reading,
      hide(one) {
        reading.hide(one);
        // As a URL has it in its host.
        reading.hide(one.toLowerCase());
      },
    }),
};
const headerNames: Keys = { wrong: wrongHeaderName };

/** Masked, whatever it is. A header whose name says that it is a secret must get it from a reference. */
function headerValue(name: string): Shape<string> {
  const shape = value("The value of the header.", headerText);
  return {
    schema: shape.schema,
    read(node, reading) {
      const literal = isScalar(node) && !/\$\{/.test(String(node.value));
      if (literal && isSecretHeader(name)) {
        const message = "a profile must not contain a secret; write ${env:NAME} or ${file:PATH} for it instead";
        return problem(reading, node, "literalSecret", message);
      }
      const read = shape.read(node, reading);
      for (const secretPart of secretsIn(read ?? "")) reading.hide(secretPart);
      return read;
    },
  };
}

const date = pattern("notADate", "a date such as 2027-01-31", /^\d{4}-\d{2}-\d{2}$/);

/** A shape that the schema holds once, under `$defs`. */
function shared<T>(name: string, shape: Shape<T>): Shape<T> & { readonly definition: Json } {
  return { schema: { $ref: `#/$defs/${name}` }, definition: shape.schema, read: shape.read };
}

const level = shared("level", value("The level of a finding: block or warn.", oneOf(levels)));
const limit = shared("limit", value("The value of a limit.", number({ min: 0 })));

const noLimits = shared(
  "noLimits",
  record("This check has no limits.", keys("unknownLimit", "limit", []), () => limit),
);

export function profileShape(categories: readonly Category[]) {
  const checks = categories.flatMap((category) => category.checks);
  const selectors = selectorKind(categories);
  const selector = value(`${selectors.expected.charAt(0).toUpperCase()}${selectors.expected.slice(1)}.`, selectors);
  return object(
    "A kalam-ready profile: which server, who logs in, what may be touched, which checks, which limits.",
    {
      version: value("The version of this format.", number({ min: 1, max: 1, whole: true })),
      name: setting(settings.name),
      server,
      production: setting(settings.production),
      login: object("The login.", {
        user: text(description(settings.user)),
        password: secret(description(settings.password)),
        token: secret(description(settings.token)),
      }),
      tls: object("TLS: what is trusted, and who we are. Paths begin at the folder of the profile.", {
        "ca-file": setting(settings.caFile),
        "client-cert": setting(settings.clientCert),
        "client-key": setting(settings.clientKey),
        insecure: setting(settings.insecure),
      }),
      postgres: setting(settings.postgres),
      control: controlShape,
      headers: record("Headers for every request, by name.", headerNames, headerValue),
      allow: list(description(settings.allow), value("What a check touches.", oneOf(touchesOrder))),
      effort: setting(settings.effort),
      budget: setting(settings.budget),
      timeout: setting(settings.timeout),
      "max-rps": setting(settings.maxRps),
      parallel: setting(settings.parallel),
      "fail-on": setting(settings.failOn),
      only: list(description(settings.only), selector),
      skip: record(description(settings.skip), wordsOfKind(selectors), () => reason),
      require: list(description(settings.require), selector),
      checks: record(description(settings.checks), checkKeys(checks), (id) =>
        checkShape(checks.find((check) => check.id === id)),
      ),
      accept: list(description(settings.accept), acceptance(checks)),
      reports: list(
        description(settings.report),
        object(
          "A report.",
          { format: value("Its format.", oneOf(formatNames)), path: text("The file. Absent: stdout.") },
          ["format"],
        ),
      ),
    },
    ["version"],
  );
}

/** What a profile file says, every part optional: flags and environment come on top. */
export type ProfileDocument = NonNullable<ReturnType<ReturnType<typeof profileShape>["read"]>>;

/** The JSON Schema of a profile, for editors. */
export function profileSchema(categories: readonly Category[]): Json {
  const { schema } = profileShape(categories);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "kalam-ready profile",
    ...(schema as Record<string, Json>),
    $defs: {
      reference: referenceSchema,
      level: level.definition,
      limit: limit.definition,
      noLimits: noLimits.definition,
    },
  };
}

/** The schema as text, each reference on one line: every check has several. */
export function profileSchemaText(categories: readonly Category[]): string {
  const json = JSON.stringify(profileSchema(categories), undefined, 2);
  return `${json.replaceAll(/\{\s*("\$ref": "[^"]*")\s*\}/g, "{ $1 }")}\n`;
}

function setting<T>({ kind, ...rest }: { readonly kind: Kind<T>; readonly about: string }): Shape<T> {
  return value(description(rest), kind);
}

const acceptedDays = 180;

function acceptance(checks: readonly Check[]) {
  return object(
    "A finding that does not fail the run until a date. It stays visible.",
    {
      check: value("The check's id or name.", checkKind(checks)),
      finding: text("The finding's name."),
      case: text("Which of the check's cases, if it has several."),
      reason,
      until: value("The last day on which it is accepted, at most 180 days ahead. It ends at midnight UTC.", date),
    },
    ["check", "finding", "reason", "until"],
    (read, wrong, { today }) => {
      const check = checks.find((one) => one.id === read.check);
      const findings = Object.keys(check?.findings ?? {});
      if (check !== undefined && read.finding !== undefined && !findings.includes(read.finding)) {
        const hint = didYouMean(read.finding, findings);
        wrong("finding", "unknownFinding", `${check.id} has no finding ${JSON.stringify(read.finding)}${hint}`);
      }
      if (read.until === undefined) return;
      const day = Date.parse(`${read.until}T00:00:00Z`);
      if (Number.isNaN(day) || new Date(day).toISOString().slice(0, 10) !== read.until)
        wrong("until", "noSuchDay", `${read.until} is not a day of the calendar`);
      else if (day > Date.parse(`${today}T00:00:00Z`) + acceptedDays * 86_400_000) {
        wrong("until", "acceptedTooLong", `a finding can be accepted for at most ${acceptedDays} days from today`);
      }
    },
  );
}

interface CheckSettings {
  level?: Level;
  limits?: Readonly<Record<string, number>>;
  findings?: Readonly<Record<string, Level>>;
}

function checkShape(check: Check | undefined): Shape<CheckSettings> {
  const limits = Object.keys(check?.limits ?? {});
  const findings = Object.keys(check?.findings ?? {});
  return object(check?.title ?? "A check.", {
    level,
    limits: limits.length === 0 ? noLimits : record("Its limits.", keys("unknownLimit", "limit", limits), () => limit),
    findings: record("The levels of single findings.", keys("unknownFinding", "finding", findings), () => level),
  });
}

function keys(code: ProfileCode, what: string, words: readonly string[]): Keys {
  return {
    words,
    wrong: (word) =>
      words.includes(word)
        ? undefined
        : { code, message: `unknown ${what} ${JSON.stringify(word)}${didYouMean(word, words)}` },
  };
}

/** The id of each check, or its name. */
function checkKeys(checks: readonly Check[]): Keys {
  return {
    ...wordsOfKind(checkKind(checks)),
    words: checks.map((check) => check.id),
    aliases: { at: "#/properties/checks/properties", of: uniqueNames(checks) },
  };
}

/** Keys that the schema cannot list: a selector may be a glob. */
function wordsOfKind(kind: Kind<string>): Keys {
  return {
    wrong(word) {
      const parsed = kind.parse(word);
      if ("value" in parsed) return undefined;
      return { code: parsed.code, message: mismatchMessage(kind, parsed, JSON.stringify(word)) };
    },
  };
}
