import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import { saidOf, type Account, type Target, truncated } from "../../../src/server/target.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { batchSql, flaws, keysOf, type Batch, type Flaw } from "./batches.ts";
import { storedOf, type Stored } from "./stored.ts";

const kinds = ["USER", "SHARED"] as const;
/** Fewer rows fit into one block of any server. */
const largestMin = 1_000;
/** A larger batch is sent only if it takes less than this even where the time grows with the square of the rows. */
const batchMsMax = 15_000;

type Tried = {
  readonly kind: string;
  readonly rows: number;
  /** Null: every row is valid. */
  readonly flaw: Flaw | null;
  readonly said: ReturnType<typeof saidOf>;
  /** The number of rows that the server says it wrote; null if it did not accept the statement. */
  readonly counted: number | null;
  /** Null if the table could not be read. */
  readonly stored: Stored | null;
  readonly tookMs: number;
};
/** A batch that was not sent, because a smaller one took so long. */
type Skipped = { readonly kind: string; readonly rows: number; readonly smaller: number; readonly tookMs: number };

export const largeBatchAtomic = defineCheck({
  id: "backpressure/large-batch-atomic",
  title: "A large INSERT is stored completely or not at all",
  failureTitle: "A large INSERT is stored only in part",
  description: `Inserts many rows in one statement (100 and 1,000; from standard effort on also 3,000 and 10,000 where the server is fast enough, and 1,000 rows in a statement of almost 1 MiB), into a USER table as a plain user and into a SHARED table. Each size is tried with valid rows only, with a NULL in a NOT NULL column in the middle, and with an existing key in the last row. Of valid rows every one must be read back with its value; of a rejected statement none may be stored.`,
  blindTo:
    "The server is not stopped meanwhile: whether a batch survives a crash whole is not tried. Larger statements are not sent.",
  risk: "Imports are half done after an error, and a retry fails on the rows that were stored or stores them twice.",
  remedy: "Insert in smaller batches, count the rows after each, and use INSERT inside BEGIN … COMMIT.",
  covers: ["BP-01"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 3_000,
  estimateRequests: 90,
  timeoutMs: 120_000,
  findings: {
    partial: {
      say: (d: {
        rows: number;
        kind: string;
        flaw: Flaw | null;
        stored: number;
        first: readonly string[];
        said: string;
      }) =>
        `an INSERT of ${d.rows} rows into a ${d.kind} table ${d.flaw === null ? "without a bad row" : `with ${flaws[d.flaw].name}`} (${d.said}) stored ${d.stored} of them, such as the keys ${d.first.join(", ")}`,
    },
    lostRows: {
      say: (d: { rows: number; kind: string; lost: number; changed: number; first: readonly string[] }) =>
        `an INSERT of ${d.rows} rows into a ${d.kind} table was acknowledged, but ${lostText(d)}, such as the keys ${d.first.join(", ")}`,
      risk: "Imported rows are missing, although the import reported success.",
      remedy: "Count the rows after each import, and insert in smaller batches until this is fixed.",
    },
  },
  async observe(target, context) {
    const [op, user] = await Promise.all([target.account("dba"), target.account("user")]);
    const parts = kinds.map((kind) => ({ kind, as: kind === "USER" ? user : op, batches: batchesFor(context, kind) }));
    const tried = await Promise.all(parts.map(async (part) => await tryBatches(target, context, { op, ...part })));
    return {
      wanted: parts.reduce((sum, { batches }) => sum + batches.length, 0),
      tried: tried.flatMap((one) => one.tried),
      skipped: tried.flatMap((one) => one.skipped),
    };
  },
  judge({ wanted, tried, skipped }, { found }) {
    for (const { kind, rows, flaw, said, stored } of tried) {
      if (stored === null || said.kind === "unsure") continue;
      const about = { case: caseOf({ kind, rows, flaw }), sent: [said.exchange, ...stored.exchanges] };
      const { count, present } = stored;
      if (said.kind === "ok" && flaw === null) {
        const first = [...stored.missing, ...stored.changed];
        const [lost, changed] = [rows - count, stored.changedCount];
        if (lost + changed > 0) found.lostRows({ rows, kind, lost, changed, first }, about);
      } else if (count > 0 && (said.kind === "refused" || (flaw !== null && count < flaws[flaw].full(rows)))) {
        const outcome = said.kind === "ok" ? "acknowledged" : `rejected with ${said.code}`;
        found.partial({ rows, kind, flaw, stored: count, first: present, said: outcome }, about);
      }
    }
    if (tried.length + skipped.length < wanted || wanted === 0)
      return unknown(`only ${tried.length} of ${wanted} batches were tried`);
    const why = tried.map(whyUnclear).find((sentence) => sentence !== undefined);
    if (why !== undefined) return unknown(why);
    const accepted = tried.filter(({ flaw }) => flaw === null);
    const largest = Math.max(0, ...accepted.map(({ rows }) => rows));
    if (largest < largestMin) return unknown(`the largest batch had ${largest} rows; ${largestMin} are needed`);
    return pass(
      `${accepted.length} batches of up to ${largest} rows stored completely; ${tried.length - accepted.length} batches with one bad row rejected, none of their rows stored${skippedText(skipped)}`,
    );
  },
});

/** At standard effort, each of the most expensive batches goes into one of the tables; at deep, into both. */
function batchesFor({ effort }: Context, kind: (typeof kinds)[number]): Batch[] {
  const [deep, light] = [effort === "deep", effort === "light"];
  const batches = [100, 1_000].flatMap((rows) => ([null, "null", "key"] as const).map((flaw) => ({ rows, flaw })));
  const huge = [
    { rows: 3_000, flaw: null, valueChars: 8 },
    { rows: 10_000, flaw: null, valueChars: 8 },
    { rows: 10_000, flaw: "null" as const, valueChars: 8 },
  ];
  const all = [
    ...batches.map((batch) => ({ ...batch, valueChars: 8 })),
    ...(deep || (!light && kind === "USER") ? huge : []),
    ...(deep || (!light && kind === "SHARED") ? [{ rows: 1_000, flaw: null, valueChars: 1_000 }] : []),
  ];
  return all.map((batch, at) => ({ ...batch, base: (at + 1) * 100_000 }));
}

interface Trying {
  readonly op: Account;
  readonly as: Account;
  readonly kind: (typeof kinds)[number];
  readonly batches: readonly Batch[];
}

async function tryBatches(
  target: Target,
  context: Context,
  { op, as, kind, batches }: Trying,
): Promise<{ tried: readonly Tried[]; skipped: readonly Skipped[] }> {
  const table = await makeTable(target, context, op, `${context.scratch}.${kind.toLowerCase()}_rows`, {
    type: kind,
    columns: "id BIGINT PRIMARY KEY, v TEXT NOT NULL",
  });
  context.need(await target.sql(as, `INSERT INTO ${table} (id, v) VALUES (1, 'first')`), "no row could be written");
  const tried: Tried[] = [];
  const skipped: Skipped[] = [];
  for (const batch of batches) {
    const largest = tried.findLast(({ flaw }) => flaw === null);
    const large = largest !== undefined && batch.rows > largestMin;
    if (large && largest.tookMs * (batch.rows / largest.rows) ** 2 > batchMsMax) {
      skipped.push({ kind, rows: batch.rows, smaller: largest.rows, tookMs: largest.tookMs });
      continue;
    }
    const answer = await target.sql(as, batchSql(table, batch), { timeoutMs: 2 * batchMsMax });
    const tookMs = Math.round(answer.doneAt - answer.sentAt);
    const counted = answer.kind === "ok" ? (answer.results[0]?.rowCount ?? null) : null;
    const stored = await storedOf(target, as, table, keysOf(batch), answer.kind === "ok");
    tried.push({ kind, rows: batch.rows, flaw: batch.flaw, said: saidOf(answer), counted, stored, tookMs });
  }
  return { tried, skipped };
}

function skippedText(skipped: readonly Skipped[]): string {
  const [first] = skipped;
  if (first === undefined) return "";
  return `; ${first.rows} rows were not tried, because ${first.smaller} took ${first.tookMs} ms`;
}

function whyUnclear({ kind, rows, flaw, said, counted, stored }: Tried): string | undefined {
  const what = caseOf({ kind, rows, flaw });
  if (stored === null) return `${what}: the table could not be read afterwards`;
  if (said.kind === "unsure") return `${what}: not answered: ${said.message}`;
  if (flaw !== null)
    return said.kind === "ok"
      ? `${what}: the bad row was accepted, so nothing shows that a batch is atomic`
      : undefined;
  if (said.kind !== "ok") return `${what}: rejected, although every row is valid: ${truncated(said.message, 200)}`;
  return counted === rows ? undefined : `${what}: the answer counts ${counted ?? "no"} rows`;
}

function caseOf({ kind, rows, flaw }: Pick<Tried, "kind" | "rows" | "flaw">): string {
  return `${rows} rows${flaw === null ? "" : ` with ${flaws[flaw].name}`}, ${kind}`;
}

function lostText({ lost, changed }: { lost: number; changed: number }): string {
  const parts = [lost > 0 ? [`${lost} of them are missing`] : [], changed > 0 ? [`${changed} have another value`] : []];
  return parts.flat().join(" and ");
}
