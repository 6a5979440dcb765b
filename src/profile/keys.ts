/** Every key of a profile: one description for the reader, the errors and the JSON Schema. */
import { efforts, levels, touchesOrder, type Category, type Check } from "../check.ts";
import type { Json } from "../wire/json.ts";
import { formatNames } from "../formats/names.ts";
import { didYouMean } from "../nearest.ts";
import { choice, duration, flag, list, number, object, record, secret, text, type Shape } from "./shape.ts";

const reason = text("Why; shown wherever it takes effect.", { pattern: /\S/, wanted: "a reason" });
const date = { pattern: /^\d{4}-\d{2}-\d{2}$/, wanted: "a date such as 2027-01-31" };

export function profileShape(categories: readonly Category[]) {
  const checks = categories.flatMap((category) => category.checks);
  const selectors = selectorWords(checks, categories);
  const selector = text("A check's id, a category, touches:load, or a glob.");
  return object(
    "A kalam-ready profile: which server, who logs in, what may be touched, which checks, which limits.",
    {
      version: number("The version of this format.", { min: 1, max: 1, whole: true }),
      name: text("Shown in the report."),
      server: text("The address of the server, without credentials."),
      production: flag("True: only what `allow` names here may be touched, and --allow cannot widen it."),
      login: object("Who logs in.", {
        user: text("The user; a login with the role dba sees most."),
        password: secret("Where the password is."),
        token: secret("Where an access token is, instead of user and password."),
      }),
      allow: list("What the checks may touch.", choice("A kind of disturbance.", touchesOrder)),
      effort: choice("How large the samples are.", efforts),
      budget: duration("How long the whole run may take; what is not reached then is unknown."),
      timeout: duration("How long one check may take."),
      "max-rps": number("At most so many requests a second, over the whole run.", { min: 1 }),
      parallel: number("How many checks run side by side.", { min: 1, max: 16, whole: true }),
      "fail-on": choice("Which level of finding fails the gate.", levels),
      only: list("Only these checks.", selector),
      skip: record("Checks to leave out, each with the reason.", selectors, () => reason),
      require: list("Checks that must pass; one that cannot run makes the run say that it cannot tell.", selector),
      checks: record("Levels and limits of single checks.", idWords(checks), (id) =>
        checkShape(checks.find((check) => check.id === id)),
      ),
      accept: list("Known failures, each for a time.", acceptance(checks)),
      reports: list(
        "Reports to write besides the table.",
        object(
          "A report.",
          { format: choice("Its format.", formatNames), path: text("The file; without one it goes to stdout.") },
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
  };
}

const acceptedDays = 180;

function acceptance(checks: readonly Check[]) {
  return object(
    "A finding that does not fail the gate until a day. It stays visible.",
    {
      check: text("The check's id."),
      finding: text("The finding's name."),
      case: text("Which of the check's cases, where there are several."),
      reason,
      until: text("The last day on which it holds, at most 180 days ahead.", date),
    },
    ["check", "finding", "reason", "until"],
    (read, wrong, { today }) => {
      const check = checks.find((one) => one.id === read.check);
      const ids = checks.map((one) => one.id);
      if (read.check !== undefined && check === undefined)
        wrong("check", `unknown check ${JSON.stringify(read.check)}${didYouMean(read.check, ids)}`);
      const findings = Object.keys(check?.findings ?? {});
      if (check !== undefined && read.finding !== undefined && !findings.includes(read.finding)) {
        wrong(
          "finding",
          `${check.id} has no finding ${JSON.stringify(read.finding)}${didYouMean(read.finding, findings)}`,
        );
      }
      if (read.until === undefined) return;
      const day = Date.parse(`${read.until}T00:00:00Z`);
      if (Number.isNaN(day) || new Date(day).toISOString().slice(0, 10) !== read.until)
        wrong("until", `there is no day ${read.until}`);
      else if (day > Date.parse(`${today}T00:00:00Z`) + acceptedDays * 86_400_000) {
        wrong("until", `at most ${acceptedDays} days ahead: what is accepted for longer is no exception but the rule`);
      }
    },
  );
}

interface CheckSettings {
  level?: (typeof levels)[number];
  limits?: Readonly<Record<string, number>>;
  findings?: Readonly<Record<string, (typeof levels)[number]>>;
}

function checkShape(check: Check | undefined): Shape<CheckSettings> {
  const limits = Object.keys(check?.limits ?? {});
  const findings = Object.keys(check?.findings ?? {});
  return object(check?.title ?? "A check.", {
    level: choice("The level of its findings, instead of the check's own.", levels),
    limits: record("Its limits.", words("limit", limits), () => number("The limit.", { min: 0 })),
    findings: record("The level of single findings.", words("finding", findings), () => choice("The level.", levels)),
  });
}

function words(
  what: string,
  known: readonly string[],
): { words: readonly string[]; open?: true; wrong(word: string): string | undefined } {
  return {
    words: known,
    wrong: (word) =>
      known.includes(word) ? undefined : `unknown ${what} ${JSON.stringify(word)}${didYouMean(word, known)}`,
  };
}

function idWords(checks: readonly Check[]): ReturnType<typeof words> {
  return words(
    "check",
    checks.map((check) => check.id),
  );
}

/** Selectors may be globs, so the schema cannot list them; whether one matches is told when the profile is put to use. */
function selectorWords(checks: readonly Check[], categories: readonly Category[]): ReturnType<typeof words> {
  const known = [
    ...checks.map((check) => check.id),
    ...categories.map((one) => one.id),
    ...touchesOrder.map((one) => `touches:${one}`),
  ];
  const wrong = (word: string): string | undefined =>
    known.includes(word) || /[*?]/.test(word)
      ? undefined
      : `no check is called ${JSON.stringify(word)}${didYouMean(word, known)}`;
  return { words: [], open: true, wrong };
}
