import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { isRecord, type Json } from "../../../src/wire/json.ts";
import { integerText, rowsOf, versionOf, type Frame, type Row } from "../../../src/server/target.ts";
import { connect } from "../../vocabulary/following.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { shareOf, type Share } from "./share.ts";

const pageRows = 10;
/** Each on a connection of its own, because a connection's messages are paced: every one reads its share of the keys. */
const readerCount = 4;
/** Fewer pages have hardly a cursor between them that could be rounded. */
const pagesMin = 10;
const pagesWithinMs = 40_000;

type Seen = {
  readonly rows: number;
  readonly beyondDouble: boolean;
  readonly shares: readonly Share[];
};
type Wrong = { readonly of: number; readonly pages: number; readonly first: readonly string[] };

export const cursorExact = defineCheck({
  id: "subscriptions/cursor-exact",
  title: "A snapshot in many pages has every row exactly once",
  failureTitle: "A snapshot in many pages loses or repeats rows",
  description: `Writes a thousand rows in one statement, so that their versions lie close together and beyond what a double can represent, and reads them as snapshots in pages of ${pageRows}: each row must arrive exactly once. The cursor between pages is sent back digit by digit as it came.`,
  blindTo: "Rows that change while the pages are read; that is for subscriptions/handover-gapless.",
  risk: "Lists longer than one page lack rows.",
  remedy:
    "Request pages that hold everything (batch_size), or read with SELECT … WHERE id > … ORDER BY id LIMIT … and subscribe without a snapshot.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  uses: { user: readerCount },
  estimateMs: 2_500,
  estimateRequests: 115,
  findings: {
    missing: {
      say: (d: Wrong & { missing: number }) =>
        `${d.missing} of ${d.of} rows are in none of ${d.pages} pages: ${d.first.join(", ")}`,
    },
    doubled: {
      say: (d: Wrong & { doubled: number }) =>
        `${d.doubled} of ${d.of} rows arrived more than once in ${d.pages} pages: ${d.first.join(", ")}`,
      risk: "Lists longer than one page show rows twice.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const sharing = { columns: "id BIGINT PRIMARY KEY", readers: ["user"] } as const;
    const table = await sharedTable(target, context, op, `${context.scratch}.pages`, sharing);
    const rows = context.size({ light: 240, standard: 1_000, deep: 4_000 });
    const ids = Array.from({ length: rows }, (_, at) => `(${at})`);
    const inserted = await target.sql(op, `INSERT INTO ${table} (id) VALUES ${ids.join(", ")}`);
    context.need(inserted, "the rows could not be written");
    const count = integerText(rowsOf(await target.sql(op, `SELECT COUNT(*) AS n FROM ${table}`))?.[0]?.["n"]);
    context.need(count === String(rows) ? count : undefined, `the table has ${count ?? "?"} rows, expected ${rows}`);
    const each = Math.ceil(rows / readerCount);
    const read = await Promise.all(
      Array.from({ length: readerCount }, async (_, at) => {
        const [from, to] = [at * each, Math.min(rows, (at + 1) * each)];
        const as = await target.account("user", `reader ${at}`);
        const live = context.need(await connect(target, as), "a reader could not connect");
        const subscription = await live.subscribe(`SELECT * FROM ${table} WHERE id >= ${from} AND id < ${to}`, {
          batchSize: pageRows,
        });
        const begun = await subscription.begin(pagesWithinMs);
        if (begun.kind === "refused") context.need(begun, "the subscription was refused");
        // All that came is in the frames, also where the end never came because the same page was sent again and again.
        const pages = live.frames.filter(({ type }) => type === "initial_data_batch").map(rowsIn);
        live.close();
        const ended = begun.kind === "unsure" ? begun.why : null;
        return { share: shareOf({ from, to, pages, ended, exchange: subscription.exchange }), pages };
      }),
    );
    const versions = read.flatMap(({ pages }) => pages.flat().map((row) => versionOf(row)?.digits ?? ""));
    return {
      rows,
      // Only with such versions is a rounded cursor a different one.
      beyondDouble: versions.some((digits) => !Number.isSafeInteger(Number(digits))),
      shares: read.map(({ share }) => share),
    };
  },
  judge({ rows, beyondDouble, shares }, { found }) {
    const sum = (number: (share: Share) => number): number => shares.reduce((all, share) => all + number(share), 0);
    const pages = sum((share) => share.pages);
    const [missing, doubled] = [sum(({ missingCount }) => missingCount), sum(({ doubledCount }) => doubledCount)];
    if (missing > 0) {
      const sent = shares.filter(({ missingCount }) => missingCount > 0);
      found.missing({ of: rows, pages, first: sent[0]?.missing ?? [], missing }, { sent });
    }
    if (doubled > 0) {
      const sent = shares.filter(({ doubledCount }) => doubledCount > 0);
      found.doubled({ of: rows, pages, first: sent[0]?.doubled ?? [], doubled }, { sent });
    }
    const endless = shares.find(({ ended }) => ended !== null);
    if (endless !== undefined) return unknown(`a snapshot did not come to its end: ${endless.ended ?? ""}`);
    const covered = sum(({ from, to }) => to - from);
    if (covered < rows) return unknown(`only ${covered} of ${rows} rows were requested`);
    if (pages < pagesMin) return unknown(`only ${pages} pages; at least ${pagesMin} are needed`);
    const versions = beyondDouble ? "are beyond what a double can represent" : "fit into a double";
    return pass(`${rows} of ${rows} rows exactly once in ${pages} pages; their versions ${versions}`);
  },
});

function rowsIn({ json }: Frame): readonly Row[] {
  const rows = isRecord(json) ? json["rows"] : undefined;
  return Array.isArray(rows) ? (rows as readonly Json[]).filter(isRecord) : [];
}
