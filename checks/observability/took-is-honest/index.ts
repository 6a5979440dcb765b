import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { saidOf, type Said } from "../../../src/server/target.ts";

/** Of each kind of query; the fastest is judged, so that one delay does not matter. */
const samples = 3;
const digits = `SELECT 1 AS x ${Array.from({ length: 9 }, (_, n) => `UNION ALL SELECT ${n + 2}`).join(" ")}`;
/**
 * Sums over 10^n generated rows: CPU work with a small answer. It is a sum because an engine may know their mere number
 * without reading them.
 */
const slowQuery = (n: number): string =>
  `WITH d AS (${digits}) SELECT SUM((d0.x * d1.x + d2.x * d3.x) % 7) AS n FROM ${Array.from({ length: n }, (_, at) => `d d${at}`).join(", ")}`;
const exponents = [4, 5, 6, 7];
/** The slow query must take at least this much longer than the fast one, or there is nothing to compare. */
const growthMsMin = 40;
/** How many times what equal queries differ by: on a busy machine the client waits where the server does not. */
const noiseTimes = 10;
/** The server must report at least this share of that difference. */
const shareMin = 0.3;
/** Two clocks are involved: a millisecond for rounding, and a share for clocks that are adjusted. */
const roundingMs = 1;
const driftShare = 0.02;

/** `took`: as reported by the server; null if it reported none. `ours`: as measured here. */
type Sample = { readonly said: Said; readonly took: number | null; readonly ours: number };

export const tookIsHonest = defineCheck({
  id: "observability/took-is-honest",
  title: "The reported query time is plausible",
  failureTitle: "The reported query time is impossible",
  description: `Compares the "took" of fast queries, and of slow ones that sum up to 10^${exponents.at(-1)} generated rows, with the time measured by the client. It must be neither negative nor longer than that, and must include at least ${shareMin * 100} % of the extra time that the slow queries take.`,
  blindTo: "Time before the server starts counting, such as waiting in its queue, may be missing in the reported time.",
  risk: "Dashboards built on the reported time show a fast server while users wait.",
  remedy: "Measure query times in the client.",
  covers: [],
  touches: "nothing",
  level: "warn",
  estimateMs: 600,
  estimateRequests: samples * (2 + exponents.length),
  findings: {
    impossible: {
      say: (d: { told: string; ours: string; what: string }) =>
        `${d.what}: the server reported ${d.told}, the client measured ${d.ours}`,
      timed: true,
    },
  },
  async observe(target) {
    const ask = async (sql: string): Promise<Sample> => {
      const answer = await target.sql(target.login, sql);
      const took = answer.kind === "ok" ? answer.tookMs : null;
      return { said: saidOf(answer), took, ours: answer.doneAt - answer.sentAt };
    };
    const take = async (sql: string): Promise<Sample[]> => {
      const taken: Sample[] = [];
      for (let n = 0; n < samples; n += 1) taken.push(await ask(sql));
      return taken;
    };
    const fast = await take("SELECT 1 AS n");
    const base = fastest(fast, ({ ours }) => ours);
    // As slow as needed on this server, and no slower.
    let slow: Sample[] = [];
    for (const exponent of exponents) {
      slow = await take(slowQuery(exponent));
      if (fastest(slow, ({ ours }) => ours) > base + growthMsMin) break;
    }
    // The control of the same moment: a machine that became busy in between would make only the later queries slow.
    fast.push(...(await take("SELECT 1 AS n")));
    return { fast, slow };
  },
  judge({ fast, slow }, { found }) {
    const all = [...fast, ...slow];
    const tooLong = all.filter(
      ({ took, ours }) => took !== null && (took < 0 || took > ours * (1 + driftShare) + roundingMs),
    );
    const [first] = tooLong;
    if (first !== undefined)
      found.impossible(
        { what: `${tooLong.length} of ${all.length} answers`, told: ms(first.took ?? 0), ours: ms(first.ours) },
        { case: "too long", sent: first.said },
      );
    const growth = fastest(slow, ({ ours }) => ours) - fastest(fast, ({ ours }) => ours);
    const reported = fastest(slow, ({ took }) => took ?? 0) - fastest(fast, ({ took }) => took ?? 0);
    // A slow query that is no slower than equal fast ones are to each other was slow by chance.
    const controlMs = slowest(fast, ({ ours }) => ours) - fastest(fast, ({ ours }) => ours);
    const needed = Math.max(growthMsMin, noiseTimes * controlMs);
    const complete = all.every(({ took }) => took !== null) && fast.length >= samples && slow.length >= samples;
    if (complete && growth >= needed && reported < growth * shareMin)
      found.impossible(
        {
          what: `a slow query compared with a fast one (fast ones differ by ${ms(controlMs)})`,
          told: `${ms(reported)} more`,
          ours: `${ms(growth)} more`,
        },
        { case: "too short", sent: slow.map(({ said }) => said) },
      );
    const failed = all.find(({ said }) => said.kind !== "ok");
    if (failed !== undefined) return unknown(`a query was not answered: ${failed.said.message}`);
    if (!complete) return unknown("the answers do not report a time");
    if (growth < growthMsMin) return unknown(`the slow query took only ${ms(growth)} longer than the fast one`);
    if (reported < growth * shareMin)
      return unknown(`fast queries differ by ${ms(controlMs)}, so ${ms(growth)} more for a slow one show nothing`);
    return pass(
      `${all.length} of ${all.length} times plausible; for a query that took ${ms(growth)} longer, ${ms(reported)} more were reported`,
    );
  },
});

function fastest(some: readonly Sample[], of: (sample: Sample) => number): number {
  return Math.min(...some.map(of));
}

function slowest(some: readonly Sample[], of: (sample: Sample) => number): number {
  return Math.max(...some.map(of));
}

function ms(time: number): string {
  return `${Math.round(time * 10) / 10} ms`;
}
