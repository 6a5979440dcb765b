import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { isSame } from "../../../src/history/state.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { burstRows, insertText, observeRound, seedRows, type Round } from "./round.ts";

const sharing = { columns: "id BIGINT PRIMARY KEY, mark TEXT", readers: ["user"] } as const;
/** Subscriptions at once, and one after the other in each of these. */
const lanes = { light: 2, standard: 6, deep: 8 };
const roundsEach = { light: 2, standard: 5, deep: 15 };
/** Fewer changes between the start of a subscription and its readiness show nothing about the hand-over. */
const duringMin = 30;

export const handoverGapless = defineCheck({
  id: "subscriptions/handover-gapless",
  title: "Nothing is lost or repeated between snapshot and changes",
  failureTitle: "Changes are lost or repeated between snapshot and changes",
  description: `Subscribes repeatedly, with small pages, while clients change the table; in every third round ${burstRows} rows are inserted in one statement in the middle of the snapshot. Snapshot and changes together must equal the table at the fence, and no row of the snapshot may be delivered as new.`,
  blindTo: "One table of a few hundred rows; subscriptions/every-change-arrives looks at the changes that follow.",
  risk: "A client starts with wrong rows and keeps them: no later event repairs a row that was left out.",
  remedy: "Until this passes, read the table once more after a subscription is ready.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  uses: { user: 1, service: 3 },
  estimateMs: 10_000,
  estimateRequests: 320,
  timeoutMs: 180_000,
  findings: {
    lostInHandover: {
      say: (d: Lost) =>
        `in ${d.rounds} of ${d.of} subscriptions (${d.bursts} of them with ${burstRows} rows in one statement) snapshot and changes differed from the table at the fence: ${d.missing} rows missing, ${d.ghosts} too many, ${d.stale} stale${d.notices === "" ? "" : ` (${d.notices})`}`,
    },
    doubledInHandover: {
      promised: { repeats: "never" },
      say: (d: { rounds: number; of: number; first: string }) =>
        `in ${d.rounds} of ${d.of} subscriptions a row of the snapshot was delivered again as new, the first: ${d.first}`,
      risk: "Clients that count, sum or notify by inserts do so twice.",
      remedy: "Apply inserts by primary key, so that a row that is already known is replaced.",
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const writers = await Promise.all(["a", "b", "c"].map(async (label) => await target.account("service", label)));
    const reader = await target.account("user", "reader");
    const rounds: Round[] = [];
    let why: string | null = null;
    // Each subscription follows a table of its own, so that several can be open at once.
    const follow = async (lane: number): Promise<void> => {
      const table = await sharedTable(target, context, op, `${context.scratch}.pictures_${lane}`, sharing);
      const seeded = await target.sql(op, insertText(table, 1, seedRows, "seed"));
      context.need(seeded, "the first rows could not be written");
      const random = context.random(`victims ${lane}`);
      // On a slow server few changes may have been acknowledged before the snapshots ended.
      const each = context.size(roundsEach);
      for (let n = 0; why === null && (n < each || (n < 2 * each && duringIn(rounds) < duringMin)); n += 1) {
        const round = await observeRound({ target, context, op, reader, writers, table, random }, n, {
          burst: (n + lane) % 3 === 2,
        });
        if ("why" in round) why = round.why;
        else rounds.push(round);
      }
    };
    await Promise.all(Array.from({ length: context.size(lanes) }, async (_, lane) => await follow(lane)));
    return { rounds, why: why as string | null };
  },
  judge({ rounds, why }, { found }) {
    const of = rounds.length;
    const wrong = rounds.filter((round) => round.fenced && !isSame(round));
    const sum = (list: "missing" | "ghosts" | "stale"): number =>
      wrong.reduce((total, round) => total + round[list].length, 0);
    if (wrong.length > 0) {
      const bursts = wrong.filter((round) => round.burst).length;
      const notices = [...new Set(wrong.flatMap((round) => round.notices))].slice(0, 2).join("; ");
      const counts = { missing: sum("missing"), ghosts: sum("ghosts"), stale: sum("stale") };
      found.lostInHandover({ bursts, rounds: wrong.length, of, ...counts, notices }, { sent: wrong });
    }
    const doubled = rounds.filter((round) => round.doubled.length > 0);
    if (doubled[0] !== undefined)
      found.doubledInHandover({ rounds: doubled.length, of, first: doubled[0].doubled[0] ?? "" }, { sent: doubled });

    if (why !== null) return unknown(why);
    const unfenced = rounds.filter((round) => !round.fenced);
    if (unfenced[0] !== undefined)
      return unknown(
        `in ${unfenced.length} of ${of} subscriptions the fence row did not arrive: ${unfenced[0].notices.join("; ")}`,
      );
    const during = duringIn(rounds);
    if (during < duringMin)
      return unknown(`only ${during} changes fell between snapshot and readiness; at least ${duringMin} are needed`);
    return pass(
      `${of} subscriptions, ${during} changes between their start and their readiness, all equal to the table at the fence`,
    );
  },
});

function duringIn(rounds: readonly Round[]): number {
  return rounds.reduce((total, round) => total + round.during, 0);
}

type Lost = {
  readonly bursts: number;
  readonly rounds: number;
  readonly of: number;
  readonly missing: number;
  readonly ghosts: number;
  readonly stale: number;
  readonly notices: string;
};
