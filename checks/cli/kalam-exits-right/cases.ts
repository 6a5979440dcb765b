/** Command lines of kalam, and how each must end. */
import type { KalamOptions } from "../../../src/server/target.ts";

/**
 * A timeout of one second, and how long kalam may take to give up: it may retry a few times. More only where kalam is slow
 * altogether.
 */
const oneSecond = ["--timeout", "1"];
export const giveUpWithinMs = 10_000;
export const giveUpWithinMsMax = 30_000;

export interface Case {
  readonly name: string;
  readonly args: (ns: string) => readonly string[];
  readonly codes: readonly number[];
  /** Null where it does not matter. */
  readonly stdout: "something" | "nothing" | null;
  readonly stderr: "something" | null;
  readonly as?: "user";
  readonly options?: (ns: string) => KalamOptions;
  /** The server never answers. */
  readonly isSilent?: true;
}

const works = { codes: [0], stdout: "something", stderr: null } as const;
const fails = { codes: [1], stdout: "nothing", stderr: "something" } as const;
const misused = { codes: [2], stdout: "nothing", stderr: "something" } as const;
/** Wrong in a way that may count as either. */
const wrong = { codes: [1, 2], stdout: "nothing", stderr: "something" } as const;

export const cases: readonly Case[] = [
  { name: "a query", args: () => ["-c", "SELECT 1 AS one"], options: () => ({ entersWith: "password" }), ...works },
  {
    name: "a query of a plain user",
    args: () => ["-c", "SELECT 1 AS one"],
    as: "user",
    options: () => ({ entersWith: "password" }),
    ...works,
  },
  { name: "a missing table", args: (ns) => ["-c", `SELECT * FROM ${ns}.absent`], ...fails },
  { name: "bad syntax", args: () => ["-c", "SELEKT 1"], ...fails },
  {
    name: "a file that fails in the middle",
    args: () => ["-f", "script.sql"],
    options: (ns) => ({ files: { "script.sql": `SELECT 1 AS one;\nSELECT * FROM ${ns}.absent;\n` }, statements: 2 }),
    codes: [1],
    stdout: "something",
    stderr: "something",
  },
  { name: "a missing file", args: () => ["-f", "absent.sql"], ...wrong },
  { name: "an unknown flag", args: () => ["--absent", "-c", "SELECT 1 AS one"], ...misused },
  { name: "a flag without its value", args: () => ["-c"], ...misused },
  { name: "an unknown command", args: () => ["-c", "\\absent"], ...wrong },
  { name: "an empty command", args: () => ["-c", ""], ...wrong },
  {
    name: "a wrong password",
    args: () => ["-c", "SELECT 1 AS one"],
    as: "user",
    options: () => ({ entersWith: "wrong password" }),
    ...fails,
  },
  { name: "nobody listens", args: () => ["-c", "SELECT 1 AS one"], options: () => ({ at: "nobody" }), ...fails },
  {
    name: "a silent server",
    args: () => [...oneSecond, "--receive-timeout", "1", "-c", "SELECT 1 AS one"],
    options: () => ({ at: "silence" }),
    isSilent: true,
    ...fails,
  },
  {
    name: "a silent server, with --timeout alone",
    args: () => [...oneSecond, "-c", "SELECT 1 AS one"],
    options: () => ({ at: "silence" }),
    isSilent: true,
    ...fails,
  },
];
