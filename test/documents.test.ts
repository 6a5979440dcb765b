/** Documents on stdout keep their structure, whatever the secrets are: a server chooses the tokens it gives out. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test, vi } from "vitest";
import { cli, webServer } from "./cli.ts";
import { proxyTo } from "./proxy.ts";
import { startSandbox } from "./sandbox.ts";

vi.setConfig({ testTimeout: 90_000 });

/** Parts of documents, and words that a program looks for in them. */
const secrets = [
  '"check"',
  '"kind": "',
  "impossible",
  "proven",
  "missed",
  '": "',
  "configuration/",
  "run",
  "},",
  "exit",
];

async function printed(words: readonly string[], secret: string): Promise<string> {
  const { code, stdout } = await cli(words, { env: { KALAM_READY_USER: "tester", KALAM_READY_PASSWORD: secret } });
  expect(code).toBe(0);
  return stdout;
}

describe("a secret that is a part of the document does not change it", () => {
  test.each([
    [["list", "configuration", "--json"]],
    [["list", "configuration"]],
    [["plan", "--url", "http://127.0.0.1:1", "--only", "configuration", "--json"]],
    [["plan", "--url", "http://127.0.0.1:1", "--only", "configuration"]],
    [["explain", "configuration/answers-sql"]],
    [["profile", "schema"]],
    [["profile", "init", "-"]],
  ])("%j", async (words) => {
    const plain = await printed(words, "");
    const hidden = secrets.filter((secret) => plain.includes(secret));
    expect(hidden.length).toBeGreaterThan(0);
    for (const secret of hidden.slice(0, 3)) expect(await printed(words, secret)).toBe(plain);
  });

  test("nor the proofs, whose kind is the exit", async () => {
    const words = ["prove", "configuration/answers-sql"];
    const env = { KALAM_READY_PASSWORD: "proven" };
    // On a busy machine, a fault may not be provable.
    const kinds = /^(proven|onPaperOnly|impossible)$/;
    const proofs = JSON.parse((await cli([...words, "--json"], { env })).stdout) as unknown[];
    expect(proofs.length).toBeGreaterThan(0);
    for (const proof of proofs) expect(proof).toMatchObject({ kind: expect.stringMatching(kinds) as string });
    const { stdout } = await cli(words, { env });
    expect(stdout).toMatch(/^(✔ proven {3}|✔ on paper |\? not here )/);
    expect(stdout).toMatch(/\n\d+ proven, 0 missed, /);
  });
});

test("a secret within a value is masked in every document", async () => {
  const password = "hunter22-hunter22";
  const env = { KALAM_READY_PASSWORD: password };
  const words = ["--url", `http://${password}.example`, "--user", password];
  for (const command of [["plan"], ["plan", "--json"], ["profile", "show"], ["profile", "show", "--json"]]) {
    const { stdout } = await cli([...command, ...words], { env });
    expect([command, stdout]).toEqual([command, expect.stringContaining("•••") as string]);
    expect(stdout).not.toContain(password);
    if (command.includes("--json")) JSON.parse(stdout);
  }
});

test("a document that says why there is no verdict has its values masked, and nothing else", async () => {
  const server = await webServer((_, response) => response.writeHead(302, { location: "/hunter22-hunter22" }).end());
  const env = { KALAM_READY_PASSWORD: "hunter22-hunter22", KALAM_READY_USER: "root" };
  const { stdout } = await cli(["check", "--url", server.url, "--json", "--only", "hunter22-hunter22"], { env });
  server.close();
  expect(stdout).not.toContain("hunter22");
  expect(JSON.parse(stdout)).toMatchObject({
    verdict: "USAGE",
    exit: 64,
    error: { message: expect.stringContaining("•••") as string },
  });
});

test("a secret is masked wherever a text of the server was truncated within it", async () => {
  const server = await startSandbox();
  const password = server.rootPassword;
  let told = 0;
  const proxy = await proxyTo(server.url, {
    rewrite(_, body) {
      const message = /"message":"/.exec(body);
      if (message === null || !body.includes('"error"')) return body;
      told += 1;
      const at = message.index + message[0].length;
      // Limits of texts in evidence and sentences are round numbers, of the message or of the whole body.
      const visible = 6 + (Math.floor(told / 2) % 8) + (told % 2 === 0 ? 0 : at);
      const words = [80, 120, 160, 200, 300, 400].reduce(
        (all, limit) => all.padEnd(limit - visible, "x") + password,
        "",
      );
      return `${body.slice(0, at)}${words} ${body.slice(at)}`;
    },
  });
  const file = path.join(mkdtempSync(path.join(tmpdir(), "kalam-ready-documents-")), "report.json");
  const checks = ["malformed-requests-refused", "hostile-names-harmless", "types-round-trip", "syntax-errors-clear"];
  const more = ["user-administration-guarded", "not-null-holds", "wrong-types-refused", "errors-tell-no-secrets"];
  const only = [...checks, ...more].flatMap((name) => ["--only", `validation/${name}`]);
  try {
    const { stdout, stderr } = await cli(
      [
        "check",
        "--url",
        proxy.url,
        "--user",
        "root",
        ...only,
        "--effort",
        "light",
        "--debug",
        "--report",
        "table",
        "--report",
        `json=${file}`,
      ],
      { env: { KALAM_READY_PASSWORD: password } },
    );
    expect(told).toBeGreaterThan(100);
    const json = readFileSync(file, "utf8");
    expect(json).toContain("xxx•••");
    for (const text of [json, stdout, stderr]) {
      const line = text.split("\n").find((one) => one.includes(password.slice(0, 6)));
      expect(line).toBeUndefined();
    }
  } finally {
    await proxy.close();
    await server.stop();
    rmSync(path.dirname(file), { recursive: true });
  }
});
