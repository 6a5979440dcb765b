/** Runs that end with 1 or 2: what failed is shown, and what could not be determined is said. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { webServer } from "./cli.ts";
import { openTestSession } from "./sandbox.ts";
import { category, folder, leftOnServer, processes, quick, relay, run, server, useSandbox } from "./runs.ts";

useSandbox("not-ready");

describe("1, not ready", processes, () => {
  test("a failure is shown with finding, request, risk, remedy and a command to reproduce it; JUnit and JSON agree", async () => {
    const profile = path.join(folder, "strict.yaml");
    writeFileSync(
      profile,
      "version: 1\nname: strict\nchecks:\n  configuration/clock-in-step: { limits: { clockOffMsMax: 0, clockDriftMsMax: 0 } }\n",
    );
    // Against a limit of zero every clock is off by more than half a round trip, or it cannot be told: this wire says 3 s.
    const proxy = await webServer((request, response) => void relay(request, response));
    try {
      const junit = path.join(folder, "out", "ready.xml");
      const json = path.join(folder, "out", "ready.json");
      const { code, stdout } = await run([
        "check",
        "--profile",
        profile,
        "--url",
        proxy.url,
        "--only",
        "configuration/clock-in-step",
        "--report",
        `junit=${junit}`,
        "--report",
        `json=${json}`,
        "-v",
      ]);
      expect(stdout).toMatch(/✖ configuration\/clock-in-step +The server's clock is wrong/);
      expect(stdout).toMatch(/^ {6}clockOff {2}the server's clock is -?\d+ ms/m);
      expect(stdout).toMatch(/^ {6}risk {4}/m);
      expect(stdout).toMatch(/^ {6}remedy {2}.*kalam-ready explain configuration\/clock-in-step/m);
      expect(stdout).toMatch(/^ {6}again {3}\S.* check .*--only configuration\/clock-in-step .*--seed \d+ -v$/m);
      expect(stdout).toContain("because configuration/clock-in-step failed");
      expect(code).toBe(1);
      expect((JSON.parse(readFileSync(json, "utf8")) as { exit: number }).exit).toBe(1);
      expect(readFileSync(junit, "utf8")).toMatch(/<failure message="[^"]*" type="clockOff">/);
    } finally {
      proxy.close();
    }
  });

  test.each(["</failure>", "<failure", "NOT READY"])(
    "a server that gives out %j as a token is never green",
    async (token) => {
      let given = "";
      const proxy = await webServer((request, response) => {
        if (request.headers.authorization === `Bearer ${token}`) request.headers.authorization = `Bearer ${given}`;
        void relay(request, response, (text) =>
          text.replace(/(?<="access_token":")[^"]*/, (real) => {
            given = real;
            return token;
          }),
        );
      });
      try {
        const junit = path.join(folder, "token.xml");
        const only = ["--only", "configuration/clock-in-step", "--report", `junit=${junit}`];
        const results = [await run(["check", "--url", proxy.url, ...only])];
        results.push(await run(["check", "--url", proxy.url, ...only, "--report", "junit"]));
        expect(given).not.toBe("");
        // It is no token, so nobody is logged in; and it is masked nowhere.
        expect(results.map(({ code }) => code)).toEqual([2, 2]);
        expect(results[0]?.stdout).toMatch(/^CANNOT TELL {3}0 passed/m);
        for (const xml of [readFileSync(junit, "utf8"), results[1]?.stdout ?? ""]) {
          expect(xml.match(/<error message=/g)?.length).toBe(xml.match(/<\/error>/g)?.length);
          expect(xml.match(/<\/error>/g)?.length).toBeGreaterThan(1);
        }
      } finally {
        proxy.close();
      }
    },
  );
});

describe("2, cannot tell", processes, () => {
  test.each([
    ["HTML at 200", "<!doctype html><title>hello</title>", 200, {}, /is not KalamDB.*200 <!doctype html>/],
    ["a redirect loop", "", 302, { location: "/v1/api/auth/status" }, /is not KalamDB.*a redirect to/],
    ["JSON of somebody else", '{"ok":true}', 200, {}, /is not KalamDB/],
  ])("a server that is not KalamDB: %s", async (_, body, status, headers, said) => {
    const other = await webServer((__, response) => void response.writeHead(status, headers).end(body));
    try {
      const { code, stderr, stdout } = await run(["check", "--url", other.url, "--json"]);
      expect(stderr).toMatch(said);
      expect(JSON.parse(stdout)).toMatchObject({ exit: 2, verdict: "CANNOT TELL" });
      expect(code).toBe(2);
    } finally {
      other.close();
    }
  });

  test("a truncated body and an endless one", async () => {
    const cut = await webServer((_, response) => {
      response
        .writeHead(200, { "content-type": "application/json", "content-length": "1000" })
        .write('{"needs_setup": fal');
      setImmediate(() => response.destroy());
    });
    const endless = await webServer((_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const more = (): void => {
        while (response.write("x".repeat(1024 * 1024))) if (response.destroyed) return;
        response.once("drain", more);
      };
      more();
    });
    try {
      const results = await Promise.all([run(["check", "--url", cut.url]), run(["check", "--url", endless.url])]);
      expect(results.map((one) => one.code)).toEqual([2, 2]);
      expect(results[1]?.stderr).toContain("the body went on past");
    } finally {
      cut.close();
      endless.close();
    }
  });

  test("a machine that is too busy for a verdict about time: unknown, and said once at the end", async () => {
    // Whatever else this machine does, it is late: the time that this wire reports, and our timers.
    const proxy = await webServer(
      (request, response) => void relay(request, response, (text) => text.replace(/"took":[\d.]+/, '"took":3600000')),
    );
    const block = "const{now}=Date;setInterval(()=>{const%20end=now()+400;while(now()<end);},500).unref()";
    const json = path.join(folder, "late.json");
    const only = ["--only", "observability/took-is-honest", "--only", "configuration/answers-sql"];
    try {
      const { code, stdout } = await run(
        ["check", "--url", proxy.url, ...only, "--fail-on", "warn", "--report", `json=${json}`],
        { env: { NODE_OPTIONS: `--import=data:text/javascript,${block}` } },
      );
      expect(stdout).toMatch(
        /\? observability\/took-is-honest .*this machine was too busy to judge \(timers up to \S+ ms late\)/,
      );
      expect(stdout).toMatch(/^this machine was busy: timers up to \S+ ms late.*; 1 check undetermined for it$/m);
      expect(JSON.parse(readFileSync(json, "utf8"))).toMatchObject({ run: { machine: { undetermined: 1 } } });
      expect(code).toBe(2);
    } finally {
      proxy.close();
    }
  });

  test("a plain user: checks that need a dba are unknown, and the sentence names the role", async () => {
    const { session, wire } = await openTestSession(server, path.join(folder, "plain"));
    const name = "plain_reader";
    await session.sender.sql(session.login, `CREATE USER '${name}' WITH PASSWORD 'Plain-Pass-1234' ROLE user`);
    session.ledger.close();
    await wire.close();
    const { code, stdout } = await run(["check", "--user", name, ...category], {
      env: { KALAM_READY_PASSWORD: "Plain-Pass-1234" },
    });
    expect(stdout).toMatch(
      /^ {2}\? \d+ checks were not run: plain_reader has the role user, and a login with the role dba is needed$/m,
    );
    expect(stdout).toMatch(/✔ configuration\/answers-sql/);
    expect(stdout).toMatch(/^CANNOT TELL/m);
    expect(code).toBe(2);
  });

  test("no check that can pass, and a required check that is not selected", async () => {
    const nothing = await run(["check", "--only", "configuration/bad-settings-stop-the-start"]);
    expect([nothing.code, nothing.stdout.includes("because no check passed")]).toEqual([2, true]);
    const required = await run(["check", ...quick, "--require", "configuration/clock-in-step"]);
    expect([
      required.code,
      required.stdout.includes("configuration/clock-in-step is required and was not selected"),
    ]).toEqual([2, true]);
  });

  test("a budget that is too short is said before the run, and ends it, and it cleans up", async () => {
    const { code, stdout, stderr } = await run(["check", "--budget", "1ms"]);
    expect(stderr).toMatch(
      /^warning: these checks take about [\d.]+ (s|min), and the budget is 1 ms: [^\n]*\n\d+ checks were not run: [^\n]*\n$/,
    );
    expect(stdout).toMatch(/^ {2}\? \d+ checks were not run: the budget of 1 ms was spent before it began$/m);
    expect(code).toBe(2);
    expect(await leftOnServer()).toEqual([]);
  });
});
