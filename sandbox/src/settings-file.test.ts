import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { readSettings } from "./settings-file.ts";
import { defaultSettings, reported } from "./settings.ts";

const folder = mkdtempSync(path.join(tmpdir(), "kalam-settings-"));
afterAll(() => rmSync(folder, { recursive: true }));

const own = { KALAMDB_DATA_DIR: path.join(folder, "data"), KALAMDB_LOGS_DIR: path.join(folder, "logs") };
const sections = [
  "[server]",
  "[storage]",
  "[limits]",
  "[logging]",
  "[performance]",
  `[files]\nstaging_path = "${folder}/s"`,
];

function read(text: string, environment: NodeJS.ProcessEnv = own): ReturnType<typeof readSettings> {
  const file = path.join(folder, "server.toml");
  writeFileSync(file, text);
  return readSettings(file, environment);
}

/** A complete file with these lines in that section. */
const withLines = (section: string, ...lines: string[]): string =>
  sections.map((heading) => (heading === `[${section}]` ? [heading, ...lines].join("\n") : heading)).join("\n");

test("a file with the five sections is valid, and unknown keys are ignored", () => {
  const { settings, problems } = read(withLines("server", "port = 9000", "colour = 'red'"));
  expect(problems).toEqual([]);
  expect(settings["server.port"]).toBe(9000);
  expect(settings["limits.max_query_limit"]).toBe(defaultSettings["limits.max_query_limit"]);
});

test("the environment overrides the file", () => {
  const { settings } = read(withLines("server", "port = 9000"), {
    ...own,
    KALAMDB_SERVER_PORT: "9001",
    KALAMDB_JWT_SECRET: "s",
  });
  expect([settings["server.port"], settings["auth.jwt_secret"]]).toEqual([9001, "s"]);
});

test.for([
  ["server", ["port = 0"], "server.port"],
  ["server", ["port = 70000"], "server.port"],
  ["server", ['port = "8080"'], "server.port"],
  ["server", ["port = 80.5"], "server.port"],
  ["server", ['host = "0.0.0.0"'], "server.host"],
  ["logging", ['level = "loud"'], "logging.level"],
  ["limits", ["default_query_limit = 100", "max_query_limit = 10"], "limits.default_query_limit"],
  ["limits", ["max_query_limit = true"], "limits.max_query_limit"],
  ["limits", ["max_query_limit = -1"], "limits.max_query_limit"],
] as const)("[%s] %s is reported as %s and replaced by a valid value", ([section, lines, name]) => {
  const { settings, problems } = read(withLines(section, ...lines));
  expect(problems[0]).toMatch(name);
  expect(settings["limits.default_query_limit"]).toBeLessThanOrEqual(settings["limits.max_query_limit"]);
  expect(settings["server.host"]).toBe("127.0.0.1");
});

test("a missing file, broken TOML and a missing section are reported", () => {
  expect(readSettings(path.join(folder, "nope.toml"), own).problems[0]).toMatch("nope.toml");
  expect(read("[server\nport = 1").problems[0]).toMatch(/server\.toml.*TOML/);
  expect(read(sections.filter((heading) => heading !== "[limits]").join("\n")).problems[0]).toMatch("[limits]");
});

test("a data folder below a regular file is reported, and another one is used", () => {
  const file = path.join(folder, "plain");
  writeFileSync(file, "");
  const { settings, problems } = read(sections.join("\n"), { ...own, KALAMDB_DATA_DIR: path.join(file, "data") });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch("storage.data_path");
  expect(settings["storage.data_path"]).not.toContain(folder);
});

test("the JWT secret is not among the shown settings", () => {
  const shown = reported({ ...defaultSettings, "auth.jwt_secret": "hush" });
  expect(shown).toHaveLength(60);
  expect(JSON.stringify(shown)).not.toMatch("hush");
});
