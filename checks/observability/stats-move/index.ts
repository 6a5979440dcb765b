import { defineCheck, fail, pass, unknown, type FoundOf } from "../../../src/check.ts";
import { saidOf, type Account, type Live, type Target } from "../../../src/server/target.ts";
import { keepFigures, numberOf, readFigures, type Reading } from "../figures.ts";

/** What we hold, and under which names it is told; each that is there is judged. */
const held: readonly { what: string; metrics: readonly string[]; count: number }[] = [
  { what: "connections", metrics: ["active_connections", "websocket_sessions"], count: 2 },
  { what: "subscriptions", metrics: ["active_subscriptions", "total_live_queries"], count: 3 },
  { what: "tables", metrics: ["total_tables"], count: 2 },
];
const uptime = "server_uptime_seconds";
const judged = [uptime, ...held.flatMap(({ metrics }) => metrics)];
/** How long a figure may lag behind. */
const followsWithinMs = 3_000;
const askEveryMs = 100;

/** Whether all metrics that are told are as `fits` wants them. */
function allFit(reading: Reading, fits: (metric: string, told: number, count: number) => boolean): boolean {
  return held.every(({ metrics, count }) =>
    metrics.every((metric) => {
      const told = numberOf(reading, metric);
      return told === undefined || fits(metric, told, count);
    }),
  );
}

/** Sockets of ours, each logged in and subscribed; a sentence where one could not be had. */
async function hold(target: Target, as: Account, table: string): Promise<Live[] | string> {
  const sockets: Live[] = [];
  for (const subscriptions of [2, 1]) {
    const live = await target.live(as);
    if ("why" in live) return live.why;
    sockets.push(live);
    for (let n = 0; n < subscriptions; n += 1) {
      const begun = await (await live.subscribe(`SELECT * FROM ${table} WHERE id > ${n}`)).begin();
      if (begun.kind !== "ready") return begun.kind === "refused" ? begun.message : begun.why;
    }
  }
  return sockets;
}

const findings = {
  missing: {
    say: (d: { what: string; metrics: readonly string[] }) =>
      `system.stats tells nothing of ${d.what}: no ${d.metrics.join(", no ")}`,
  },
  frozen: {
    say: (d: { metric: string; told: string; while: string }) => `${d.metric} stayed ${d.told} while ${d.while}`,
  },
  wrong: {
    say: (d: { metric: string; told: string; wanted: string; while: string }) =>
      `${d.metric} was ${d.told} while ${d.while}; wanted: ${d.wanted}`,
  },
};
type Found = FoundOf<typeof findings>;

export const statsMove = defineCheck({
  id: "observability/stats-move",
  title: "The server's figures move with what happens",
  failureTitle: "The server's figures stand still, are wrong, or missing",
  description:
    "Holds two live connections with three subscriptions and two tables, and reads system.stats before, meanwhile and after. Its figures must be at least what we hold; on a server that kalam-ready started itself, where nobody else can be, exactly that much more than before, and back again afterwards. The uptime must rise.",
  blindTo:
    "On a server with other clients it cannot see a figure that is too high. Memory, processor and storage figures are not looked at.",
  risk: "Alarms that watch these figures never go off.",
  remedy: "Count in the system views (system.live, system.tables) instead of going by system.stats.",
  covers: ["OBS-06"],
  touches: "scratch",
  needs: ["dba"],
  // Exact figures bear no company of our own either.
  alone: true,
  level: "block",
  estimateMs: 1_500,
  estimateRequests: 20,
  findings,
  async observe(target, context) {
    const op = await target.account("dba");
    const user = await target.account("user");
    const own = target.control?.kind === "process";
    const times = { withinMs: followsWithinMs, everyMs: askEveryMs };
    const read = async (fits: (reading: Reading) => boolean): Promise<Reading> =>
      await context.poll(async () => await readFigures(target, op), fits, times);
    const quiet = (reading: Reading): boolean =>
      allFit(reading, (metric, told) => told === 0 || metric === "total_tables");
    // What earlier checks held may take a moment to go; where it stays, only "at least" can be judged.
    const before = await read((reading) => !own || quiet(reading));
    const exact = own && before.figures !== null && quiet(before);
    const was = (metric: string): number => (exact ? (numberOf(before, metric) ?? 0) : 0);

    const names = ["held", "held_too"].map((name) => `${context.scratch}.${name}`);
    const made = [];
    for (const name of names)
      made.push(
        saidOf(
          await target.sql(
            op,
            `CREATE TABLE ${name} (id BIGINT PRIMARY KEY) WITH (TYPE='SHARED', ACCESS_LEVEL='PUBLIC')`,
          ),
        ),
      );
    const ours = await hold(target, user, names[0] ?? "");
    const unmade = made.find(({ kind }) => kind !== "ok")?.message;
    const during = await read((reading) =>
      allFit(reading, (metric, told, count) => (exact ? told === was(metric) + count : told >= count)),
    );
    const sockets = typeof ours === "string" ? [] : ours;
    const lost = sockets.some((live) => live.closed() !== undefined);
    for (const live of sockets) live.close();
    for (const name of names) await target.sql(op, `DROP TABLE ${name}`);
    const after = await read((reading) => !exact || allFit(reading, (metric, told) => told === was(metric)));
    const from = numberOf(before, uptime);
    const later = await read((reading) => from === undefined || (numberOf(reading, uptime) ?? 0) > from);
    return {
      exact,
      unheld: typeof ours === "string" ? ours : (unmade ?? (lost ? "a connection of ours was closed meanwhile" : null)),
      before: keepFigures(before, judged),
      during: keepFigures(during, judged),
      after: keepFigures(after, judged),
      later: keepFigures(later, judged),
    };
  },
  judge({ exact, unheld, before, during, after, later }) {
    if (before.figures === null) return unknown("system.stats could not be read");
    const missing = [...held, { what: "its uptime", metrics: [uptime] }]
      .filter(({ metrics }) => metrics.every((metric) => numberOf(before, metric) === undefined))
      .map(({ what, metrics }) => ({
        name: "missing" as const,
        case: what,
        data: { what, metrics },
        sent: [before.exchange],
      }));
    const [from, to] = [numberOf(before, uptime), numberOf(later, uptime)];
    const stopped =
      from !== undefined && to !== undefined && to <= from ? [frozen(uptime, to, "time went by", [before, later])] : [];
    const off = held.flatMap(({ what, metrics, count }) =>
      metrics.flatMap((metric): Found[] => {
        const [was, told, then] = [before, during, after].map((reading) => numberOf(reading, metric));
        if (unheld !== null || was === undefined || told === undefined) return [];
        const holding = `we held ${count} ${what}`;
        if (exact && told === was) return [frozen(metric, told, holding, [before, during])];
        if (exact && told !== was + count)
          return [wrong(metric, told, `${was + count}, after ${was} before`, holding, [before, during])];
        if (told < count) return [wrong(metric, told, `${count} at least`, holding, [during])];
        if (exact && then !== undefined && then !== was)
          return [
            wrong(metric, then, `${was}, as before`, `we held none of the ${count} ${what} any more`, [before, after]),
          ];
        return [];
      }),
    );
    if (missing.length + stopped.length + off.length > 0) return fail(...missing, ...stopped, ...off);
    if (unheld !== null) return unknown(`connections, subscriptions and tables could not be held: ${unheld}`);
    if ([during, after, later].some(({ figures }) => figures === null) || from === undefined || to === undefined)
      return unknown("system.stats could not be read again");
    const figures = held.map(({ what, metrics, count }) => {
      const metric = metrics.find((name) => numberOf(during, name) !== undefined) ?? "";
      const seen = [before, during, ...(exact ? [after] : [])].map((reading) => numberOf(reading, metric) ?? "?");
      return `${what} ${seen.join(" → ")} for ${count} of ours`;
    });
    const least = exact ? "" : "; others may be here, so only the least was asked";
    return pass(`${figures.join(", ")}; uptime ${from} s → ${to} s${least}`);
  },
});

function frozen(metric: string, told: number, during: string, readings: readonly Reading[]) {
  return {
    name: "frozen" as const,
    case: metric,
    data: { metric, told: String(told), while: during },
    sent: readings.map(({ exchange }) => exchange),
  };
}

function wrong(metric: string, told: number, wanted: string, during: string, readings: readonly Reading[]) {
  return {
    name: "wrong" as const,
    case: metric,
    data: { metric, told: String(told), wanted, while: during },
    sent: readings.map(({ exchange }) => exchange),
  };
}
