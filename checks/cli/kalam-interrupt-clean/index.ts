import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { closePipeOfLive, closePipeOfResult, endWithinMs, goneWithinMs, interruptLive, plainPart } from "./parts.ts";
import { isLate, paceText, whySlow, type Pace } from "../../vocabulary/pace.ts";

export const kalamInterruptClean = defineCheck({
  id: "cli/kalam-interrupt-clean",
  title: "kalam ends cleanly on Ctrl-C and on a closed pipe",
  failureTitle: "kalam hangs, crashes or leaks a live query when cut short",
  description: `Starts a live query with kalam --subscribe, waits for its rows and a change, and sends Ctrl-C; starts another, closes the pipe on its stdout after the first output, and changes rows; and runs a query with stdout closed from the start. Each must end within ${endWithinMs / 1000} s without a crash, and its live queries must be gone from the server's live view within ${goneWithinMs / 1000} s.`,
  blindTo: "It covers live queries and closed pipes; Ctrl-C in the middle of a statement or a file is not tried.",
  risk: "Scripts pile up processes that never end, and the server runs out of subscriptions.",
  remedy: "End kalam with timeout(1) -s KILL, and look for leftovers with SELECT * FROM system.live.",
  covers: [],
  touches: "scratch",
  needs: ["dba", "kalam"],
  level: "block",
  estimateMs: 2_500,
  estimateRequests: 30,
  // Each of its three runs of kalam may take until it is overdue.
  timeoutMs: 120_000,
  findings: {
    hung: {
      say: (d: { part: string; outcome: string; pace: Pace }) =>
        `${d.part}: it did not end within ${d.pace.waitedMs} ms: ${d.outcome}; a plain run of kalam took ${d.pace.controlMs} ms`,
      timed: true,
    },
    lingering: {
      say: (d: { part: string; open: number; pace: Pace }) =>
        `${d.part}: ${d.pace.waitedMs} ms after its end (${paceText(d.pace)}), ${d.open} live queries of its account are still listed`,
      risk: "Live queries pile up on the server until it accepts no more.",
      remedy: "Find the leftovers with SELECT * FROM system.live, and end them with KILL LIVE QUERY.",
      timed: true,
    },
    crashed: {
      say: (d: { part: string; line: string }) => `${d.part}: ${d.line}`,
      level: "warn",
      risk: "A pipeline such as kalam … | head fails with a crash message although nothing is wrong.",
      remedy: "Write the output to a file and read it from there.",
    },
  },
  async observe(target, context) {
    const kalam = context.need(target.kalam, "there is no kalam command line (--kalam-bin)");
    const op = await target.account("dba");
    const follower = await target.fresh("dba");
    const table = await makeTable(target, context, op, `${context.scratch}.t`, {
      type: "SHARED",
      columns: "id BIGINT PRIMARY KEY, v TEXT",
    });
    const first = `INSERT INTO ${table} (id, v) VALUES (1, 'the first row')`;
    context.need(await target.sql(op, first), "the first row could not be written");
    const stage = { target, kalam, context, op, follower, table };
    const interrupted = await interruptLive(stage);
    return { parts: [interrupted, await closePipeOfLive(stage, interrupted.atWork), await closePipeOfResult(stage)] };
  },
  judge({ parts }, { found }) {
    const clear = parts.filter((one) => one.trouble === null && one.atWork);
    let slow: string | undefined;
    for (const one of clear) {
      const { part, overdue, endedAfterMs, crash, outcome, listedAfter, ending, leaving } = one;
      const shown = { case: part, sent: one };
      if (overdue || (endedAfterMs !== null && endedAfterMs > endWithinMs)) {
        if (isLate(ending)) found.hung({ part, outcome, pace: ending }, shown);
        else slow ??= `${part}: it ended late, and a plain run of kalam took ${ending.controlMs} ms`;
      } else if (listedAfter !== null && listedAfter > 0) {
        if (isLate(leaving)) found.lingering({ part, open: listedAfter, pace: leaving }, shown);
        else slow ??= `${part}: its live queries were still listed; ${whySlow(leaving)}`;
      }
      if (crash !== null) found.crashed({ part, line: crash }, shown);
    }
    if (parts.length < 3) return unknown(`kalam was run only ${parts.length} of 3 times`);
    const unclear = parts.find((one) => !clear.includes(one));
    if (unclear !== undefined)
      return unknown(
        `${unclear.part}: ${unclear.trouble ?? `it was not at work when it was cut short: ${unclear.outcome}`}`,
      );
    const unlisted = parts.find(
      (one) => one.listedAfter === null || one.listedOpen === 0 || (one.listedOpen === null && one.part !== plainPart),
    );
    if (unlisted !== undefined)
      return unknown(
        `${unlisted.part}: it was not listed while it was open, or the live view could not be read, so a leftover would go unnoticed`,
      );
    if (slow !== undefined) return unknown(slow);
    const slowest = Math.max(...parts.map((one) => one.endedAfterMs ?? 0));
    return pass(`${parts.length} of ${parts.length} runs ended within ${slowest} ms, and their live queries are gone`);
  },
});
