import { stripVTControlCharacters } from "node:util";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Effect } from "../exit.ts";
import type { Report, ReportedFinding, Result } from "../report.ts";
import type { Exchange } from "../session/recording.ts";
import { appearanceOf } from "./appearance.ts";
import { formatJunit } from "./junit.ts";
import { formatTable, type TableOptions } from "./table.ts";

function result(check: string, kind: Result["kind"], effect: Effect, rest: Partial<Result> = {}): Result {
  const common = {
    title: `Title of ${check}`,
    sentence: `about ${check}`,
    findings: [],
    limits: {},
    touches: "nothing",
    tookMs: 12,
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

const exchange: Exchange = {
  number: 1,
  at: 1,
  as: "op",
  method: "POST",
  path: "/v1/api/sql",
  text: "SELECT 1",
  outcome: "200 success",
  tookMs: 1,
};
const finding = (name: string, rest: Partial<ReportedFinding> = {}): ReportedFinding => ({
  name,
  level: "block",
  sentence: `${name} it is`,
  data: null,
  risk: "a risk",
  remedy: "a remedy",
  sent: [],
  ...rest,
});
const failed = result("a/failed", "fail", "blocks", {
  findings: [finding("lost", { sent: [exchange] })],
  risk: "a risk",
  remedy: "a remedy",
  again: { command: "kalam-ready check --only a/failed", needs: ["KALAM_READY_PASSWORD set", "the same --ca-file"] },
});
const ofTheRun = result("run/nothing-left-behind", "pass", "none", {
  title: "The run leaves nothing behind",
  ofTheRun: true,
});

function report(results: readonly Result[], rest: Partial<Report> = {}): Report {
  return {
    schemaVersion: 1,
    tool: { name: "kalam-ready", version: "0.1.0" },
    run: {
      id: "k7f3a",
      seed: 421,
      startedAt: "",
      tookMs: 23_400,
      effort: "standard",
      requests: 1412,
      rateRefusals: 0,
      machine: { timersLateMs: 3, cpuWaitedPercent: 40, undetermined: 0 },
    },
    profile: { name: "standard", allow: ["nothing"], failOn: "block" },
    server: { url: "http://127.0.0.1:8080", version: "0.4.3", own: false, login: { user: "root", role: "system" } },
    verdict: "NOT READY",
    exit: 1,
    reasons: [],
    totals: { passed: 61, failed: 1, warned: 0, accepted: 0, unknown: 0, skipped: 19 },
    notCovered: {},
    leftOut: 0,
    results: [...results, ofTheRun],
    evidence: {},
    ...rest,
  };
}

const plain: TableOptions = { colors: 0, ascii: false, categories: [{ id: "a", promise: "It does what it says." }] };
const table = (results: readonly Result[], options: Partial<TableOptions> = {}, rest: Partial<Report> = {}): string =>
  formatTable(report(results, rest), { ...plain, ...options });
const lines = (...of: Parameters<typeof table>): string[] => table(...of).split("\n");
const lineWith = (text: string, all: readonly string[]): string => all.find((line) => line.includes(text)) ?? "";

describe("the header", () => {
  test("shows what was checked, how, and the seed that repeats it", () => {
    expect(lines([])[0]).toBe(
      "kalam-ready 0.1.0  standard  http://127.0.0.1:8080  KalamDB 0.4.3 as root  run k7f3a  seed 421",
    );
  });

  test("says if the server was started for the run, if its version is unknown and if the login failed", () => {
    const server = { url: "http://x", version: null, own: true, login: { user: "root", role: "dba" } };
    expect(lines([], {}, { server })[0]).toContain(
      "http://x (started for this run)  KalamDB (version unknown) as root",
    );
    expect(lines([], {}, { server: { ...server, lowered: { "auth.bcrypt_cost": 4 } } })[0]).toContain(
      "http://x (started for this run; set for speed: auth.bcrypt_cost 4)  KalamDB",
    );
    expect(lines([], {}, { server: { url: null, version: null, own: true, login: null } })[0]).not.toContain("KalamDB");
  });
});

describe("a version that the checks were not verified on", () => {
  const basis = "checks verified on 0.4.3-rc.4; for 0.8 by documentation and published types, never on a server";
  const server = { url: "http://x", version: "0.8.0", basis, own: false, login: { user: "root", role: "dba" } };

  test("has a line in the header, above what the login cannot do", () => {
    const run = { ...report([]).run, limitedBy: "root2 has the role user; 72 checks need dba" };
    expect(lines([], {}, { server, run }).slice(1, 4)).toEqual([basis, run.limitedBy, ""]);
    expect(lines([], {}, { server })[1]).toBe(basis);
  });

  test("stands after each finding that rests on it", () => {
    const restsOn = "not verified on a server of this version: the form of cursors: by documentation";
    const rests = { ...failed, findings: [finding("lost", { restsOn }), finding("late", { restsOn, level: "warn" })] };
    expect(lineWith("lost it is", lines([rests]))).toContain(`lost it is (${restsOn})`);
    expect(lineWith("late it is", lines([rests]))).toContain(`late it is (warn) (${restsOn})`);
    expect(formatJunit(report([rests]))).toContain(`lost: lost it is (${restsOn})`);
  });
});

describe("the login in the header", () => {
  const run = { ...report([]).run, limitedBy: "root2 has the role user; 72 checks need dba" };

  test("says first what the login cannot do", () => {
    expect(lines([], {}, { run }).slice(0, 3)).toEqual([expect.stringContaining("as root  run") as string, run.limitedBy, ""]); // prettier-ignore
    expect(lines([])[1]).toBe("");
  });

  test("says that nobody logged in, with or without a version", () => {
    const server = { url: "http://x", version: "0.4.3", own: false, login: null };
    expect(lines([], {}, { server })[0]).toContain("http://x  KalamDB 0.4.3 without a login  run");
    expect(lines([], {}, { run, server: { ...server, version: null } })[0]).toContain(
      "KalamDB (version unknown) without a login",
    );
  });
});

describe("checks that were not run for one reason", () => {
  const notRun = (count: number, kind: "unknown" | "skip", sentence: string): Result[] =>
    Array.from({ length: count }, (_, at) => result(`b/${at}`, kind, kind === "skip" ? "none" : "undetermined", { sentence, tookMs: 0 })); // prettier-ignore
  const after = (all: readonly string[]): readonly string[] => {
    const from = all.indexOf("not run");
    return all.slice(from, all.indexOf("", from));
  };

  test("are one line with the reason, below the rows, and the others keep theirs", () => {
    const results = [result("a/1", "pass", "none"), ...notRun(86, "unknown", "no login"), ...notRun(3, "skip", "no kalam")]; // prettier-ignore
    const all = lines([...results, failed], {}, { reasons: ["86 checks that can block could not be determined: no login"] }); // prettier-ignore
    expect(all.filter((line) => line.includes("no login"))).toEqual(["  ? 86 checks were not run: no login"]);
    expect(after(all)).toEqual([
      "not run",
      "  ? 86 checks were not run: no login",
      "    b 86",
      "  – 3 checks were not run: no kalam",
      "    b/0, b/1, b/2",
    ]);
    expect(all).toContain("because 86 checks that can block could not be determined");
    expect(all.filter((line) => /Title of (a\/1|a\/failed)/.test(line))).toHaveLength(2);
    // Nothing of the category has a row.
    expect(all).not.toContain("b");
  });

  test("leave their reason to the verdict where it is the verdict's", () => {
    const all = lines(notRun(92, "unknown", "nobody listens"), {}, { reasons: ["nobody listens"] });
    expect(after(all).slice(1, 3)).toEqual(["  ? 92 checks were not run", "    b 92"]);
    expect(all.filter((line) => line.includes("nobody listens"))).toEqual(["because nobody listens"]);
  });

  test("wrap on a terminal, and lose no word", () => {
    const sentence = "so and so ".repeat(20).trim();
    const all = after(lines(notRun(3, "unknown", sentence), { width: 60 }));
    expect(all.filter((line) => line.length > 60)).toEqual([]);
    expect(all.join(" ").split(/\s+/).filter((word) => word === "so")).toHaveLength(40); // prettier-ignore
  });
});

describe("a row", () => {
  test.for<[string, Result, string]>([
    ["that passed", result("a/b", "pass", "none"), "  ✔ a/b  Title of a/b  12 ms  about a/b"],
    ["that failed", failed, "  ✖ a/failed  Title of a/failed  12 ms"],
    ["that warns", result("a/b", "fail", "warns"), "  ! a/b  Title of a/b  12 ms"],
    ["that is accepted", result("a/b", "fail", "accepted"), "  ~ a/b  Title of a/b  12 ms"],
    ["that is unknown", result("a/b", "unknown", "undetermined"), "  ? a/b  Title of a/b  12 ms  about a/b"],
    ["that was skipped", result("a/b", "skip", "none"), "  – a/b  Title of a/b  12 ms  skipped: about a/b"],
  ])("%s carries its id", ([, one, row]) => {
    expect(lineWith("Title of", lines([one])).replace(/(?<=\S) {2,}/g, "  ")).toBe(row);
  });

  test("is under the promise of its category", () => {
    const all = lines([result("a/1", "pass", "none"), result("b/1", "pass", "none")]);
    expect(all.filter((line) => /^[ab]/.test(line))).toEqual(["a · It does what it says.", "b"]);
  });

  test("is aligned with the other rows", () => {
    const all = lines([
      result("a/1", "pass", "none"),
      result("a/longer-title", "unknown", "undetermined", { tookMs: 1_234_567 }),
    ]);
    const [one, other] = [lineWith("a/1", all), lineWith("longer", all)];
    expect(one.indexOf("about")).toBe(other.indexOf("about"));
    expect(one.indexOf("Title")).toBe(other.indexOf("Title"));
    expect(one.indexOf(" ms  about")).toBe(other.indexOf(" ms  about"));
    expect(other).toContain("  1,234,567 ms  about");
  });

  test("shows no time if nothing ran", () => {
    expect(lineWith("Title", lines([result("a/b", "skip", "none", { tookMs: 0 })]))).toMatch(
      /Title of a\/b +skipped: about a\/b$/,
    );
  });

  test("about the run is shown only if it is not a pass", () => {
    expect(table([])).not.toContain("The run leaves");
    const left = result("run/nothing-left-behind", "fail", "blocks", {
      title: "The run could not remove everything it created",
      ofTheRun: true,
      findings: [finding("leftBehind")],
    });
    const all = formatTable({ ...report([]), results: [left] }, plain);
    expect(all).toContain("✖ run/nothing-left-behind  The run could not remove everything it created");
    expect(all).toContain("something left behind");
    expect(all).not.toContain("again");
  });
});

test("under a row, passed or failed, is the time line that its check tells", () => {
  const timeline = [
    { what: "kill", ms: 5 },
    { what: "first answer", ms: 1098 },
  ];
  const shown = "      time    kill 5 ms · first answer 1,098 ms";
  const passed = lines([result("a/b", "pass", "none", { timeline })]);
  expect(passed[passed.indexOf(lineWith("a/b", passed)) + 1]).toBe(shown);
  expect(lines([{ ...failed, timeline }])).toContain(shown);
  expect(lines([result("a/b", "pass", "none")]).join("\n")).not.toContain("time   ");
});

describe("under a failure", () => {
  test("are the finding, the request, the risk, the remedy and the command that repeats it", () => {
    const all = lines([failed]);
    expect(all.slice(all.findIndex((line) => line.includes("✖")) + 1).slice(0, 6)).toEqual([
      "      lost  lost it is",
      "      sent    POST /v1/api/sql as op  SELECT 1   200 success",
      "      risk    a risk",
      "      remedy  a remedy (kalam-ready explain a/failed)",
      "      again   kalam-ready check --only a/failed",
      "              with KALAM_READY_PASSWORD set, the same --ca-file",
    ]);
  });

  test("is the case, by the name to use in an acceptance", () => {
    expect(table([{ ...failed, findings: [finding("lost", { case: "big" })] }])).toContain(
      "      lost [big]  lost it is",
    );
  });

  test("each finding has its own risk and remedy", () => {
    const own = finding("unsure", { risk: "a small risk", remedy: "ask again" });
    const covered = finding("known", { risk: "a known risk", accepted: { reason: "r", until: "2027-01-31" } });
    const all = lines([{ ...failed, findings: [finding("lost"), own, covered] }]).map((line) => line.trim());
    const from = all.findIndex((line) => line.startsWith("lost"));
    expect(all.slice(from, from + 7)).toEqual([
      "lost  lost it is",
      "risk    a risk",
      "remedy  a remedy (kalam-ready explain a/failed)",
      "unsure  unsure it is",
      "risk    a small risk",
      "remedy  ask again (kalam-ready explain a/failed)",
      "known  known it is (accepted until 2027-01-31: r)",
    ]);
  });

  test("findings in a row with the same risk and remedy have them once", () => {
    const own = finding("unsure", { risk: "a small risk", remedy: "ask again" });
    const again = finding("lost", { case: "again" });
    const all = lines([{ ...failed, findings: [finding("lost"), again, own, finding("lost")] }]);
    const begins = all.map((line) => line.trim()).filter((line) => /^(lost|unsure|risk|remedy)/.test(line));
    expect(begins.map((line) => line.split(" ")[0])).toEqual([
      "lost",
      "lost",
      "risk",
      "remedy",
      "unsure",
      "risk",
      "remedy",
      "lost",
      "risk",
      "remedy",
    ]);
  });

  test("only two exchanges are shown; the JSON report has the others", () => {
    const sent = [1, 2, 3, 4].map((number) => ({ ...exchange, number, params: `[${number}]` }));
    const all = lines([{ ...failed, findings: [finding("lost", { sent })] }]);
    expect(all.filter((line) => line.includes("POST"))).toHaveLength(2);
    expect(lineWith("params [1]", all)).not.toBe("");
    expect(lineWith("and 2 more in --report json", all)).not.toBe("");
    expect(table([{ ...failed, findings: [finding("lost", { sent: sent.slice(0, 2) })] }])).not.toContain("more in");
  });

  test.for<[string, Partial<ReportedFinding>, string]>([
    ["a warning", { level: "warn" }, "lost it is (warn)"],
    [
      "accepted",
      { accepted: { reason: "known", until: "2027-01-31" } },
      "lost it is (accepted until 2027-01-31: known)",
    ],
    [
      "an expired acceptance",
      { expired: { reason: "known", until: "2026-01-31" } },
      "lost it is (was accepted until 2026-01-31; expired, so it counts again)",
    ],
  ])("the finding is marked as %s", ([, rest, text]) => {
    expect(table([result("a/b", "fail", "warns", { findings: [finding("lost", rest)] })])).toContain(text);
  });

  test("an accepted finding has no risk and remedy; a pass, a skip and an unknown have no details", () => {
    const accepted = table([{ ...failed, effect: "accepted" }]);
    expect(accepted).toContain("lost it is");
    expect(accepted).not.toContain("a remedy");
    for (const kind of ["pass", "skip", "unknown"] as const)
      expect(table([result("a/b", kind, "none")])).not.toContain("again");
  });
});

describe("the end", () => {
  test("shows the verdict, all counts except zeros, time, requests, leftovers and the exit code", () => {
    const all = lines([failed]);
    expect(all.slice(-4)).toEqual([
      "",
      "NOT READY   61 passed  1 failed  19 skipped     23.4 s  1,412 requests  nothing left behind",
      "exit 1",
      "",
    ]);
  });

  test("gives the reasons, but only the first of many", () => {
    const reasons = Array.from({ length: 8 }, (_, at) => `reason ${at + 1}`);
    const all = table([], {}, { reasons });
    for (const reason of reasons.slice(0, 5)) expect(all).toContain(`because ${reason}\n`);
    expect(all).toContain("and 3 more");
    expect(all).not.toContain("reason 6");
    expect(table([], {}, { reasons: reasons.slice(0, 5) })).not.toContain("more");
  });

  test("says once that this machine was too busy for some checks, and nothing if it was not", () => {
    const busy = (undetermined: number, cpuWaitedPercent: number | null): string[] => {
      const machine = { timersLateMs: 2_235, cpuWaitedPercent, undetermined };
      return lines([], {}, { run: { ...report([]).run, machine } });
    };
    expect(busy(3, 97).at(-3)).toBe(
      "this machine was busy: timers up to 2,235 ms late, processes waited for a CPU 97 % of the time; 3 checks undetermined for it",
    );
    expect(busy(1, null).at(-3)).toBe("this machine was busy: timers up to 2,235 ms late; 1 check undetermined for it");
    expect(busy(0, 97).join("\n")).not.toContain("busy");
  });

  test("says how many checks did not run and why, the most frequent reason first, and how often the rate was limited", () => {
    const skipped = (count: number, sentence: string): Result[] =>
      Array.from({ length: count }, (_, at) => result(`a/${sentence}-${at}`, "skip", "none", { sentence }));
    const limited = { run: { ...report([]).run, rateRefusals: 2 } };
    const all = lines([...skipped(1, "no kalam"), ...skipped(3, "no load")], {}, { leftOut: 3, ...limited });
    expect(all.slice(-6, -1)).toEqual([
      expect.stringContaining("rate limited 2 times"),
      "3 checks did not run: no load",
      "1 check did not run: no kalam",
      "3 checks were not selected",
      "exit 1",
    ]);
    expect(lines([], {}, { leftOut: 1 }).at(-3)).toBe("1 check was not selected");
  });

  test("does not count a clean-up that was not wanted as a check that did not run", () => {
    const kept = result("run/nothing-left-behind", "skip", "none", { ofTheRun: true, sentence: "kept by --keep" });
    expect(formatTable({ ...report([]), results: [kept] }, plain)).not.toContain("did not run");
  });

  test("sums up the reasons after the first five", () => {
    const skipped = Array.from({ length: 7 }, (_, at) => result(`a/${at}`, "skip", "none"));
    const all = lines(skipped);
    expect(all.filter((line) => line.startsWith("1 check did not run: "))).toHaveLength(5);
    expect(all.at(-3)).toBe("2 checks did not run for other reasons");
  });

  test("is complete even without results", () => {
    const totals = { passed: 0, failed: 0, warned: 0, accepted: 0, unknown: 0, skipped: 0 };
    expect(formatTable({ ...report([]), results: [], totals, verdict: "CANNOT TELL", exit: 2 }, plain)).toContain(
      "CANNOT TELL   0 passed     23.4 s  1,412 requests\nexit 2\n",
    );
  });
});

const every = [
  result("a/1", "pass", "none"),
  failed,
  result("a/3", "fail", "warns", { findings: [finding("slow", { level: "warn" })] }),
  result("a/4", "fail", "accepted", { findings: [finding("known")] }),
  result("a/5", "unknown", "undetermined"),
  result("a/6", "skip", "none"),
];

describe("colours", () => {
  test("are absent if not wanted", () => {
    expect(table(every)).not.toContain("\u001b");
  });

  test("change nothing but the colours", () => {
    for (const colors of [1, 2, 3] as const) {
      const coloured = table(every, { colors });
      expect(coloured).toContain("\u001b[32m✔");
      expect(coloured).toContain("\u001b[31m✖");
      expect(stripVTControlCharacters(coloured).split("\n").map((line) => line.trimEnd())).toEqual(lines(every)); // prettier-ignore
    }
  });
});

test("a green row is plain except for its symbol, other rows are coloured, and the verdict has the colour of the exit", () => {
  const red = table(every, { colors: 1 });
  expect(red).toMatch(/✔\u001b\[39m \u001b\[2ma\/1\u001b\[22m +Title of a\/1 .*\u001b\[2m12 ms/);
  for (const text of ["a/failed", "Title of a/failed"]) expect(red).toContain(`\u001b[31m${text}\u001b[39m`);
  expect(red).toContain("\u001b[2mskipped: about a/6\u001b[22m");
  expect(red).toContain("\u001b[31m\u001b[1mNOT READY");
  expect(table([], { colors: 1 }, { exit: 0, verdict: "READY" })).toContain("\u001b[32m\u001b[1mREADY");
  expect(table([], { colors: 1 }, { exit: 2, verdict: "CANNOT TELL" })).toContain("\u001b[35m\u001b[1mCANNOT TELL");
});

test("--ascii prints only ASCII, with other symbols", () => {
  const ascii = table(every, { ascii: true }, { reasons: ["a · b – c … d"] });
  expect(ascii).toMatch(/^[\n\u0020-\u007e]*$/);
  expect(ascii.split("\n").flatMap((line) => /^ {2}(\S) a\//.exec(line)?.[1] ?? [])).toEqual([
    "+",
    "x",
    "!",
    "~",
    "?",
    "-",
  ]);
});

describe("on a terminal", () => {
  const id = "configuration/forty-five-characters-long-as-one-is";
  const long = result(id, "unknown", "undetermined", {
    title: "A title as long as a title of a check may be, sixty-four letters",
    sentence: "so and so ".repeat(20).trim(),
  });
  const failure = result("configuration/failed", "fail", "blocks", {
    findings: [finding("lost", { sentence: "lost and lost ".repeat(20).trim(), risk: "so or so ".repeat(20).trim() })],
    risk: "so or so ".repeat(20).trim(),
    remedy: "so or so ".repeat(20).trim(),
    again: { command: `kalam-ready check --url http://${"h".repeat(80)} -v`, needs: [] },
  });
  const rows = (width: number, results: readonly Result[] = [result("configuration/1", "pass", "none"), long]) => {
    const all = lines(results, { width });
    return all.slice(all.indexOf("configuration") + 1, all.indexOf("", 3));
  };

  test.for([60, 80, 100, 120, 140, 200, 300])("at %d columns no row is wider and no word is lost", (width) => {
    expect(rows(width).filter((line) => line.length > width)).toEqual([]);
    const words = rows(width).join(" ").split(/\s+/);
    expect(words.filter((word) => word === "so")).toHaveLength(40);
    for (const word of ["sixty-four", id, "configuration/1"]) expect(words).toContain(word);
  });

  test.for([80, 120])("at %d columns the id and the sentence are below the title, indented", (width) => {
    const [first, second, third, ...below] = rows(width);
    expect([first, second]).toEqual([expect.stringMatching(/^ {2}✔ Title .* 12 ms$/), "    configuration/1  about configuration/1"]); // prettier-ignore
    expect(third).toMatch(/^ {2}\? A title .* 12 ms$/);
    expect(below.find((line) => line.includes("so and"))?.startsWith(`    ${id}  so and so`)).toBe(true);
    for (const line of below) expect(line).toMatch(/^ {4}\S/);
  });

  test("a row that fits is one line, as outside a terminal", () => {
    const one = [result("a/1", "pass", "none")];
    expect(lines(one, { width: 80 })).toEqual(lines(one));
  });

  test("under a failure, what is read is wrapped, and what is copied is not", () => {
    const all = rows(80, [failure]);
    expect(all.filter((line) => line.length > 80)).toEqual([expect.stringMatching(/^ {6}again {3}.* -v$/)]);
    expect(all.join(" ").split(/\s+/).filter((word) => word === "so" || word === "lost")).toHaveLength(2 * 40 + 1 + 40); // prettier-ignore
    const risk = all.findIndex((line) => line.startsWith("      risk    so"));
    expect(all[risk + 1]).toMatch(/^ {14}(so|or) /);
  });
});

describe("without a terminal", () => {
  test("a row is one line, and nothing is truncated, however long or wide", () => {
    const character = fc.constantFrom("a", "Z", " ", "-", "é", "漢", "ｗ", "😀", "👩‍👩‍👧", "…", "ﷺ");
    const word = fc.string({ unit: character, maxLength: 60 }).map((text) => `(${text})`);
    fc.assert(
      fc.property(word, word, (title, sentence) => {
        const all = lines([
          result("a/b", "unknown", "undetermined", { title, sentence }),
          result("a/1", "pass", "none"),
        ]);
        const row = lineWith("12 ms", all);
        expect(row).toContain(title);
        expect(row).toContain(sentence);
      }),
    );
  });

  test("even if a sentence is very long", () => {
    const sentence = "word ".repeat(2000).trim();
    expect(table([result("a/b", "unknown", "undetermined", { sentence })])).toContain(sentence);
  });
});

describe("text from a server cannot look like output of kalam-ready", () => {
  const nasty = "one\r\nREADY   99 passed\n\u001b[2J\u001b[32mexit 0\u0007\u009b31m\u202egnp\u2028x";

  test.for<[string, readonly Result[], Partial<Report>]>([
    ["in a sentence", [result("a/b", "unknown", "undetermined", { sentence: nasty })], {}],
    [
      "in a finding",
      [
        {
          ...failed,
          findings: [finding("lost", { sentence: nasty, sent: [{ ...exchange, text: nasty, outcome: nasty }] })],
        },
      ],
      {},
    ],
    ["in a reason", [], { reasons: [nasty] }],
    ["in the version", [], { server: { url: nasty, version: nasty, own: false, login: { user: nasty, role: "dba" } } }],
  ])("%s", ([, results, rest]) => {
    const all = table(results, {}, rest);
    expect(all).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/);
    expect(all.split("\n").filter((line) => /^\s*(READY|exit 0)/.test(line))).toEqual([]);
    expect(all).toContain("one READY   99 passed");
  });

  test("also with colours and on a terminal", () => {
    const all = table([result("a/b", "unknown", "undetermined", { sentence: nasty })], { colors: 1, width: 80 });
    expect(stripVTControlCharacters(all)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(all).not.toContain("\u001b[2J");
  });
});

test("the appearance of a result follows its effect", () => {
  expect(every.map(appearanceOf)).toEqual(["pass", "fail", "warn", "accepted", "unknown", "skip"]);
});
