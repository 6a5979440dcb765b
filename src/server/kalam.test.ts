import { expect, test } from "vitest";
import type { KalamOutcome, KalamRun } from "../wire/kalam.ts";
import { kalamText, makeKalam } from "./kalam.ts";
import { Pacer } from "../session/pacing.ts";
import { Recording } from "../session/recording.ts";
import { Redactor } from "../session/redaction.ts";
import { Renewal } from "../session/renewal.ts";
import type { Account } from "./sender.ts";

const own: Account = { name: "kr_k7f3a_dba_1", role: "dba" };
const ended: KalamOutcome = {
  notStarted: null,
  exitCode: 0,
  endedBySignal: null,
  overdue: false,
  stdout: "1\n",
  stderr: "",
  tookMs: 5,
  endedAfterMs: null,
};

function stage(outcome: Partial<KalamOutcome> = {}, more: Partial<Parameters<typeof makeKalam>[1]> = {}) {
  const runs: KalamRun[] = [];
  const codes: string[] = [];
  const recording = new Recording();
  const over = new AbortController();
  const run = makeKalam(
    (asked) => {
      runs.push(asked);
      return Promise.resolve({ ...ended, ...outcome });
    },
    {
      tokens: new Map([[own.name, "its-token"]]),
      pacer: new Pacer(),
      recording,
      signal: over.signal,
      onRate: (code) => void codes.push(code),
      ...more,
    },
    ({ name }) => {
      if (name !== own.name) throw new Error(`${name} is not one of the run's own accounts`);
      return "its-password";
    },
  );
  return { run, runs, recording, codes, over };
}

test("it logs in as the account, by token or by password, without spinner and colours", async () => {
  const { run, runs } = stage();
  await run(own, ["-c", "SELECT 1"]);
  await run(own, ["-c", "SELECT 1"], { entersWith: "password", mayColor: true, at: "nobody" });
  await run(own, ["-c", "SELECT 1"], { entersWith: "wrong password" });
  expect(runs.map((one) => [one.at, ...one.args].join(" "))).toEqual([
    "server --token its-token --no-spinner --no-color -c SELECT 1",
    "nobody --user kr_k7f3a_dba_1 --password its-password --no-spinner -c SELECT 1",
    "server --user kr_k7f3a_dba_1 --password not-kr_k7f3a_dba_1 --no-spinner --no-color -c SELECT 1",
  ]);
});

test("it runs for accounts of the run's own only: arguments are seen by every process", async () => {
  const { run, runs } = stage();
  await expect(run({ name: "root", role: "system" }, ["-c", "SELECT 1"])).rejects.toThrow(
    /not one of the run's own accounts/,
  );
  expect(runs).toEqual([]);
});

test("a run is recorded as one would type it, without secrets, and its requests are counted", async () => {
  const { run, recording } = stage({ exitCode: 1, stderr: "Error: no such table\nmore\n", stdout: "" });
  const { exchange } = await run(own, ["--json", "-f", "script.sql"], {
    files: { "script.sql": "SELECT 'a';" },
    statements: 3,
  });
  const noted = recording.get(exchange);
  expect(noted).toMatchObject({
    method: "kalam",
    as: own.name,
    text: "--json -f <(printf %s 'SELECT '\\''a'\\'';')",
    outcome: "exit 1, stderr: Error: no such table",
  });
  expect(JSON.stringify(noted)).not.toMatch(/its-password|its-token/);
  // The run itself, what kalam asks of its own accord, and three statements.
  expect(recording.count).toBe(1 + 2 + 3);
});

test("a run at nobody asks the server for nothing", async () => {
  const { run, recording } = stage();
  await run(own, ["-c", "SELECT 1"], { at: "nobody" });
  expect(recording.count).toBe(1);
});

test("being told to go slower is heeded: a single statement is run three times, and then nothing is known", async () => {
  const stderr = "Error: Server error (429): RATE_LIMIT_EXCEEDED";
  const { run, codes } = stage({ exitCode: 1, stderr });
  expect(await run(own, ["-c", "SELECT 1"])).toMatchObject({ notStarted: expect.stringContaining("429") as string });
  expect(codes).toEqual(["RATE_LIMIT_EXCEEDED", "RATE_LIMIT_EXCEEDED", "RATE_LIMIT_EXCEEDED"]);
  for (const options of [{ statements: 2 }, { onStdout: () => {} }, { closeStdout: "at once" }] as const) {
    const once = stage({ exitCode: 1, stderr });
    expect(await once.run(own, ["-f", "a.sql"], options)).toMatchObject({ notStarted: expect.anything() as string });
    expect(once.runs).toHaveLength(1);
  }
});

test("after a ban it is not run again", async () => {
  const { run, runs, codes } = stage({ exitCode: 1, stderr: "Error: Server error (403): IP_BANNED" });
  expect(await run(own, ["-c", "SELECT 1"])).toMatchObject({ notStarted: "the server has banned this address" });
  expect([codes, runs.length]).toEqual([["IP_BANNED"], 1]);
});

test("after its target has died it runs no more", async () => {
  const { run, runs, over } = stage();
  over.abort(new Error("it was not done in time"));
  await expect(run(own, ["-c", "SELECT 1"])).rejects.toThrow(/not done in time/);
  expect(runs).toEqual([]);
});

test("what came of it, in one line", () => {
  expect(kalamText(ended)).toBe("exit 0, stdout: 1");
  expect(kalamText({ ...ended, overdue: true, stdout: "", tookMs: 900 })).toBe("still running after 900 ms");
  expect(kalamText({ ...ended, exitCode: null, endedBySignal: "SIGINT", stdout: "" })).toBe("ended by SIGINT");
  expect(kalamText({ ...ended, notStarted: "spawn EACCES" })).toBe("could not be started: spawn EACCES");
});

test("a token that has expired is renewed once; else kalam might as well not have started", async () => {
  const tokens = new Map<string, string>();
  const stderr = "Error: Server error (401): TOKEN_EXPIRED: the token has expired";
  const renewing = (password?: string): Renewal => {
    const logIn = () =>
      Promise.resolve({ kind: "in", token: "second", user: own.name, role: "dba", field: "user" } as const);
    const renewal = new Renewal({ tokens, redactor: new Redactor(), logIn });
    renewal.keep(own.name, "first", password);
    return renewal;
  };
  const renewed = stage({ exitCode: 1, stderr }, { tokens, renewal: renewing("pw") });
  expect(await renewed.run(own, ["-c", "SELECT 1"])).toMatchObject({ notStarted: null, exitCode: 1 });
  expect(renewed.runs.map(({ args }) => args[1])).toEqual(["first", "second"]);
  const bare = stage({ exitCode: 1, stderr }, { tokens, renewal: renewing() });
  expect(await bare.run(own, ["-c", "SELECT 1"])).toMatchObject({ notStarted: "the run's own token has expired" });
  const wrong = stage({ exitCode: 1, stderr }, { tokens, renewal: renewing("pw") });
  expect(await wrong.run(own, ["-c", "SELECT 1"], { entersWith: "password" })).toMatchObject({ notStarted: null });
});
