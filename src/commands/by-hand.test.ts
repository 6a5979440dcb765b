import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import { webServer } from "../../test/cli.ts";
import type { Exchange } from "../session/recording.ts";
import { makeByHand, type ByHandParts } from "./by-hand.ts";

let last = 0;
afterEach(() => (last = 0));

/** The next exchange: a statement of the account that checks use most. */
function sent(text: string, rest: Partial<Exchange> = {}): Exchange {
  last += 1;
  return {
    number: last,
    at: last * 10,
    as: "kr_k7f3a_dba_1",
    method: "POST",
    path: "/v1/api/sql",
    text,
    outcome: "200 success",
    tookMs: 5,
    ...rest,
  };
}
const scratch = (): Exchange => sent("CREATE NAMESPACE kr_k7f3a_1", { as: "root" });

function lines(all: readonly Exchange[], rest: Partial<ByHandParts> = {}, of = all.at(-1)): string[] | undefined {
  const byHand = makeByHand({
    url: "http://x",
    run: "k7f3a",
    login: { name: "root", role: "system" },
    loginField: "user",
    secret: { kind: "password", variable: "KALAM_READY_PASSWORD" },
    recording: { all, forgotten: false },
    redact: (text) => text.replaceAll("hunter22", "•••"),
    ...rest,
  });
  const script = of === undefined ? undefined : byHand(of);
  return script === undefined ? undefined : [...script];
}
/** The statements of the script. */
function statements(all: readonly Exchange[], rest: Partial<ByHandParts> = {}, of = all.at(-1)): string[] | undefined {
  return lines(all, rest, of)?.flatMap((line) => {
    const body = /--data-binary '(\{.*\})'$/.exec(line)?.[1]?.replaceAll(String.raw`'\''`, "'");
    return body === undefined || !line.includes("/v1/api/sql") ? [] : [(JSON.parse(body) as { sql: string }).sql];
  });
}
const table = "CREATE TABLE kr_k7f3a_1.t (id BIGINT PRIMARY KEY)";
const select = "SELECT id FROM kr_k7f3a_1.t";

describe("a request by hand", () => {
  test("has what its namespace needs in front, in order, and the removal at the end", () => {
    const all = [scratch(), sent(table), sent("INSERT INTO kr_k7f3a_1.t VALUES (1)"), sent(select)];
    expect(statements([...all.slice(0, 3).toReversed(), ...all.slice(3)])).toEqual([
      "CREATE NAMESPACE kr_k7f3a_1",
      table,
      "INSERT INTO kr_k7f3a_1.t VALUES (1)",
      select,
      "DROP NAMESPACE IF EXISTS kr_k7f3a_1 CASCADE",
    ]);
  });

  test("has only its own of the namespaces that the run makes and drops in one request", () => {
    const all = [
      sent("CREATE NAMESPACE kr_k7f3a_3; CREATE NAMESPACE kr_k7f3a_1; CREATE NAMESPACE kr_k7f3a_2", { as: "root" }),
      sent("CREATE TABLE kr_k7f3a_2.t (id INT)"),
      sent(table),
      sent("DROP NAMESPACE IF EXISTS kr_k7f3a_2 CASCADE; DROP NAMESPACE IF EXISTS kr_k7f3a_4 CASCADE", { as: "root" }),
      sent("CREATE TABLE kr_k7f3a_4.t (id INT)"),
      sent(select),
    ];
    expect(statements(all)).toEqual([
      "CREATE NAMESPACE kr_k7f3a_1",
      table,
      select,
      "DROP NAMESPACE IF EXISTS kr_k7f3a_1 CASCADE",
    ]);
  });

  test("has nothing else: no reads, no refused statements, none of other checks and none that came later", () => {
    const all = [
      scratch(),
      sent("CREATE NAMESPACE kr_k7f3a_2"),
      sent("CREATE TABLE kr_k7f3a_12.t (id INT)"),
      sent(table),
      sent("SELECT 1 FROM kr_k7f3a_1.t"),
      sent("INSERT INTO kr_k7f3a_1.t VALUES ('x')", { outcome: "400 BAD_VALUE: no" }),
      sent("INSERT INTO kr_k7f3a_1.t VALUES (7)", { outcome: "429 RATE_LIMIT_EXCEEDED: slower" }),
      sent("{}", { method: "SEND", path: "/v1/ws" }),
    ];
    const read = sent(select);
    const after = sent("DROP NAMESPACE kr_k7f3a_1 CASCADE", { as: "root" });
    expect(statements([...all, read, after], {}, read)?.slice(0, -1)).toEqual([
      "CREATE NAMESPACE kr_k7f3a_1",
      table,
      select,
    ]);
  });

  test("has a further namespace that another statement brings in, and a batch that was refused half-way", () => {
    const batch = "INSERT INTO kr_k7f3a_1.t VALUES (1); INSERT INTO kr_k7f3a_1.t VALUES (1)";
    const all = [
      scratch(),
      sent("CREATE NAMESPACE kr_k7f3a_1_other"),
      sent(table),
      sent(batch, { outcome: "400 SQL: Statement 2 failed: duplicate key" }),
      sent("INSERT INTO kr_k7f3a_1.t SELECT id FROM kr_k7f3a_1_other.t"),
      sent(select),
    ];
    expect(statements(all)?.filter((text) => /NAMESPACE|;/.test(text))).toEqual([
      "CREATE NAMESPACE kr_k7f3a_1",
      "CREATE NAMESPACE kr_k7f3a_1_other",
      batch,
      "DROP NAMESPACE IF EXISTS kr_k7f3a_1 CASCADE",
      "DROP NAMESPACE IF EXISTS kr_k7f3a_1_other CASCADE",
    ]);
  });

  test("removes what an accepted invalid name has created, quoted where it could be more than a name", () => {
    expect(statements([sent("CREATE NAMESPACE kr_k7f3a_1_n ns")])?.at(-1)).toBe(
      "DROP NAMESPACE IF EXISTS kr_k7f3a_1_n CASCADE",
    );
    expect(statements([sent('CREATE NAMESPACE IF NOT EXISTS "kr_k7f3a_1 ""n"')])?.at(-1)).toBe(
      'DROP NAMESPACE IF EXISTS "kr_k7f3a_1 ""n" CASCADE',
    );
  });

  test("that needs no objects and no login is one line", () => {
    expect(lines([sent("", { method: "GET", path: "/health", as: undefined, text: undefined } as never)])).toEqual([
      String.raw`curl -sS -w '\n%{http_code}\n' http://x/health`,
    ]);
  });

  const needs = (count: number): Exchange[] => [scratch(), ...Array.from({ length: count - 1 }, () => sent(table))];
  test.for<[string, () => Exchange[], Partial<ByHandParts>?]>([
    ["needs too many statements", () => [...needs(13), sent(select)]],
    ["was sent as a user whose password nobody has", () => [sent("SELECT 1", { as: "kr_k7f3a_user_1" })]],
    ["was sent as a dba, and the login may do less", () => [sent("SELECT 1")], { login: { name: "op", role: "user" } }],
    ["was sent as another account of the server", () => [sent("SELECT 1", { as: "alice" })]],
    [
      "was sent as an account whose role was changed",
      () => [sent("ALTER USER 'kr_k7f3a_dba_1' SET ROLE user", { as: "root" }), sent("SELECT 1")],
    ],
    [
      "reads what another account has written",
      () => [
        scratch(),
        sent(table),
        sent("INSERT INTO kr_k7f3a_1.t VALUES (1)", { as: "kr_k7f3a_dba_2" }),
        sent(select),
      ],
    ],
    ["names an account of the run", () => [sent("SELECT * FROM system.users WHERE user_id = 'kr_k7f3a_user_1'")]],
    ["changes accounts", () => [sent("CREATE USER 'kr_k7f3a_1_x' WITH PASSWORD 'x' ROLE user")]],
    ["acts for another user", () => [sent("EXECUTE AS 'alice' (SELECT 1)")]],
    ["creates a namespace of somebody else's name", () => [sent("CREATE NAMESPACE select")]],
    ["depends on the namespace of its session", () => [sent("USE kr_k7f3a_1")]],
    ["was a message on a socket", () => [sent("{}", { method: "SEND", path: "/v1/ws" })]],
    ["was sent with headers that are not shown", () => [sent("SELECT 1", { partial: true })]],
    ["contains a secret", () => [sent("SELECT 'hunter22'")]],
    ["needs a statement that contains one", () => [scratch(), sent(`${table} COMMENT 'hunter22'`), sent(select)]],
    [
      "needs a run of kalam",
      () => [scratch(), sent(`-c '${table}'`, { method: "kalam", path: "at server" }), sent(select)],
    ],
    [
      "needs a statement of unknown outcome",
      () => [scratch(), sent(table, { outcome: "timeout: none" }), sent(select)],
    ],
    [
      "ran at the same time as a change",
      () => [scratch(), sent(table), sent("INSERT INTO kr_k7f3a_1.t VALUES (1)", { tookMs: 40 }), sent(select)],
    ],
    [
      "needs what is no longer recorded",
      () => [sent(table), sent(select)],
      { recording: { all: [], forgotten: true } },
    ],
  ])("does not exist if it %s", ([, make, rest = {}]) => {
    const all = make();
    const recording = { all, forgotten: rest.recording?.forgotten ?? false };
    expect(lines(all, { ...rest, recording })).toBeUndefined();
  });

  test("exists for twelve statements, and if more is forgotten than it needs", () => {
    expect(statements([...needs(12), sent(select)])).toHaveLength(14);
    const all = [scratch(), sent(table), sent(select)];
    expect(lines(all, { recording: { all, forgotten: true } })).toBeDefined();
  });
});

describe("the login by hand", () => {
  const word = `a"b\\c'd $HOME \`x\` %s ü`;
  const run = promisify(execFile);

  test.for<[string, Partial<ByHandParts>, Record<string, string>]>([
    ["a password", { secret: { kind: "password", variable: "KALAM_READY_PASSWORD" } }, { KALAM_READY_PASSWORD: word }],
    ["a token", { secret: { kind: "token", variable: "KALAM_READY_TOKEN" } }, { KALAM_READY_TOKEN: "token.of-root" }],
  ])("with %s keeps every character of it", { timeout: 30_000 }, async ([kind, rest, env], { skip }) => {
    const hasCurl = await run("curl", ["--version"]).catch(() => undefined);
    skip(hasCurl === undefined, "curl is not installed");
    const seen: { url: string; token: string | undefined; body: unknown }[] = [];
    const server = await webServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => (body += text));
      request.on("end", () => {
        seen.push({ url: request.url ?? "", token: request.headers.authorization, body: JSON.parse(body) });
        response.end('{"user":{"id":"x"}, "access_token" : "token.of-root", "refresh_token":"other","expires":1}');
      });
    });
    try {
      const user = `o'neil "x" %d\\n`;
      const all = [sent("SELECT 'it''s'", { as: user })];
      const script = lines(all, { url: `${server.url}/`, login: { name: user, role: "dba" }, ...rest }) ?? [];
      const { stdout, stderr } = await run("sh", ["-c", script.join("\n")], {
        env: { PATH: process.env["PATH"] ?? "", ...env },
      });
      expect(stderr).toBe("");
      expect(stdout).toMatch(/^\{.*\}\n200\n$/);
      expect(seen).toEqual([
        ...(kind === "a token"
          ? []
          : [{ url: "/v1/api/auth/login", token: undefined, body: { user, password: word } }]),
        { url: "/v1/api/sql", token: "Bearer token.of-root", body: { sql: "SELECT 'it''s'" } },
      ]);
    } finally {
      server.close();
    }
  });

  test("reads the token from its file, by the field that older servers know for a user", () => {
    expect(lines([sent("SELECT 1")], { secret: { kind: "tokenFile", file: "/my token" } })?.[0]).toBe(
      "KR_TOKEN=$(cat '/my token')",
    );
    expect(lines([sent("SELECT 1")], { loginField: "username" })?.[0]).toContain('{"username":"%s","password":"%s"}');
  });
});
