import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { integerText, onlyRow, saidOf, type Said, truncated } from "../../../src/server/target.ts";
import { follow, noticesOf, textIn } from "../../vocabulary/following.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { burstsOn, eventOf } from "./bursts.ts";

const subscriberCount = 5;
const burstCount = 3;
/** A fence can be dropped as well. */
const fencesMax = 3;
const fenceWithinMs = 4_000;
const sampleMax = 5;

/** What one subscriber received of one burst. */
type Share = {
  readonly subscriber: number;
  readonly got: number;
  readonly missing: readonly string[];
  /** The row that was written after the burst arrived. */
  readonly fenced: boolean;
  /** Errors and closes that the subscriber was told. */
  readonly notices: readonly string[];
  readonly exchange: number;
};
type Seen = {
  readonly name: string;
  readonly changes: number;
  readonly said: Said;
  /** Rows of the burst in the table; null if it is not known. */
  readonly there: number | null;
  readonly rows: number;
  readonly shares: readonly Share[];
};

export const burstReachesAll = defineCheck({
  id: "backpressure/burst-reaches-all",
  title: "A burst of changes reaches every subscriber",
  failureTitle: "Subscribers miss changes of a burst",
  description: `${subscriberCount} subscribers on connections of their own read one table. Three bursts are written, each in one request: 100 rows, 500 rows, and two updates of each of 40 rows. Every subscriber must receive every change of each. The bursts are told apart, because servers queue a fixed number of changes for a connection (KalamDB: 128) and drop the rest.`,
  blindTo: "Subscribers that stop reading, and larger bursts.",
  risk: "After an import or a batch of updates, some users see stale data until they reload.",
  remedy:
    "Write fewer rows in one statement where clients subscribe, and let clients compare with a SELECT after a burst.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_800,
  estimateRequests: 40,
  timeoutMs: 90_000,
  findings: {
    lostChanges: {
      say: (d: {
        burst: string;
        subscribers: number;
        of: number;
        got: number;
        changes: number;
        first: readonly string[];
      }) =>
        `${d.subscribers} of ${d.of} subscribers missed changes of ${d.burst}: one received ${d.got} of ${d.changes}, without ${d.first.join(", ")}`,
    },
  },
  async observe(target, context): Promise<{ bursts: readonly Seen[] }> {
    const op = await target.account("dba");
    const table = await sharedTable(target, context, op, `${context.scratch}.bursts`, {
      columns: "id BIGINT PRIMARY KEY, mark TEXT",
      readers: ["user"],
    });
    const subscribers = await Promise.all(
      Array.from({ length: subscriberCount }, async (_, at) => {
        const as = await target.account("user", `subscriber ${at}`);
        return context.need(
          await follow(target, as, `SELECT * FROM ${table}`, null),
          "a subscriber could not subscribe",
        );
      }),
    );
    const bursts: Seen[] = [];
    let fences = 0;
    for (const burst of burstsOn(table)) {
      const answer = await target.sql(op, burst.sql);
      const fenced = new Set<number>();
      for (let tries = 0; tries < fencesMax && fenced.size < subscribers.length; tries += 1) {
        fences += 1;
        const mark = `fence ${fences}`;
        await target.sql(op, `INSERT INTO ${table} (id, mark) VALUES (${-fences}, '${mark}')`);
        await Promise.all(
          subscribers.map(async ({ subscription }, at) => {
            const came =
              fenced.has(at) ||
              (await subscription.untilChange((change) => textIn(change, "mark") === mark, fenceWithinMs));
            if (came !== undefined) fenced.add(at);
          }),
        );
      }
      const counted = onlyRow(await target.sql(op, `SELECT COUNT(*) AS n FROM ${table} WHERE ${burst.where}`))?.["n"];
      const there = integerText(counted);
      const shares = subscribers.map(({ live, subscription }, subscriber): Share => {
        const got = new Set(subscription.changes.map(eventOf));
        const missing = burst.events.filter((event) => !got.has(event));
        return {
          subscriber,
          got: burst.events.length - missing.length,
          missing: missing.slice(0, sampleMax),
          fenced: fenced.has(subscriber),
          notices: noticesOf(subscription, live),
          exchange: subscription.exchange,
        };
      });
      bursts.push({
        name: burst.name,
        changes: burst.events.length,
        said: saidOf(answer),
        there: there === undefined ? null : Number(there),
        rows: burst.rows,
        shares,
      });
    }
    for (const { live } of subscribers) live.close();
    return { bursts };
  },
  judge({ bursts }, { found }) {
    for (const { name, changes, said, there, rows, shares } of bursts) {
      // Missing in the table is for others to judge; what the subscriber was told of is not silent.
      if (said.kind !== "ok" || there !== rows) continue;
      const short = shares.filter(({ got, fenced, notices }) => fenced && notices.length === 0 && got < changes);
      const [worst] = short.toSorted((a, b) => a.got - b.got);
      if (worst === undefined) continue;
      const data = {
        burst: name,
        subscribers: short.length,
        of: shares.length,
        got: worst.got,
        changes,
        first: worst.missing,
      };
      found.lostChanges(data, { case: name, sent: [said.exchange, worst.exchange] });
    }
    if (bursts.length < burstCount) return unknown(`only ${bursts.length} of ${burstCount} bursts were written`);
    for (const { name, said, there, rows, shares } of bursts) {
      if (said.kind !== "ok") return unknown(`${name}: not acknowledged: ${truncated(said.message, 200)}`);
      if (there !== rows) return unknown(`${name}: the table has ${there ?? "?"} of ${rows} rows`);
      if (shares.length < subscriberCount) return unknown(`${name}: only ${shares.length} subscribers`);
      const told = shares.find(({ notices }) => notices.length > 0);
      if (told !== undefined) return unknown(`${name}: a subscriber was told: ${told.notices.join("; ")}`);
      if (shares.some(({ fenced }) => !fenced))
        return unknown(`${name}: the rows written after it did not arrive, so changes may still be on their way`);
    }
    return pass(
      `${bursts.map(({ name, changes }) => `${name} (${changes} changes)`).join(", ")}: all received by ${subscriberCount} subscribers`,
    );
  },
});
