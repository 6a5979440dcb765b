import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Level } from "./check.ts";
import { conclude, exits, type Concluding, type Effect, type ExitName, type Weighed } from "./exit.ts";

function result(check: string, kind: Weighed["kind"], effect: Effect, rest: Partial<Weighed> = {}): Weighed {
  return { check, kind, effect, required: false, ofTheRun: false, ...rest };
}

const passed = result("a/passed", "pass", "none");
const blocks = result("a/blocks", "fail", "blocks");
const warns = result("a/warns", "fail", "warns");
const accepted = result("a/accepted", "fail", "accepted");
const untold = result("a/untold", "unknown", "undetermined");
const vague = result("a/vague", "unknown", "warns");
const skipped = result("a/skipped", "skip", "none");
const cleanedUp = result("run/nothing-left-behind", "pass", "none", { ofTheRun: true });
const required = (one: Weighed): Weighed => ({ ...one, required: true });

const told = (results: readonly Weighed[], rest: Partial<Concluding> = {}): string => {
  const { exit, verdict, reasons } = conclude({ results, failOn: "block", requiredButLeftOut: [], ...rest });
  return [`${exits[exit].code} ${verdict}`, ...reasons].join("; ");
};

describe("the verdict, the first condition that holds", () => {
  test.for<[string, readonly Weighed[], Partial<Concluding>, string]>([
    ["a finding that blocks", [passed, blocks, untold, warns], {}, "1 NOT READY; a/blocks failed"],
    [
      "something left behind",
      [passed, { ...blocks, check: "run/left", ofTheRun: true }],
      {},
      "1 NOT READY; run/left failed",
    ],
    [
      "an unknown that could have blocked",
      [passed, untold, warns],
      {},
      "2 CANNOT TELL; a/untold could not be determined",
    ],
    [
      "a required check that was accepted",
      [passed, required(accepted)],
      {},
      "2 CANNOT TELL; a/accepted is required and failed",
    ],
    ["a required check that warns", [passed, required(warns)], {}, "2 CANNOT TELL; a/warns is required and failed"],
    [
      "a required check that is unknown",
      [passed, required(vague)],
      {},
      "2 CANNOT TELL; a/vague is required and could not be determined",
    ],
    [
      "a required check that was skipped",
      [passed, required(skipped)],
      {},
      "2 CANNOT TELL; a/skipped is required and was skipped",
    ],
    [
      "a required check that was left out",
      [passed],
      { requiredButLeftOut: ["a/b"] },
      "2 CANNOT TELL; a/b is required and was not selected",
    ],
    ["nothing passed", [skipped, accepted], {}, "2 CANNOT TELL; no check passed"],
    ["nothing ran", [], {}, "2 CANNOT TELL; no check passed"],
    ["only the run itself passed", [cleanedUp], {}, "2 CANNOT TELL; no check passed"],
    [
      "a clean-up that is unclear",
      [passed, { ...untold, ofTheRun: true }],
      {},
      "2 CANNOT TELL; a/untold could not be determined",
    ],
    [
      "a finding that warns",
      [passed, warns, vague],
      {},
      "0 READY, WITH WARNINGS; a/warns warns; a/vague could not be determined",
    ],
    ["a finding that warns, and warnings fail", [passed, warns], { failOn: "warn" }, "1 NOT READY; a/warns warns"],
    ["an unknown that could only warn", [passed, vague], {}, "0 READY, WITH WARNINGS; a/vague could not be determined"],
    [
      "the same, and warnings fail",
      [passed, vague],
      { failOn: "warn" },
      "2 CANNOT TELL; a/vague could not be determined",
    ],
    ["an accepted finding", [passed, accepted], { failOn: "warn" }, "0 READY"],
    ["an accepted unknown", [passed, result("a/busy", "unknown", "accepted")], { failOn: "warn" }, "0 READY"],
    [
      "several unknowns without a reason",
      [passed, untold, { ...untold, check: "a/2" }, { ...untold, check: "a/3" }],
      {},
      "2 CANNOT TELL; a/untold could not be determined; a/2 could not be determined; a/3 could not be determined",
    ],
    ["a skip", [passed, skipped, cleanedUp], { failOn: "warn" }, "0 READY"],
    ["a required check that passed", [required(passed)], {}, "0 READY"],
  ])("%s", ([, results, rest, expected]) => {
    expect(told(results, rest)).toBe(expected);
  });

  test("several doubts are all told", () => {
    expect(told([untold, required(skipped)], { requiredButLeftOut: ["a/b"] })).toBe(
      "2 CANNOT TELL; a/untold could not be determined; a/skipped is required and was skipped; a/b is required and was not selected; no check passed",
    );
  });

  test("many that could not be determined for one reason are one doubt; a few are named", () => {
    const alike = (count: number, sentence: string, effect: Effect = "undetermined"): Weighed[] =>
      Array.from({ length: count }, (_, at) => ({ ...result(`b/${sentence}${at}`, "unknown", effect), sentence }));
    expect(told([passed, untold, ...alike(3, "x"), ...alike(2, "y"), ...alike(4, "z")])).toBe(
      "2 CANNOT TELL; a/untold could not be determined; 3 checks that can block could not be determined: x; b/y0 could not be determined; b/y1 could not be determined; 4 checks that can block could not be determined: z",
    );
    expect(told([passed, ...alike(3, "x", "warns")])).toBe(
      "0 READY, WITH WARNINGS; 3 checks could not be determined: x",
    );
    const [first, ...rest] = alike(3, "x") as [Weighed, Weighed, Weighed];
    expect(told([passed, required(first), ...rest])).toBe(
      "2 CANNOT TELL; b/x1 could not be determined; b/x2 could not be determined; b/x0 is required and could not be determined",
    );
  });

  test("a required check that could not be determined is told once", () => {
    expect(told([passed, required(untold)])).toBe("2 CANNOT TELL; a/untold is required and could not be determined");
  });

  test("what ended the run before it could conclude comes before everything", () => {
    const ended = { exit: "unreachable", sentence: "nobody listens" } as const;
    expect(told([passed, blocks], { ended })).toBe("69 UNREACHABLE; nobody listens");
    expect(told([passed], { ended: { exit: "interrupted", sentence: "Ctrl-C" } })).toBe("130 INTERRUPTED; Ctrl-C");
  });
});

const kinds: readonly (readonly [Weighed["kind"], Effect])[] = [
  ["pass", "none"],
  ["fail", "blocks"],
  ["fail", "warns"],
  ["fail", "accepted"],
  ["unknown", "undetermined"],
  ["unknown", "warns"],
  ["skip", "none"],
];
const anyResults = fc.array(
  fc
    .record({ kind: fc.constantFrom(...kinds), required: fc.boolean(), ofTheRun: fc.boolean() })
    .map(({ kind: [kind, effect], ...rest }) => result("a/b", kind, effect, rest)),
  { maxLength: 8 },
);
const anything = fc.record({
  results: anyResults,
  failOn: fc.constantFrom<Level>("block", "warn"),
  requiredButLeftOut: fc.subarray(["a/c"]),
});

test("without a check that passed nothing is ever READY", () => {
  fc.assert(
    fc.property(anything, (concluding) => {
      const results = concluding.results.filter(({ kind, ofTheRun }) => kind !== "pass" || ofTheRun);
      expect(conclude({ ...concluding, results }).exit).not.toBe("ready");
    }),
  );
});

test("the exit is 0 exactly where the verdict begins with READY", () => {
  fc.assert(
    fc.property(anything, (concluding) => {
      const { exit, verdict } = conclude(concluding);
      expect(exits[exit].code === 0).toBe(verdict.startsWith("READY"));
    }),
  );
});

test("a further failure or doubt never makes a run ready, and one that blocks makes it not ready", () => {
  fc.assert(
    fc.property(anything, fc.constantFrom(blocks, warns, untold, vague), (concluding, one) => {
      const [before, after] = [concluding, { ...concluding, results: [...concluding.results, one] }].map(conclude);
      expect(before?.exit === "ready" || after?.exit !== "ready").toBe(true);
      expect(one !== blocks || after?.exit === "notReady").toBe(true);
    }),
  );
});

test("READY without reasons, everything else with at least one", () => {
  fc.assert(
    fc.property(anything, (concluding) => {
      const { verdict, reasons } = conclude(concluding);
      expect(reasons.length === 0).toBe(verdict === "READY");
    }),
  );
});

test("every exit code stands in the table once, and means what the documentation says", () => {
  const codes = Object.fromEntries(Object.entries(exits).map(([name, { code }]) => [name, code]));
  expect(codes).toEqual({
    ready: 0,
    notReady: 1,
    cannotTell: 2,
    usage: 64,
    unreachable: 69,
    internal: 70,
    cannotWrite: 73,
    cannotConnect: 76,
    denied: 77,
    badProfile: 78,
    hungUp: 129,
    interrupted: 130,
    quit: 131,
    terminated: 143,
  } satisfies Record<ExitName, number>);
});
