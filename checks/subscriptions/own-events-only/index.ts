import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { cellText, type Account, type Target } from "../../../src/server/target.ts";
import { fenceArrives, follow, textIn, type Following } from "../../vocabulary/following.ts";

const socketsEach = 2;
const rowsEach = 10;

/** What one subscriber was shown: in its snapshot, and in changes. Canaries of others are kept by their text. */
type Shown = {
  readonly who: string;
  readonly table: string;
  readonly own: number;
  readonly foreign: readonly string[];
  readonly fenced: boolean;
  readonly exchange: number;
};

export const ownEventsOnly = defineCheck({
  id: "subscriptions/own-events-only",
  title: "A live query shows nobody else's rows",
  failureTitle: "A live query shows rows of somebody else",
  description: `Two users subscribe alike to a USER and a STREAM table, with ${socketsEach} sockets each, and both write rows with the same keys and values that cannot be guessed; updates and deletes, too. No page and no change may hold what the other one wrote, and everybody's own must arrive.`,
  blindTo: "Two users and two tables; validation/own-rows-only looks at every way to reach a row by SQL.",
  risk: "Private data of one customer appears on another one's screen.",
  remedy: "Do not let users subscribe to USER tables of this server until this passes.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_500,
  estimateRequests: 90,
  findings: {
    foreignEvent: {
      say: (d: { who: string; table: string; events: number }) =>
        `${d.who} was shown ${d.events} rows of somebody else in a ${d.table} table`,
    },
    lostChange: {
      say: (d: { who: string; table: string; own: number; of: number }) =>
        `${d.who} was told ${d.own} of ${d.of} own changes in a ${d.table} table`,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const [alice, bob] = await Promise.all([target.account("user", "alice"), target.account("user", "bob")]);
    const shown: Shown[] = [];
    const nonce = Math.floor(context.random("values")() * 1e12).toString(36);
    for (const table of ["USER", "STREAM"] as const) {
      const name = `${context.scratch}.${table.toLowerCase()}_rows`;
      const options = table === "USER" ? "TYPE='USER'" : "TYPE='STREAM', TTL_SECONDS=600";
      const made = await target.sql(
        op,
        `CREATE TABLE ${name} (id BIGINT${table === "USER" ? " PRIMARY KEY" : ""}, canary TEXT) WITH (${options})`,
      );
      if (made.kind !== "ok") return { shown, why: `the ${table} table could not be made: ${made.message}` };
      // Rows that are there before anybody subscribes: they come in the pages.
      const early = [
        await insert(target, alice, name, 1, canaries("alice", nonce, "early")),
        await insert(target, bob, name, 1, canaries("bob", nonce, "early")),
      ];
      const followers: { who: string; following: Following }[] = [];
      for (let n = 0; n < socketsEach; n += 1) {
        for (const [who, as] of [
          ["alice", alice],
          ["bob", bob],
        ] as const) {
          const following = await follow(target, as, `SELECT * FROM ${name}`, { batchSize: 4 });
          if ("why" in following) return { shown, why: following.why };
          followers.push({ who, following });
        }
      }
      const late = await Promise.all([
        change(target, alice, name, table, "alice", nonce),
        change(target, bob, name, table, "bob", nonce),
      ]);
      // What was not written cannot be told; what is told to the wrong one is wrong all the same.
      const written = ![...early, ...late].includes(false);
      for (const { who, following } of followers) {
        const fenced = await fenceArrives(following.subscription, "canary", `${who} ${nonce} fence`);
        const { rows, subscription } = following;
        const told = subscription.changes.flatMap((one) => [textIn(one, "canary"), cellText(one.old?.["canary"])]);
        const texts = [...rows.map((row) => cellText(row["canary"])), ...told];
        const other = who === "alice" ? "bob" : "alice";
        shown.push({
          who,
          table,
          own: new Set(texts.filter((text) => text.startsWith(`${who} ${nonce}`))).size,
          foreign: texts.filter((text) => text.startsWith(other)).slice(0, 3),
          fenced: fenced && written,
          exchange: following.subscription.exchange,
        });
        following.live.close();
      }
      if (!written) return { shown, why: `the rows of the ${table} table could not all be written` };
    }
    return { shown, why: null };
  },
  judge({ shown, why }) {
    const foreign = shown.filter((one) => one.foreign.length > 0);
    const leaks = foreign.map(({ who, table, foreign: events, exchange }) => ({
      name: "foreignEvent" as const,
      case: `${table} ${who}`,
      data: { who, table, events: events.length },
      sent: [exchange],
    }));
    const short = shown.filter((one) => one.fenced && one.own < canariesOf(one.table));
    const losses = short.map(({ who, table, own, exchange }) => ({
      name: "lostChange" as const,
      case: `${table} ${who}`,
      data: { who, table, own, of: canariesOf(table) },
      sent: [exchange],
    }));
    if (leaks.length + losses.length > 0) return fail(...leaks, ...losses);
    if (why !== null) return unknown(why);
    const deaf = shown.find((one) => !one.fenced);
    if (deaf !== undefined) return unknown(`the last row of ${deaf.who} did not arrive in the ${deaf.table} table`);
    if (shown.length < 4 * socketsEach) return unknown(`only ${shown.length} of ${4 * socketsEach} subscribers looked`);
    return pass(`${shown.length} subscribers, each shown all of its own and none of the other's`);
  },
});

function canaries(who: string, nonce: string, kind: string): string[] {
  return Array.from({ length: rowsEach }, (_, at) => `${who} ${nonce} ${kind} ${at}`);
}

/** How many texts of its own a subscriber meets: early and late ones, an update where there is one, and the fence. */
function canariesOf(table: string): number {
  return 2 * rowsEach + (table === "USER" ? 1 : 0) + 1;
}

async function insert(
  target: Target,
  as: Account,
  table: string,
  from: number,
  texts: readonly string[],
): Promise<boolean> {
  const rows = texts.map((text, at) => `(${from + at}, '${text}')`);
  return (await target.sql(as, `INSERT INTO ${table} (id, canary) VALUES ${rows.join(", ")}`)).kind === "ok";
}

/** Both with the same keys: only whose they are tells the rows apart. Whether all of it was acknowledged. */
async function change(
  target: Target,
  as: Account,
  name: string,
  table: string,
  who: string,
  nonce: string,
): Promise<boolean> {
  const texts = canaries(who, nonce, "late");
  const done: boolean[] = [];
  for (let at = 0; at < texts.length; at += 2)
    done.push(await insert(target, as, name, 100 + at, texts.slice(at, at + 2)));
  if (table === "USER") {
    for (const statement of [
      `UPDATE ${name} SET canary = '${who} ${nonce} changed' WHERE id = 100`,
      `DELETE FROM ${name} WHERE id = 101`,
    ])
      done.push((await target.sql(as, statement)).kind === "ok");
  }
  done.push(await insert(target, as, name, 999, [`${who} ${nonce} fence`]));
  return !done.includes(false);
}
