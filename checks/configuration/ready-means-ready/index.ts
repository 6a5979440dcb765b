import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import { cellText, rowsOf, saidOf, truncated, type Account, type Target } from "../../../src/server/target.ts";
import {
  identify,
  lifecycleOf,
  restartTimes,
  startAgain,
  whyNotRestarted,
  type Restart,
} from "../../durability/restart.ts";
import { isLate, whySlow, type Pace } from "../../vocabulary/pace.ts";
import { isNoAnswer, isPassing } from "../../vocabulary/second-look.ts";
import { sharedTable } from "../../vocabulary/tables.ts";

const everyMs = 50;
const requestTimeoutMs = 2_000;
const stopWithinMs = 30_000;
/** One answer may be one of before; two are not. */
const timesMin = 2;
/** A line may lose any answer; so many one after the other, and none in between, are the server's. */
const lostInARowMin = 4;
const rowCount = 3;
/** Fewer looks before the first right answer, or after it, show nothing about them. */
const looksMin = { before: 2, after: 5 };

/**
 * `ready`: healthy, or all rows; `closed`: 503 in the server's own words, or nobody listens; `lost`: what something in between may
 * have done; `wrong`: any other answer; `late`: no answer in time; `none`: not for us, or there is no such endpoint.
 */
type Look = {
  readonly of: "health" | "query";
  readonly was: "ready" | "closed" | "lost" | "wrong" | "late" | "none";
  readonly text: string;
  readonly exchange: number;
  /** Milliseconds since the start was asked for. */
  readonly sentAt: number;
  readonly doneAt: number;
};
type Seen = {
  readonly restart: Restart;
  readonly looks: readonly Look[];
  /** Of the first right answer, with the slowest one after it as its control. */
  readonly pace: Pace;
};

export const readyMeansReady = defineCheck({
  id: "configuration/ready-means-ready",
  title: "A server that reports itself healthy answers queries",
  failureTitle: "The server reports itself healthy before it is ready",
  description: `Stops the server (SIGTERM) and starts it again on its data. Meanwhile GET /health and a query of a table with ${rowCount} rows, with a token of before, are sent every ${everyMs} ms until some seconds after the first right answer: there may be no connection or a 503 first, then only right answers; and once GET /health is answered with 200, queries must be answered, too.`,
  blindTo:
    "The data folder is small: a server with much data starts more slowly, and this shows nothing about how much.",
  risk: "A load balancer sends users to a server that refuses them, or that shows them empty tables.",
  remedy: "Let the load balancer run a query of a known row with its own account before it sends users to the server.",
  covers: [],
  touches: "process",
  needs: ["control", "dba"],
  alone: true,
  level: "block",
  estimateMs: 5_000,
  estimateRequests: 150,
  timeoutMs: 250_000,
  limits: { readyWithinMs: 30_000 },
  findings: {
    healthyButRefusing: {
      say: (d: { times: number; healthyMs: number; lastMs: number; text: string }) =>
        `GET /health reported healthy ${d.healthyMs} ms after the start; queries sent after it, until ${d.lastMs} ms, got ${d.times} times: ${d.text}`,
    },
    wrongAnswerEarly: {
      say: (d: { times: number; atMs: number; text: string }) =>
        `${d.times} queries were answered incorrectly, the first ${d.atMs} ms after the start: ${d.text}; expected ${rowCount} rows, 503 or no connection`,
      risk: "For a moment after each update, users see empty tables or are told that they do not exist.",
    },
    slowStart: {
      say: (d: { readyMs: number; withinMs: number }) =>
        `the first right answer came ${d.readyMs} ms after the start, not within ${d.withinMs} ms`,
      risk: "Each update or crash is an outage of that length.",
      remedy:
        "Give the process manager and the load balancer more time, and look in the server's log for what takes it.",
      timed: true,
    },
    relapsed: {
      say: (d: { of: Look["of"]; times: number; afterMs: number; text: string }) =>
        `${d.of === "health" ? "GET /health" : "a query"} got ${d.times} times, from ${d.afterMs} ms after the first right answer on: ${d.text}`,
      risk: "Users are sent to the server and turned away again.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const table = await sharedTable(target, context, op, `${context.scratch}.known`, {
      columns: "id BIGINT PRIMARY KEY, mark TEXT",
    });
    const rows = Array.from({ length: rowCount }, (_, at) => `(${at + 1}, 'row ${at + 1}')`);
    context.need(await target.sql(op, `INSERT INTO ${table} (id, mark) VALUES ${rows.join(", ")}`), "no rows");
    const lifecycle = lifecycleOf(target, context);
    const before = await identify(target, op, lifecycle);
    const { stopped, tookMs } = await lifecycle.stop({ withinMs: stopWithinMs });
    if (!stopped) await lifecycle.kill();
    const looking = startLooking(target, context, op, table);
    const restart = await startAgain(target, context, op, { by: "stop", before, goneMs: tookMs });
    const looks = await looking.stopAfter(
      restart.answeredMs === null ? 0 : context.size({ light: 1_000, standard: 2_500, deep: 10_000 }),
    );
    const took = looks.filter(({ of, was }) => of === "query" && was === "ready").map((one) => one.doneAt - one.sentAt);
    const pace = { waitedMs: restart.answeredMs ?? 0, controlMs: took.length === 0 ? null : Math.max(...took) };
    return { restart, looks, pace };
  },
  timeline: ({ restart }) => restartTimes([restart]),
  judge({ restart, looks, pace }, { found, limits }) {
    const queries = looks.filter((look) => look.of === "query");
    const health = looks.filter((look) => look.of === "health");
    const ready = queries.find(({ was }) => was === "ready");
    const wrong = queries.filter(({ was }) => was === "wrong");
    const [firstWrong] = wrong;
    if (firstWrong !== undefined && wrong.length >= timesMin)
      found.wrongAnswerEarly(
        { times: wrong.length, atMs: firstWrong.doneAt, text: firstWrong.text },
        { sent: wrong.slice(0, 2) },
      );
    const well = health.find(({ was }) => was === "ready");
    const readyAt = ready?.doneAt ?? Infinity;
    const refused = refusalsIn(
      queries.filter(({ sentAt }) => sentAt >= (well?.doneAt ?? Infinity) && sentAt < readyAt),
    );
    if (well !== undefined && refused.length > 0)
      found.healthyButRefusing(
        {
          times: refused.length,
          healthyMs: well.doneAt,
          lastMs: refused.at(-1)?.doneAt ?? 0,
          text: refused[0]?.text ?? "",
        },
        { sent: [well, ...refused.slice(0, 2)] },
      );
    for (const [of, all] of [
      ["query", queries],
      ["health", health],
    ] as const) {
      // Health may lag behind the first answer, but not go back.
      const from = of === "query" ? readyAt : Math.max(readyAt, well?.doneAt ?? Infinity);
      const again = refusalsIn(all.filter(({ sentAt }) => sentAt >= from));
      const [first] = again;
      if (first === undefined) continue;
      const afterMs = Math.round(first.sentAt - readyAt);
      found.relapsed({ of, times: again.length, afterMs, text: first.text }, { case: of, sent: again.slice(0, 2) });
    }
    const { answeredMs } = restart;
    const isSlow = answeredMs !== null && answeredMs > limits.readyWithinMs;
    if (isSlow && isLate(pace)) found.slowStart({ readyMs: answeredMs, withinMs: limits.readyWithinMs });
    const why = whyNotRestarted(restart) ?? whyTooLittle(queries, health);
    if (why !== undefined) return unknown(why);
    if (isSlow) return unknown(whySlow(pace));
    const closed = queries.filter(({ was, sentAt }) => (was === "closed" || was === "lost") && sentAt < readyAt).length;
    const right = queries.filter(({ was }) => was === "ready").length;
    return pass(
      `no connection or 503 for ${closed} queries, then ${right} right answers in a row, the first after ${answeredMs} ms; GET /health reported healthy after ${well?.doneAt} ms`,
    );
  },
});

/** Those that are the server's: in its own words, or in a row; empty where there are too few. */
function refusalsIn(looks: readonly Look[]): readonly Look[] {
  const told = looks.filter(({ was }) => was === "closed");
  if (told.length >= timesMin) return told;
  let row: Look[] = [];
  for (const look of looks) {
    if (look.was === "closed" || look.was === "lost") row.push(look);
    else if (row.length >= lostInARowMin) break;
    else row = [];
  }
  return row.length >= lostInARowMin ? row : [];
}

function whyTooLittle(queries: readonly Look[], health: readonly Look[]): string | undefined {
  const first = queries.findIndex(({ was }) => was === "ready");
  if (first === -1) return "no query was answered with all rows after the start";
  const after = queries.slice(first).filter(({ was }) => was === "ready").length;
  if (first < looksMin.before || after < looksMin.after)
    return `${first} queries were sent before the first right answer and ${after} were answered right; ${looksMin.before} and ${looksMin.after} are needed`;
  const odd = queries.find(({ was }) => was === "wrong");
  if (odd !== undefined) return `one query, and no other, was answered: ${odd.text}`;
  if (health.some(({ was }) => was === "ready")) return undefined;
  return `GET /health was never answered with 200: ${health.at(-1)?.text ?? "nothing was sent"}`;
}

interface Looking {
  /** Goes on for so long, and returns what was seen. */
  stopAfter(ms: number): Promise<readonly Look[]>;
}

function startLooking(target: Target, context: Context, as: Account, table: string): Looking {
  const startedAt = performance.now();
  const looks: Look[] = [];
  let until = Infinity;
  const keepOn = async (look: () => Promise<Omit<Look, "sentAt" | "doneAt">>): Promise<void> => {
    while (performance.now() < until) {
      const sentAt = performance.now();
      const seen = await look();
      const doneAt = performance.now();
      looks.push({ ...seen, sentAt: Math.floor(sentAt - startedAt), doneAt: Math.ceil(doneAt - startedAt) });
      const restMs = Math.ceil(sentAt + everyMs - doneAt);
      if (restMs > 0)
        await context.poll(
          async () => await Promise.resolve(performance.now()),
          (now) => now >= sentAt + everyMs,
          { withinMs: 2 * restMs, everyMs: restMs },
        );
    }
  };
  const all = Promise.all([
    keepOn(async () => await lookAtHealth(target)),
    keepOn(async () => await query(target, as, table)),
  ]);
  // It is awaited in the end; until then a rejection has nobody.
  all.catch(() => undefined);
  return {
    async stopAfter(ms) {
      until = performance.now() + ms;
      await all;
      return looks.toSorted((one, other) => one.sentAt - other.sentAt);
    },
  };
}

type Said = Omit<Look, "sentAt" | "doneAt">;

async function lookAtHealth(target: Target): Promise<Said> {
  const reply = await target.request(null, {
    method: "GET",
    path: "/health",
    timeoutMs: requestTimeoutMs,
    expectRate: true,
  });
  const { exchange } = reply;
  if (reply.kind === "broken") return { of: "health", was: brokenOff(reply.because), text: reply.because, exchange };
  // A proxy without a server answers in HTML.
  const closed = reply.json === undefined ? "lost" : "closed";
  const was = reply.status === 200 ? "ready" : reply.status === 503 ? closed : "none";
  return { of: "health", was, text: `${reply.status} ${truncated(reply.text, 80)}`, exchange };
}

async function query(target: Target, as: Account, table: string): Promise<Said> {
  // Once: what was refused is not asked again, since that is what is looked for.
  const options = { timeoutMs: requestTimeoutMs, expectRate: true, ownConnection: true };
  const answer = await target.sql(as, `SELECT id, mark FROM ${table} ORDER BY id LIMIT 10`, options);
  const { exchange } = answer;
  const said = saidOf(answer);
  const text = [said.status ?? said.why, said.code, truncated(said.message, 120)]
    .filter((part) => part !== "")
    .join(" ");
  if (answer.kind === "ok") {
    const rows = rowsOf(answer)?.map((row) => `${cellText(row["id"])} ${cellText(row["mark"])}`) ?? [];
    const right = Array.from({ length: rowCount }, (_, at) => `${at + 1} row ${at + 1}`).join() === rows.join();
    return { of: "query", was: right ? "ready" : "wrong", text: `200 with ${rows.length} rows`, exchange };
  }
  if (said.status === null) return { of: "query", was: brokenOff(said.why), text, exchange };
  const closed = isPassing(said.status) && said.code !== "" ? "closed" : "lost";
  return { of: "query", was: isNoAnswer(said) || said.status === 429 ? closed : "wrong", text, exchange };
}

function brokenOff(because: string): Look["was"] {
  return because === "timeout" ? "late" : because === "unreachable" ? "closed" : "lost";
}
