import { defineCheck, fail, pass, unknown, type Context } from "../../../src/check.ts";
import {
  cellText,
  integerText,
  onlyRow,
  rowsOf,
  saidOf,
  type Account,
  type Answer,
  type Said,
  type Target,
} from "../../../src/server/target.ts";
import { startFlush, waitForJob } from "../../vocabulary/jobs.ts";

const inserted = 12;
const deleted = 2;
const rowCount = inserted - deleted;

/** `told`: null where it is not there. `unread`: why it could not be looked for; null where it could. */
type Figure = {
  readonly figure: string;
  readonly told: string | null;
  readonly wanted: string;
  readonly unread: string | null;
  readonly exchange: number;
};

export const statisticsTrueOrAbsent = defineCheck({
  id: "observability/statistics-true-or-absent",
  title: "What is told of tables and rows in numbers is right, or not told",
  failureTitle: "Numbers that are told of tables and rows are wrong",
  description: `Writes ${inserted} rows, changes one, deletes ${deleted}, flushes. Then compares with what is there: the rows and segments that SHOW STATS tells, the table_count of the namespace, the total_rows that a subscription is acknowledged with. A number that is not told is fine.`,
  blindTo: "A few numbers of one small table; estimates for the planner are not looked at.",
  risk: "Somebody takes a 0 for an empty table, and drops it.",
  remedy: "Count with SELECT COUNT(*); do not show these numbers to anybody.",
  covers: ["OBS-08"],
  touches: "scratch",
  needs: ["dba"],
  level: "warn",
  estimateMs: 700,
  estimateRequests: 16,
  findings: {
    wrongFigure: {
      say: (d: { figure: string; told: string; wanted: string }) =>
        `${d.figure} is ${d.told}; it is ${d.wanted} in truth`,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const { scratch } = context;
    const table = `${scratch}.counted`;
    const rows = Array.from({ length: inserted }, (_, n) => `(${n}, 'row ${n}')`).join(", ");
    const prepared: Said[] = [];
    for (const statement of [
      `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='SHARED', ACCESS_LEVEL='PUBLIC')`,
      `CREATE TABLE ${scratch}.counted_too (id BIGINT PRIMARY KEY) WITH (TYPE='SHARED')`,
      `INSERT INTO ${table} (id, v) VALUES ${rows}`,
      `UPDATE ${table} SET v = 'another' WHERE id = 0`,
      ...Array.from({ length: deleted }, (_, n) => `DELETE FROM ${table} WHERE id = ${inserted - 1 - n}`),
    ])
      prepared.push(saidOf(await target.sql(op, statement)));
    const count = onlyRow(await target.sql(op, `SELECT COUNT(*) AS c FROM ${table}`))?.["c"];
    const stats = `SHOW STATS FOR TABLE ${table}`;
    const hot = await target.sql(op, stats);
    const segments = await flushed(target, context, op, table);
    const cold = await target.sql(op, stats);
    const namespace = await target.sql(op, `SELECT * FROM system.namespaces WHERE namespace_id = '${scratch}' LIMIT 2`);
    const figures: Figure[] = [
      figureOf("SHOW STATS: logical_rows before a flush", hot, "logical_rows", rowCount),
      figureOf("SHOW STATS: logical_rows after a flush", cold, "logical_rows", rowCount),
      ...(segments === null ? [] : [figureOf("SHOW STATS: flushed_segments", cold, "flushed_segments", segments)]),
      figureOf("system.namespaces: table_count", namespace, "table_count", 2),
      await acknowledged(target, op, table),
    ];
    return { prepared, counted: integerText(count) ?? null, figures };
  },
  judge({ prepared, counted, figures }) {
    const unready = prepared.find((said) => said.kind !== "ok");
    if (unready !== undefined) return unknown(`the rows could not be written: ${unready.message}`);
    if (counted !== String(rowCount))
      return unknown(
        `SELECT COUNT(*) says ${counted ?? "nothing"} where ${rowCount} rows are: nothing to compare with`,
      );
    const found = figures
      .filter(({ told, wanted }) => told !== null && told !== wanted)
      .map(({ figure, told, wanted, exchange }) => ({
        name: "wrongFigure" as const,
        case: figure,
        data: { figure, told: told ?? "", wanted },
        sent: [exchange],
      }));
    if (found.length > 0) return fail(...found);
    const unread = figures.find((one) => one.unread !== null);
    if (unread !== undefined) return unknown(`${unread.figure} could not be looked up: ${unread.unread}`);
    const told = figures.filter((one) => one.told !== null);
    if (told.length === 0) return unknown(`none of ${figures.length} figures is told`);
    return pass(
      `${told.length} of ${figures.length} figures told and right: ${told.map((one) => `${one.figure} ${one.told}`).join(", ")}`,
    );
  },
});

function figureOf(figure: string, answer: Answer, column: string, wanted: number): Figure {
  const row = rowsOf(answer)?.[0];
  const cell = row?.[column];
  return {
    figure,
    told: cell === undefined || cell === null ? null : cellText(cell),
    wanted: String(wanted),
    // A statement that this server does not know tells no figure; one that got no answer may.
    unread: answer.kind === "unsure" || answer.status === 429 ? saidOf(answer).message : null,
    exchange: answer.exchange,
  };
}

/** How many segments the table has by its manifest; null where the flush did not come to an end, or it is not told. */
async function flushed(target: Target, context: Context, as: Account, table: string): Promise<number | null> {
  const { job } = await startFlush(target, as, table);
  if (job === null) return null;
  const last = await waitForJob(target, context, as, job);
  if (last?.status !== "completed") return null;
  const [namespace, name] = table.split(".");
  const answer = await target.sql(
    as,
    `SELECT manifest_json FROM system.manifest WHERE namespace_id = '${namespace}' AND table_name = '${name}' LIMIT 5`,
  );
  const rows = rowsOf(answer);
  if (rows === undefined || rows.length !== 1) return null;
  // The manifest has numbers beyond a double, so it is not parsed but counted.
  return cellText(rows[0]?.["manifest_json"]).match(/"row_count"/g)?.length ?? 0;
}

async function acknowledged(target: Target, as: Account, table: string): Promise<Figure> {
  const figure = "a subscription's total_rows";
  const without = { figure, told: null, wanted: String(rowCount), exchange: 0 };
  const live = await target.live(as);
  if ("why" in live) return { ...without, unread: live.why };
  const subscription = await live.subscribe(`SELECT * FROM ${table}`);
  const begun = await subscription.begin();
  const { exchange } = subscription;
  if (begun.kind !== "ready")
    return { ...without, exchange, unread: begun.kind === "refused" ? begun.message : begun.why };
  const ack = live.frames.find(({ type, about }) => type === "subscription_ack" && about === subscription.id)?.json;
  const total = typeof ack === "object" && ack !== null && "total_rows" in ack ? ack["total_rows"] : undefined;
  live.close();
  return { ...without, exchange, told: total === undefined || total === null ? null : cellText(total), unread: null };
}
