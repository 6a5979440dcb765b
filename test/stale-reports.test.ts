/** No end of a run leaves the report of an earlier one in place. */
import { readdirSync, readFileSync, rmSync, writeFileSync, mkdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { until } from "./cli.ts";
import { folder, preload, processes, quick, run, useSandbox } from "./runs.ts";

useSandbox("stale-reports");

describe("no end of a run leaves the report of an earlier one in place", processes, () => {
  interface Document {
    readonly verdict: string;
    readonly exit: number;
    readonly error: { readonly code: string };
  }
  interface Files {
    readonly junit: string;
    readonly json: string;
    readonly table: string;
    readonly flags: readonly string[];
  }
  let count = 0;
  function green(): Files {
    const place = path.join(folder, `reports-${(count += 1)}`);
    mkdirSync(place);
    const [junit, json, table] = ["ready.xml", "ready.json", "ready.txt"].map((name) => path.join(place, name));
    for (const file of [junit, json, table]) writeFileSync(file ?? "", "READY");
    const flags = [`junit=${junit}`, `json=${json}`, `table=${table}`].flatMap((one) => ["--report", one]);
    return { junit: junit ?? "", json: json ?? "", table: table ?? "", flags };
  }
  /** What the three files say; each must be complete. */
  function saidBy({ junit, json, table }: Files): readonly string[] {
    const { verdict, exit } = JSON.parse(readFileSync(json, "utf8")) as Document;
    const xml = readFileSync(junit, "utf8");
    expect(xml).toMatch(
      /^<\?xml .*<testsuites name="kalam-ready" tests="1" failures="0" errors="1" .*<\/testsuites>\n$/s,
    );
    expect(readdirSync(path.dirname(json)).toSorted()).toEqual(["ready.json", "ready.txt", "ready.xml"]);
    return [`${verdict}, exit ${exit}`, /message="([^"]*)"/.exec(xml)?.[1] ?? "", readFileSync(table, "utf8").replace(/\n.*\n(?=exit)/s, ", ").trim()]; // prettier-ignore
  }

  test.for<[string, readonly string[], Readonly<Record<string, string>>, string]>([
    ["an unknown flag", ["check", "--nope"], {}, "USAGE, exit 64"],
    ["a mistyped command", ["chek"], {}, "USAGE, exit 64"],
    ["no command", [], {}, "USAGE, exit 64"],
    ["a bad value", ["check", "--budget", "10"], {}, "USAGE, exit 64"],
    ["no server", ["check"], { KALAM_READY_URL: "" }, "USAGE, exit 64"],
    ["a profile that is not there", ["check", "--profile", "nowhere"], {}, "BAD PROFILE, exit 78"],
    [
      "a ledger that cannot be written",
      ["check", ...quick],
      { KALAM_READY_STATE: "/dev/null/x" },
      "CANNOT WRITE, exit 73",
    ],
  ])("%s: every file and stdout say so", async ([, args, environment, said]) => {
    const files = green();
    const { code, stdout } = await run([...args, ...files.flags, "--json"], { env: environment });
    expect(saidBy(files)).toEqual([said, said, said]);
    const printed = JSON.parse(stdout) as Document;
    expect([`${printed.verdict}, exit ${printed.exit}`, printed.error.code]).toEqual([
      said,
      expect.stringMatching(/^\w+$/),
    ]);
    expect(code).toBe(printed.exit);
    await run(["cleanup"]);
  });

  test("an uncaught error during the run: every file and stdout say so, check by check", async () => {
    const files = green();
    const { code, stdout } = await run(["check", "-v", ...files.flags, "--json"], {
      env: preload(`process.on("SIGWINCH", () => { throw new Error("boom") })`),
      meanwhile: (child) => void until(child, "stderr", /^pass/m).then(() => child.kill("SIGWINCH")),
    });
    for (const text of [stdout, readFileSync(files.json, "utf8")])
      expect(JSON.parse(text)).toMatchObject({ verdict: "INTERNAL", exit: 70 });
    expect(readFileSync(files.junit, "utf8")).toContain('message="INTERNAL, exit 70"');
    expect(readFileSync(files.table, "utf8")).toMatch(/^INTERNAL/m);
    expect(code).toBe(70);
    await run(["cleanup"]);
  });

  test("a killed run, and a second Ctrl-C", async () => {
    const slow = ["check", "--max-rps", "5", "--debug", "--only", "configuration/namespaces-kept-apart"];
    for (const signals of [["SIGKILL"], ["SIGINT", "SIGTERM"]] as const) {
      const files = green();
      await run([...slow, ...files.flags], {
        meanwhile(child) {
          void until(child, "stderr", /CREATE NAMESPACE/).then(() => child.kill(signals[0]));
          // A repeat within a second counts as the same keypress.
          void until(child, "stderr", /kalam-ready: interrupted/).then(
            () => void setTimeout(() => child.kill(signals[1]), 1_200),
          );
        },
      });
      expect(saidBy(files)).toEqual(Array.from({ length: 3 }, () => "DID NOT FINISH, exit 70"));
      await run(["cleanup"]);
    }
  });

  test("reports that a profile asks for, even if the profile is bad", async () => {
    const files = green();
    const reports = `reports: [{ format: junit, path: ${files.junit} }, { format: json, path: ${files.json} }, { format: table, path: ${files.table} }]`;
    const profile = path.join(folder, "reports.yaml");
    writeFileSync(profile, `version: 1\nalow: []\n${reports}\n`);
    expect((await run(["check", "--profile", profile])).code).toBe(78);
    expect(saidBy(files)).toEqual(Array.from({ length: 3 }, () => "BAD PROFILE, exit 78"));
  });

  test("a command that writes no reports, and --help, leave it alone", async () => {
    const files = green();
    await run(["plan", "--nope", ...files.flags]);
    await run(["check", "--help", ...files.flags]);
    expect(readFileSync(files.json, "utf8")).toBe("READY");
  });

  test("one that cannot be written is found before anything is sent, and the others say so", async () => {
    const files = green();
    const result = await run(["check", "-v", ...quick, ...files.flags, "--report", "json=/dev/null/x"]);
    expect([result.code, result.stdout]).toEqual([73, ""]);
    expect(result.stderr).not.toMatch(/^pass/m);
    expect(saidBy(files)).toEqual(Array.from({ length: 3 }, () => "CANNOT WRITE, exit 73"));
  });

  test("one that can no longer be written at the end: 73 in every other one, too", async () => {
    const files = green();
    const taken = path.join(folder, "taken-later");
    const { code, stdout } = await run(
      ["check", "-v", "--max-rps", "5", ...quick, ...files.flags, "--report", `table=${taken}`, "--json"],
      {
        meanwhile: (child) =>
          void until(child, "stderr", /^pass/m)
            .then(() => rmSync(taken))
            .then(() => mkdirSync(taken)),
      },
    );
    const said = [readFileSync(files.json, "utf8"), stdout].map((text) => JSON.parse(text) as Document);
    expect([code, ...said.map(({ exit }) => exit)]).toEqual([73, 73, 73]);
    expect(readFileSync(files.junit, "utf8")).toContain('message="CANNOT WRITE, exit 73"');
    expect(readFileSync(files.table, "utf8")).toMatch(/^CANNOT WRITE .*^because cannot write .*taken-later: /ms);
  });
});
