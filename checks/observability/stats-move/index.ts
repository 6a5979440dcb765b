import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import { saidOf, type Account, type Live, type Target } from "../../../src/server/target.ts";
import { connect, subscribe } from "../../vocabulary/following.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { keepFigures, numberOf, readFigures, type Reading } from "../figures.ts";
import { isLate, paceText, waitPatiently, whySlow, type Pace } from "../../vocabulary/pace.ts";

/** What the check holds, and the metrics that may count it; every one that exists is judged. */
const held: readonly { what: string; metrics: readonly string[]; count: number }[] = [
  { what: "connections", metrics: ["active_connections", "websocket_sessions"], count: 2 },
  { what: "subscriptions", metrics: ["active_subscriptions", "total_live_queries"], count: 3 },
  { what: "tables", metrics: ["total_tables"], count: 2 },
];
const uptime = "server_uptime_seconds";
const judged = [uptime, ...held.flatMap(({ metrics }) => metrics)];
/** How long a metric may lag behind. */
const followsWithinMs = 3_000;
const pollEveryMs = 250;

export const statsMove = defineCheck({
  id: "observability/stats-move",
  title: "Server metrics follow what happens",
  failureTitle: "Server metrics are frozen, wrong or missing",
  description:
    "Holds two live connections with three subscriptions and two tables, and reads system.stats before, meanwhile and afterwards. Each metric must be at least what the check holds. On a server that kalam-ready started itself, which has no other clients, it must rise by exactly that and fall back afterwards. The uptime must rise.",
  blindTo:
    "On a server with other clients, a metric that is too high or frozen at a high value is not noticed. Memory, CPU and storage metrics are not read.",
  risk: "Alerts on these metrics never fire.",
  remedy: "Count in the system views (system.live, system.tables) instead of using system.stats.",
  covers: ["OBS-06"],
  touches: "scratch",
  needs: ["dba"],
  // Other checks of the same run would change the metrics, and so would connections that are held as long as the run.
  alone: true,
  first: true,
  level: "block",
  estimateMs: 1_500,
  estimateRequests: 20,
  findings: {
    missing: {
      say: (d: { what: string; metrics: readonly string[] }) =>
        `system.stats has no metric for ${d.what}: no ${d.metrics.join(", no ")}`,
    },
    frozen: {
      say: (d: { metric: string; told: string; while: string; pace: Pace }) =>
        `${d.metric} stayed at ${d.told} while ${d.while}, for ${d.pace.waitedMs} ms, ${paceText(d.pace)}`,
      timed: true,
    },
    wrong: {
      say: (d: { metric: string; told: string; wanted: string; while: string; pace: Pace }) =>
        `${d.metric} was still ${d.told} after ${d.pace.waitedMs} ms (${paceText(d.pace)}) while ${d.while}; expected ${d.wanted}`,
      risk: "Alerts and capacity plans that use these metrics are wrong.",
      timed: true,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const user = await target.account("user");
    const own = target.control?.own !== undefined;
    const read = async (fits: (reading: Reading) => boolean): Promise<{ value: Reading; pace: Pace }> =>
      await waitPatiently(target, op, {
        floorMs: followsWithinMs,
        wait: async (withinMs) =>
          await context.poll(async () => await readFigures(target, op), fits, { withinMs, everyMs: pollEveryMs }),
        done: fits,
      });
    const quiet = (reading: Reading): boolean =>
      allFit(reading, (metric, value) => value === 0 || metric === "total_tables");
    // Connections of earlier checks may take a moment to go; if they stay, only a minimum can be judged.
    const { value: before } = await read((reading) => !own || quiet(reading));
    const exact = own && before.figures !== null && quiet(before);
    const was = (metric: string): number => (exact ? (numberOf(before, metric) ?? 0) : 0);

    const sharing = { columns: "id BIGINT PRIMARY KEY", readers: ["user"] } as const;
    const table = await sharedTable(target, context, op, `${context.scratch}.held`, sharing);
    const second = await sharedTable(target, context, op, `${context.scratch}.held_too`, sharing);
    const sockets = await hold(target, context, user, table);
    const { value: during, pace: rising } = await read((reading) =>
      allFit(reading, (metric, value, count) => (exact ? value === was(metric) + count : value >= count)),
    );
    const lost = sockets.some((live) => live.closed() !== undefined);
    for (const live of sockets) live.close();
    const dropped = [];
    for (const name of [table, second]) dropped.push(saidOf(await target.sql(op, `DROP TABLE ${name}`)));
    const { value: after, pace: falling } = await read(
      (reading) => !exact || allFit(reading, (metric, value) => value === was(metric)),
    );
    const from = numberOf(before, uptime);
    const { value: later, pace: ageing } = await read(
      (reading) => from === undefined || (numberOf(reading, uptime) ?? 0) > from,
    );
    return {
      exact,
      lost,
      dropped,
      before: keepFigures(before, judged),
      during: keepFigures(during, judged),
      after: keepFigures(after, judged),
      later: keepFigures(later, judged),
      waits: { rising, falling, ageing },
    };
  },
  judge({ exact, lost, dropped, before, during, after, later, waits }, { found }) {
    let slow: Pace | undefined;
    /** Whether that wait was long enough; notes it if not. */
    const waited = (pace: Pace): boolean => {
      if (!isLate(pace)) slow ??= pace;
      return isLate(pace);
    };
    if (before.figures === null) return unknown("system.stats could not be read");
    for (const { what, metrics } of [...held, { what: "the uptime", metrics: [uptime] }])
      if (metrics.every((metric) => numberOf(before, metric) === undefined))
        found.missing({ what, metrics }, { case: what, sent: before });
    const [from, to] = [numberOf(before, uptime), numberOf(later, uptime)];
    if (from !== undefined && to !== undefined && to <= from && waited(waits.ageing))
      found.frozen(
        { metric: uptime, told: String(to), while: "time passed", pace: waits.ageing },
        { case: uptime, sent: [before, later] },
      );
    const undropped = dropped.find((said) => said.kind !== "ok");
    for (const { what, metric, count } of lost ? [] : metricsHeld()) {
      const [was, value, then] = [before, during, after].map((reading) => numberOf(reading, metric));
      if (was === undefined || value === undefined) continue;
      const holding = `the check held ${count} ${what}`;
      const wrong = (pace: Pace, told: number, wanted: string, during_: string, sent: readonly Reading[]): void => {
        if (waited(pace))
          found.wrong({ metric, told: String(told), wanted, while: during_, pace }, { case: metric, sent });
      };
      const { rising, falling } = waits;
      if (exact && value === was) {
        if (waited(rising))
          found.frozen(
            { metric, told: String(value), while: holding, pace: rising },
            { case: metric, sent: [before, during] },
          );
      } else if (exact && value !== was + count)
        wrong(rising, value, `${was + count}, after ${was} before`, holding, [before, during]);
      else if (value < count) wrong(rising, value, `at least ${count}`, holding, [during]);
      else if (exact && then !== undefined && then !== was && (what !== "tables" || undropped === undefined))
        wrong(falling, then, `${was}, as before`, `the check no longer held any ${what}`, [before, after]);
    }
    if (lost) return unknown("a connection of the check was closed meanwhile");
    const readings = [during, after, later];
    if (readings.some(({ figures }) => figures === null) || from === undefined || to === undefined)
      return unknown("system.stats could not be read again");
    if (undropped !== undefined) return unknown(`a table of the check could not be dropped: ${undropped.message}`);
    if (slow !== undefined) return unknown(`the metrics had not followed yet; ${whySlow(slow)}`);
    const needed = exact ? [before, during, after] : [before, during];
    const figures = held.map(({ what, metrics, count }) => {
      const metric = metrics.find((name) => needed.every((reading) => numberOf(reading, name) !== undefined));
      const values = metric && needed.map((reading) => numberOf(reading, metric)).join(" → ");
      return { what, shown: values && `${what} ${values} for ${count} of ours` };
    });
    const unseen = figures.find(({ shown }) => shown === undefined);
    if (unseen !== undefined) return unknown(`system.stats did not show ${unseen.what} in every reading`);
    const least = exact ? "" : "; the server may have other clients, so only a minimum was checked";
    return pass(`${figures.map(({ shown }) => shown).join(", ")}; uptime ${from} s → ${to} s${least}`);
  },
});

function metricsHeld(): { what: string; metric: string; count: number }[] {
  return held.flatMap(({ what, metrics, count }) => metrics.map((metric) => ({ what, metric, count })));
}

/** Whether all metrics that exist have values that fit. */
function allFit(reading: Reading, fits: (metric: string, value: number, count: number) => boolean): boolean {
  return metricsHeld().every(({ metric, count }) => {
    const value = numberOf(reading, metric);
    return value === undefined || fits(metric, value, count);
  });
}

/** Two connections with three subscriptions. */
async function hold(target: Target, context: Context, as: Account, table: string): Promise<Live[]> {
  const sockets: Live[] = [];
  for (const subscriptions of [2, 1]) {
    const live = context.need(await connect(target, as), "the connections could not be opened");
    sockets.push(live);
    for (let n = 0; n < subscriptions; n += 1)
      context.need(
        await subscribe(live, `SELECT * FROM ${table} WHERE id > ${n}`),
        "the subscriptions could not be started",
      );
  }
  return sockets;
}
