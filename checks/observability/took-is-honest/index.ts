import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { saidOf, type Said } from "../../../src/server/target.ts";

/** Of each kind of query; the quickest of them is judged, which a moment's hiccup does not touch. */
const samples = 3;
const digits =
  "SELECT 1 AS x UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9 UNION ALL SELECT 10";
/**
 * Adds up over 10^n rows that are made up on the spot: work for the processor, and a small answer. Their mere number
 * an engine would know without looking.
 */
const slow = (n: number): string =>
  `WITH d AS (${digits}) SELECT SUM((d0.x * d1.x + d2.x * d3.x) % 7) AS n FROM ${Array.from({ length: n }, (_, at) => `d d${at}`).join(", ")}`;
const exponents = [4, 5, 6, 7];
/** The slow query must take us this much longer than the quick one, or there is nothing to follow. */
const growthMsMin = 40;
/** Of that growth the server must own to this much at least. */
const shareMin = 0.3;
/** Rounding. */
const tooMuchMs = 1;

type Sample = { readonly said: Said; readonly took: number | null; readonly ours: number };

export const tookIsHonest = defineCheck({
  id: "observability/took-is-honest",
  title: "The time that an answer says it took is possible",
  failureTitle: "Answers tell a time that they cannot have taken",
  description: `Compares the "took" of quick queries, and of slow ones that add up as many as 10^${exponents.at(-1)} made-up rows, with the time that we waited: it must not be longer, nor negative, and of the time that the slow ones take longer it must tell ${shareMin * 100} % at least.`,
  blindTo: "What happens before the server begins to count, such as waiting in its queue, may be missing in its time.",
  risk: "Who watches these times sees a fast server while people wait.",
  remedy: "Measure in the client.",
  covers: [],
  touches: "nothing",
  level: "warn",
  estimateMs: 600,
  estimateRequests: samples * (1 + exponents.length),
  findings: {
    impossible: {
      say: (d: { told: string; ours: string; what: string }) => `${d.what}: told ${d.told}, it took us ${d.ours}`,
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
    const quick = await take("SELECT 1 AS n");
    const base = Math.min(...quick.map(({ ours }) => ours));
    // As slow as it has to be on this server, and no slower: a single slow try may have been a moment's hiccup.
    let heavy: Sample[] = [];
    for (const exponent of exponents) {
      heavy = await take(slow(exponent));
      if (Math.min(...heavy.map(({ ours }) => ours)) > base + growthMsMin) break;
    }
    return { quick, slow: heavy };
  },
  judge({ quick, slow: heavy }) {
    const all = [...quick, ...heavy];
    const ms = (time: number): string => `${Math.round(time * 10) / 10} ms`;
    const odd = all.filter(({ took, ours }) => took !== null && (took < 0 || took > ours + tooMuchMs));
    const [first] = odd;
    const worse = first === undefined ? [] : [{ sample: first, times: odd.length }];
    const found = worse.map(({ sample, times }) => ({
      name: "impossible" as const,
      case: "too long",
      data: { what: `${times} of ${all.length} answers`, told: ms(sample.took ?? 0), ours: ms(sample.ours) },
      sent: [sample.said.exchange],
    }));
    const best = (some: readonly Sample[], of: (sample: Sample) => number): number => Math.min(...some.map(of));
    const growth = best(heavy, ({ ours }) => ours) - best(quick, ({ ours }) => ours);
    const told = best(heavy, ({ took }) => took ?? 0) - best(quick, ({ took }) => took ?? 0);
    const complete = all.every(({ took }) => took !== null) && quick.length >= samples && heavy.length >= samples;
    if (complete && growth >= growthMsMin && told < growth * shareMin)
      found.push({
        name: "impossible" as const,
        case: "too short",
        data: { what: "a slow query against a quick one", told: `${ms(told)} more`, ours: `${ms(growth)} more` },
        sent: heavy.map(({ said }) => said.exchange),
      });
    if (found.length > 0) return fail(...found);
    const failed = all.find(({ said }) => said.kind !== "ok");
    if (failed !== undefined) return unknown(`a query was not answered: ${failed.said.message}`);
    if (!complete) return unknown("the answers do not tell a time");
    if (growth < growthMsMin) return unknown(`the slow query took us only ${ms(growth)} longer than the quick one`);
    return pass(
      `${all.length} of ${all.length} times possible; a query that took us ${ms(growth)} longer is told ${ms(told)} longer`,
    );
  },
});
