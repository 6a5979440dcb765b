import { mkdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parse } from "smol-toml";
import { defaultSettings, dialectSetting, type SettingName, type Settings } from "./settings.ts";

/** The settings and what is wrong with them; each bad one is replaced by a value that works. */
interface Read {
  readonly settings: Settings;
  readonly problems: readonly string[];
}

const environmentSettings: Readonly<Record<string, SettingName>> = {
  KALAMDB_SERVER_HOST: "server.host",
  KALAMDB_SERVER_PORT: "server.port",
  KALAMDB_DATA_DIR: "storage.data_path",
  KALAMDB_LOGS_DIR: "logging.logs_path",
  KALAMDB_JWT_SECRET: "auth.jwt_secret",
};

/** The sandbox's own name of each setting by the dialect's; the own names are read in every dialect. */
const internal = new Map(Object.keys(defaultSettings).map((name) => [dialectSetting(name), name]));

const requiredSections = ["server", "storage", "limits", "logging", "performance"];

const logLevels = ["error", "warn", "info", "debug", "trace"];

export function readSettings(file: string | undefined, environment: NodeJS.ProcessEnv): Read {
  const settings: Record<string, string | number | boolean> = { ...defaultSettings };
  const problems: string[] = [];
  const set = (name: string, value: unknown): void => {
    if (!(name in defaultSettings)) return;
    const fallback = defaultSettings[name as SettingName];
    const text = Array.isArray(value) ? value.join(",") : value;
    if (typeof text !== typeof fallback || (typeof text === "number" && !(Number.isSafeInteger(text) && text >= 0))) {
      problems.push(`${name}: expected ${describe(fallback)}, found ${JSON.stringify(value)}`);
    } else settings[name] = text as string | number | boolean;
  };
  if (file !== undefined) {
    const content = readFile(file, problems);
    if (problems.length === 0) {
      const missing = requiredSections.filter((section) => typeof content[section] !== "object");
      problems.push(...missing.map((section) => `${file}: section [${section}] is missing`));
    }
    for (const [name, value] of flatten(content, "")) set(internal.get(name) ?? name, value);
  }
  for (const [variable, name] of Object.entries(environmentSettings)) {
    const value = environment[variable];
    if (value !== undefined)
      set(name, typeof defaultSettings[name] === "number" && /^\d+$/.test(value) ? Number(value) : value);
  }
  check(settings as unknown as Settings, (name, problem, instead) => {
    problems.push(`${name}: ${problem}`);
    settings[name] = instead;
  });
  // A server that will not start creates no folders; one started anyway by a fault uses temporary ones.
  const isGood = problems.length === 0;
  for (const name of ["storage.data_path", "logging.logs_path", "files.staging_path"] as const) {
    const problem = isGood ? problemWithFolder(String(settings[name])) : undefined;
    if (problem !== undefined) problems.push(`${name}: ${problem}`);
    const isUsed = isGood && problem === undefined;
    settings[name] = isUsed
      ? path.resolve(String(settings[name]))
      : path.join(tmpdir(), `kalam-sandbox-${process.pid}`, name);
  }
  return { settings: settings as unknown as Settings, problems };
}

function readFile(file: string, problems: string[]): Readonly<Record<string, unknown>> {
  try {
    return parse(readFileSync(file, "utf8"));
  } catch (error) {
    problems.push(`settings file ${file}: ${error instanceof Error ? error.message : String(error)}`);
    return {};
  }
}

function flatten(table: Readonly<Record<string, unknown>>, prefix: string): (readonly [string, unknown])[] {
  return Object.entries(table).flatMap(([key, value]): (readonly [string, unknown])[] => {
    const name = prefix + key;
    const isTable = typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
    return isTable ? flatten(value as Readonly<Record<string, unknown>>, `${name}.`) : [[name, value]];
  });
}

const describe = (value: string | number | boolean): string =>
  ({ string: "a string", number: "a whole number", boolean: "true or false" })[
    typeof value as "string" | "number" | "boolean"
  ];

function check(
  settings: Settings,
  wrong: (name: SettingName, problem: string, instead: string | number) => void,
): void {
  const port = settings["server.port"];
  if (port < 1 || port > 65535) wrong("server.port", `must be between 1 and 65535, not ${port}`, 0);
  const host = settings["server.host"];
  if (!isLoopback(host) && settings["security.cors.allowed_origins"] === "") {
    wrong(
      "server.host",
      `${host} is reachable from other hosts, so security.cors.allowed_origins must list the allowed origins`,
      defaultSettings["server.host"],
    );
  }
  if (!isLoopback(host) && settings["auth.jwt_secret"].length < 32) {
    wrong("auth.jwt_secret", `must have at least 32 characters when ${host} is reachable from other hosts`, "");
  }
  const level = settings["logging.level"];
  if (!logLevels.includes(level))
    wrong("logging.level", `must be one of ${logLevels.join(", ")}, not "${level}"`, defaultSettings["logging.level"]);
  for (const name of ["limits.default_query_limit", "limits.max_query_limit"] as const) {
    if (settings[name] < 1) wrong(name, "must be at least 1", defaultSettings[name]);
  }
  const [usual, most] = [settings["limits.default_query_limit"], settings["limits.max_query_limit"]];
  if (usual > most)
    wrong("limits.default_query_limit", `${usual} is above limits.max_query_limit, which is ${most}`, most);
}

export const isLoopback = (address: string): boolean =>
  /^(localhost|127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/.test(address);

function problemWithFolder(folder: string): string | undefined {
  try {
    mkdirSync(folder, { recursive: true });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
