import { defineCheck, fail, pass, unknown, type Context } from "../../../src/check.ts";
import { differenceOf, foldChanges, isSame } from "../../../src/history/state.ts";
import { cellText, type Account, type Target } from "../../../src/server/target.ts";
import { connect, fenceArrives, noticesOf, textIn } from "../../vocabulary/following.ts";
import { readTable } from "../../vocabulary/tables.ts";

const seedRows = 120;
/** So small that the pacing of messages alone stretches the snapshot over what is written meanwhile, however fast a server is. */
const pageRows = 15;
/** More than this at once a server has been seen to lose: what its queue of one connection holds. */
const burstRows = 150;
/** The fence may overtake what others have written: that is late, and lost only when it does not come then. */
const lateWithinMs = 1_000;
/** Fewer changes between the start of a subscription and its readiness show nothing about the hand-over. */
const duringMin = 30;
const columns = ["id", "mark"];

type Round = {
  /** Many rows arrived in one statement. */
  readonly burst: boolean;
  /** Changes that arrived between the acknowledgement and the end of the snapshot, or were acknowledged in that time. */
  readonly during: number;
  readonly missing: readonly string[];
  readonly ghosts: readonly string[];
  readonly stale: readonly string[];
  /** Inserts told as changes that were in the snapshot already. */
  readonly doubled: readonly string[];
  readonly fenced: boolean;
  readonly notices: readonly string[];
  readonly exchange: number;
};

export const handoverGapless = defineCheck({
  id: "subscriptions/handover-gapless",
  title: "Between snapshot and changes nothing is lost or doubled",
  failureTitle: "Between snapshot and changes something is lost or doubled",
  description: `Subscribes again and again, with small pages, while writers change the table and while, every third time, ${burstRows} rows arrive in one statement in the middle of the snapshot. Snapshot and changes together must make the table as it is at the fence, and no row may be told as new that the snapshot had.`,
  blindTo: "It looks at one table of a few hundred rows; every-change-arrives looks at what follows.",
  risk: "A client starts with a picture that is wrong for good: no later event repairs a row that nobody mentions.",
  remedy: "Read the table once more after a subscription is ready, until this passes.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 10_000,
  estimateRequests: 320,
  timeoutMs: 180_000,
  findings: {
    lostInHandover: {
      say: (d: Lost) =>
        `in ${d.rounds} of ${d.of} subscriptions (${d.bursts} of them with ${burstRows} rows in one statement) the picture was wrong at the fence: ${d.missing} rows missing, ${d.ghosts} too many, ${d.stale} old${d.notices === "" ? "" : ` (${d.notices})`}`,
    },
    doubledInHandover: {
      say: (d: { rounds: number; of: number; first: string }) =>
        `in ${d.rounds} of ${d.of} subscriptions a row of the snapshot was told again as new, the first: ${d.first}`,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const reader = await target.account("user", "reader");
    const writers = await Promise.all(["a", "b", "c"].map(async (label) => await target.account("service", label)));
    const table = `${context.scratch}.pictures`;
    const made = await target.sql(
      op,
      `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, mark TEXT) WITH (TYPE='SHARED', ACCESS_LEVEL='PUBLIC')`,
    );
    if (made.kind !== "ok") return { rounds: [], why: made.message };
    await target.sql(op, insertText(table, 1, seedRows, "seed"));
    const rounds: Round[] = [];
    for (let n = 0; n < context.size({ light: 6, standard: 30, deep: 120 }); n += 1) {
      const round = await look({ target, context, op, reader, writers, table, n });
      if ("why" in round) return { rounds, why: round.why };
      rounds.push(round);
    }
    return { rounds, why: null };
  },
  judge({ rounds, why }) {
    const wrong = rounds.filter((round) => round.fenced && !isSame(round));
    const doubled = rounds.filter((round) => round.doubled.length > 0);
    const sum = (list: "missing" | "ghosts" | "stale"): number =>
      wrong.reduce((total, round) => total + round[list].length, 0);
    const notices = [...new Set(wrong.flatMap((round) => round.notices))].slice(0, 2).join("; ");
    const bursts = wrong.filter((round) => round.burst).length;
    const lost = {
      bursts,
      rounds: wrong.length,
      of: rounds.length,
      missing: sum("missing"),
      ghosts: sum("ghosts"),
      stale: sum("stale"),
      notices,
    };
    const found = [
      ...(wrong.length > 0
        ? [{ name: "lostInHandover" as const, data: lost, sent: wrong.map((round) => round.exchange) }]
        : []),
      ...(doubled.length > 0
        ? [
            {
              name: "doubledInHandover" as const,
              data: { rounds: doubled.length, of: rounds.length, first: doubled[0]?.doubled[0] ?? "" },
              sent: doubled.map((round) => round.exchange),
            },
          ]
        : []),
    ];
    if (found.length > 0) return fail(...found);
    if (why !== null) return unknown(why);
    const unfenced = rounds.filter((round) => !round.fenced);
    if (unfenced.length > 0)
      return unknown(
        `in ${unfenced.length} of ${rounds.length} subscriptions the fence row did not arrive: ${unfenced[0]?.notices.join("; ") ?? ""}`,
      );
    const during = rounds.reduce((total, round) => total + round.during, 0);
    if (during < duringMin) return unknown(`only ${during} changes fell between snapshot and readiness`);
    return pass(
      `${rounds.length} subscriptions, ${during} changes between their start and their readiness, each picture right at the fence`,
    );
  },
});

type Lost = {
  readonly bursts: number;
  readonly rounds: number;
  readonly of: number;
  readonly missing: number;
  readonly ghosts: number;
  readonly stale: number;
  readonly notices: string;
};

interface RoundParts {
  readonly target: Target;
  readonly context: Context;
  readonly op: Account;
  readonly reader: Account;
  readonly writers: readonly Account[];
  readonly table: string;
  readonly n: number;
}

async function look({ target, context, op, reader, writers, table, n }: RoundParts): Promise<Round | { why: string }> {
  // A connection of its own each time: what the last subscription left in a queue must not count for this one.
  const live = await connect(target, reader);
  if ("why" in live) return live;
  const base = 10_000 + n * 1_000;
  const burst = n % 3 === 2;
  let acknowledged: number[] = [];
  const write = async (sql: string, rows: number): Promise<void> => {
    const answer = await target.sql(writers[acknowledged.length % writers.length] ?? op, sql);
    if (answer.kind === "ok") acknowledged = [...acknowledged, ...Array.from({ length: rows }, () => answer.doneAt)];
  };
  const victim = 1 + Math.floor(context.random("values")() * seedRows);
  const startedAt = performance.now();
  const subscribing = live.subscribe(`SELECT * FROM ${table}`, { batchSize: pageRows });
  const writing = Promise.all([
    write(insertText(table, base, 3, `r${n}`), 3),
    write(`UPDATE ${table} SET mark = 'changed ${n}' WHERE id = ${victim}`, 1),
    burst
      ? write(insertText(table, base + 100, burstRows, `b${n}`), burstRows)
      : write(insertText(table, base + 100, 2, `s${n}`), 2),
    n > 0 ? write(`DELETE FROM ${table} WHERE id = ${base - 1_000}`, 1) : undefined,
  ]);
  const subscription = await subscribing;
  const begun = await subscription.begin();
  await writing;
  if (begun.kind !== "ready")
    return { why: `the subscription did not begin: ${begun.kind === "refused" ? begun.message : begun.why}` };
  const fence = `fence ${n}`;
  await target.sql(op, `INSERT INTO ${table} (id, mark) VALUES (${base + 999}, '${fence}')`);
  const fenced = await fenceArrives(subscription, "mark", fence);
  const difference = await context.poll(
    async () => {
      const rows = await readTable(target, op, table, columns);
      return rows === null ? null : differenceOf("id", foldChanges("id", begun.rows, subscription.changes), rows);
    },
    (now) => !fenced || now === null || isSame(now) || live.closed() !== undefined,
    { withinMs: lateWithinMs, everyMs: 250 },
  );
  if (difference === null) return { why: "the table could not be read" };
  const inSnapshot = new Set(begun.rows.map((row) => `${cellText(row["id"])} ${cellText(row["mark"])}`));
  const doubled = subscription.changes.filter(
    (change) => change.kind === "insert" && inSnapshot.has(`${textIn(change, "id")} ${textIn(change, "mark")}`),
  );
  const notices = noticesOf(subscription, live);
  // What a connection that was cut behind the fence did not bring is not lost yet.
  const whole = isSame(difference) || live.closed() === undefined;
  live.close();
  // The burst is taken away again, so that the table stays small; this subscription does not see it any more.
  if (burst) await target.sql(op, `DELETE FROM ${table} WHERE id >= ${base + 100} AND id < ${base + 100 + burstRows}`);
  return {
    burst,
    during: acknowledged.filter((at) => at >= startedAt && at <= begun.at).length,
    missing: difference.missing.slice(0, 5),
    ghosts: difference.ghosts.slice(0, 5),
    stale: difference.stale.slice(0, 5),
    doubled: doubled.slice(0, 3).map((change) => `${textIn(change, "id")} ${textIn(change, "mark")}`),
    fenced: fenced && whole,
    notices,
    exchange: subscription.exchange,
  };
}

function insertText(table: string, from: number, count: number, mark: string): string {
  const rows = Array.from({ length: count }, (_, at) => `(${from + at}, '${mark} ${at}')`);
  return `INSERT INTO ${table} (id, mark) VALUES ${rows.join(", ")}`;
}
