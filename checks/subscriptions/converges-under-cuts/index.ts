import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { isSame } from "../../../src/history/state.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { explore, exploredColumns, type Round } from "./explore.ts";

/** Histories at once, and the accounts that share them: making an account costs a server more than a history. */
const explorers = 6;
const accounts = 3;
/** Fewer fences with at least one cut before them show nothing about cuts. */
const cutsMin = 2;

export const convergesUnderCuts = defineCheck({
  id: "subscriptions/converges-under-cuts",
  title: "A live query converges after cuts and reconnects",
  failureTitle: "A live query does not converge to what the table holds",
  description:
    "Makes up filters, batches of inserts, updates and deletes, and cuts of the connection, all from the seed. After each batch a fence row is written; then what the subscriber has received (snapshot, changes, and what it missed) must equal what the same SELECT returns.",
  blindTo:
    "It explores at random: another seed may find what this one does not. A failure can be reproduced with --seed.",
  risk: "After some sequence of ordinary events a client keeps showing what the table does not hold.",
  remedy: "Until this passes, read the table again after each interruption and from time to time.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 5_000,
  estimateRequests: 220,
  timeoutMs: 180_000,
  from: { effort: "standard", needs: "many changes, cuts and comparisons" },
  findings: {
    diverged: {
      say: (d: { fences: number; of: number; filter: string; cuts: number; what: string }) =>
        `at ${d.fences} of ${d.of} fences the subscriber's rows differed from the table, the first: WHERE ${d.filter}, after ${d.cuts} cuts, ${d.what}`,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const histories = context.size({ light: 2, standard: 6, deep: 40 });
    const rounds: Round[] = [];
    let why: string | null = null;
    // Each has a table of its own, so several can be made at once.
    const work = async (explorer: number): Promise<void> => {
      const user = await target.account("user", `explorer ${explorer % accounts}`);
      for (let n = explorer; n < histories && why === null; n += explorers) {
        const name = `${context.scratch}.history_${n}`;
        const table = await makeTable(target, context, op, name, { columns: exploredColumns });
        const one = await explore({ target, context, user, table }, n);
        rounds.push(...one.rounds);
        why ??= one.why;
      }
    };
    await Promise.all(Array.from({ length: Math.min(explorers, histories) }, async (_, at) => await work(at)));
    return { rounds, why: why as string | null };
  },
  judge({ rounds, why }, { found }) {
    const wrong = rounds.filter((round) => round.fenced && !isSame(round));
    const [first] = wrong;
    if (first !== undefined) {
      const what = (["missing", "ghosts", "stale"] as const)
        .flatMap((list) => (first[list].length === 0 ? [] : [`${list} ${first[list].join(", ")}`]))
        .join("; ");
      const { filter, cuts } = first;
      found.diverged({ fences: wrong.length, of: rounds.length, filter, cuts, what }, { sent: first });
    }
    if (why !== null) return unknown(why);
    const missedFence = rounds.find((round) => !round.fenced);
    if (missedFence !== undefined) return unknown(`a fence row did not arrive (WHERE ${missedFence.filter})`);
    const cut = rounds.filter((round) => round.cuts > 0).length;
    if (cut < cutsMin)
      return unknown(`only ${cut} of ${rounds.length} fences came after a cut; at least ${cutsMin} are needed`);
    const filters = new Set(rounds.map((round) => round.filter)).size;
    return pass(`${rounds.length} fences, ${cut} of them after cuts, ${filters} filters: each time equal to the table`);
  },
});
