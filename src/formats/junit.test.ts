import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { conclude, exits, type ExitName } from "../exit.ts";
import type { Effect } from "../exit.ts";
import type { Report, Result } from "../report.ts";
import { formatJunit } from "./junit.ts";
import { formatUnfinished } from "./unfinished.ts";

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  /** The text between the children, unescaped. */
  readonly text: string;
}

/** A strict parser for XML 1.0 without a DTD: throws at the first error. */
function readXml(source: string): Element {
  if (/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(source)) throw new Error("invalid character");
  const rest = /^<\?xml version="1\.0" encoding="UTF-8"\?>\s*(.*?)\s*$/s.exec(source)?.[1];
  if (rest === undefined) throw new Error("no XML declaration");
  let at = 0;
  const take = (pattern: RegExp, what: string): RegExpExecArray => {
    pattern.lastIndex = at;
    const found = pattern.exec(rest);
    if (found === null) throw new Error(`expected ${what} at ${rest.slice(at, at + 60)}`);
    at += found[0].length;
    return found;
  };
  const element = (): Element => {
    const [, name = "", list = "", empty] = take(/<([A-Za-z][\w-]*)((?:\s+[\w-]+="[^"<]*")*)\s*(\/?)>/y, "a tag");
    const pairs = [...list.matchAll(/([\w-]+)="([^"]*)"/g)].map(
      ([, key = "", value = ""]) => [key, unescaped(value)] as const,
    );
    const attributes = Object.fromEntries(pairs);
    if (Object.keys(attributes).length !== pairs.length) throw new Error(`${name} has a duplicate attribute`);
    const children: Element[] = [];
    let text = "";
    while (empty === "") {
      text += unescaped(take(/[^<]*/y, "text")[0]);
      if (rest.startsWith("</", at)) {
        if (take(/<\/([\w-]+)>/y, "an end tag")[1] !== name) throw new Error(`${name} is not closed`);
        break;
      }
      children.push(element());
    }
    return { name, attributes, children, text };
  };
  const root = element();
  if (at !== rest.length) throw new Error("text after the root element");
  return root;
}

function unescaped(text: string): string {
  if (text.includes("]]>")) throw new Error("]]> in a text");
  const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
  return text.replace(/&(#\d+|\w+)?(;)?/g, (whole, name: string | undefined, end: string | undefined) => {
    const found = name?.startsWith("#") === true ? String.fromCodePoint(Number(name.slice(1))) : entities[name ?? ""];
    if (found === undefined || end === undefined) throw new Error(`${whole} is not an entity`);
    return found;
  });
}

function result(check: string, kind: Result["kind"], effect: Effect, rest: Partial<Result> = {}): Result {
  const common = {
    title: `${check} holds`,
    sentence: `about ${check}`,
    findings: [],
    limits: {},
    touches: "nothing",
    tookMs: 1234,
  } as const;
  return {
    ...common,
    category: check.split("/")[0] ?? "",
    check,
    kind,
    effect,
    required: false,
    ofTheRun: false,
    ...rest,
  };
}

const ofTheRun = result("run/nothing-left-behind", "pass", "none", { ofTheRun: true });

function report(
  results: readonly Result[],
  rest: { exit?: ExitName; failOn?: "block" | "warn"; reasons?: string[] } = {},
): Report {
  const { exit = "ready", failOn = "block", reasons = [] } = rest;
  const { code, says } = exits[exit];
  const run = { startedAt: "2026-11-22T17:00:00.000Z", tookMs: 61_234 };
  return {
    results: [...results, ofTheRun],
    run,
    profile: { failOn },
    exit: code,
    verdict: says,
    reasons,
  } as unknown as Report;
}

const read = (...of: Parameters<typeof report>): Element => readXml(formatJunit(report(...of)));
const casesOf = (root: Element): Element[] => root.children.flatMap((suite) => suite.children);
const outcomeOf = ({ children }: Element): string => children.map(({ name }) => name).join(" ");

const finding = (
  name: string,
  sentence: string,
  rest: Partial<Result["findings"][number]> = {},
): Result["findings"][number] => ({
  name,
  level: "block",
  sentence,
  data: null,
  risk: "rows are gone",
  remedy: "find them",
  sent: [],
  ...rest,
});
const failed = result("a/failed", "fail", "blocks", { findings: [finding("lost", "3 lost")] });

describe("a test case", () => {
  test.for<[string, Result, string, string]>([
    ["that passed", result("a/b", "pass", "none"), "system-out", "system-out"],
    ["that failed", failed, "failure", "failure"],
    [
      "that only warns",
      result("a/b", "fail", "warns", { findings: [finding("slow", "slow")] }),
      "system-out",
      "failure",
    ],
    [
      "whose finding is accepted",
      result("a/b", "fail", "accepted", { findings: [finding("slow", "slow")] }),
      "system-out",
      "system-out",
    ],
    ["that is unknown", result("a/b", "unknown", "undetermined"), "error", "error"],
    ["that is unknown and only warns", result("a/b", "unknown", "warns"), "skipped", "error"],
    ["that was skipped", result("a/b", "skip", "none"), "skipped", "skipped"],
  ])("%s", ([, one, normally, strictly]) => {
    const [normal] = casesOf(read([one]));
    const [strict] = casesOf(read([one], { failOn: "warn" }));
    expect([normal, strict].map((each) => (each === undefined ? "" : outcomeOf(each)))).toEqual([normally, strictly]);
  });

  test("has the category as its class, the id as its name, and the time in seconds", () => {
    expect(casesOf(read([failed]))[0]?.attributes).toEqual({ classname: "a", name: "a/failed", time: "1.234" });
  });

  test("that passed has its sentence", () => {
    expect(casesOf(read([result("a/b", "pass", "none")]))[0]?.children[0]?.text).toBe("about a/b");
  });

  test("that failed has the findings, the risk and the remedy", () => {
    const [failure] = casesOf(read([failed]))[0]?.children ?? [];
    expect(failure?.attributes).toEqual({ message: "about a/failed", type: "lost" });
    expect(failure?.text).toBe("a/failed holds\nlost: 3 lost\nrisk: rows are gone\nremedy: find them");
  });

  test("that failed says how to run it again", () => {
    const again = { command: "kalam-ready check --only a/failed", needs: ["KALAM_READY_PASSWORD set", "x"] };
    const text = (one: object): string => casesOf(read([{ ...failed, ...one }]))[0]?.children[0]?.text ?? "";
    const commandOnly = { again: { ...again, needs: [] } };
    expect(text({ again })).toMatch(/\nagain: kalam-ready check --only a\/failed\nwith KALAM_READY_PASSWORD set, x$/);
    expect(text(commandOnly)).toMatch(/\nagain: kalam-ready check --only a\/failed$/);
  });

  test("that failed has the case and the requests, like the table", () => {
    const exchange = {
      number: 1,
      at: 1,
      method: "POST",
      path: "/v1/api/sql",
      text: "SELECT 1",
      outcome: "200 success",
    };
    const sent = [1, 2, 3].map((number) => ({ ...exchange, number, tookMs: 1 }));
    const shown = finding("lost", "3 lost", { case: "after a flush", sent, risk: "another risk" });
    const text = casesOf(read([{ ...failed, findings: [shown, finding("slow", "1 s")] }]))[0]?.children[0]?.text ?? "";
    expect(text.split("\n")).toEqual([
      "a/failed holds",
      "lost [after a flush]: 3 lost",
      "sent: POST /v1/api/sql  SELECT 1   200 success",
      "sent: POST /v1/api/sql  SELECT 1   200 success",
      "slow: 1 s",
      "risk: another risk",
      "risk: rows are gone",
      "remedy: find them",
    ]);
  });

  test("shows an accepted finding", () => {
    const accepted = result("a/b", "fail", "accepted", { findings: [finding("slow", "takes 3 s")] });
    expect(casesOf(read([accepted]))[0]?.children[0]?.text).toContain("slow: takes 3 s");
  });
});

test("each category is a suite, and the totals are correct in the suites and the root", () => {
  const root = read(
    [result("a/1", "pass", "none"), failed, result("b/1", "unknown", "undetermined"), result("b/2", "skip", "none")],
    {
      exit: "notReady",
    },
  );
  expect(root.attributes).toEqual({
    name: "kalam-ready",
    tests: "6",
    failures: "2",
    errors: "1",
    skipped: "1",
    time: "61.234",
  });
  const timestamp = "2026-11-22T17:00:00.000Z";
  expect(root.children.map(({ attributes }) => attributes)).toEqual([
    { name: "a", tests: "2", failures: "1", errors: "0", skipped: "0", timestamp },
    { name: "b", tests: "2", failures: "0", errors: "1", skipped: "1", timestamp },
    { name: "run", tests: "2", failures: "1", errors: "0", skipped: "0", timestamp },
  ]);
});

describe("the verdict is an additional test case", () => {
  test.for<[ExitName, string]>([
    ["ready", "system-out"],
    ["notReady", "failure"],
    ["cannotTell", "error"],
    ["unreachable", "error"],
    ["denied", "error"],
    ["interrupted", "error"],
  ])("%s: %s", ([exit, outcome]) => {
    const verdict = casesOf(read([result("a/1", "pass", "none")], { exit, reasons: ["because of this"] })).at(-1);
    expect(verdict?.attributes["name"]).toBe("run/verdict");
    expect(verdict === undefined ? "" : outcomeOf(verdict)).toBe(outcome);
    expect(verdict?.children[0]?.text).toContain("because of this");
  });

  test("even without a row about the run", () => {
    const { results, ...rest } = report([], { exit: "cannotTell" });
    expect(results).toHaveLength(1);
    const root = readXml(formatJunit({ ...rest, results: [] }));
    expect(casesOf(root).map(outcomeOf)).toEqual(["error"]);
  });
});

test("a run without a verdict is one test case, an error", () => {
  const error = { code: "didNotFinish", message: "it was <killed>" };
  const unfinished = { schemaVersion: 1, verdict: "DID NOT FINISH", exit: 70, error } as const;
  const root = readXml(formatUnfinished("junit", unfinished, new Date(0)));
  expect(root.attributes).toMatchObject({ tests: "1", failures: "0", errors: "1" });
  expect(root.children[0]?.attributes["timestamp"]).toBe("1970-01-01T00:00:00.000Z");
  expect(casesOf(root)[0]?.children[0]?.text).toBe("DID NOT FINISH, exit 70\nit was <killed>");
});

test("it is green if and only if the exit code is 0", () => {
  const kinds = fc.constantFrom<[Result["kind"], Effect]>(
    ["pass", "none"],
    ["fail", "blocks"],
    ["fail", "warns"],
    ["fail", "accepted"],
    ["unknown", "undetermined"],
    ["unknown", "warns"],
    ["skip", "none"],
  );
  const some = fc.array(
    fc.tuple(kinds, fc.boolean()).map(([[kind, effect], required]) => result("a/b", kind, effect, { required })),
  );
  const failOns = fc.constantFrom<"block" | "warn">("block", "warn");
  fc.assert(
    fc.property(some, failOns, fc.subarray(["a/c"]), (results, failOn, requiredButLeftOut) => {
      const { exit } = conclude({ results: [...results, ofTheRun], failOn, requiredButLeftOut });
      const { failures, errors } = read(results, { exit, failOn }).attributes;
      expect(Number(failures) + Number(errors) === 0).toBe(exits[exit].code === 0);
    }),
  );
});

test("it is well-formed for any text, and keeps every character that XML allows", () => {
  const odd = fc.string({
    unit: fc.oneof(
      fc.constantFrom(..."<>&\"'\n\r\t]\u0000\u001b\u007f\ufffe\ud800\udc00".split("")),
      // Any character, including lone surrogates.
      fc.nat(0x10_ffff).map((code) => String.fromCodePoint(code)),
    ),
  });
  fc.assert(
    fc.property(odd, odd, (sentence, name) => {
      const one = result("a/b", "fail", "blocks", {
        category: name,
        sentence,
        findings: [finding(name, sentence)],
        remedy: sentence,
      });
      const [failure] = casesOf(read([one], { exit: "notReady", reasons: [sentence] }))[0]?.children ?? [];
      // Only characters that XML does not allow are replaced, each by one character.
      const allowed = sentence.replace(
        /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu,
        "\ufffd",
      );
      expect(failure?.attributes["message"]).toBe(allowed);
    }),
    { numRuns: 100 },
  );
});

test("terminal colours are removed", () => {
  expect(
    formatJunit(report([result("a/b", "unknown", "undetermined", { sentence: "\u001b[31mred\u001b[0m" })])),
  ).toContain("\ufffd[31mred\ufffd[0m");
});
