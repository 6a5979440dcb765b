import path from "node:path";
import { describe, expect, test } from "vitest";
import type { Check, Touches } from "../check.ts";
import { runSettings, serverSettings, settings } from "../profile/settings.ts";
import { Redactor } from "../session/redaction.ts";
import { againCommand, cleanupCommand, isOpenToCurl, secretPlace, startedAs, type AgainParts } from "./again.ts";

const check = (touches: Touches = "scratch", needs: readonly string[] = []): Check =>
  ({ id: "a/b", observation: { touches, needs } }) as unknown as Check;
const byPassword: AgainParts["credentials"] = { kind: "password", user: "root", password: "hunter22" };
const byToken: AgainParts["credentials"] = { kind: "token", token: "token-of-root" };

const direct: AgainParts["profile"]["way"] = {
  caFile: undefined,
  clientCert: undefined,
  clientKey: undefined,
  insecure: false,
  headers: [],
  headersGiven: [],
  tlsFromProfile: false,
};

interface Given extends Partial<Omit<AgainParts, "profile" | "source">> {
  readonly profile?: Partial<AgainParts["profile"]>;
  readonly source?: Partial<AgainParts["source"]>;
  readonly secrets?: readonly string[];
}

function partsOf({ profile, source, secrets = [], ...rest }: Given): AgainParts {
  const redactor = new Redactor();
  for (const secret of ["hunter22", "token-of-root", ...secrets]) redactor.add(secret);
  return {
    flags: {},
    environment: {},
    profile: {
      url: "http://x",
      serverBin: undefined,
      olderServerBin: undefined,
      kalamBin: undefined,
      production: false,
      way: direct,
      ...profile,
    },
    source: { document: {}, variables: [], ...source },
    credentials: byPassword,
    seed: 7,
    program: ["kalam-ready"],
    redactor,
    ...rest,
  };
}

/** The words between `check --url http://x --user root` and the check. */
function said(given: Given, of = check()): string {
  const { command, needs } = againCommand(partsOf(given), of);
  return [command.replace(/^kalam-ready check /, "").replace(/ --seed 7 -v$/, ""), ...needs].join("; ");
}
const here = (file: string): string => path.resolve(file);

describe("a command that repeats a check", () => {
  test("is complete", () => {
    expect(againCommand(partsOf({}), check())).toEqual({
      command: "kalam-ready check --url http://x --user root --only a/b --seed 7 -v",
      needs: [],
    });
  });

  const plain = "--url http://x --user root --only a/b";
  const password = { KALAM_READY_PASSWORD: "hunter22" };
  const kalam = { profile: { kalamBin: process.execPath } };
  test.for<[string, Given, Check, string]>([
    ["the password's variable", { environment: password }, check(), `${plain}; KALAM_READY_PASSWORD set`],
    ["that of a piped password", { flags: { passwordStdin: true } }, check(), `${plain}; KALAM_READY_PASSWORD set`],
    ["no variable that was empty", { environment: { KALAM_READY_PASSWORD: "" } }, check(), plain],
    [
      "the token's variable, and no user",
      { credentials: byToken, environment: { KALAM_READY_TOKEN: "token-of-root", KALAM_READY_USER: "root" } },
      check(),
      "--url http://x --only a/b; KALAM_READY_TOKEN set",
    ],
    [
      "the file with the token",
      { credentials: byToken, flags: { tokenFile: "my token" }, environment: { KALAM_READY_TOKEN: "other" } },
      check(),
      `--url http://x --token-file '${here("my token")}' --only a/b`,
    ],
    [
      "the variables that the profile refers to",
      { source: { word: "/gate.yaml", variables: ["KALAM_URL"] } },
      check(),
      "--url http://x --profile /gate.yaml --user root --only a/b; KALAM_URL set",
    ],
    [
      "a profile from stdin",
      { source: { word: "-" } },
      check(),
      "--url http://x --profile - --user root --only a/b; the same profile on stdin",
    ],
    [
      "a table, where the profile would replace its report files",
      { source: { document: { reports: [{ format: "junit", path: "a.xml" }] } } },
      check(),
      "--url http://x --user root --only a/b --report table",
    ],
    ["what the check touches", { flags: { allow: ["load,process"] } }, check("process"), `${plain} --allow process`],
    ["nothing that is allowed anyway", { flags: { allow: ["load,process"] } }, check("scratch"), plain],
    ["nothing that the profile allows", { source: { document: { allow: ["load"] } } }, check("load"), plain],
    [
      "what production does not allow by itself",
      { profile: { production: true } },
      check(),
      `${plain} --allow scratch`,
    ],
    ["a promise to change nothing", { flags: { readOnly: true } }, check("nothing"), `${plain} --read-only`],
    [
      "settings from the environment, unless a flag has replaced them",
      { environment: { KALAM_READY_EFFORT: "deep", KALAM_READY_TIMEOUT: "9s" }, flags: { timeout: "5s" } },
      check(),
      "--url http://x --user root --timeout 5s --only a/b --effort deep",
    ],
    [
      "kalam for the checks that run it",
      kalam,
      check("scratch", ["kalam"]),
      `${plain} --kalam-bin ${process.execPath}`,
    ],
    ["no kalam for any other", kalam, check(), plain],
    [
      "a server that is started for the run",
      {
        profile: { url: undefined, serverBin: process.execPath },
        credentials: undefined,
        flags: { serverConfig: "c" },
      },
      check(),
      `--server-bin ${process.execPath} --server-config ${here("c")} --only a/b`,
    ],
    [
      "a reference as it was given, and the name of its variable",
      { flags: { budget: "${env:LIMIT}s", timeout: "${env:UNSET:-9}s" }, environment: { LIMIT: "90" } },
      check(),
      "--url http://x --user root --budget '${env:LIMIT}s' --timeout '${env:UNSET:-9}s' --only a/b; LIMIT set",
    ],
    [
      "the folder of the ledgers, in front",
      { environment: { KALAM_READY_STATE: "my state" } },
      check(),
      `KALAM_READY_STATE='${here("my state")}' kalam-ready check ${plain}`,
    ],
    [
      "the certificates that the server needs",
      { environment: { NODE_EXTRA_CA_CERTS: "/ca.pem" }, profile: { url: "https://x" } },
      check(),
      "NODE_EXTRA_CA_CERTS=/ca.pem kalam-ready check --url https://x --user root --only a/b",
    ],
    [
      "no selection of other checks",
      { flags: { only: ["a"], skip: ["c"], require: ["a/b"], json: true } },
      check(),
      plain,
    ],
  ])("has %s", ([, given, of, words]) => {
    expect(said(given, of)).toBe(words);
  });

  test("has no secret; what contains one is left to its variable", () => {
    const given: Given = {
      secrets: ["http://x", "root", "secret-folder"],
      environment: { KALAM_READY_STATE: "/secret-folder" },
      flags: { maxRps: "hunter22", tokenFile: "hunter22", allow: ["load"] },
    };
    expect(againCommand(partsOf(given), check("load"))).toEqual({
      command: "kalam-ready check --only a/b --allow load --seed 7 -v",
      needs: [
        "KALAM_READY_URL set",
        "KALAM_READY_USER set",
        "the same --token-file",
        "KALAM_READY_MAX_RPS set",
        "KALAM_READY_STATE set",
      ],
    });
  });

  test("has no word that a terminal does not show as it is", () => {
    const credentials = { kind: "password", user: "ro\u001b[2Jot", password: "hunter22" } as const;
    expect(said({ credentials })).toBe("--url http://x --only a/b; KALAM_READY_USER set");
  });

  test("has every flag that says which server, how it is reached and how much a check may take", () => {
    // Whoever adds a flag decides here whether it is one of those that a single check does not need.
    const without = [
      "passwordStdin",
      "serverBin",
      "olderServerBin",
      "kalamBin",
      "allow",
      "only",
      "skip",
      "require",
      "report",
      "json",
    ];
    const others = new Set<string>(["url", "profile", "user", ...without]);
    for (const name of [...serverSettings, ...runSettings].filter((one) => !others.has(one))) {
      const { flag, ...setting } = settings[name] as { readonly flag: string; readonly repeats?: true };
      const value = flag.includes("<") ? (setting.repeats === true ? ["/v"] : "/v") : true;
      const long = /--[\w-]+/.exec(flag)?.[0] ?? "?";
      expect(said({ flags: { [name]: value } })).toContain(value === true ? ` ${long}` : ` ${long} /v`);
    }
  });
});

test("a server whose certificate only Node trusts is not for curl", () => {
  const environment = { NODE_EXTRA_CA_CERTS: "/ca.pem" };
  expect(isOpenToCurl(partsOf({ environment }))).toBe(true);
  expect(isOpenToCurl(partsOf({ profile: { url: "https://x" } }))).toBe(true);
  expect(isOpenToCurl(partsOf({ environment, profile: { url: "https://x" } }))).toBe(false);
  expect(isOpenToCurl(partsOf({ profile: { url: "https://x", way: { ...direct, insecure: true } } }))).toBe(false);
  const headersGiven = [{ name: "X-Gate", value: "open" }];
  expect(isOpenToCurl(partsOf({ profile: { way: { ...direct, headersGiven } } }))).toBe(false);
});

describe("the way to the server is told", () => {
  test.for<[string, Given, string]>([
    ["certificates, by their absolute paths", { flags: { caFile: "ca.pem" } }, `--ca-file ${here("ca.pem")}`],
    ["a header by its reference", { flags: { header: ["X-Gate: ${env:GATE}"] }, environment: { GATE: "open" } }, "--header 'X-Gate: ${env:GATE}'"], // prettier-ignore
    ["a header's name, if its value is a secret", { flags: { header: ["X-Gate: hunter22"] } }, "the same --header"],
    ["the proxy", { environment: { HTTP_PROXY: "http://proxy:3128" } }, "HTTP_PROXY=http://proxy:3128 kalam-ready"],
    [
      "the proxy's variable, if it has a password",
      { environment: { http_proxy: "http://u:hunter22@proxy" } },
      "http_proxy set",
    ],
  ])("%s", ([, given, expected]) => {
    expect(said(given)).toContain(expected);
  });

  test("not a proxy that is not used", () => {
    expect(said({ environment: { HTTP_PROXY: "http://proxy:3128", NO_PROXY: "x" } })).not.toContain("PROXY");
  });
});

test("where the secret of the login is to be put", () => {
  expect(secretPlace(partsOf({}))).toEqual({ kind: "password", variable: "KALAM_READY_PASSWORD" });
  expect(secretPlace(partsOf({ credentials: byToken }))).toEqual({ kind: "token", variable: "KALAM_READY_TOKEN" });
  const file = { kind: "tokenFile", file: here("t") };
  expect(secretPlace(partsOf({ credentials: byToken, flags: { tokenFile: "t" } }))).toEqual(file);
  expect(secretPlace(partsOf({ credentials: undefined }))).toBeUndefined();
});

describe("kalam-ready is started again as it was", () => {
  test.for<[string, string, NodeJS.ProcessEnv, string]>([
    ["by node", "/repo/bin/kalam-ready.js", {}, "node /repo/bin/kalam-ready.js"],
    [
      "by node in a script of npm",
      "/repo/bin/kalam-ready.js",
      { npm_command: "test" },
      "node /repo/bin/kalam-ready.js",
    ],
    ["by its name", "/usr/bin/kalam-ready", { PATH: "/bin:/usr/bin" }, "kalam-ready"],
    [
      "by its name, in a script of npm",
      "/usr/bin/kalam-ready",
      { PATH: "/usr/bin", npm_command: "test" },
      "kalam-ready",
    ],
    ["by a path", "/opt/kalam-ready", { PATH: "/bin" }, "/opt/kalam-ready"],
    ["by npx", "/a/node_modules/.bin/kalam-ready", { npm_command: "exec" }, "npx kalam-ready"],
    ["by npx from its cache", "/h/.npm/_npx/1/node_modules/.bin/kalam-ready", { npm_execpath: "x" }, "npx kalam-ready"],
    ["by a script of npm", "/a/node_modules/.bin/kalam-ready", { npm_lifecycle_event: "gate" }, "npx kalam-ready"],
    [
      "by a wrapper of npx",
      "C:\\a\\node_modules\\kalam-ready\\bin\\kalam-ready.js",
      { npm_command: "exec" },
      "npx kalam-ready",
    ],
    ["by the path of a link", "/a/node_modules/.bin/kalam-ready", { PATH: "/bin" }, "/a/node_modules/.bin/kalam-ready"],
  ])("%s", ([, script, environment, words]) => {
    expect(startedAs(script, environment).join(" ")).toBe(words);
  });
});

test("a command that cleans up takes the same way to the server", () => {
  expect(cleanupCommand({ way: direct }, "http://x", "k7f3a")).toBe("kalam-ready cleanup --url http://x --run k7f3a");
  const named = (file: string) => ({
    file,
    setting: "--x",
    reject: (): never => {
      throw new Error("not read");
    },
  });
  const way = {
    ...direct,
    caFile: named("ca.pem"),
    clientCert: named("/c.pem"),
    clientKey: named("/k.pem"),
    insecure: true,
    headersGiven: [{ name: "X-Gate", value: "${env:GATE_KEY}" }],
  };
  expect(cleanupCommand({ way }, "https://x", "k7f3a")).toBe(
    `kalam-ready cleanup --url https://x --run k7f3a --ca-file ${here("ca.pem")} --client-cert /c.pem --client-key /k.pem --insecure --header 'X-Gate: \${env:GATE_KEY}'`,
  );
});
