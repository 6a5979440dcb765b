import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import {
  cellText,
  integerText,
  onlyRow,
  rowsOf,
  saidOf,
  type Account,
  type Answer,
  type Target,
} from "../../../src/server/target.ts";
import { readSegments } from "../../vocabulary/cold.ts";
import { flush } from "../../vocabulary/jobs.ts";
import { sharedTable } from "../../vocabulary/tables.ts";

const inserted = 12;
const deleted = 2;
const rowCount = inserted - deleted;

/** `told`: null if there is no such figure. `unread`: why it could not be read; null if it could. */
type Figure = {
  readonly figure: string;
  readonly told: string | null;
  readonly wanted: string;
  readonly unread: string | null;
  readonly exchange: number;
};

export const statisticsTrueOrAbsent = defineCheck({
  id: "observability/statistics-true-or-absent",
  title: "Table and row statistics are correct or absent",
  failureTitle: "Table or row statistics are wrong",
  description: `Writes ${inserted} rows, updates one, deletes ${deleted} and flushes. Then compares four statistics with what is there: the rows and segments in SHOW STATS, the table_count of the namespace, and the total_rows in the acknowledgement of a subscription. A missing statistic is fine.`,
  blindTo: "A few statistics of one small table; the planner's estimates are not read.",
  risk: "Someone takes a 0 for an empty table and drops it.",
  remedy: "Count with SELECT COUNT(*), and do not show these statistics to users.",
  covers: ["OBS-08"],
  touches: "scratch",
  needs: ["dba"],
  level: "warn",
  estimateMs: 700,
  estimateRequests: 16,
  findings: {
    wrongFigure: {
      say: (d: { figure: string; told: string; wanted: string }) =>
        `${d.figure} is ${d.told}; the correct value is ${d.wanted}`,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const { scratch } = context;
    const columns = "id BIGINT PRIMARY KEY, v TEXT";
    const table = await sharedTable(target, context, op, `${scratch}.counted`, { columns, readers: ["user"] });
    await sharedTable(target, context, op, `${scratch}.counted_too`, { columns });
    const rows = Array.from({ length: inserted }, (_, n) => `(${n}, 'row ${n}')`).join(", ");
    for (const statement of [
      `INSERT INTO ${table} (id, v) VALUES ${rows}`,
      `UPDATE ${table} SET v = 'another' WHERE id = 0`,
      ...Array.from({ length: deleted }, (_, n) => `DELETE FROM ${table} WHERE id = ${inserted - 1 - n}`),
    ])
      context.need(await target.sql(op, statement), "the rows could not be written");
    const count = onlyRow(await target.sql(op, `SELECT COUNT(*) AS c FROM ${table}`))?.["c"];
    const stats = `SHOW STATS FOR TABLE ${table}`;
    const hot = await target.sql(op, stats);
    const { segments, unanswered } = await segmentsAfterFlush(target, context, op, table);
    const cold = await target.sql(op, stats);
    const namespace = await target.sql(op, `SELECT * FROM system.namespaces WHERE namespace_id = '${scratch}' LIMIT 2`);
    const figures: Figure[] = [
      figureOf("SHOW STATS: logical_rows before a flush", hot, "logical_rows", rowCount),
      figureOf("SHOW STATS: logical_rows after a flush", cold, "logical_rows", rowCount),
      ...(segments === null ? [] : [figureOf("SHOW STATS: flushed_segments", cold, "flushed_segments", segments)]),
      figureOf("system.namespaces: table_count", namespace, "table_count", 2),
      await acknowledged(target, op, table),
    ];
    return { counted: integerText(count) ?? null, figures, unanswered };
  },
  judge({ counted, figures, unanswered }, { found }) {
    if (counted !== String(rowCount))
      return unknown(
        `SELECT COUNT(*) returned ${counted ?? "nothing"} for ${rowCount} rows: there is nothing to compare with`,
      );
    for (const { figure, told, wanted, exchange } of figures)
      if (told !== null && told !== wanted)
        found.wrongFigure({ figure, told, wanted }, { case: figure, sent: [exchange] });
    const unread = figures.find((one) => one.unread !== null);
    if (unread !== undefined) return unknown(`${unread.figure} could not be read: ${unread.unread}`);
    if (unanswered !== null) return unknown(`nothing shows that the table was flushed: ${unanswered}`);
    const present = figures.filter(({ told }) => told !== null);
    if (present.length === 0) return unknown(`none of the ${figures.length} statistics is there`);
    return pass(
      `${present.length} of ${figures.length} statistics present, all correct: ${present.map(({ figure, told }) => `${figure} ${told}`).join(", ")}`,
    );
  },
});

function figureOf(figure: string, answer: Answer, column: string, wanted: number): Figure {
  const cell = rowsOf(answer)?.[0]?.[column];
  return {
    figure,
    told: cell === undefined || cell === null ? null : cellText(cell),
    wanted: String(wanted),
    // A statement that the server does not know has no figure; one that was not answered may have.
    unread: answer.kind === "unsure" || answer.status === 429 ? saidOf(answer).message : null,
    exchange: answer.exchange,
  };
}

/**
 * The number of segments in the manifest; null if the flush did not complete or the manifest could not be read. A server
 * may refuse a flush; `unanswered` says why nobody knows what came of it.
 */
async function segmentsAfterFlush(
  target: Target,
  context: Context,
  as: Account,
  table: string,
): Promise<{ readonly segments: number | null; readonly unanswered: string | null }> {
  const { said, status } = await flush(target, context, as, table);
  if (said.kind === "unsure") return { segments: null, unanswered: said.message };
  if (status !== "completed") return { segments: null, unanswered: null };
  const read = await readSegments(target, as, table);
  const [counts, ...more] = typeof read === "string" ? [] : Object.values(read);
  return { segments: counts === undefined || more.length > 0 ? null : counts.length, unanswered: null };
}

/** The row count in the acknowledgement of a subscription. */
async function acknowledged(target: Target, as: Account, table: string): Promise<Figure> {
  const figure = { figure: "a subscription's total_rows", told: null, wanted: String(rowCount), exchange: 0 };
  const live = await target.live(as);
  if ("why" in live) return { ...figure, unread: live.why };
  const subscription = await live.subscribe(`SELECT * FROM ${table}`);
  const begun = await subscription.begin();
  const { exchange } = subscription;
  if (begun.kind !== "ready")
    return { ...figure, exchange, unread: begun.kind === "refused" ? begun.message : begun.why };
  const ack = live.frames.find(({ type, about }) => type === "subscription_ack" && about === subscription.id)?.json;
  const total = typeof ack === "object" && ack !== null && "total_rows" in ack ? ack["total_rows"] : undefined;
  live.close();
  return { ...figure, exchange, told: total === undefined || total === null ? null : cellText(total), unread: null };
}
