import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { ranOf, type Ran } from "../kalam-output.ts";
import { cases, giveUpWithinMs, giveUpWithinMsMax, type Case } from "./cases.ts";
import { truncated } from "../../../src/server/target.ts";
import { isLate, lateTimes, slowestControl, type Pace } from "../../vocabulary/pace.ts";

type Run = Ran & {
  readonly case: string;
  readonly overdue: boolean;
  readonly tookMs: number;
  /** Whether anything was printed. */
  readonly stdout: boolean;
  readonly stderr: boolean;
};

export const kalamExitsRight = defineCheck({
  id: "cli/kalam-exits-right",
  title: "kalam ends with the right exit code and errors on stderr",
  failureTitle: "kalam ends with a wrong exit code or hides its error",
  description: `Runs the kalam command line ${cases.length} times: queries that work, as a dba and as a plain user; errors in SQL, in arguments and in files; a wrong password; an address without a server, and a server that never answers. It must exit with 0 for success, 2 for invalid arguments and 1 for other errors, say why on stderr, and print only results on stdout. --timeout 1 must end it within ${giveUpWithinMs / 1000} s.`,
  blindTo: "It checks exit codes and streams, not the messages; cli/errors-name-the-cause checks those of the server.",
  risk: "A pipeline continues after a failed step, or stops after one that worked.",
  remedy: "Check the output as well as the exit code, and log in as a dba where kalam fails for plain users.",
  covers: [],
  touches: "scratch",
  needs: ["dba", "kalam"],
  level: "block",
  estimateMs: 3_000,
  estimateRequests: cases.length * 3,
  findings: {
    wrongCode: {
      say: (d: { case: string; wanted: string; outcome: string }) =>
        `${d.case}: expected exit ${d.wanted}, got ${d.outcome}`,
    },
    wrongStream: {
      say: (d: { case: string; what: string; outcome: string }) => `${d.case}: ${d.what}: ${d.outcome}`,
      risk: "A script reads an error message as data, or a failed step leaves no reason in the log.",
      remedy: "Check the exit code before reading stdout, and keep both streams in the log.",
    },
    timeoutIgnored: {
      say: (d: { case: string; outcome: string; pace: Pace }) =>
        `${d.case}: ${d.outcome}; with a server that answers, kalam took ${d.pace.controlMs} ms`,
      level: "warn",
      risk: "A job waits for a server that never answers, and blocks what comes after it.",
      remedy: "Give --receive-timeout as well, or wrap kalam in timeout(1).",
      timed: true,
    },
  },
  async observe(target, context) {
    const kalam = context.need(target.kalam, "there is no kalam command line (--kalam-bin)");
    const op = await target.account("dba");
    // An account of its own: a failed login counts towards locking it.
    const user = await target.fresh("user");
    const version = await kalam(op, ["--version"], { statements: 0, at: "nobody" });
    const run = async ({ name, args, as, options }: Case, timeoutMs?: number): Promise<Run> => {
      const asked = { ...options?.(context.scratch), ...(timeoutMs === undefined ? {} : { timeoutMs }) };
      const said = await kalam(as === "user" ? user : op, args(context.scratch), asked);
      return {
        case: name,
        overdue: said.overdue,
        tookMs: Math.round(said.tookMs),
        stdout: said.stdout.trim() !== "",
        stderr: said.stderr.trim() !== "",
        ...ranOf(said, asked.at),
      };
    };
    const answered = await Promise.all(cases.filter((one) => one.isSilent !== true).map(async (one) => await run(one)));
    // The control: runs that had nothing to wait for. On a machine where they take long, the others get more time.
    const controlMs = slowestControl(
      answered
        .filter(({ overdue, exitCode }) => !overdue && exitCode === 0)
        .map(({ tookMs }) => ({ controlMs: tookMs })),
    );
    const waitedMs = Math.min(giveUpWithinMsMax, Math.max(giveUpWithinMs, lateTimes * (controlMs ?? 0)));
    const silent = await Promise.all(
      cases.filter((one) => one.isSilent === true).map(async (one) => await run(one, waitedMs)),
    );
    return { version: version.stdout.trim(), runs: [...answered, ...silent], waitedMs, controlMs };
  },
  judge({ version, runs, waitedMs, controlMs }, { found }) {
    if (!/^kalam\b/.test(version))
      return unknown(`the kalam command line does not identify itself as kalam: ${truncated(version, 80)}`);
    const clear = runs.filter((one) => one.trouble === null);
    for (const one of clear.filter(({ overdue }) => !overdue)) {
      const { case: name, exitCode, outcome } = one;
      const wanted = cases.find((other) => other.name === name);
      if (wanted === undefined) continue;
      const shown = { case: name, sent: one };
      const what = streamProblem(wanted, one);
      if (exitCode === null || !wanted.codes.includes(exitCode))
        found.wrongCode({ case: name, wanted: wanted.codes.join(" or "), outcome }, shown);
      else if (what !== undefined) found.wrongStream({ case: name, what, outcome }, shown);
    }
    const overdue = clear.filter((one) => one.overdue);
    const pace = { waitedMs, controlMs };
    for (const one of isLate(pace) ? overdue : [])
      found.timeoutIgnored({ case: one.case, outcome: one.outcome, pace }, { case: one.case, sent: one });
    const unclear = runs.find((one) => one.trouble !== null);
    if (unclear !== undefined) return unknown(`${unclear.case}: ${unclear.trouble}`);
    if (overdue[0] !== undefined)
      return unknown(`${overdue[0].case}: ${overdue[0].outcome}, but kalam itself took up to ${controlMs} ms`);
    if (runs.length < cases.length) return unknown(`kalam was run only ${runs.length} of ${cases.length} times`);
    return pass(`${runs.length} of ${runs.length} runs of ${version} ended as expected, with errors on stderr only`);
  },
});

function streamProblem(wanted: Case, one: Run): string | undefined {
  if (wanted.stdout === "nothing" && one.stdout) return "unexpected output on stdout";
  if (wanted.stdout === "something" && !one.stdout) return "nothing on stdout";
  if (wanted.stderr === "something" && !one.stderr) return "nothing on stderr";
  return undefined;
}
