import { defineCheck, fail, pass, unknown, type FoundOf } from "../../../src/check.ts";
import { listed, saidOf, type Account, type Said, type Target } from "../../../src/server/target.ts";
import { connect, fenceArrives, noticesOf } from "../../vocabulary/following.ts";
import { openingOf, openingText, type Opening } from "../../vocabulary/opening.ts";

type Tried = {
  readonly table: "unknown" | "dropped";
  readonly http: Said;
  readonly opening: Opening;
  /** Names of subscriptions of ours to this table in the live view; null where it could not be read. */
  readonly listed: readonly string[] | null;
};

type Dropped = {
  readonly said: Said;
  readonly select: Said;
  /** What the open subscription was told of it, and how its connection ended. */
  readonly notices: readonly string[];
  readonly waitedMs: number;
  /** Whether another table's subscription on the same connection went on. */
  readonly fenced: boolean;
  readonly exchange: number;
};

type Seen = {
  readonly why: string | null;
  /** The HTTP form with a table that is there. */
  readonly control: Said | null;
  readonly tried: readonly Tried[];
  /** The open subscription in the live view, while its table was there. */
  readonly before: readonly string[] | null;
  readonly dropped: Dropped | null;
};

/** How long we look for a word about the drop. */
const noticeWithinMs = 2_000;

const findings = {
  acceptedDead: {
    say: (d: { table: string; how: string; answer: string }) =>
      `a subscription to a table that is ${d.table === "dropped" ? "dropped" : "not there"} is ${d.how}: ${d.answer}`,
  },
  silentAfterDrop: {
    say: (d: { waitedMs: number }) =>
      `the table of an open subscription was dropped, and within ${d.waitedMs} ms the subscriber was told nothing`,
  },
};

export const missingTableRefused = defineCheck({
  id: "subscriptions/missing-table-refused",
  title: "Who subscribes to a table that is not there is told so",
  failureTitle: "A subscription to a table that is not there looks fine",
  description:
    "Subscribes to a table that never was and to one that was dropped, on a socket and over HTTP: each must be refused, and the live view must not list it. A subscription that is open when its table is dropped must be told: by an error about it, or by the end of the connection. A subscription to a table that stays shows that the connection lives.",
  blindTo: "A table that is dropped and made again with other columns.",
  risk: "A client waits for ever for events of a table with a typo in its name, or of one that somebody dropped.",
  remedy: "Ask SELECT … LIMIT 1 before subscribing, and again when nothing has come for a while.",
  covers: ["SUB-07"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_500,
  estimateRequests: 15,
  findings,
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const reader = await target.account("user", "reader");
    const { scratch } = context;
    const nothing = { control: null, tried: [], dropped: null, before: null };
    for (const name of ["doomed", "calm"]) {
      const made = await target.sql(
        op,
        `CREATE TABLE ${scratch}.${name} (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='SHARED', ACCESS_LEVEL='PUBLIC')`,
      );
      if (made.kind !== "ok") return { ...nothing, why: `a table could not be made: ${made.message}` };
    }
    const live = await connect(target, reader);
    if ("why" in live) return { ...nothing, why: live.why };
    const [open, calm] = [
      await live.subscribe(`SELECT * FROM ${scratch}.doomed`),
      await live.subscribe(`SELECT * FROM ${scratch}.calm`),
    ];
    const begun = [await open.begin(), await calm.begin()].find(({ kind }) => kind !== "ready");
    if (begun !== undefined) return { ...nothing, why: "a subscription to a table that is there did not begin" };
    // Over HTTP a dba asks: others are told that a statement failed, and not why.
    const askOver = async (table: string): Promise<Said> => saidOf(await target.sql(op, `SUBSCRIBE TO ${table}`));
    const control = await askOver(`${scratch}.calm`);
    const tried: Tried[] = [];
    const attempt = async (table: Tried["table"], name: string, but: readonly string[]): Promise<void> => {
      const http = await askOver(`${scratch}.${name}`);
      const subscription = await live.subscribe(`SELECT * FROM ${scratch}.${name}`, {}, `dead-${table}`);
      const opening = openingOf(await subscription.begin(), subscription);
      const names = await liveView(target, op, reader, `${scratch}.${name}`);
      tried.push({ table, http, opening, listed: names?.filter((one) => !but.includes(one)) ?? null });
    };
    await attempt("unknown", "never", []);
    const before = await liveView(target, op, reader, `${scratch}.doomed`);

    const said = saidOf(await target.sql(op, `DROP TABLE ${scratch}.doomed`));
    const droppedAt = performance.now();
    const noticed = () => noticesOf(open, live);
    await context.poll(
      async () => await Promise.resolve(noticed()),
      (all) => all.length > 0,
      { withinMs: noticeWithinMs, everyMs: 25 },
    );
    const waitedMs = Math.round(performance.now() - droppedAt);
    const notices = noticed();
    const select = saidOf(await target.sql(op, `SELECT * FROM ${scratch}.doomed LIMIT 1`));
    await target.sql(op, `INSERT INTO ${scratch}.calm (id, v) VALUES (1, 'fence')`);
    const fenced = await fenceArrives(calm, "v", "fence");
    await attempt("dropped", "doomed", [open.id]);
    return {
      why: null,
      control,
      tried,
      before,
      dropped: { said, select, notices, waitedMs, fenced, exchange: open.exchange },
    };
  },
  judge({ why, control, tried, before, dropped }) {
    if (why !== null) return unknown(why);
    const found: FoundOf<typeof findings>[] = [];
    const gone = dropped?.said.kind === "ok" && dropped.select.kind === "refused" && dropped.select.why === "missing";
    for (const { table, http, opening, listed: names } of tried) {
      if (table === "dropped" && !gone) continue;
      const dead = (how: string, answer: string, exchange: number): void => {
        found.push({ name: "acceptedDead", case: `${table}, ${how}`, data: { table, how, answer }, sent: [exchange] });
      };
      if (http.kind === "ok") dead("accepted over HTTP", "active", http.exchange);
      if (opening.kind === "ready") dead("accepted on a socket", "acknowledged", opening.exchange);
      if (opening.kind === "refused" && (names ?? []).length > 0)
        dead("refused and yet listed as a live query", (names ?? []).join(", "), opening.exchange);
    }
    if (gone && dropped.notices.length === 0 && dropped.fenced)
      found.push({
        name: "silentAfterDrop",
        data: { waitedMs: dropped.waitedMs },
        sent: [dropped.exchange, dropped.said.exchange],
      });
    if (found.length > 0) return fail(...found);
    if (dropped === null || !gone)
      return unknown(`the table could not be dropped: ${dropped?.said.message ?? ""} ${dropped?.select.message ?? ""}`);
    const vague = tried.find(
      ({ opening }) => opening.kind !== "refused" || opening.reason === "limit" || opening.reason === "other",
    );
    if (vague !== undefined) return unknown(`${vague.table}: ${openingText(vague.opening)}`);
    if (control?.kind !== "ok")
      return unknown(
        `over HTTP even a table that is there is answered with ${control?.code ?? ""} ${control?.message ?? ""}`,
      );
    const unclear = tried.find(({ http }) => http.kind === "unsure" || http.why !== "missing");
    if (unclear !== undefined)
      return unknown(`${unclear.table}, over HTTP: ${unclear.http.code} ${unclear.http.message}`);
    if (before === null || tried.some((one) => one.listed === null)) return unknown("the live view could not be read");
    if (before.length === 0) return unknown("not even an open subscription is listed in the live view");
    if (dropped.notices.length === 0)
      return unknown(
        `the open subscription was told nothing in ${dropped.waitedMs} ms, and its connection did not live on`,
      );
    return pass(
      `${tried.length} tables that are not there refused both ways and not listed; the open subscription was told after ${dropped.waitedMs} ms: ${dropped.notices[0] ?? ""}`,
    );
  },
});

/** Names of the account's subscriptions to a table, as the server lists them; null where no view tells them. */
async function liveView(target: Target, op: Account, who: Account, table: string): Promise<readonly string[] | null> {
  const [namespace, name] = table.split(".");
  for (const view of ["system.live", "system.live_queries"]) {
    const names = listed(
      await target.sql(
        op,
        `SELECT subscription_id FROM ${view} WHERE user_id = '${who.name}' AND namespace_id = '${namespace}' AND table_name = '${name}' LIMIT 100`,
      ),
    );
    if (names !== undefined) return names;
  }
  return null;
}
