import { defineCheck, pass, unknown } from "../../../src/check.ts";
import type { Following } from "../../vocabulary/following.ts";
import { flush, whyNotFlushed } from "../../vocabulary/jobs.ts";
import {
  differencesOf,
  leaveAndResume,
  makeUserTable,
  whyUnknown,
  type Resumed,
} from "../../vocabulary/resuming/index.ts";

/** A first return may find what a second one does not. */
const returnsMin = 2;

export const resumeComplete = defineCheck({
  id: "subscriptions/resume-complete",
  title: "A resumed subscription catches up completely",
  failureTitle: "A resumed subscription does not catch up",
  description:
    "A subscriber closes its connection; rows are inserted, updated (one of them twice) and deleted while it is away, and every second time the table is flushed then; it resumes from the last row version it has seen. What it knew and what it then receives must equal the table, and nothing it knew or has received since may be delivered again. Deletions that are not delivered are a finding of their own.",
  blindTo: "It resumes on the same server; another server of a cluster is not tried.",
  risk: "After every network interruption a client lacks rows or shows old ones.",
  remedy: "Start over instead of resuming: subscribe without `from` and replace what was known with the snapshot.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_500,
  estimateRequests: 46,
  findings: {
    lostOnResume: {
      say: (d: Rounds) => `${d.rounds} of ${d.of} resumed subscriptions had missing or stale rows, such as ${d.keys}`,
    },
    repeated: {
      promised: { repeats: "never" },
      say: (d: Rounds) => `${d.rounds} of ${d.of} resumed subscriptions received rows a second time, such as ${d.keys}`,
      risk: "Clients that count, sum or notify by events do so twice after every interruption.",
      remedy: "Ignore row versions that were already handled.",
    },
    silentAfterResume: {
      say: (d: { rounds: number; of: number }) =>
        `${d.rounds} of ${d.of} resumed subscriptions delivered nothing that was written later; a new subscription delivered it`,
    },
    ghostRows: {
      say: (d: Rounds) =>
        `${d.rounds} of ${d.of} resumed subscriptions kept rows that had been deleted meanwhile, such as ${d.keys}`,
      risk: "Rows that were deleted during an interruption stay on clients' screens.",
    },
  },
  async observe(target, context) {
    const resumed: Resumed[] = [];
    const op = await target.account("dba");
    const made = await makeUserTable(target, context, "resume");
    const flushIt = async (): Promise<string | undefined> =>
      whyNotFlushed(await flush(target, context, op, made.table));
    for (let n = 0; n < context.size({ light: 2, standard: 3, deep: 10 }); n += 1) {
      const leave = async ({ live }: Following): Promise<void> => {
        live.close();
        await live.untilClosed(2_000);
      };
      const one = await leaveAndResume(made, n, leave, n % 2 === 1 ? flushIt : undefined);
      if ("why" in one) return { resumed, why: one.why };
      resumed.push(one);
    }
    return { resumed, why: null as string | null };
  },
  judge({ resumed, why }, { found }) {
    const { lost, repeated, ghosts } = differencesOf(resumed);
    if (lost !== undefined) found.lostOnResume(lost, { sent: resumed });
    if (repeated !== undefined) found.repeated(repeated, { sent: resumed });
    if (ghosts !== undefined) found.ghostRows(ghosts, { sent: resumed });
    const silent = resumed.filter((one) => one.silent);
    if (silent.length > 0) found.silentAfterResume({ rounds: silent.length, of: resumed.length }, { sent: silent });
    const tooLittle = why ?? whyUnknown(resumed);
    if (tooLittle !== undefined) return unknown(tooLittle);
    if (resumed.length < returnsMin)
      return unknown(`only ${resumed.length} of at least ${returnsMin} subscriptions were resumed`);
    return pass(
      `${resumed.length} resumed subscriptions, each received all ${resumed[0]?.missed ?? 0} missed changes and nothing twice`,
    );
  },
});

type Rounds = { readonly rounds: number; readonly of: number; readonly keys: string };
