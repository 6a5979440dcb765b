import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { cellText, rowsOf } from "../../../src/server/target.ts";
import type { Following } from "../../vocabulary/following.ts";
import { heartbeatsOf } from "../../vocabulary/heartbeats.ts";
import { away, comeBack, differencesOf, resumeFloor, type Resumed } from "../resuming/index.ts";

/** The ways in which connections really end. */
const cuts: readonly { readonly name: string; readonly cut: (following: Following) => Promise<void> }[] = [
  {
    name: "reset",
    cut: async ({ live }) => {
      live.reset();
      await live.untilClosed(2_000);
    },
  },
  {
    name: "cut in the middle of a frame",
    cut: async ({ live }) => {
      live.cutMidFrame();
      await live.untilClosed(2_000);
    },
  },
  // The client's machine vanishes: nothing tells the server.
  { name: "half open", cut: async ({ live }) => live.freeze() },
];

type Cut = { readonly name: string; readonly resumed: Resumed };

export const cutSurvived = defineCheck({
  id: "subscriptions/cut-survived",
  title: "A cut connection costs nothing but the time",
  failureTitle: "A cut connection costs changes, or stays for ever",
  description:
    "Ends connections as networks do: by a reset, in the middle of a frame, and half open, where the client is gone and nothing says so. After each it comes back from the last row version, as in resume-complete (deletions while away are judged there). The half-open one must be gone from the live view within the server's client time-out and two heartbeats.",
  blindTo: "It cuts single connections; a server that restarts is for the category durability.",
  risk: "Every change of a mobile network loses changes, or fills the server with dead subscriptions.",
  remedy: "Begin anew instead of resuming after a cut; lower the client time-out of the server.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 16_000,
  estimateRequests: 90,
  timeoutMs: 120_000,
  findings: {
    lostOnResume: {
      say: (d: { cut: string; keys: string }) =>
        `after a connection was ${d.cut} rows were missing or old, such as ${d.keys}`,
    },
    lingering: {
      say: (d: { listed: number; waitedMs: number }) =>
        `${d.listed} subscriptions of a client that was gone are still listed after ${Math.round(d.waitedMs / 1000)} s`,
    },
  },
  async observe(target, context) {
    const seen: Cut[] = [];
    const nothing = { cuts: seen, listed: null as number | null, waitedMs: 0 };
    const op = await target.account("dba");
    const scene = await away(target, context, "cut");
    if ("why" in scene) return { ...nothing, why: scene.why };
    const { noticedMs } = heartbeatsOf(target);
    let frozenAt = 0;
    for (const [n, { name, cut }] of cuts.entries()) {
      if (name === "half open") frozenAt = performance.now();
      const resumed = await comeBack(scene, n, cut);
      if ("why" in resumed) return { ...nothing, why: `${name}: ${resumed.why}` };
      seen.push({ name, resumed });
    }
    // Every later subscription was closed in good order, so what is listed of this account is the one that was left half open.
    const count = async (): Promise<number | null> => {
      for (const view of ["live", "live_queries"]) {
        const rows = rowsOf(
          await target.sql(op, `SELECT COUNT(*) AS c FROM system.${view} WHERE user_id = '${scene.user.name}'`),
        );
        if (rows !== undefined) return Number(cellText(rows[0]?.["c"]));
      }
      return null;
    };
    const withinMs = Math.max(0, frozenAt + noticedMs - performance.now());
    const listed = await context.poll(count, (left) => left === 0 || left === null, { withinMs, everyMs: 500 });
    return { ...nothing, listed, waitedMs: Math.round(performance.now() - frozenAt), why: null };
  },
  judge({ cuts: seen, listed, waitedMs, why }) {
    const lost = seen.flatMap(({ name, resumed }) => {
      const { lost: wrong } = differencesOf([resumed]);
      return wrong === undefined
        ? []
        : [
            {
              name: "lostOnResume" as const,
              case: name,
              data: { cut: name, keys: wrong.keys },
              sent: [resumed.exchange],
            },
          ];
    });
    const lingering = listed !== null && listed > 0 ? [{ name: "lingering" as const, data: { listed, waitedMs } }] : [];
    if (lost.length + lingering.length > 0) return fail(...lost, ...lingering);
    const thin =
      why ??
      (seen.length < cuts.length
        ? `only ${seen.length} of ${cuts.length} cuts were made`
        : resumeFloor(seen.map(({ resumed }) => resumed)));
    if (thin !== undefined) return unknown(thin);
    if (listed === null) return unknown("the live view could not be read");
    return pass(
      `${seen.length} cuts, each made good by coming back; the half-open one was gone after ${Math.round(waitedMs / 1000)} s`,
    );
  },
});
