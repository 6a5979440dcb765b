import { defineCheck, fail, pass, unknown, type FoundOf } from "../../../src/check.ts";
import { isRecord, type Json } from "../../../src/wire/json.ts";
import {
  cellText,
  onlyRow,
  type Account,
  type Frame,
  type Live,
  type Subscription,
  type Target,
} from "../../../src/server/target.ts";
import { sortTried, tryAll, whyUnclear, type Tried as HttpTried } from "../../vocabulary/trials.ts";
import { connect, fenceArrives, type NotFollowing } from "../../vocabulary/following.ts";
import { reasonOf, type Reason } from "../../vocabulary/opening.ts";

/** What SUBSCRIBE over HTTP ought to refuse; `own` is a table that is there. */
export const statements: readonly { readonly name: string; readonly sql: (own: string) => string }[] = [
  { name: "without TO", sql: (own) => `SUBSCRIBE ${own}` },
  { name: "without a table", sql: () => "SUBSCRIBE TO" },
  { name: "WHERE without a condition", sql: (own) => `SUBSCRIBE TO ${own} WHERE` },
  { name: "OPTIONS without a list", sql: (own) => `SUBSCRIBE TO ${own} OPTIONS` },
  { name: "unknown option", sql: (own) => `SUBSCRIBE TO ${own} OPTIONS (last_row = 1)` },
  { name: "condition cut short", sql: (own) => `SUBSCRIBE TO ${own} WHERE (((` },
];

interface Case {
  readonly name: string;
  readonly sql: (own: string) => string;
  readonly id?: string;
  /** No options: the server then reads no snapshot, and so does not try the statement. */
  readonly withoutSnapshot?: true;
  /** The only rows that may be delivered if it is accepted all the same; absent where it has no condition. */
  readonly may?: readonly string[];
}

const usedId = "used";

/** What a socket ought to refuse. One line a case; add to it freely. */
export const cases: readonly Case[] = [
  { name: "empty id", id: "", sql: (own) => `SELECT * FROM ${own}` },
  { name: "blank id", id: "  ", sql: (own) => `SELECT * FROM ${own}` },
  { name: "used id", id: usedId, sql: (own) => `SELECT * FROM ${own} WHERE id = 2`, may: ["2"] },
  { name: "empty statement", sql: () => "" },
  { name: "DELETE", sql: (own) => `DELETE FROM ${own}` },
  { name: "JOIN", sql: (own) => `SELECT * FROM ${own} a JOIN ${own} b ON a.id = b.id` },
  { name: "ORDER BY", sql: (own) => `SELECT * FROM ${own} ORDER BY id` },
  { name: "LIMIT", sql: (own) => `SELECT * FROM ${own} LIMIT 1` },
  { name: "GROUP BY", sql: (own) => `SELECT v, COUNT(*) FROM ${own} GROUP BY v` },
  { name: "chain", sql: (own) => `SELECT * FROM ${own}; DELETE FROM ${own}` },
  { name: "unparsable WHERE", sql: (own) => `SELECT * FROM ${own} WHERE (((`, may: [] },
  { name: "unknown column", sql: (own) => `SELECT * FROM ${own} WHERE nowhere = 1`, may: [] },
  {
    name: "unknown column, no snapshot",
    sql: (own) => `SELECT * FROM ${own} WHERE nowhere = 1`,
    withoutSnapshot: true,
    may: [],
  },
];

type Tried = {
  readonly case: string;
  readonly sql: string;
  readonly kind: "acknowledged" | "refused" | "unanswered" | "closed";
  readonly code: string;
  readonly message: string;
  readonly reason: Reason | "";
  /** Of an accepted one: keys of rows that came, in its pages and after the write at the end. */
  readonly rows: readonly string[];
  readonly exchange: number;
};

type Seen = {
  readonly why: string | null;
  readonly http: readonly HttpTried[];
  /** A proper statement over HTTP. */
  readonly control: HttpTried | null;
  readonly tried: readonly Tried[];
  /** Whether a proper subscription on the last connection was told of the row written at the end. */
  readonly alive: boolean;
  /** Rows at the end, with that one. */
  readonly left: string | null;
};

const answerWithinMs = 3_000;
const rowCount = 3;
const lastKey = 50;

const findings = {
  accepted: { say: (d: { statement: string; how: string }) => `${d.statement} was accepted ${d.how}` },
  unfiltered: {
    say: (d: { statement: string; rows: readonly string[] }) =>
      `${d.statement} was accepted, and rows came that it does not ask for: ${d.rows.join(", ")}`,
  },
  connectionLost: { say: (d: { statement: string; why: string }) => `${d.statement} cost the connection: ${d.why}` },
};

export const badSubscribeRefused = defineCheck({
  id: "subscriptions/bad-subscribe-refused",
  title: "A subscription that cannot be honoured is refused",
  failureTitle: "A subscription that cannot be honoured is accepted",
  description: `Sends ${statements.length} statements over HTTP and ${cases.length} subscriptions on a socket that cannot be kept up live or make no sense: an empty or a used id, DELETE, JOIN, ORDER BY, LIMIT, GROUP BY, several statements, a broken condition, an unknown column. Each must be refused by a code, with the connection living on: a proper subscription on it must be told a row that is written afterwards. All rows must still be there.`,
  blindTo: "Messages that are no subscriptions: broken JSON, unknown types, binary frames.",
  risk: "A client believes that it listens to what it asked for, and gets nothing, or everything.",
  remedy: "Keep to SELECT columns FROM namespace.table WHERE condition, with ids of your own that are used once.",
  covers: ["SUB-08"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_200,
  estimateRequests: statements.length + cases.length + 8,
  findings,
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const reader = await target.account("user", "reader");
    const table = `${context.scratch}.proper`;
    const nothing = { http: [], control: null, tried: [], alive: false, left: null };
    const made = await target.sql(
      op,
      `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='SHARED', ACCESS_LEVEL='PUBLIC')`,
    );
    if (made.kind !== "ok") return { ...nothing, why: `the table could not be made: ${made.message}` };
    const values = Array.from({ length: rowCount }, (_, at) => `(${at + 1}, 'v')`);
    const filled = await target.sql(op, `INSERT INTO ${table} (id, v) VALUES ${values.join(", ")}`);
    if (filled.kind !== "ok") return { ...nothing, why: `the rows could not be written: ${filled.message}` };
    const http = await tryAll(
      target,
      statements.map(({ name, sql }) => ({ name, as: reader, sql: sql(table) })),
    );
    const [control] = await tryAll(target, [
      { name: "control", as: reader, sql: `SUBSCRIBE TO ${table} WHERE id = 1` },
    ]);
    let socket = await openSocket(target, reader, table);
    if ("why" in socket) return { ...nothing, http, why: socket.why };
    const asked: { one: Tried; id: string; from: number; live: Live }[] = [];
    for (const [at, one] of cases.entries()) {
      const id = one.id ?? `bad-${at}`;
      const { live } = socket;
      const from = live.frames.length;
      const sql = one.sql(table);
      const { exchange } = await live.subscribe(sql, one.withoutSnapshot === true ? null : {}, id);
      const answer = await live.untilFrame(
        ({ type }) => type === "error" || type === "subscription_ack",
        answerWithinMs,
        from,
      );
      asked.push({ one: { case: one.name, sql, ...answerOf(answer, live), rows: [], exchange }, id, from, live });
      if (live.closed() === undefined) continue;
      socket = await openSocket(target, reader, table);
      if ("why" in socket) return { ...nothing, http, why: socket.why };
    }
    const last = await target.sql(op, `INSERT INTO ${table} (id, v) VALUES (${lastKey}, 'fence')`);
    const alive = await fenceArrives(socket.control, "v", "fence");
    const tried = asked.map(({ one, id, from, live }): Tried => ({
      ...one,
      rows: rowsAbout(live.frames.slice(from), id),
    }));
    const count = onlyRow(await target.sql(op, `SELECT COUNT(*) AS n FROM ${table}`))?.["n"];
    return {
      why: null,
      http,
      control: control ?? null,
      tried,
      alive,
      // What was not written for certain cannot be missed.
      left: count === undefined || last.kind !== "ok" ? null : cellText(count),
    };
  },
  judge({ why, http, control, tried, alive, left }) {
    if (why !== null) return unknown(why);
    const sorted = sortTried(http);
    const found: FoundOf<typeof findings>[] = sorted.accepted.map((one) => ({
      name: "accepted" as const,
      case: `HTTP ${one.case}`,
      data: { statement: one.sql, how: "over HTTP" },
      sent: [one.said.exchange],
    }));
    for (const { case: name, kind, sql, message, rows, exchange } of tried) {
      const common = { case: name, sent: [exchange] };
      const may = cases.find((one) => one.name === name)?.may;
      const extra = rows.filter((id) => may?.includes(id) === false);
      if (kind === "closed") found.push({ name: "connectionLost", ...common, data: { statement: sql, why: message } });
      else if (kind === "acknowledged" && extra.length > 0)
        found.push({ name: "unfiltered", ...common, data: { statement: sql, rows: extra } });
      else if (kind === "acknowledged")
        found.push({
          name: "accepted",
          ...common,
          data: { statement: `${name}: ${sql}`, how: `on a socket, with ${rows.length} rows` },
        });
    }
    const wanted = rowCount + 1;
    if (left !== null && left !== String(wanted))
      found.push({
        name: "accepted",
        case: "rows",
        data: { statement: "one of them", how: `in deed: ${left} of ${wanted} rows are left` },
      });
    if (found.length > 0) return fail(...found);
    const unclear = whyUnclear(sorted);
    if (unclear !== undefined) return unknown(unclear);
    if (control?.said.kind !== "ok")
      return unknown(`a proper SUBSCRIBE TO over HTTP was not accepted: ${control?.said.message ?? ""}`);
    const odd = tried.find(({ kind, reason }) => kind === "unanswered" || ["limit", "right", "other"].includes(reason));
    if (odd !== undefined)
      return unknown(`${odd.case}: neither accepted nor refused for its SQL: ${odd.kind} ${odd.code} ${odd.message}`);
    if (tried.length < cases.length || http.length < statements.length)
      return unknown(`only ${tried.length + http.length} of ${cases.length + statements.length} were tried`);
    if (left === null) return unknown("the rows could not be counted afterwards");
    if (!alive) return unknown("a proper subscription on the same connection was not told of the last row");
    return pass(
      `${http.length} statements over HTTP and ${tried.length} subscriptions refused; the connection lives, all ${left} rows are there`,
    );
  },
});

interface Open {
  readonly live: Live;
  readonly control: Subscription;
}

/** A connection with two proper subscriptions: one to see that it lives, one whose id somebody will use again. */
async function openSocket(target: Target, as: Account, table: string): Promise<Open | NotFollowing> {
  const live = await connect(target, as);
  if ("why" in live) return live;
  const control = await live.subscribe(`SELECT * FROM ${table}`, {}, "control");
  const used = await live.subscribe(`SELECT * FROM ${table} WHERE id = 1`, {}, usedId);
  for (const one of [control, used]) {
    const begun = await one.begin();
    if (begun.kind !== "ready") return { why: `a proper subscription was not served: ${JSON.stringify(begun)}` };
  }
  return { live, control };
}

function answerOf(answer: Frame | undefined, live: Live): Pick<Tried, "kind" | "code" | "message" | "reason"> {
  const close = live.closed();
  if (answer?.type === "subscription_ack") return { kind: "acknowledged", code: "", message: "", reason: "" };
  if (close !== undefined)
    return { kind: "closed", code: "", message: `${close.code} ${close.reason}`.trim(), reason: "" };
  if (!isRecord(answer?.json)) return { kind: "unanswered", code: "", message: "", reason: "" };
  const [code, message] = [cellText(answer.json["code"]), cellText(answer.json["message"])];
  return { kind: "refused", code, message: message.slice(0, 200), reason: reasonOf(code, message) };
}

/** Keys of the rows that frames about a subscription brought. */
function rowsAbout(frames: readonly Frame[], id: string): string[] {
  const rows = frames.flatMap(({ json, about }) =>
    about === id && isRecord(json) && Array.isArray(json["rows"]) ? (json["rows"] as readonly Json[]) : [],
  );
  return [...new Set(rows.filter(isRecord).map((row) => cellText(row["id"])))];
}
