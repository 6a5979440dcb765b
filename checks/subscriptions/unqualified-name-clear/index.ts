import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { cellText, saidOf, type Said } from "../../../src/server/target.ts";
import { connect } from "../../vocabulary/following.ts";
import { openingText, tryToSubscribe, type Opening } from "../../vocabulary/opening.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { askOverHttp } from "../../vocabulary/told-address.ts";

/** One way to write the table name, over HTTP and on a socket. */
type Way = {
  readonly name: string;
  /** `SUBSCRIBE TO` over HTTP, and the statement that it returned. */
  readonly http: Said;
  readonly sql: string;
  /** That statement, or SELECT with the same name, on a socket; and the rows that came. */
  readonly opening: Opening;
  readonly rows: readonly string[];
};

type Seen = {
  /** The qualified name. */
  readonly control: Way;
  readonly plain: Way;
  readonly withNamespace: Way;
  readonly select: Said;
};

const canary = "in the scratch namespace";

export const unqualifiedNameClear = defineCheck({
  id: "subscriptions/unqualified-name-clear",
  title: "Unqualified table names are resolved consistently",
  failureTitle: "Unqualified table names are resolved inconsistently",
  description:
    "Subscribes, over HTTP and on a socket, to an unqualified table name that exists only in the scratch namespace. It must be rejected or looked up in default, so that table must not answer; and the statement that SUBSCRIBE TO over HTTP returns must not be a syntax error on the socket. The same with namespace_id in the request, and with the qualified name as the control.",
  blindTo: "Whether a table in default would be found: no table is made there.",
  risk: "A client listens to another table than it means, or is given a statement that the server does not accept.",
  remedy: "Always write namespace.table in live queries.",
  covers: ["SUB-06"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 400,
  estimateRequests: 12,
  findings: {
    otherTable: {
      say: (d: { how: string; name: string }) =>
        `the unqualified name ${d.name} resolves to a table outside default, by ${d.how}`,
      risk: "A client listens to another table than it means.",
    },
    disagree: {
      say: (d: { statement: string; http: string; socket: string }) =>
        `${d.statement}: over HTTP ${d.http}, on a socket ${d.socket}`,
      risk: "A client is given a statement that the server does not accept.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const { scratch } = context;
    // A name that no other namespace has.
    const name = `${scratch}_only`;
    const table = await sharedTable(target, context, op, `${scratch}.${name}`, {
      columns: "id BIGINT PRIMARY KEY, v TEXT",
      readers: ["user"],
    });
    const insert = `INSERT INTO ${table} (id, v) VALUES (1, '${canary}')`;
    context.need(await target.sql(op, insert), "the row could not be written");
    const live = context.need(await connect(target, op), "the dba could not connect");
    // As a dba: other accounts only learn that a statement failed, not why.
    const way = async (what: string, from: string, namespace?: string): Promise<Way> => {
      const { said, sql } = await askOverHttp(target, op, `SUBSCRIBE TO ${from}`, namespace);
      const statement = sql === "" ? `SELECT * FROM ${from}` : sql;
      const { subscription, opening, pages } = await tryToSubscribe(live, statement);
      subscription.unsubscribe();
      return { name: what, http: said, sql, opening, rows: pages.flat().map((row) => cellText(row["v"])) };
    };
    return {
      control: await way(`SUBSCRIBE TO ${table}`, table),
      plain: await way(`SUBSCRIBE TO ${name}`, name),
      withNamespace: await way(`SUBSCRIBE TO ${name} with namespace_id`, name, scratch),
      select: saidOf(await target.sql(op, `SELECT * FROM ${name} LIMIT 10`)),
    };
  },
  judge({ control, plain, withNamespace, select }, { found }) {
    if (control.http.kind !== "ok" || control.opening.kind !== "ready" || !control.rows.includes(canary))
      return unknown(
        `even with the qualified name: HTTP ${control.http.kind} ${control.http.message}, socket ${openingText(control.opening)}, ${control.rows.length} rows`,
      );
    const name = plain.name.replace("SUBSCRIBE TO ", "");
    if (plain.rows.includes(canary)) found.otherTable({ how: "a live query", name }, { sent: plain.opening });
    if (select.kind === "ok") found.otherTable({ how: "SELECT", name }, { sent: select });
    for (const one of [plain, withNamespace]) {
      // "Not found" is about the table; rejected as SQL is about the statement, which HTTP had produced.
      const deadEnd = one.http.kind === "ok" && one.opening.kind === "refused" && one.opening.reason === "sql";
      const wider = one === plain && one.http.kind === "refused" && one.opening.kind === "ready";
      if (!deadEnd && !wider) continue;
      const http = deadEnd ? `accepted, with ${one.sql}` : `rejected: ${one.http.code}`;
      found.disagree(
        { statement: one.name, http, socket: openingText(one.opening) },
        { case: one === plain ? "plain" : "namespace_id", sent: [one.http, one.opening] },
      );
    }
    const vague = [plain, withNamespace].find(
      ({ http, opening }) =>
        http.kind === "unsure" || opening.kind === "unsure" || ["limit", "other"].includes(opening.reason),
    );
    if (vague !== undefined)
      return unknown(`${vague.name}: HTTP ${vague.http.message}, socket ${openingText(vague.opening)}`);
    if (select.kind === "unsure") return unknown(`SELECT from ${name}: ${select.message}`);
    return pass(
      `unqualified: over HTTP ${plain.http.kind}, on a socket ${plain.opening.kind}; with namespace_id ${withNamespace.opening.kind}; the qualified name works both ways`,
    );
  },
});
