import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { saidOf, type Said, type Subscription } from "../../../src/server/target.ts";
import { connect, fenceArrives, noticesOf, subscribe } from "../../vocabulary/following.ts";
import { openingText, tryToSubscribe, type Opening } from "../../vocabulary/opening.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { liveQueriesOf } from "../../vocabulary/live-view.ts";
import { isLate, paceText, waitPatiently, whySlow, type Pace } from "../../vocabulary/pace.ts";

type Tried = {
  readonly table: "unknown" | "dropped";
  readonly http: Said;
  readonly opening: Opening;
  /** New subscriptions to this table in the live view; null where it could not be read. */
  readonly listed: readonly string[] | null;
};

type Dropped = {
  readonly said: Said;
  readonly select: Said;
  /** Errors sent about the open subscription, and how its connection ended. */
  readonly notices: readonly string[];
  /** Of the wait for a notice. */
  readonly pace: Pace;
  /** Whether another table's subscription on the same connection went on. */
  readonly fenced: boolean;
  readonly exchange: number;
};

type Seen = {
  /** The HTTP form with an existing table. */
  readonly control: Said;
  readonly tried: readonly Tried[];
  /** The open subscription in the live view, before its table was dropped. */
  readonly before: readonly string[] | null;
  readonly dropped: Dropped;
};

/** How long a notice about the drop may take. */
const noticeWithinMs = 2_000;

export const missingTableRefused = defineCheck({
  id: "subscriptions/missing-table-refused",
  title: "Subscribing to a missing table fails with an error",
  failureTitle: "Subscribing to a missing table appears to succeed",
  description:
    "Subscribes to a table that never existed and to one that was dropped, on a socket and over HTTP: each must be rejected, and the live view must not list it. A subscription that is open when its table is dropped must be notified, by an error or by a closed connection. A subscription to another table shows that the connection works.",
  blindTo: "A table that is dropped and created again with other columns.",
  risk: "A client waits forever for events of a table whose name was misspelled, or that was dropped.",
  remedy: "Run SELECT … LIMIT 1 before subscribing, and again when no event has arrived for a while.",
  covers: ["SUB-07"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_500,
  estimateRequests: 15,
  findings: {
    acceptedDead: {
      say: (d: { table: string; how: string; answer: string }) =>
        `a subscription to a ${d.table === "dropped" ? "dropped" : "missing"} table is ${d.how}: ${d.answer}`,
    },
    silentAfterDrop: {
      say: (d: { pace: Pace }) =>
        `the table of an open subscription was dropped, and the subscriber was not notified within ${d.pace.waitedMs} ms, ${paceText(d.pace)}`,
      risk: "A client waits forever for events of a table that was dropped.",
      remedy: "Run SELECT … LIMIT 1 when no event has arrived for a while.",
      timed: true,
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const reader = await target.account("user", "reader");
    const { scratch } = context;
    const sharing = { columns: "id BIGINT PRIMARY KEY, v TEXT", readers: ["user"] } as const;
    const doomed = await sharedTable(target, context, op, `${scratch}.doomed`, sharing);
    const calm = await sharedTable(target, context, op, `${scratch}.calm`, sharing);
    const live = context.need(await connect(target, reader), "the reader could not connect");
    const subscribed = async (table: string): Promise<Subscription> =>
      context.need(await subscribe(live, `SELECT * FROM ${table}`), "an existing table could not be followed")
        .subscription;
    const [open, other] = [await subscribed(doomed), await subscribed(calm)];
    // Over HTTP as a dba: other accounts only learn that a statement failed, not why.
    const overHttp = async (table: string): Promise<Said> => saidOf(await target.sql(op, `SUBSCRIBE TO ${table}`));
    const listedFor = async (table: string): Promise<string[] | null> =>
      (await liveQueriesOf(target, op, reader))?.flatMap((one) => (one.table === table ? one.subscriptionId : [])) ??
      null;
    const attempt = async (table: Tried["table"], name: string): Promise<Tried> => {
      const http = await overHttp(name);
      const { opening } = await tryToSubscribe(live, `SELECT * FROM ${name}`, {}, `dead-${table}`);
      const names = await listedFor(name);
      return { table, http, opening, listed: names?.filter((one) => one !== open.id) ?? null };
    };
    const control = await overHttp(calm);
    const unknownTable = await attempt("unknown", `${scratch}.never`);
    const before = await listedFor(doomed);

    const said = saidOf(await target.sql(op, `DROP TABLE ${doomed}`));
    const any = (all: readonly string[]): boolean => all.length > 0;
    const look = async (): Promise<string[]> => await Promise.resolve(noticesOf(open, live));
    const { value: notices, pace } = await waitPatiently(target, op, {
      floorMs: noticeWithinMs,
      wait: async (withinMs) => await context.poll(look, any, { withinMs, everyMs: 25 }),
      done: any,
    });
    const select = saidOf(await target.sql(op, `SELECT * FROM ${doomed} LIMIT 1`));
    await target.sql(op, `INSERT INTO ${calm} (id, v) VALUES (1, 'fence')`);
    const fenced = await fenceArrives(other, "v", "fence");
    return {
      control,
      tried: [unknownTable, await attempt("dropped", doomed)],
      before,
      dropped: { said, select, notices, pace, fenced, exchange: open.exchange },
    };
  },
  judge({ control, tried, before, dropped }, { found }) {
    const { said, select, notices, pace, fenced } = dropped;
    const gone = said.kind === "ok" && select.kind === "refused" && select.why === "missing";
    for (const { table, http, opening, listed: names } of tried) {
      if (table === "dropped" && !gone) continue;
      const dead = (how: string, answer: string, sent: Said | Opening): void =>
        found.acceptedDead({ table, how, answer }, { case: `${table}, ${how}`, sent });
      if (http.kind === "ok") dead("accepted over HTTP", "active", http);
      if (opening.kind === "ready") dead("accepted on a socket", "acknowledged", opening);
      if (opening.kind === "refused" && names !== null && names.length > 0)
        dead("refused and yet listed as a live query", names.join(", "), opening);
    }
    if (gone && notices.length === 0 && fenced && isLate(pace))
      found.silentAfterDrop({ pace }, { sent: [dropped, said] });

    if (!gone) return unknown(`the table could not be dropped: ${said.message} ${select.message}`);
    const vague = tried.find(
      ({ opening }) => opening.kind !== "refused" || opening.reason === "limit" || opening.reason === "other",
    );
    if (vague !== undefined) return unknown(`${vague.table}: ${openingText(vague.opening)}`);
    if (control.kind !== "ok")
      return unknown(`over HTTP even an existing table is answered with ${control.code} ${control.message}`);
    const unclear = tried.find(({ http }) => http.kind === "unsure" || http.why !== "missing");
    if (unclear !== undefined)
      return unknown(`${unclear.table}, over HTTP: ${unclear.http.code} ${unclear.http.message}`);
    if (before === null || tried.some((one) => one.listed === null)) return unknown("the live view could not be read");
    if (before.length === 0) return unknown("not even an open subscription is listed in the live view");
    if (notices.length === 0)
      return unknown(
        fenced
          ? `no notice to the open subscription yet; ${whySlow(pace)}`
          : `no notice to the open subscription within ${pace.waitedMs} ms, and its connection did not go on`,
      );
    return pass(
      `${tried.length} missing tables rejected both ways and not listed; the open subscription was notified after ${pace.waitedMs} ms: ${notices[0] ?? ""}`,
    );
  },
});
