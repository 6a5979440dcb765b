import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { askedTwice, lookedTwice } from "../../vocabulary/second-look.ts";
import { cellText, onlyRow, saidOf, type Live, type Said, type Subscription } from "../../../src/server/target.ts";
import { connect, fenceArrives, subscribe } from "../../vocabulary/following.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { sortTried, tryAll, whyUnclear, type Tried as HttpTried } from "../../vocabulary/trials.ts";
import { ask, type Tried } from "./asking.ts";
import { cases, statements, usedId } from "./cases.ts";

const rowCount = 3;
const lastKey = 50;

type Seen = {
  readonly http: readonly HttpTried[];
  /** A valid statement over HTTP. */
  readonly control: Said;
  readonly tried: readonly Tried[];
  /** Whether a valid subscription on the last connection delivered the row written at the end. */
  readonly alive: boolean;
  /** Rows at the end, with that one. */
  readonly left: string | null;
};

export const badSubscribeRefused = defineCheck({
  id: "subscriptions/bad-subscribe-refused",
  title: "Subscriptions that cannot be served are rejected",
  failureTitle: "Subscriptions that cannot be served are accepted",
  description: `Sends ${statements.length} statements over HTTP and ${cases.length} subscriptions on a socket that are invalid or cannot be served live: an empty or a used id, DELETE, JOIN, ORDER BY, LIMIT, GROUP BY, several statements, a broken condition, an unknown column. Each must be rejected with an error, and the connection must stay open: a valid subscription on it must deliver a row written afterwards. All rows must still be there.`,
  blindTo: "Messages other than subscriptions: broken JSON, unknown types, binary frames.",
  risk: "A client believes that it follows what it asked for, and gets nothing or everything; a DELETE may be executed.",
  remedy: "Use only SELECT columns FROM namespace.table WHERE condition, with unique ids of your own.",
  covers: ["SUB-08"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_200,
  estimateRequests: statements.length + cases.length + 8,
  findings: {
    accepted: { say: (d: { statement: string; how: string }) => `${d.statement} was accepted ${d.how}` },
    unfiltered: {
      say: (d: { statement: string; rows: readonly string[] }) =>
        `${d.statement} was accepted and delivered rows it does not ask for: ${d.rows.join(", ")}`,
      risk: "A client gets rows that it did not ask for.",
    },
    connectionLost: {
      say: (d: { statement: string; why: string }) =>
        lookedTwice(`the connection was closed after ${d.statement}: ${d.why}`),
      risk: "One bad subscription ends all live queries on its connection.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const reader = await target.account("user", "reader");
    const table = await sharedTable(target, context, op, `${context.scratch}.proper`, {
      columns: "id BIGINT PRIMARY KEY, v TEXT",
      readers: ["user"],
    });
    const values = Array.from({ length: rowCount }, (_, at) => `(${at + 1}, 'v')`);
    const insert = `INSERT INTO ${table} (id, v) VALUES ${values.join(", ")}`;
    context.need(await target.sql(op, insert), "the rows could not be written");
    const http = await tryAll(
      target,
      statements.map(({ name, sql }) => ({ name, as: reader, sql: sql(table) })),
    );
    const control = saidOf(await target.sql(reader, `SUBSCRIBE TO ${table} WHERE id = 1`));
    /** A connection with two valid subscriptions: one shows that it works, the other's id is used again. */
    const open = async (): Promise<{ live: Live; valid: Subscription }> => {
      const live = context.need(await connect(target, reader), "the reader could not connect");
      const valid = await subscribe(live, `SELECT * FROM ${table}`, {}, "control");
      const used = await subscribe(live, `SELECT * FROM ${table} WHERE id = 1`, {}, usedId);
      context.need(used, "a valid subscription was not served");
      return { live, valid: context.need(valid, "a valid subscription was not served").subscription };
    };
    let socket = await open();
    const asked = [];
    for (const [at, one] of cases.entries()) {
      const askOnce = async () => await ask(socket.live, one, table, one.id ?? `bad-${at}`);
      const isLost = (): boolean => socket.live.closed() !== undefined;
      // A connection that is lost once may be lost by chance.
      asked.push((await askedTwice(askOnce, isLost, async () => (socket = await open()))).last);
      if (isLost()) socket = await open();
    }
    const last = await target.sql(op, `INSERT INTO ${table} (id, v) VALUES (${lastKey}, 'fence')`);
    const alive = await fenceArrives(socket.valid, "v", "fence");
    const tried = asked.map((outcome) => outcome());
    const count = onlyRow(await target.sql(op, `SELECT COUNT(*) AS n FROM ${table}`))?.["n"];
    // A row that was not certainly written cannot be missed.
    const left = count === undefined || last.kind !== "ok" ? null : cellText(count);
    return { http, control, tried, alive, left };
  },
  judge({ http, control, tried, alive, left }, { found }) {
    const sorted = sortTried(http);
    for (const { case: name, sql, said } of sorted.accepted)
      found.accepted({ statement: sql, how: "over HTTP" }, { case: `HTTP ${name}`, sent: said });
    for (const one of tried) {
      const shown = { case: one.case, sent: one };
      const may = cases.find(({ name }) => name === one.case)?.may;
      const extra = one.rows.filter((id) => may?.includes(id) === false);
      if (one.kind === "closed") found.connectionLost({ statement: one.sql, why: one.message }, shown);
      if (one.kind !== "acknowledged") continue;
      if (extra.length > 0) found.unfiltered({ statement: one.sql, rows: extra }, shown);
      else
        found.accepted(
          { statement: `${one.case}: ${one.sql}`, how: `on a socket, with ${one.rows.length} rows` },
          shown,
        );
    }
    const wanted = rowCount + 1;
    if (left !== null && left !== String(wanted)) {
      const how = `and executed: ${left} of ${wanted} rows are left`;
      found.accepted({ statement: "one of the statements", how }, { case: "rows" });
    }
    const unclear = whyUnclear(sorted);
    if (unclear !== undefined) return unknown(unclear);
    if (control.kind !== "ok") return unknown(`a valid SUBSCRIBE TO over HTTP was not accepted: ${control.message}`);
    const odd = tried.find(({ kind, reason }) => kind === "unanswered" || ["limit", "right", "other"].includes(reason));
    if (odd !== undefined)
      return unknown(`${odd.case}: neither accepted nor rejected as SQL: ${odd.kind} ${odd.code} ${odd.message}`);
    if (tried.length < cases.length || http.length < statements.length)
      return unknown(`only ${tried.length + http.length} of ${cases.length + statements.length} were tried`);
    if (left === null) return unknown("the rows could not be counted afterwards");
    if (!alive) return unknown("a valid subscription on the same connection did not deliver the last row");
    return pass(
      `${http.length} statements over HTTP and ${tried.length} subscriptions rejected; the connection works, all ${left} rows are there`,
    );
  },
});
