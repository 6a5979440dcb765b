/** What a red row tells to do next, done: the command under "again" and the requests by hand, in a new shell. */
import { execFile, spawn } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { OwnServer } from "../src/control/process.ts";
import { packageFolder } from "../src/package.ts";
import { proxyTo, type Proxy } from "./proxy.ts";
import { leftOn, sandboxBinary, startSandbox } from "./sandbox.ts";

/** Runs of the command line, on a machine that may be busy. */
vi.setConfig({ testTimeout: 120_000 });

const script = path.join(packageFolder, "bin", "kalam-ready.js");
const badName = "configuration/bad-namespace-refused";
const injection = "validation/injection-stays-data";

let server: OwnServer;
let proxy: Proxy;
let folder: string;
/** Empty, so that nothing in it can help. */
let elsewhere: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "kalam ready again-"));
  elsewhere = path.join(folder, "elsewhere");
  mkdirSync(elsewhere);
  server = await startSandbox();
  const asked = new WeakMap<object, string>();
  // A server that ignores the end of a statement, and loses the last row where a filter has a parameter.
  proxy = await proxyTo(server.url, {
    ask(request, body) {
      asked.set(request, body);
      return body.replace(/(CREATE NAMESPACE kr_\w+) ns/, "$1");
    },
    rewrite: (request, body) =>
      /"sql":"SELECT id FROM kr_\w+\.t WHERE v = \$1/.test(asked.get(request) ?? "") ? withoutLastRow(body) : body,
  });
});
afterAll(async () => {
  await proxy.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

function withoutLastRow(body: string): string {
  const answer = JSON.parse(body) as { results: { rows?: unknown[]; row_count?: number }[] };
  for (const result of answer.results) {
    result.rows?.pop();
    result.row_count = result.rows?.length ?? 0;
  }
  return JSON.stringify(answer);
}

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A shell that knows nothing but these variables. */
async function shell(text: string, env: Readonly<Record<string, string>> = {}, cwd = elsewhere): Promise<Ran> {
  return await new Promise((resolve, reject) => {
    const child = spawn("sh", ["-c", text], {
      cwd,
      env: { PATH: `${path.dirname(process.execPath)}:/usr/bin:/bin`, HOME: folder, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (more: string) => (output.stdout += more));
    child.stderr.setEncoding("utf8").on("data", (more: string) => (output.stderr += more));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, ...output }));
  });
}

/** The command under a finding, and the variables that it says are needed. */
function againOf({ stdout }: Ran): { readonly command: string; readonly needs: readonly string[] } {
  const [, command = "exit 99", needs = ""] = /^ {6}again {3}(.*)$(?:\n {14}with (.*)$)?/m.exec(stdout) ?? [];
  return { command, needs: [...needs.matchAll(/(\w+) set/g)].map(([, name = ""]) => name) };
}

/** The names of the findings, the seed and the server. */
function shown({ code, stdout }: Ran): unknown {
  const findings = [...stdout.matchAll(/^ {6}(\w+)(?: \[[^\]]+\])? {2}\S/gm)].map(([, name]) => name);
  const names = findings.filter((name) => !["sent", "risk", "remedy", "again"].includes(name ?? ""));
  return {
    code,
    names,
    start: /^kalam-ready \S+ {2}(\S+) {2}(\S+)/.exec(stdout)?.slice(1),
    seed: /seed \d+/.exec(stdout)?.[0],
  };
}

const onServer = (): Record<string, string> => ({
  KALAM_READY_URL: proxy.url,
  KALAM_READY_USER: "root",
  KALAM_READY_PASSWORD: server.rootPassword,
});
function secretsFor(needs: readonly string[], known: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(needs.map((name) => [name, known[name] ?? `no ${name}`]));
}

describe("the command under a finding finds it again", () => {
  test("with everything from the environment", async () => {
    const env = {
      ...onServer(),
      KALAM_READY_EFFORT: "light",
      KALAM_READY_STATE: path.join(folder, "its state"),
    };
    const red = await shell(`node ${script} check --only ${badName} --only configuration/answers-sql`, env);
    const { command, needs } = againOf(red);
    expect(needs).toEqual(["KALAM_READY_PASSWORD"]);
    expect(command).not.toContain(server.rootPassword);
    const again = await shell(command, secretsFor(needs, env));
    expect(shown(red)).toMatchObject({ code: 1, names: ["trailingTextIgnored"], start: ["standard", proxy.url] });
    expect(shown(again)).toEqual(shown(red));
    expect(command).toContain(" --effort light ");
    expect(readdirSync(path.join(folder, "its state"))).toEqual([]);
  });

  test("with a profile that was found in the working folder, its references and its reports", async () => {
    const cwd = path.join(folder, "it's here");
    mkdirSync(cwd);
    writeFileSync(
      path.join(cwd, "kalam-ready.yaml"),
      `version: 1
server: \${env:MY_URL}
login: { user: root, password: "\${env:MY_PASSWORD}" }
checks: { ${badName}: { level: warn } }
reports: [{ format: junit, path: ready.xml }]
`,
    );
    const mine = { MY_URL: proxy.url, MY_PASSWORD: server.rootPassword };
    const bin = path.join(folder, "on path");
    mkdirSync(bin);
    symlinkSync(script, path.join(bin, "kalam-ready"));
    const PATH = `${bin}:${path.dirname(process.execPath)}:/usr/bin:/bin`;
    const red = await shell(`kalam-ready check --only ${badName}`, { PATH, ...mine }, cwd);
    const junit = readFileSync(path.join(cwd, "ready.xml"), "utf8");
    const { command, needs } = againOf(red);
    expect(command).toMatch(/^kalam-ready check /);
    expect(needs).toEqual(["MY_URL", "MY_PASSWORD"]);
    const again = await shell(command, { PATH, ...secretsFor(needs, mine) });
    expect(red.stdout).toMatch(/trailingTextIgnored.*\(warn\)/);
    expect(again.stdout).toMatch(/trailingTextIgnored.*\(warn\)/);
    // A warning alone is no verdict.
    expect([red.code, again.code]).toEqual([2, 2]);
    expect(readdirSync(elsewhere)).toEqual([]);
    expect(readFileSync(path.join(cwd, "ready.xml"), "utf8")).toBe(junit);
  });

  test("as npx started it, with a token", async () => {
    const modules = path.join(folder, "node_modules", ".bin");
    mkdirSync(modules, { recursive: true });
    symlinkSync(script, path.join(modules, "kalam-ready"));
    const npx = path.join(folder, "npx");
    mkdirSync(npx);
    // As npm does it: by a link that only it knows, and with variables of its own.
    writeFileSync(path.join(npx, "npx"), `#!/bin/sh\nexport npm_command=exec\nexec '${modules}'/"$@"\n`);
    chmodSync(path.join(npx, "npx"), 0o755);
    const login = await fetch(`${server.url}/v1/api/auth/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ user: "root", password: server.rootPassword }),
    });
    const { access_token: token } = (await login.json()) as { access_token: string };
    const PATH = `${npx}:${path.dirname(process.execPath)}:/usr/bin:/bin`;
    const env = { PATH, KALAM_READY_TOKEN: token, KALAM_READY_USER: "nobody" };
    const red = await shell(`npx kalam-ready check --url ${proxy.url} --only ${badName}`, env);
    const { command, needs } = againOf(red);
    expect(command).toMatch(/^npx kalam-ready check /);
    expect(needs).toEqual(["KALAM_READY_TOKEN"]);
    const again = await shell(command, { PATH, ...secretsFor(needs, env) });
    expect(shown(red)).toMatchObject({ code: 1, names: ["trailingTextIgnored"] });
    expect(shown(again)).toEqual(shown(red));
  });

  test("on a server that is started for the run, with its settings", async () => {
    const settings =
      "[server]\n[storage]\n[limits]\n[logging]\n[performance]\n[rate_limit]\nmax_queries_per_sec = 1000000\n";
    writeFileSync(path.join(folder, "my server.toml"), settings);
    symlinkSync(sandboxBinary, path.join(folder, "my server"));
    const words = "check --server-config 'my server.toml' --only configuration/settings-fit-production --allow process";
    const red = await shell(`node ${script} ${words}`, { KALAMDB_SERVER_BIN: "./my server" }, folder);
    const { command, needs } = againOf(red);
    expect([red.code, needs]).toEqual([1, []]);
    const again = await shell(command);
    expect(shown(red)).toMatchObject({ names: ["unsafeSetting", "weakSetting"] });
    // Each server has a port of its own.
    expect({ ...(shown(again) as object), start: "" }).toEqual({ ...(shown(red) as object), start: "" });
  });
});

describe("the requests by hand are answered again as they were", () => {
  /** The scripts on stderr, each with the check and the finding that it shows. */
  function scriptsOf(stderr: string): { readonly of: string; readonly lines: readonly string[] }[] {
    return [
      ...stderr.matchAll(/^(\S+ \w+).*: the request by hand, with KALAM_READY_PASSWORD set:\n((?: {2}.*\n)+)/gm),
    ].map(([, of = "", lines = ""]) => ({ of, lines: lines.trimEnd().split("\n") }));
  }

  test("after what they need, and leave nothing behind", async ({ skip }) => {
    const hasCurl = await promisify(execFile)("curl", ["--version"]).catch(() => undefined);
    skip(hasCurl === undefined, "curl is not installed");
    const report = path.join(folder, "by-hand.json");
    const env = { ...onServer(), KALAM_READY_STATE: path.join(folder, "state") };
    const words = `check --only ${badName} --only ${injection} --effort light -v --report json='${report}'`;
    const red = await shell(`node ${script} ${words}`, env);
    expect(red.code).toBe(1);
    expect(red.stderr).not.toContain(server.rootPassword);
    const scripts = scriptsOf(red.stderr);
    expect(new Set(scripts.map(({ of }) => of))).toEqual(
      new Set([`${badName} trailingTextIgnored`, `${injection} changed`]),
    );

    const { KALAM_READY_PASSWORD } = onServer();
    for (const { of, lines } of scripts) {
      const { code, stdout, stderr } = await shell(lines.join("\n"), {
        KALAM_READY_PASSWORD: KALAM_READY_PASSWORD ?? "",
      });
      expect([code, stderr, stdout]).toEqual([0, "", expect.stringMatching(/^(\{.*\}\n200\n)+$/) as string]);
      const answers = stdout.split(/\n200\n/).slice(0, -1);
      // The login is no answer that is shown; the last one is the removal.
      expect(answers).toHaveLength(lines.length - 2);
      if (of === `${injection} changed`) {
        expect(answers.length).toBeGreaterThan(4);
        expect(JSON.parse(answers.at(-2) ?? "")).toMatchObject({ status: "success", results: [{ row_count: 1 }] });
      } else expect(answers).toHaveLength(2);
    }
    expect(await leftOn(server, path.join(folder, "state"))).toEqual([]);

    const wrong = await shell(scripts[0]?.lines.join("\n") ?? "", { KALAM_READY_PASSWORD: "wrong" });
    expect(wrong.stdout).toMatch(/\n401\n/);
    const missing = await shell(scripts[0]?.lines.join("\n") ?? "");
    expect(missing.stderr).toContain("KALAM_READY_PASSWORD");
  });
});
