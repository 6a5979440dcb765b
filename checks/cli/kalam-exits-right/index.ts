import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { kalamText, type KalamOptions } from "../../../src/server/target.ts";
import { serverTrouble } from "../kalam-output.ts";

/** A flag that says one second, and how long it may take until kalam gives up all the same: it may try a few times. */
const impatience = ["--timeout", "1"];
const patienceMs = 10_000;

interface Case {
  readonly name: string;
  readonly args: (ns: string) => readonly string[];
  readonly codes: readonly number[];
  /** Null: it does not matter. */
  readonly stdout: "something" | "nothing" | null;
  readonly stderr: "something" | null;
  readonly as?: "user";
  readonly options?: (ns: string) => KalamOptions;
}

const works = { codes: [0], stdout: "something", stderr: null } as const;
const fails = { codes: [1], stdout: "nothing", stderr: "something" } as const;
const misused = { codes: [2], stdout: "nothing", stderr: "something" } as const;
/** Wrong, and who knows of which kind. */
const wrong = { codes: [1, 2], stdout: "nothing", stderr: "something" } as const;

const cases: readonly Case[] = [
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
    args: () => [...impatience, "--receive-timeout", "1", "-c", "SELECT 1 AS one"],
    options: () => ({ at: "silence", timeoutMs: patienceMs }),
    ...fails,
  },
  {
    name: "a silent server, with --timeout alone",
    args: () => [...impatience, "-c", "SELECT 1 AS one"],
    options: () => ({ at: "silence", timeoutMs: patienceMs }),
    ...fails,
  },
];

type Run = {
  readonly case: string;
  readonly exitCode: number | null;
  readonly overdue: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Why it says nothing about kalam; null if it does. */
  readonly trouble: string | null;
  readonly outcome: string;
  readonly exchange: number;
};

export const kalamExitsRight = defineCheck({
  id: "cli/kalam-exits-right",
  title: "kalam ends with the right exit code, errors on stderr",
  failureTitle: "kalam ends with a wrong exit code, or hides its error",
  description: `Runs the kalam command line ${cases.length} times: queries that work, as a dba and as a plain user, mistakes in SQL, in arguments, in files, a wrong password, an address where nobody listens, one that never answers. It must end with 0 for what works, 2 for arguments that it cannot read, 1 for the rest; say why on stderr; and print nothing on stdout but what was done. --timeout 1 must end it within ${patienceMs / 1000} s.`,
  blindTo:
    "It looks at exit codes and streams, not at what the texts say; errors-name-the-cause looks at those of the server.",
  risk: "A pipeline goes on after a failed step, or stops after one that worked.",
  remedy:
    "Look at the output as well as at the exit code; log in as a dba where kalam refuses plain users; wrap it in timeout(1).",
  covers: [],
  touches: "scratch",
  needs: ["dba", "kalam"],
  level: "block",
  estimateMs: 3_000,
  estimateRequests: cases.length * 3,
  findings: {
    wrongCode: {
      say: (d: { case: string; wanted: string; outcome: string }) =>
        `${d.case}: wanted exit ${d.wanted}, and got ${d.outcome}`,
    },
    wrongStream: { say: (d: { case: string; what: string; outcome: string }) => `${d.case}: ${d.what}: ${d.outcome}` },
    timeoutIgnored: { say: (d: { case: string; outcome: string }) => `${d.case}: ${d.outcome}`, level: "warn" },
  },
  async observe(target, { scratch }) {
    const { kalam } = target;
    if (kalam === undefined) return { version: "", runs: [] as readonly Run[] };
    const op = await target.account("dba");
    // One wrong password is tried on it: nobody else shall find it closer to being locked.
    const user = await target.fresh("user");
    const version = await kalam(op, ["--version"], { statements: 0, at: "nobody" });
    const runs = await Promise.all(
      cases.map(async ({ name, args, as, options }): Promise<Run> => {
        const asked = options?.(scratch) ?? {};
        const said = await kalam(as === "user" ? user : op, args(scratch), asked);
        return {
          case: name,
          exitCode: said.exitCode,
          overdue: said.overdue,
          stdout: said.stdout.trim() !== "",
          stderr: said.stderr.trim() !== "",
          trouble: serverTrouble(said, asked.at),
          outcome: kalamText(said),
          exchange: said.exchange,
        };
      }),
    );
    return { version: version.stdout.trim(), runs };
  },
  judge({ version, runs }) {
    if (!/^kalam\b/.test(version))
      return unknown(`what was named as kalam does not say that it is: ${version.slice(0, 80)}`);
    const clear = runs.filter((one) => one.trouble === null);
    const late = clear
      .filter((one) => one.overdue)
      .map((one) => ({
        name: "timeoutIgnored" as const,
        case: one.case,
        data: { case: one.case, outcome: one.outcome },
        sent: [one.exchange],
      }));
    const found = clear.flatMap((one) => {
      const wanted = cases.find(({ name }) => name === one.case);
      if (wanted === undefined || one.overdue) return [];
      const about = { case: one.case, sent: [one.exchange] };
      const right = one.exitCode !== null && wanted.codes.includes(one.exitCode);
      const what = right ? wrongStreamOf(wanted, one) : undefined;
      const { outcome } = one;
      return [
        ...(right
          ? []
          : [
              {
                name: "wrongCode" as const,
                data: { case: one.case, wanted: wanted.codes.join(" or "), outcome },
                ...about,
              },
            ]),
        ...(what === undefined
          ? []
          : [{ name: "wrongStream" as const, data: { case: one.case, what, outcome }, ...about }]),
      ];
    });
    if (found.length + late.length > 0) return fail(...found, ...late);
    const unclear = runs.find((one) => one.trouble !== null);
    if (unclear !== undefined) return unknown(`${unclear.case}: ${unclear.trouble}`);
    if (runs.length < cases.length) return unknown(`kalam was run only ${runs.length} of ${cases.length} times`);
    return pass(`${runs.length} of ${runs.length} runs of ${version} ended as they should, errors on stderr only`);
  },
});

function wrongStreamOf(wanted: Case, one: Run): string | undefined {
  if (wanted.stdout === "nothing" && one.stdout) return "something on stdout";
  if (wanted.stdout === "something" && !one.stdout) return "nothing on stdout";
  if (wanted.stderr === "something" && !one.stderr) return "nothing on stderr";
  return undefined;
}
