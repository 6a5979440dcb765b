import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { away, comeBack, differencesOf, resumeFloor, type Resumed } from "../resuming/index.ts";

export const resumeComplete = defineCheck({
  id: "subscriptions/resume-complete",
  title: "Whoever comes back is told what was missed",
  failureTitle: "Whoever comes back is not told what was missed",
  description:
    "A subscriber leaves in good order; rows are inserted, updated (one of them twice) and deleted while it is away; it comes back with the last row version it has seen. What it knew and what it is then told must make the table; nothing that it knew already may be told again. Rows that were deleted meanwhile and of which it is not told are a finding of their own.",
  blindTo: "It comes back to the same server; follower-feeds-whole looks at another one.",
  risk: "After every break of the network a client shows rows that are gone, or lacks rows that are there.",
  remedy: "Begin anew instead of resuming: subscribe without `from` and replace what was known by the snapshot.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_500,
  estimateRequests: 40,
  findings: {
    lostOnResume: {
      say: (d: { rounds: number; of: number; keys: string }) =>
        `in ${d.rounds} of ${d.of} returns rows were missing or old, such as ${d.keys}`,
    },
    repeated: {
      say: (d: { rounds: number; of: number; keys: string }) =>
        `in ${d.rounds} of ${d.of} returns rows were told again that were known already, such as ${d.keys}`,
    },
    ghostRows: {
      say: (d: { rounds: number; of: number; keys: string }) =>
        `in ${d.rounds} of ${d.of} returns rows stayed known that had been deleted meanwhile, such as ${d.keys}`,
    },
  },
  async observe(target, context) {
    const resumed: Resumed[] = [];
    const scene = await away(target, context, "resume");
    if ("why" in scene) return { resumed, why: scene.why };
    for (let n = 0; n < context.size({ light: 2, standard: 3, deep: 10 }); n += 1) {
      const one = await comeBack(scene, n, async ({ live }) => {
        live.close();
        await live.untilClosed(2_000);
      });
      if ("why" in one) return { resumed, why: one.why };
      resumed.push(one);
    }
    return { resumed, why: null };
  },
  judge({ resumed, why }) {
    const { lost, repeated, ghosts } = differencesOf(resumed);
    const sent = resumed.map((one) => one.exchange);
    const found = [
      ...(lost === undefined ? [] : [{ name: "lostOnResume" as const, data: lost, sent }]),
      ...(repeated === undefined ? [] : [{ name: "repeated" as const, data: repeated, sent }]),
      ...(ghosts === undefined ? [] : [{ name: "ghostRows" as const, data: ghosts, sent }]),
    ];
    if (found.length > 0) return fail(...found);
    const thin = why ?? resumeFloor(resumed);
    if (thin !== undefined) return unknown(thin);
    return pass(
      `${resumed.length} returns, each told of ${resumed[0]?.missed ?? 0} missed changes and of nothing twice`,
    );
  },
});
