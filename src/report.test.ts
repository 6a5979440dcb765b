import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Check, Findings, Found, Level, Touches, Verdict } from "./check.ts";
import type { Effect } from "./exit.ts";
import type { Step } from "./plan.ts";
import type { Acceptance, Profile } from "./profile/effective.ts";
import {
  cleanUpId,
  consistencyId,
  makeReport,
  resultOf,
  type CleanUp,
  type Report,
  type ReportParts,
  type Result,
} from "./report.ts";
import type { Outcome } from "./run.ts";
import { learn } from "./server/dialect.ts";
import type { Exchange } from "./session/recording.ts";

const today = "2026-11-22";

/** Findings with these levels; without an entry, the check's level applies. */
function atLevels(levels: Readonly<Record<string, Level>>): Findings {
  const says = { lost: (d: { n: number }) => `${d.n} lost`, slow: () => "slow", both: () => "both" };
  return Object.fromEntries(
    Object.entries(says).map(([name, say]) => {
      const level = levels[name];
      return [name, level === undefined ? { say } : { say, level }];
    }),
  );
}

function check(id: string, rest: Partial<Check> = {}): Check {
  return {
    id,
    title: `${id} is right`,
    failureTitle: `${id} is wrong`,
    risk: "a risk",
    remedy: "a remedy",
    level: "block",
    findings: atLevels({ slow: "warn" }),
    limits: {},
    observation: { id: `seen by ${id}`, touches: "scratch" },
    ...rest,
  } as Check;
}

const warner = check("a/warner", { level: "warn" });
const lost: Found = { name: "lost", data: { n: 3 } };
const slow: Found = { name: "slow", data: null };
const fails = (...found: Found[]): Verdict => ({ kind: "fail", found });
const passes: Outcome["verdict"] = { kind: "pass", sentence: "3 of 3" };
const unknown: Outcome["verdict"] = { kind: "unknown", sentence: "too few" };
const skips: Outcome["verdict"] = { kind: "skip", sentence: "not here" };

function outcome(
  verdict: Outcome["verdict"],
  of: Check = check("a/b"),
  rest: Partial<Outcome> & { required?: boolean } = {},
): Outcome {
  const { required = false, ...others } = rest;
  const category = { id: of.id.split("/")[0] ?? "", promise: "p", checks: [of] };
  const step: Step = { category, check: of, disposition: { kind: "run" }, limits: { msMax: 5 }, required };
  return { step, verdict, tookMs: 12.6, ...others };
}

interface Given extends Partial<Omit<ReportParts, "profile" | "plan">> {
  readonly profile?: Partial<Profile>;
  readonly requiredButLeftOut?: readonly string[];
}

const exchanges = new Map<number, Exchange>([
  [4, { number: 4, at: 1, method: "POST", path: "/v1/api/sql", outcome: "200 success", tookMs: 2 }],
]);

function report(outcomes: readonly Outcome[], { profile, requiredButLeftOut = [], ...rest }: Given = {}): Report {
  const run = {
    id: "k7f3a",
    seed: 1,
    startedAt: "2026-11-22T00:00:00Z",
    tookMs: 5,
    effort: "standard",
    requests: 9,
    rateRefusals: 0,
    machine: { timersLateMs: 3, cpuWaitedPercent: 40, undetermined: 0 },
  };
  return makeReport({
    tool: { name: "kalam-ready", version: "0.1.0" },
    run,
    server: { url: "http://x", version: "1", own: false, login: null },
    profile: {
      name: "p",
      allow: ["nothing"],
      failOn: "block",
      checks: {},
      accept: [],
      ...profile,
    } as unknown as Profile,
    plan: { steps: [], requiredButLeftOut, leftOut: 2, estimateMs: 0, estimateRequests: 0 },
    outcomes,
    cleanUp: { kind: "clean", names: 1 },
    exchange: (number) => exchanges.get(number),
    again: ({ id }) => ({ command: `kalam-ready check --only ${id}`, needs: [] }),
    today,
    ...rest,
  }).report;
}

const first = ({ results: [result] }: Report): Result => {
  if (result === undefined) throw new Error("no result");
  return result;
};
const verdictOf = ({ exit, verdict }: Report): string => `${exit} ${verdict}`;
const accept = (rest: Partial<Acceptance> = {}): Acceptance => ({
  check: "a/b",
  finding: "lost",
  reason: "known",
  until: "2026-12-31",
  ...rest,
});
const good = outcome(passes, check("a/good"));

describe("a result", () => {
  test("that passes has the check's title and its sentence", () => {
    expect(first(report([outcome(passes, check("a/b"), { seen: { n: 1 }, required: true })]))).toEqual({
      check: "a/b",
      category: "a",
      title: "a/b is right",
      kind: "pass",
      effect: "none",
      required: true,
      ofTheRun: false,
      sentence: "3 of 3",
      findings: [],
      touches: "scratch",
      limits: { msMax: 5 },
      observation: "seen by a/b",
      tookMs: 13,
    });
  });

  test("that fails has its findings, the requests, the risk and the remedy", () => {
    const found: Found = { ...lost, case: "big", sent: [4, 99] };
    expect(first(report([outcome(fails(found))]))).toMatchObject({
      title: "a/b is wrong",
      kind: "fail",
      effect: "blocks",
      sentence: "3 lost",
      findings: [
        {
          name: "lost",
          level: "block",
          case: "big",
          sentence: "3 lost",
          data: { n: 3 },
          risk: "a risk",
          remedy: "a remedy",
          sent: [exchanges.get(4)],
        },
      ],
      risk: "a risk",
      remedy: "a remedy",
    });
  });

  test("that fails has the risk and the remedy of the most severe finding", () => {
    const findings: Findings = {
      lost: { say: () => "lost", risk: "rows are gone" },
      slow: { say: () => "slow", level: "warn", remedy: "wait" },
    };
    const made = first(report([outcome(fails(slow, lost), check("a/b", { findings }))]));
    expect([made.risk, made.remedy]).toEqual(["rows are gone", "a remedy"]);
    expect(made.findings.map(({ risk, remedy }) => [risk, remedy])).toEqual([
      ["a risk", "wait"],
      ["rows are gone", "a remedy"],
    ]);
  });

  test("that fails with several findings says how many more there are", () => {
    expect(first(report([outcome(fails(lost, slow))])).sentence).toBe("3 lost (and 1 more)");
  });

  test("shows the most severe finding first", () => {
    expect(first(report([outcome(fails(slow, lost))])).sentence).toBe("3 lost (and 1 more)");
  });

  test("without evidence names no observation and stores no evidence", () => {
    const made = report([outcome(skips)]);
    expect(first(made)).not.toHaveProperty("observation");
    expect(made.evidence).toEqual({});
  });

  test("stores its evidence under the observation, once for all checks that share it", () => {
    const observation = { id: "shared", touches: "scratch" } as Check["observation"];
    const outcomes = ["a/1", "a/2"].map((id) => outcome(passes, check(id, { observation }), { seen: [1] }));
    expect(report(outcomes).evidence).toEqual({ shared: [1] });
  });
});

describe("the level", () => {
  const levels = (checks: Profile["checks"], of = check("a/b")): unknown =>
    first(report([outcome(fails(lost, slow), of)], { profile: { checks } })).findings.map(({ level }) => level);

  test("is the check's, unless the finding has its own", () => {
    expect(levels({})).toEqual(["block", "warn"]);
    expect(levels({}, check("a/b", { level: "warn" }))).toEqual(["warn", "warn"]);
  });

  test("can be set by the profile, for the finding before the check", () => {
    expect(levels({ "a/b": { level: "warn" } })).toEqual(["warn", "warn"]);
    expect(levels({ "a/b": { level: "block" } })).toEqual(["block", "block"]);
    expect(levels({ "a/b": { level: "warn", findings: { slow: "block" } } })).toEqual(["warn", "block"]);
    expect(levels({ "a/other": { level: "warn" } })).toEqual(["block", "warn"]);
  });

  test("of the most severe finding that is not accepted determines the row", () => {
    expect(first(report([outcome(fails(slow, lost))])).effect).toBe("blocks");
    expect(first(report([outcome(fails(slow))])).effect).toBe("warns");
    expect(first(report([outcome(fails(slow, lost))], { profile: { accept: [accept()] } })).effect).toBe("warns");
    expect(first(report([outcome(fails(lost))], { profile: { accept: [accept()] } })).effect).toBe("accepted");
  });

  test("a failure without findings does not count as accepted", () => {
    expect(first(report([outcome(fails())])).effect).toBe("blocks");
  });
});

describe("an unknown", () => {
  const effect = (of: Check, checks: Profile["checks"] = {}, rest: Partial<Outcome> = {}): string =>
    first(report([outcome(unknown, of, rest)], { profile: { checks } })).effect;

  test("leaves the verdict undetermined if any of the check's findings could block", () => {
    expect(effect(check("a/b"))).toBe("undetermined");
    expect(effect(check("a/b", { findings: atLevels({ lost: "warn", slow: "warn", both: "warn" }) }))).toBe("warns");
    expect(effect(warner)).toBe("warns");
    expect(effect(check("a/b", { level: "warn", findings: atLevels({ both: "block" }) }))).toBe("undetermined");
  });

  test("follows the levels of the profile", () => {
    expect(effect(check("a/b"), { "a/b": { level: "warn" } })).toBe("warns");
    expect(effect(check("a/b"), { "a/b": { level: "warn", findings: { slow: "block" } } })).toBe("undetermined");
    expect(effect(warner, { "a/warner": { level: "block" } })).toBe("undetermined");
  });

  test("is never covered by an acceptance", () => {
    const made = report([good, outcome(unknown)], {
      profile: { accept: ["lost", "slow", "both"].map((finding) => accept({ finding })) },
    });
    expect(verdictOf(made)).toBe("2 CANNOT TELL");
  });

  test("from an early end leaves the verdict undetermined, whatever the check's level", () => {
    expect(effect(warner, {}, { early: true })).toBe("undetermined");
    expect(verdictOf(report([good, outcome(unknown, warner, { early: true })]))).toBe("2 CANNOT TELL");
  });
});

describe("an acceptance", () => {
  const findings = (acceptances: readonly Acceptance[], ...found: Found[]): Result["findings"] =>
    first(report([outcome(fails(...found))], { profile: { accept: acceptances } })).findings;
  const covered = (acceptance: Partial<Acceptance>, found: Found = lost): boolean =>
    findings([accept(acceptance)], found)[0]?.accepted !== undefined;

  test("covers only its finding of its check", () => {
    expect(covered({})).toBe(true);
    expect(covered({ check: "a/c" })).toBe(false);
    expect(covered({ finding: "slow" })).toBe(false);
  });

  test("covers every case, or only the case that it names", () => {
    expect(covered({}, { ...lost, case: "big" })).toBe(true);
    expect(covered({ case: "big" }, { ...lost, case: "big" })).toBe(true);
    expect(covered({ case: "big" }, { ...lost, case: "small" })).toBe(false);
    expect(covered({ case: "big" })).toBe(false);
  });

  test("is valid through its last day; after it the finding counts again", () => {
    const until = (day: string): unknown => findings([accept({ until: day })], lost)[0];
    expect(until("2026-11-22")).toMatchObject({ accepted: { reason: "known", until: "2026-11-22" } });
    expect(until("2026-11-21")).toMatchObject({ expired: { reason: "known", until: "2026-11-21" } });
    expect(until("2026-11-21")).not.toHaveProperty("accepted");
    expect(
      verdictOf(report([good, outcome(fails(lost))], { profile: { accept: [accept({ until: "2026-11-21" })] } })),
    ).toBe("1 NOT READY");
  });

  test("that is valid applies although an older one has expired", () => {
    for (const until of [today, "2026-12-31"]) {
      const both = [accept({ until: "2026-01-01" }), accept({ reason: "still known", until })];
      expect(findings(both, lost)[0]).toMatchObject({ accepted: { reason: "still known", until } });
    }
  });

  test("changes only the effect: the result remains a visible failure", () => {
    const made = report([good, outcome(fails(lost))], { profile: { accept: [accept()] } });
    const sentence = "3 lost";
    expect(made.results[1]).toMatchObject({ kind: "fail", effect: "accepted", title: "a/b is wrong", sentence });
    expect(verdictOf(made)).toBe("0 READY");
    expect(made.totals).toMatchObject({ passed: 1, failed: 0, accepted: 1 });
  });
});

describe("the row about the run itself", () => {
  const row = (cleanUp: CleanUp): Result => {
    const found = report([good], { cleanUp }).results.find(({ check: id }) => id === cleanUpId);
    if (found === undefined) throw new Error("no row");
    return found;
  };
  const why = { kind: "namespace", name: "kr_k7f3a_1", why: "400 X: in use" } as const;

  test.for<[string, CleanUp, Partial<Result>, string]>([
    ["nothing was made", { kind: "none" }, { kind: "pass", sentence: "nothing was made" }, "0 READY"],
    [
      "everything removed",
      { kind: "clean", names: 7 },
      { kind: "pass", sentence: "none of the 7 namespaces and accounts it used is still listed" },
      "0 READY",
    ],
    ["kept on request", { kind: "kept", sentence: "kept" }, { kind: "skip", sentence: "kept" }, "0 READY"],
    [
      "unclear",
      { kind: "unclear", sentence: "no answer" },
      { kind: "unknown", effect: "undetermined" },
      "2 CANNOT TELL",
    ],
    ["left behind", { kind: "left", left: [why] }, { kind: "fail", effect: "blocks" }, "1 NOT READY"],
  ])("%s", ([, cleanUp, expected, verdict]) => {
    expect(row(cleanUp)).toMatchObject({ ...expected, ofTheRun: true, required: false });
    expect(verdictOf(report([good], { cleanUp }))).toBe(verdict);
  });

  test("names the leftovers and the reason", () => {
    expect(row({ kind: "left", left: [why] })).toMatchObject({
      sentence: "still listed after removal: namespace kr_k7f3a_1",
      findings: [{ name: "leftBehind", level: "block", data: { left: [why] } }],
    });
  });

  test("alone never makes a run ready", () => {
    expect(verdictOf(report([outcome(skips)]))).toBe("2 CANNOT TELL");
    expect(verdictOf(report([]))).toBe("2 CANNOT TELL");
  });
});

describe("the totals", () => {
  test("count each row once, and the run's own row only if it is not a pass", () => {
    const outcomes = [
      good,
      outcome(fails(lost)),
      outcome(fails(slow)),
      outcome(fails(lost), check("a/c")),
      outcome(unknown),
      outcome(skips),
    ];
    const profile = { accept: [accept({ check: "a/c" })] };
    const totals = { passed: 1, failed: 1, warned: 1, accepted: 1, unknown: 1, skipped: 1 };
    expect(report(outcomes, { profile }).totals).toEqual(totals);
    expect(report(outcomes, { profile, cleanUp: { kind: "unclear", sentence: "" } }).totals).toEqual({
      ...totals,
      unknown: 2,
    });
  });

  test("group the skipped checks by what they would have touched, without the run's own row", () => {
    const touching = (touches: Touches): Check =>
      check("a/b", { observation: { id: "o", touches } as Check["observation"] });
    const outcomes = [
      outcome(skips, touching("process")),
      outcome(skips, touching("process")),
      outcome(skips, touching("load")),
      good,
    ];
    const made = report(outcomes, { cleanUp: { kind: "kept", sentence: "kept" } });
    expect(made.notCovered).toEqual({ process: 2, load: 1 });
    expect(made.leftOut).toBe(2);
  });
});

describe("where the server's dialect decides", () => {
  const repeats = check("a/b", {
    findings: { lost: { say: () => "lost", promised: { repeats: "never" } }, slow: { say: () => "slow" } },
  });
  const server = (told: string) => {
    const { dialect, basis } = learn(told, {});
    return { server: { url: "http://x", version: told, basis, dialect, own: false, login: null } };
  };
  const of = (told: string, one = outcome(fails(lost), repeats), given: Given = {}) =>
    first(report([one, good], { ...server(told), ...given }));

  test("what is promised blocks, what is not or is not known to be is a warning, unless the profile says otherwise", () => {
    expect(of("0.4.3-rc.4")).toMatchObject({ effect: "blocks", findings: [{ level: "block" }] });
    expect(of("0.4.3-rc.4").findings[0]?.restsOn).toBeUndefined();
    for (const told of ["0.8.0", "0.9.0"]) expect(of(told)).toMatchObject({ effect: "warns" });
    expect(of("0.8.0").findings[0]?.restsOn).toBe(
      "not verified on a server of this version: whether a change may be delivered twice: by documentation of 0.8: websocket",
    );
    expect(of("0.8.0", outcome(fails(slow), repeats))).toMatchObject({ effect: "blocks" });
    const profile = { checks: { "a/b": { findings: { lost: "block" } } } } as unknown as Partial<Profile>;
    expect(of("0.8.0", undefined, { profile })).toMatchObject({ effect: "blocks" });
  });

  test("an unknown is undetermined only where a finding could block", () => {
    const only = check("a/b", { findings: { lost: { say: () => "lost", promised: { repeats: "never" } } } });
    expect(of("0.4.3-rc.4", outcome(unknown, only)).effect).toBe("undetermined");
    expect(of("0.8.0", outcome(unknown, only)).effect).toBe("warns");
    expect(of("0.8.0", outcome(unknown, repeats)).effect).toBe("undetermined");
  });

  test("each finding of a check that expects what is only documented says so", () => {
    const expecting = check("a/b", { expects: ["keyOptional"] });
    const rests = (told: string) => of(told, outcome(fails(lost, slow), expecting)).findings.map((one) => one.restsOn);
    const said = expect.stringContaining(
      "whether a table may lack a primary key: by documentation of 0.8: tables",
    ) as string;
    expect(rests("0.8.0")).toEqual([said, said]);
    expect(rests("0.4.3-rc.4")).toEqual([undefined, undefined]);
    expect(rests("0.4.2")[0]).toContain("assumed from 0.4.3-rc.4");
  });
});

test("an early end determines the exit and keeps the rows", () => {
  const ended = { exit: "denied", sentence: "refused" } as const;
  const made = report([outcome(unknown)], { ended, cleanUp: { kind: "none" } });
  expect(verdictOf(made)).toBe("77 DENIED");
  expect(made.reasons).toEqual(["refused"]);
  expect(made.results).toHaveLength(3);
});

test("a required check that --only excludes makes the verdict CANNOT TELL", () => {
  expect(verdictOf(report([good], { requiredButLeftOut: ["a/z"] }))).toBe("2 CANNOT TELL");
});

test("a report is plain JSON: writing and reading it changes nothing", () => {
  const made = report([good, outcome(fails(lost, slow)), outcome(unknown), outcome(skips)]);
  expect(JSON.parse(JSON.stringify(made))).toEqual(made);
});

describe("for any outcomes", () => {
  const verdict = fc.oneof(
    fc.constantFrom(passes, unknown, skips),
    fc.subarray([lost, slow, { ...lost, case: "big" }], { minLength: 1 }).map((found) => fails(...found)),
  );
  const some = fc.array(
    fc
      .tuple(verdict, fc.constantFrom<Level>("block", "warn"), fc.boolean(), fc.boolean())
      .map(([one, level, required, early]) =>
        outcome(one, check("a/b", { level }), { required, ...(early ? { early: true as const } : {}) }),
      ),
    { maxLength: 8 },
  );
  const given = fc.record({
    accept: fc.subarray([
      accept(),
      accept({ finding: "slow" }),
      accept({ until: "2020-01-01" }),
      accept({ case: "big" }),
    ]),
    failOn: fc.constantFrom<Level>("block", "warn"),
    cleanUp: fc.constantFrom<CleanUp>(
      { kind: "none" },
      { kind: "clean", names: 1 },
      { kind: "kept", sentence: "kept" },
      { kind: "unclear", sentence: "no" },
      { kind: "left", left: [{ kind: "account", name: "a", why: "" }] },
    ),
  });

  test("without a pass the verdict is never READY", () => {
    fc.assert(
      fc.property(some, given, (outcomes, { cleanUp, ...profile }) => {
        const made = report(
          outcomes.filter((one) => one.verdict.kind !== "pass"),
          { profile, cleanUp },
        );
        expect(made.exit).not.toBe(0);
        expect(made.verdict).not.toMatch(/^READY/);
      }),
    );
  });

  test("exit 0 and only exit 0 says READY, without a blocking row, an undetermined row or a required row that did not pass", () => {
    fc.assert(
      fc.property(some, given, (outcomes, { cleanUp, ...profile }) => {
        const { exit, verdict: says, results } = report(outcomes, { profile, cleanUp });
        expect(exit === 0).toBe(says.startsWith("READY"));
        const against = results.filter(
          ({ effect, required, kind }) =>
            effect === "blocks" || effect === "undetermined" || (required && kind !== "pass"),
        );
        expect(exit === 0 && against.length > 0).toBe(false);
      }),
    );
  });

  test("each outcome is one row, in order, and the run's own rows are last", () => {
    fc.assert(
      fc.property(some, (outcomes) => {
        const { results } = report(outcomes);
        expect(results.map(({ kind }) => kind)).toEqual([...outcomes.map((one) => one.verdict.kind), "pass", "pass"]);
        expect(results.slice(-2).map((result) => result.check)).toEqual([consistencyId, cleanUpId]);
      }),
    );
  });
});

test("a finding is bounded in its sentence, its data and its requests", () => {
  const long = "y".repeat(100_000);
  const talking = check("a/b", { findings: { lost: { say: () => long } } as unknown as Findings });
  const found: Found = {
    name: "lost",
    data: { long, rows: Array.from({ length: 9_000 }, () => long), n: 3 },
    sent: Array.from({ length: 5_000 }, () => 4),
  };
  const [finding] = first(report([outcome(fails(found), talking)])).findings;
  expect(finding?.sentence).toMatch(/^y+…$/);
  expect(finding?.sent).toHaveLength(50);
  expect(finding?.data).toMatchObject({ n: 3 });
  expect(JSON.stringify(finding).length).toBeLessThan(40_000);
});

describe("answers that contradict themselves", () => {
  const got = (count: number, ...numbers: number[]): NonNullable<Outcome["contradictory"]> => ({
    count,
    first: numbers.map((exchange) => ({ exchange, sentence: `row_count is ${exchange}` })),
  });
  const row = (outcomes: readonly Outcome[], rest: Given = {}): [Result | undefined, string] => {
    const made = report(outcomes, rest);
    return [made.results.find(({ check: id }) => id === consistencyId), verdictOf(made)];
  };
  const wrong = "1 NOT READY";

  test("block the run, whatever their check says and a profile accepts", () => {
    for (const verdict of [passes, unknown, fails(slow), fails(lost)]) {
      const accepts = { accept: [accept(), accept({ check: consistencyId, finding: "contradictory" })] };
      const outcomes = [good, outcome(verdict, check("a/b"), { contradictory: got(1, 4) })];
      const [result, verdictIs] = row(outcomes, { profile: accepts });
      expect(verdictIs).toBe(wrong);
      expect(result).toMatchObject({
        kind: "fail",
        effect: "blocks",
        sentence: "1 answer contradicts itself, in a/b: row_count is 4",
        findings: [{ name: "contradictory", level: "block", sent: [{ number: 4 }] }],
      });
    }
  });

  test("are counted once where checks share the observation, and all checks that got some are named", () => {
    const { observation } = check("a/b");
    const shared = { contradictory: got(7, 4, 5, 6, 7, 8) };
    const outcomes = [
      outcome(unknown, check("a/b", { observation }), shared),
      outcome(unknown, check("a/c", { observation }), shared),
      outcome(passes, check("a/d"), { contradictory: got(1, 9) }),
    ];
    const [result] = row(outcomes, { contradictory: got(2, 1, 2) });
    expect(result?.sentence).toBe("10 answers contradict themselves, in a/b and 2 more: row_count is 4");
    expect(result?.findings[0]?.data).toMatchObject({
      count: 10,
      by: [
        { checks: ["a/b", "a/c"], count: 7 },
        { checks: ["a/d"], count: 1 },
        { checks: [], count: 2 },
      ],
      first: [4, 5, 6, 7, 8].map((exchange) => ({ exchange, why: `row_count is ${exchange}` })),
    });
  });

  test("to the run itself count like the others", () => {
    const [result, verdictIs] = row([good], { contradictory: got(1, 4) });
    expect(verdictIs).toBe(wrong);
    expect(result?.sentence).toBe("1 answer contradicts itself, in requests of the run itself: row_count is 4");
  });

  test("are named in few words, however long theirs are", () => {
    const long = { count: 1, first: [{ exchange: 4, sentence: "x".repeat(10_000) }] };
    expect(JSON.stringify(row([good], { contradictory: long })[0]).length).toBeLessThan(3_000);
  });

  test("are none in most runs, and that is a row of its own", () => {
    expect(row([good])).toEqual([
      expect.objectContaining({ kind: "pass", effect: "none", ofTheRun: true, findings: [] }) as Result,
      "0 READY",
    ]);
  });
});

describe("a check that this machine was too busy for", () => {
  const judged = (
    tooBusy: readonly Found[],
    profile: Partial<Profile> = {},
    of: Check = check("a/b"),
  ): readonly [Effect, number] => {
    const made = report([outcome(passes, check("a/good")), outcome(unknown, of, { tooBusy })], { profile });
    return [made.results[1]?.effect ?? "none", made.exit];
  };
  const acceptance = { check: "a/b", finding: "lost", reason: "known", until: today };

  test("weighs as much as the findings that were not judged", () => {
    expect(judged([lost])).toEqual(["undetermined", 2]);
    expect(judged([slow])).toEqual(["warns", 0]);
    expect(judged([slow], { failOn: "warn" })).toEqual(["warns", 2]);
    expect(judged([slow, lost])).toEqual(["undetermined", 2]);
    expect(judged([slow], { checks: { "a/b": { findings: { slow: "block" } } } })).toEqual(["undetermined", 2]);
  });

  test("weighs nothing if they are accepted", () => {
    expect(judged([lost], { accept: [acceptance] })).toEqual(["accepted", 0]);
    expect(judged([lost, slow], { accept: [acceptance] })).toEqual(["warns", 0]);
    expect(judged([lost], { accept: [{ ...acceptance, until: "2026-11-21" }] })).toEqual(["undetermined", 2]);
  });
});

describe("what a report holds", () => {
  test("evidence of each observation that saw something, and of no other", () => {
    const made = report([
      outcome(passes, check("a/1"), { seen: [1] }),
      outcome(passes, check("a/2"), { seen: [2] }),
      good,
    ]);
    expect(Object.entries(made.evidence)).toEqual([
      ["seen by a/1", [1]],
      ["seen by a/2", [2]],
    ]);
    expect(made.schemaVersion).toBe(1);
  });

  test("an unknown that warns counts as unknown only", () => {
    expect(report([good, outcome(unknown, warner)]).totals).toMatchObject({ failed: 0, warned: 0, unknown: 1 });
  });

  test("a row about the certificate where it was not verified", () => {
    const server = { url: "https://x", version: "1", own: false, login: null };
    const rows = (rest: object): number => report([good], { server: { ...server, ...rest } }).results.length;
    expect(rows({ insecure: true }) - rows({})).toBe(1);
  });

  test("properties only where there is something to say", () => {
    const [finding] = first(report([outcome(fails(lost))])).findings;
    expect(Object.keys(finding ?? {})).toEqual(["name", "level", "sentence", "data", "risk", "remedy", "sent"]);
  });

  test("how to run a failed check again, where the caller knows it", () => {
    const failed = outcome(fails(lost));
    expect(first(report([failed])).again).toEqual({ command: "kalam-ready check --only a/b", needs: [] });
    const parts = { profile: { accept: [], checks: {} }, exchange: () => undefined, today };
    expect(resultOf(failed, parts)).not.toHaveProperty("again");
  });

  test("of findings that only warn, or are accepted, the first", () => {
    const warning = check("a/b", { level: "warn" });
    expect(first(report([outcome(fails(lost, slow), warning)])).sentence).toBe("3 lost (and 1 more)");
    const accepted = { profile: { accept: [accept(), accept({ finding: "slow" })] } };
    expect(first(report([outcome(fails(lost, slow))], accepted)).sentence).toBe("3 lost (and 1 more)");
  });

  test("at most 4,000 characters of a sentence and 16 KiB of data", () => {
    const found = (length: number): readonly [number, number] => {
      const findings: Findings = { lost: { say: (d: { text: string }) => d.text } };
      const data = { text: "x".repeat(length) };
      const [made] = first(report([outcome(fails({ name: "lost", data }), check("a/b", { findings }))])).findings;
      return [made?.sentence.length ?? 0, JSON.stringify(made?.data).length];
    };
    expect(found(4_000)[0]).toBe(4_000);
    expect(found(4_100)[0]).toBeLessThan(4_050);
    const around = JSON.stringify({ text: "" }).length;
    expect(found(16_384 - around - 100)[1]).toBe(16_384 - 100);
    expect(found(17_500)[1]).toBeLessThan(16_500);
  });
});
