/** A server behind a reverse proxy, as production servers are: it sees a remote client. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { OwnServer } from "../src/control/process.ts";
import type { Report, Result } from "../src/report.ts";
import { refusedToAll } from "../src/server/entrance.ts";
import { cli, type CliResult } from "./cli.ts";
import { proxyTo, type ProxyOptions } from "./proxy.ts";
import { startSandbox } from "./sandbox.ts";

/** Runs of the command line, on a machine that may be busy. */
vi.setConfig({ testTimeout: 90_000 });

let server: OwnServer;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-proxied-"));
  server = await startSandbox();
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Checked extends CliResult {
  /** The state folder of this run only: runs go side by side. */
  readonly state: string;
}

async function check(words: readonly string[], proxying: ProxyOptions = {}, env = {}): Promise<Checked> {
  const proxy = await proxyTo(server.url, proxying);
  const state = mkdtempSync(path.join(folder, "state-"));
  try {
    const result = await cli(["check", "--url", proxy.url, ...words], {
      env: {
        KALAM_READY_USER: "root",
        KALAM_READY_PASSWORD: server.rootPassword,
        KALAM_READY_STATE: state,
        ...env,
      },
    });
    return { ...result, state };
  } finally {
    await proxy.close();
  }
}
const only = (...ids: readonly string[]): string[] => ids.flatMap((id) => ["--only", id]);
const few = only(
  "configuration/answers-sql",
  "configuration/namespaces-kept-apart",
  "observability/health-tells-truth",
  "observability/version-told",
  "subscriptions/no-change-twice",
);

describe.concurrent("a server that sees us as a remote client", () => {
  test("could ban us: what goes above its rate limits is skipped, and says so", async () => {
    const rates = only("backpressure/rate-limit-says-so", "configuration/answers-sql");
    const { stdout } = await check([...rates, "--allow", "load", "--json"]);
    const { results } = JSON.parse(stdout) as { results: { check: string; kind: string; sentence?: string }[] };
    expect(results.map(({ check: id, kind }) => `${id} ${kind}`)).toEqual(
      expect.arrayContaining(["backpressure/rate-limit-says-so skip", "configuration/answers-sql pass"]),
    );
    expect(JSON.stringify(results)).toContain("could ban this address");
  });

  test("by its URL is known before anything is sent", async () => {
    const words = ["--url", "https://db.example.com", "--allow", "load", "--only", "backpressure/rate-limit-says-so"];
    const { stdout } = await cli(["plan", ...words], {
      env: { KALAM_READY_USER: "root", KALAM_READY_PASSWORD: "unused" },
    });
    expect(stdout).toMatch(/^skip +backpressure\/rate-limit-says-so .*could ban this address/m);
  });

  test("and has closed setup and health to us is checked like any other", async () => {
    const seen: string[] = [];
    const { code, stdout, stderr, state } = await check(few, {
      instead(request) {
        seen.push(`${request.method} ${request.url}`);
        return undefined;
      },
    });
    expect(stderr).not.toMatch(/^kalam-ready:/m);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\nREADY {3}5 passed/) as string]);
    expect(seen.filter((one) => one === "POST /v1/api/auth/login").length).toBeGreaterThan(0);
    expect(readdirSync(state)).toEqual([]);
  });
});

describe("live queries through a proxy", () => {
  const live = [
    "cursor-exact",
    "every-change-arrives",
    "live-queries-work",
    "own-events-only",
    "snapshot-then-changes",
  ];
  const chosen = only(...live.map((name) => `subscriptions/${name}`), "observability/subscriptions-listed");

  test("that listens on another port are as ready as any other, and what the server tells is a warning", async () => {
    const { code, stdout } = await check([
      ...chosen,
      ...only("subscriptions/told-address-matches"),
      "--effort",
      "light",
    ]);
    expect(stdout).toMatch(/told port \d+ \(ws:.*\); the server was reached at port \d+/s);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\nREADY, WITH WARNINGS .*6 passed/) as string]);
  });

  test("that cuts every connection at an age are a warning with that age, where nothing is lost", async () => {
    const chosenToo = only("configuration/answers-sql", "subscriptions/old-connections-deliver");
    const { code, stdout } = await check([...chosenToo, "--effort", "light"], { cutAfterMs: 3_000 });
    expect(stdout).toMatch(/cutAtAge {2}3 of 3 connections were cut at the same age, 3 s: 1006 \(warn\)/);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\nREADY, WITH WARNINGS /) as string]);
  });

  test("that forwards no upgrades are one finding, to which the other checks refer", async () => {
    const { code, stdout } = await check([...chosen, "--effort", "light", "--parallel", "1", "--json"], {
      insteadOfUpgrade: () => ({ status: 403 }),
    });
    const { results } = JSON.parse(stdout) as {
      results: { check: string; kind: string; sentence?: string; findings: { name: string }[] }[];
    };
    const red = results.flatMap(({ check: id, findings }) => findings.map(({ name }) => `${id} ${name}`));
    expect([code, red]).toEqual([1, ["subscriptions/live-queries-work refused"]]);
    const others = results.filter(
      ({ check: id }) => id !== "subscriptions/live-queries-work" && !id.startsWith("run/"),
    );
    expect(others.map(({ kind }) => kind)).toEqual(others.map(() => "unknown"));
    const referred = others.filter(({ sentence }) => sentence === refusedToAll);
    // The first ones were refused themselves.
    expect(referred.length).toBeGreaterThanOrEqual(others.length - 3);
  });
});

/** Exchanges the server's tokens for ones that live this long, and keeps their use as a server would. */
function shortLived(seconds: number, { says = seconds } = {}): ProxyOptions & { readonly refusals: string[] } {
  const real = new Map<string, { readonly token: string; readonly until: number }>();
  const refusals: string[] = [];
  let made = 0;
  return {
    refusals,
    instead(request) {
      const known = real.get(request.headers.authorization?.slice("Bearer ".length) ?? "");
      if (known === undefined) return undefined;
      request.headers.authorization = `Bearer ${known.token}`;
      if (Date.now() < known.until) return undefined;
      refusals.push(request.url ?? "");
      const error = { code: "TOKEN_EXPIRED", message: "The token has expired" };
      return { status: 401, body: JSON.stringify({ status: "error", results: [], took: 0, error }) };
    },
    rewrite(request, body) {
      if (request.url !== "/v1/api/auth/login") return body;
      const answer = JSON.parse(body) as { access_token: string };
      made += 1;
      const [, claims = ""] = answer.access_token.split(".");
      const iat = Math.floor(Date.now() / 1000);
      const changed = { ...(JSON.parse(Buffer.from(claims, "base64url").toString()) as object), made };
      const shown = Buffer.from(JSON.stringify({ ...changed, iat, exp: iat + says })).toString("base64url");
      const token = `eyJhbGciOiJIUzI1NiJ9.${shown}.c2lnbmF0dXJl`;
      real.set(token, { token: answer.access_token, until: Date.now() + seconds * 1000 });
      return JSON.stringify({ ...answer, access_token: token });
    },
  };
}
const overHttp = only(
  "configuration/answers-sql",
  "configuration/namespaces-kept-apart",
  "configuration/drop-if-exists-idempotent",
  "validation/not-null-holds",
);

describe.concurrent("a token that ends during the run", () => {
  test("is renewed in time where it says when it ends", async () => {
    const proxying = shortLived(2);
    const { code, stdout } = await check([...overHttp, "--max-rps", "25"], proxying);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\nREADY {3}4 passed/) as string]);
    expect(proxying.refusals).toEqual([]);
  });

  test("is renewed after the first 401 where it ends early", async () => {
    const proxying = shortLived(2, { says: 86_400 });
    const { code, stdout, state } = await check([...overHttp, "--max-rps", "25"], proxying);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\nREADY {3}4 passed/) as string]);
    expect(proxying.refusals.length).toBeGreaterThan(0);
    expect(readdirSync(state)).toEqual([]);
  });

  test("and was all we had leaves unknown what came after it, as announced", async () => {
    const proxying = shortLived(8);
    const proxy = await proxyTo(server.url, proxying);
    const login = await fetch(`${proxy.url}/v1/api/auth/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ user: "root", password: server.rootPassword }),
    });
    const { access_token: token } = (await login.json()) as { access_token: string };
    await proxy.close();
    const { code, stdout, stderr, state } = await check([...overHttp, "--max-rps", "5"], proxying, {
      KALAM_READY_PASSWORD: "",
      KALAM_READY_USER: "",
      KALAM_READY_TOKEN: token,
    });
    expect(stderr).toMatch(
      /^kalam-ready: the token expires in \d s, and the budget is 10 min: checks that are not done/m,
    );
    expect(stdout).toContain("the run's own token has expired");
    expect(stdout).not.toContain("✖");
    expect(code).toBe(2);
    // What could not be removed stays in the ledger.
    expect(readdirSync(state)).toHaveLength(1);
    const env = { KALAM_READY_STATE: state, KALAM_READY_PASSWORD: server.rootPassword };
    // Of this run only: others are under way on the same server.
    const run = / run (\S+) /.exec(stdout)?.[1] ?? "";
    const cleaned = await cli(["cleanup", "--url", server.url, "--user", "root", "--run", run], { env });
    expect([cleaned.code, cleaned.stdout]).toEqual([0, expect.stringMatching(/none of them is listed/) as string]);
  });
});

describe.concurrent("a server, or a proxy, that calls us too fast", () => {
  const slower = { status: 429, body: "<h1>Too Many Requests</h1>" };

  test("now and then is waited for, and is as ready as any other", async () => {
    let asked = 0;
    const { code, stdout } = await check(few.slice(0, 4), {
      instead() {
        asked += 1;
        return asked % 10 === 0 ? slower : undefined;
      },
    });
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\nREADY {3}2 passed/) as string]);
  });

  test("from some request on leaves everything after it unknown, within the budget and whatever it asks for", async () => {
    let asked = 0;
    const beganAt = performance.now();
    const { code, stdout } = await check([...overHttp, "--budget", "4s"], {
      instead() {
        asked += 1;
        return asked > 30 ? { ...slower, headers: { "retry-after": "86400" } } : undefined;
      },
    });
    expect(stdout).not.toContain("✖");
    expect(code).toBe(2);
    expect(performance.now() - beganAt).toBeLessThan(60_000);
  });
});

describe("a server that miscounts the rows of one answer", () => {
  /** Adds one to the row_count of the answers with rows for which this holds; they are counted from 1. */
  function miscounting(isMeant: (number: number) => boolean): ProxyOptions & { readonly miscounted: string[] } {
    const miscounted: string[] = [];
    let seen = 0;
    return {
      miscounted,
      rewrite(request, body) {
        if (request.url !== "/v1/api/sql" || !/"rows":\[\[/.test(body)) return body;
        seen += 1;
        if (!isMeant(seen)) return body;
        const wrong = body.replace(/"row_count":(\d+)/, (_, count) => `"row_count":${Number(count) + 1}`);
        if (wrong !== body) miscounted.push(wrong);
        return wrong;
      },
    };
  }
  const ids = ["configuration/answers-sql", "configuration/namespaces-kept-apart", "validation/not-null-holds"];
  const isCheck = ({ check: id }: Result): boolean => ids.includes(id);

  test.each([1, 3, 9, 14])("is not ready, whatever the checks say: answer %d", async (number) => {
    const proxying = miscounting((one) => one === number);
    const { code, stdout } = await check([...only(...ids), "--json"], proxying);
    expect(proxying.miscounted).toHaveLength(1);
    const report = JSON.parse(stdout) as Report;
    const row = report.results.find(({ check: id }) => id === "run/answers-consistent");
    expect(row).toMatchObject({ kind: "fail", effect: "blocks", findings: [{ data: { count: 1 } }] });
    expect(row?.findings[0]?.sent[0]?.outcome).toContain("row_count is");
    expect([code, report.exit, report.verdict]).toEqual([1, 1, "NOT READY"]);
    expect(report.reasons).toContain("run/answers-consistent failed");
    // None of the checks is red for it by itself.
    expect(report.results.filter((one) => isCheck(one) && one.kind === "fail")).toEqual([]);
  });

  test("is told so in every format, with a few of the requests", async () => {
    const file = path.join(folder, "miscounted.xml");
    const { code, stdout } = await check(
      [...only(...ids), "--report", `junit=${file}`],
      miscounting((number) => number > 3),
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /\n {6}contradictory {2}\d+ answers contradict themselves, in .*: result 1: row_count is \d+, but there are \d+ rows\n {6}sent {4}POST/,
    );
    expect(readFileSync(file, "utf8")).toMatch(
      /<testcase classname="run" name="run\/answers-consistent"[^>]*>\s*<failure message="\d+ answers contradict themselves/,
    );
  });
});

test("a server that makes every cell long fills neither the memory nor the report", async () => {
  const [peak, file] = [path.join(folder, "peak"), path.join(folder, "long.json")];
  const noting = `import { writeFileSync } from "node:fs";
    process.on("exit", () => writeFileSync(${JSON.stringify(peak)}, String(process.resourceUsage().maxRSS)));`;
  const long = "x".repeat(100_000);
  const checks = only(
    "validation/types-round-trip",
    "validation/own-rows-only",
    "validation/system-tables-locked",
    "validation/duplicate-columns-refused",
    "observability/tables-listed",
    "observability/schema-history-kept",
  );
  const { stdout } = await check(
    [...checks, "--effort", "light", "--report", "table", "--report", `json=${file}`],
    {
      rewrite(request, body) {
        if (request.url !== "/v1/api/sql") return body;
        // One text of each row; names stay as they are.
        return body.replace(/(?<=\[)("(?!kr_)[A-Za-z][^"\\]*)"(?=[,\]])/g, (_, text: string) => `${text}${long}"`);
      },
    },
    { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(noting)}` },
  );
  expect(stdout).toContain("nothing left behind");
  expect(Number(readFileSync(peak, "utf8"))).toBeLessThan(300_000);
  expect(statSync(file).size).toBeLessThan(20_000_000);
  expect(readFileSync(file, "utf8")).toMatch(/… \(\d{6} characters\)|… and \d+ more/);
});
