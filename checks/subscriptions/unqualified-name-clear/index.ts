import { defineCheck, fail, pass, unknown, type FoundOf } from "../../../src/check.ts";
import { cellText, saidOf, type Live, type Said } from "../../../src/server/target.ts";
import { connect } from "../../vocabulary/following.ts";
import { openingOf, openingText, type Opening } from "../../vocabulary/opening.ts";
import { askOverHttp } from "../told-address.ts";

/** A name without a namespace, asked for in one way, over HTTP and on a socket. */
type Way = {
  readonly name: string;
  /** `SUBSCRIBE TO` over HTTP, and the statement that it told. */
  readonly http: Said;
  readonly sql: string;
  /** That statement, or the same without a namespace, on a socket; and the rows that came. */
  readonly opening: Opening;
  readonly rows: readonly string[];
};

type Seen = {
  readonly why: string | null;
  /** With the namespace: it works both ways. */
  readonly control: Way | null;
  readonly plain: Way | null;
  readonly withNamespace: Way | null;
  readonly select: Said | null;
};

const canary = "in the scratch namespace";

const findings = {
  otherTable: {
    say: (d: { how: string; name: string }) =>
      `${d.name} without a namespace is a table of another namespace than default, by ${d.how}`,
  },
  disagree: {
    say: (d: { statement: string; http: string; socket: string }) =>
      `${d.statement}: over HTTP ${d.http}, on a socket ${d.socket}`,
  },
};

export const unqualifiedNameClear = defineCheck({
  id: "subscriptions/unqualified-name-clear",
  title: "A table name without its namespace means one thing, or none",
  failureTitle: "A table name without its namespace means several things",
  description:
    "Subscribes, over HTTP and on a socket, to a name that only a table in the scratch namespace has, without saying the namespace. It must be refused or be looked for in default, so that table must not answer; and what SUBSCRIBE TO over HTTP tells a client to send must not be refused on the socket for its form. The same with the namespace beside the statement (namespace_id), and in full as the control.",
  blindTo: "Whether a table in default would be found: nothing is made there.",
  risk: "A client listens to another table than it means, or is sent away with a statement that nobody accepts.",
  remedy: "Always write namespace.table in live queries.",
  covers: ["SUB-06"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 400,
  estimateRequests: 12,
  findings,
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const { scratch } = context;
    // A name that no other namespace has.
    const name = `${scratch}_only`;
    const nothing = { control: null, plain: null, withNamespace: null, select: null };
    const made = await target.sql(
      op,
      `CREATE TABLE ${scratch}.${name} (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='SHARED', ACCESS_LEVEL='PUBLIC')`,
    );
    if (made.kind !== "ok") return { ...nothing, why: `the table could not be made: ${made.message}` };
    await target.sql(op, `INSERT INTO ${scratch}.${name} (id, v) VALUES (1, '${canary}')`);
    const live = await connect(target, op);
    if ("why" in live) return { ...nothing, why: live.why };
    // A dba asks: others are told that a statement failed, and not why.
    const way = async (what: string, table: string, namespace?: string): Promise<Way> => {
      const { said, sql } = await askOverHttp(target, op, `SUBSCRIBE TO ${table}`, namespace);
      return { name: what, http: said, sql, ...(await open(live, sql === "" ? `SELECT * FROM ${table}` : sql)) };
    };
    return {
      why: null,
      control: await way(`SUBSCRIBE TO ${scratch}.${name}`, `${scratch}.${name}`),
      plain: await way(`SUBSCRIBE TO ${name}`, name),
      withNamespace: await way(`SUBSCRIBE TO ${name} with namespace_id`, name, scratch),
      select: saidOf(await target.sql(op, `SELECT * FROM ${name} LIMIT 10`)),
    };
  },
  judge({ why, control, plain, withNamespace, select }) {
    if (why !== null) return unknown(why);
    if (control === null || plain === null || withNamespace === null || select === null)
      return unknown("not everything was tried");
    if (control.http.kind !== "ok" || control.opening.kind !== "ready" || !control.rows.includes(canary))
      return unknown(
        `even with its namespace: HTTP ${control.http.kind} ${control.http.message}, socket ${openingText(control.opening)}, ${control.rows.length} rows`,
      );
    const found: FoundOf<typeof findings>[] = [];
    const name = plain.name.replace("SUBSCRIBE TO ", "");
    if (plain.rows.includes(canary))
      found.push({ name: "otherTable", data: { how: "a live query", name }, sent: [plain.opening.exchange] });
    if (select.kind === "ok")
      found.push({ name: "otherTable", data: { how: "SELECT", name }, sent: [select.exchange] });
    for (const one of [plain, withNamespace]) {
      // Not found is an answer about the table; refused for its form is one about the statement, and HTTP had made that.
      const deadEnd = one.http.kind === "ok" && one.opening.kind === "refused" && one.opening.reason === "sql";
      const wider = one === plain && one.http.kind === "refused" && one.opening.kind === "ready";
      if (!deadEnd && !wider) continue;
      const http = deadEnd ? `accepted, with ${one.sql}` : `refused: ${one.http.code}`;
      const data = { statement: one.name, http, socket: openingText(one.opening) };
      found.push({
        name: "disagree",
        case: one === plain ? "plain" : "namespace_id",
        data,
        sent: [one.http.exchange, one.opening.exchange],
      });
    }
    if (found.length > 0) return fail(...found);
    const vague = [plain, withNamespace].find(
      ({ http, opening }) =>
        http.kind === "unsure" || opening.kind === "unsure" || ["limit", "other"].includes(opening.reason),
    );
    if (vague !== undefined || select.kind === "unsure")
      return unknown(
        `${vague?.name ?? name}: HTTP ${vague?.http.message ?? select.message}, socket ${vague === undefined ? "" : openingText(vague.opening)}`,
      );
    return pass(
      `without a namespace: over HTTP ${plain.http.kind}, on a socket ${plain.opening.kind}; with namespace_id ${withNamespace.opening.kind}; in full it works both ways`,
    );
  },
});

async function open(live: Live, sql: string): Promise<{ opening: Opening; rows: string[] }> {
  const subscription = await live.subscribe(sql);
  const begun = await subscription.begin();
  const rows = begun.kind === "ready" ? begun.rows.map((row) => cellText(row["v"])) : [];
  subscription.unsubscribe();
  return { opening: openingOf(begun, subscription), rows };
}
