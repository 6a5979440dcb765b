import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { conclude, exits, type ExitName } from "../exit.ts";
import type { Effect } from "../exit.ts";
import type { Report, Result } from "../report.ts";
import { formatJunit } from "./junit.ts";

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  /** What stands between the children, unescaped. */
  readonly text: string;
}

/** A small strict reader of XML 1.0 without a DTD: throws at the first thing that is not well-formed. */
function readXml(source: string): Element {
  if (/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(source))
    throw new Error("a character that XML cannot hold");
  const rest = /^<\?xml version="1\.0" encoding="UTF-8"\?>\s*(.*?)\s*$/s.exec(source)?.[1];
  if (rest === undefined) throw new Error("no XML declaration");
  let at = 0;
  const take = (pattern: RegExp, what: string): RegExpExecArray => {
    pattern.lastIndex = at;
    const found = pattern.exec(rest);
    if (found === null) throw new Error(`${what} is wanted at ${rest.slice(at, at + 60)}`);
    at += found[0].length;
    return found;
  };
  const element = (): Element => {
    const [, name = "", list = "", empty] = take(/<([A-Za-z][\w-]*)((?:\s+[\w-]+="[^"<]*")*)\s*(\/?)>/y, "a tag");
    const pairs = [...list.matchAll(/([\w-]+)="([^"]*)"/g)].map(
      ([, key = "", value = ""]) => [key, unescaped(value)] as const,
    );
    const attributes = Object.fromEntries(pairs);
    if (Object.keys(attributes).length !== pairs.length) throw new Error(`an attribute of ${name} stands there twice`);
    const children: Element[] = [];
    let text = "";
    while (empty === "") {
      text += unescaped(take(/[^<]*/y, "text")[0]);
      if (rest.startsWith("</", at)) {
        if (take(/<\/([\w-]+)>/y, "an end tag")[1] !== name) throw new Error(`${name} is not ended`);
        break;
      }
      children.push(element());
    }
    return { name, attributes, children, text };
  };
  const root = element();
  if (at !== rest.length) throw new Error("something stands after the root");
  return root;
}

function unescaped(text: string): string {
  if (text.includes("]]>")) throw new Error("]]> must not stand in a text");
  const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
  return text.replace(/&(#\d+|\w+)?(;)?/g, (whole, name: string | undefined, end: string | undefined) => {
    const found = name?.startsWith("#") === true ? String.fromCodePoint(Number(name.slice(1))) : entities[name ?? ""];
    if (found === undefined || end === undefined) throw new Error(`${whole} is no entity`);
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
    ["that could not be told", result("a/b", "unknown", "undetermined"), "error", "error"],
    ["that could not be told and only warns", result("a/b", "unknown", "warns"), "skipped", "error"],
    ["that was skipped", result("a/b", "skip", "none"), "skipped", "skipped"],
  ])("%s", ([, one, normally, strictly]) => {
    const [normal] = casesOf(read([one]));
    const [strict] = casesOf(read([one], { failOn: "warn" }));
    expect([normal, strict].map((each) => (each === undefined ? "" : outcomeOf(each)))).toEqual([normally, strictly]);
  });

  test("has the category for its class, the id for its name, and its time in seconds", () => {
    expect(casesOf(read([failed]))[0]?.attributes).toEqual({ classname: "a", name: "a/failed", time: "1.234" });
  });

  test("that passed tells what was seen", () => {
    expect(casesOf(read([result("a/b", "pass", "none")]))[0]?.children[0]?.text).toBe("about a/b");
  });

  test("that failed tells what was found and what to do", () => {
    const [failure] = casesOf(read([failed]))[0]?.children ?? [];
    expect(failure?.attributes).toEqual({ message: "about a/failed", type: "lost" });
    expect(failure?.text).toBe("a/failed holds\nlost: 3 lost\nrisk: rows are gone\nremedy: find them");
  });

  test("that failed names the case and what was sent, as the table does", () => {
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

  test("keeps an accepted finding visible", () => {
    const accepted = result("a/b", "fail", "accepted", { findings: [finding("slow", "takes 3 s")] });
    expect(casesOf(read([accepted]))[0]?.children[0]?.text).toContain("slow: takes 3 s");
  });
});

test("each category is a suite, and the sums are right, above and below", () => {
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

describe("the verdict is a test case of its own", () => {
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

  test("also where there is no row about the run", () => {
    const { results, ...rest } = report([], { exit: "cannotTell" });
    expect(results).toHaveLength(1);
    const root = readXml(formatJunit({ ...rest, results: [] }));
    expect(casesOf(root).map(outcomeOf)).toEqual(["error"]);
  });
});

test("it is never green where the exit code is not 0, and never red where it is", () => {
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

test("whatever the texts hold, it is well-formed, and what XML can hold is still there", () => {
  const odd = fc.string({
    unit: fc.oneof(
      fc.constantFrom(..."<>&\"'\n\r\t]\u0000\u001b\u007f\ufffe\ud800\udc00".split("")),
      // Any sign that there is, halves of surrogate pairs among them.
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
      // Only what XML cannot hold is replaced, one sign for one.
      const held = sentence.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, "\ufffd");
      expect(failure?.attributes["message"]).toBe(held);
    }),
    { numRuns: 100 },
  );
});

test("colours of a terminal do not get in", () => {
  expect(
    formatJunit(report([result("a/b", "unknown", "undetermined", { sentence: "\u001b[31mred\u001b[0m" })])),
  ).toContain("\ufffd[31mred\ufffd[0m");
});
