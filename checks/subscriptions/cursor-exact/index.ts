import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { isRecord, type Json } from "../../../src/wire/json.ts";
import { integerText, rowsOf, versionOf, type Frame, type Row } from "../../../src/server/target.ts";
import { connect } from "../../vocabulary/following.ts";

const pageRows = 10;
/** Each on a connection of its own, because a connection's messages are paced: every one reads its share of the keys. */
const readerCount = 4;
/** Fewer pages have hardly a cursor between them that could be rounded. */
const pagesMin = 10;
const pagesWithinMs = 40_000;

type Share = {
  readonly from: number;
  readonly to: number;
  readonly pages: number;
  /** Why it did not come to its end; null where it did. */
  readonly ended: string | null;
  readonly missing: readonly string[];
  readonly missingCount: number;
  readonly doubled: readonly string[];
  readonly doubledCount: number;
  readonly exchange: number;
};

type Seen = {
  readonly why: string | null;
  readonly rows: number;
  readonly beyondDouble: boolean;
  readonly shares: readonly Share[];
};

export const cursorExact = defineCheck({
  id: "subscriptions/cursor-exact",
  title: "A snapshot in many pages has every row just once",
  failureTitle: "A snapshot in many pages loses or repeats rows",
  description: `Writes a thousand rows in one statement, so that their versions lie close together and beyond what a double holds, and reads them as snapshots in pages of ${pageRows}: each row must come, and once. The cursor between pages goes back digit by digit as it came.`,
  blindTo: "Rows that change while the pages are read; that is for handover-gapless.",
  risk: "Lists show rows twice, and others never, as soon as they are longer than a page.",
  remedy:
    "Ask for pages that hold everything (batch_size), or read with SELECT … WHERE id > … ORDER BY id LIMIT … and subscribe without a snapshot.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 2_500,
  estimateRequests: 115,
  findings: {
    missing: {
      say: (d: { missing: number; of: number; pages: number; first: readonly string[] }) =>
        `${d.missing} of ${d.of} rows are in none of ${d.pages} pages: ${d.first.join(", ")}`,
    },
    doubled: {
      say: (d: { doubled: number; of: number; pages: number; first: readonly string[] }) =>
        `${d.doubled} of ${d.of} rows came more than once in ${d.pages} pages: ${d.first.join(", ")}`,
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const table = `${context.scratch}.pages`;
    const rows = context.size({ light: 400, standard: 1_000, deep: 4_000 });
    const nothing = { rows, beyondDouble: false, shares: [] };
    const made = await target.sql(
      op,
      `CREATE TABLE ${table} (id BIGINT PRIMARY KEY) WITH (TYPE='SHARED', ACCESS_LEVEL='PUBLIC')`,
    );
    if (made.kind !== "ok") return { ...nothing, why: `the table could not be made: ${made.message}` };
    const ids = Array.from({ length: rows }, (_, at) => `(${at})`);
    const inserted = await target.sql(op, `INSERT INTO ${table} (id) VALUES ${ids.join(", ")}`);
    if (inserted.kind !== "ok") return { ...nothing, why: `the rows could not be written: ${inserted.message}` };
    const count = rowsOf(await target.sql(op, `SELECT COUNT(*) AS n FROM ${table}`))?.[0]?.["n"];
    if (integerText(count) !== String(rows))
      return { ...nothing, why: `the table has ${integerText(count) ?? "?"} rows of ${rows}` };
    const each = Math.ceil(rows / readerCount);
    const read = await Promise.all(
      Array.from({ length: readerCount }, async (_, at) => {
        const [from, to] = [at * each, Math.min(rows, (at + 1) * each)];
        const as = await target.account("user", `reader ${at}`);
        const live = await connect(target, as);
        if ("why" in live) return live;
        const subscription = await live.subscribe(`SELECT * FROM ${table} WHERE id >= ${from} AND id < ${to}`, {
          batchSize: pageRows,
        });
        const begun = await subscription.begin(pagesWithinMs);
        if (begun.kind === "refused") return { why: `the subscription was refused: ${begun.code} ${begun.message}` };
        // What came is in the frames, also where it never came to an end because the same page came again and again.
        const pages = live.frames.filter(({ type }) => type === "initial_data_batch").map(rowsIn);
        live.close();
        const ended = begun.kind === "ready" ? null : begun.why;
        return { share: shareOf({ from, to, pages, ended, exchange: subscription.exchange }), pages };
      }),
    );
    const broken = read.find((one) => "why" in one);
    if (broken !== undefined && "why" in broken) return { ...nothing, why: broken.why };
    const done = read.flatMap((one) => ("why" in one ? [] : one));
    const versions = done.flatMap(({ pages }) => pages.flat().map((row) => versionOf(row)?.digits ?? ""));
    return {
      why: null,
      rows,
      // Only with such versions is a rounded cursor another one.
      beyondDouble: versions.some((digits) => !Number.isSafeInteger(Number(digits))),
      shares: done.map(({ share }) => share),
    };
  },
  judge({ why, rows, beyondDouble, shares }) {
    if (why !== null) return unknown(why);
    const pages = shares.reduce((all, share) => all + share.pages, 0);
    const found = (["missing", "doubled"] as const).flatMap((name) => {
      const these = shares.filter((share) => share[`${name}Count`] > 0);
      const [first] = these;
      if (first === undefined) return [];
      const count = these.reduce((all, share) => all + share[`${name}Count`], 0);
      const data = { of: rows, pages, first: first[name] };
      const sent = these.map(({ exchange }) => exchange);
      return [
        name === "missing"
          ? { name, data: { ...data, missing: count }, sent }
          : { name, data: { ...data, doubled: count }, sent },
      ];
    });
    if (found.length > 0) return fail(...found);
    const endless = shares.find(({ ended }) => ended !== null);
    if (endless !== undefined) return unknown(`a snapshot did not come to its end: ${endless.ended ?? ""}`);
    const covered = shares.reduce((all, { from, to }) => all + to - from, 0);
    if (covered < rows) return unknown(`only ${covered} of ${rows} rows were asked for`);
    if (pages < pagesMin) return unknown(`only ${pages} pages: no cursor that could be wrong`);
    const versions = beyondDouble ? "are beyond what a double holds" : "fit into a double";
    return pass(`${rows} of ${rows} rows just once in ${pages} pages; their versions ${versions}`);
  },
});

interface Reading {
  readonly from: number;
  readonly to: number;
  readonly pages: readonly (readonly Row[])[];
  readonly ended: string | null;
  readonly exchange: number;
}

/** What a reader of the keys from `from` to before `to` got of them. */
export function shareOf({ from, to, pages, ended, exchange }: Reading): Share {
  const times = new Map<string, number>();
  for (const row of pages.flat()) {
    const id = integerText(row["id"]) ?? "";
    times.set(id, (times.get(id) ?? 0) + 1);
  }
  const wanted = Array.from({ length: to - from }, (_, at) => String(from + at));
  // Before the end nothing is missing yet.
  const missing = ended === null ? wanted.filter((id) => !times.has(id)) : [];
  const doubled = [...times].filter(([, count]) => count > 1).map(([id]) => id);
  return {
    from,
    to,
    pages: pages.length,
    ended,
    missing: missing.slice(0, 5),
    missingCount: missing.length,
    doubled: doubled.slice(0, 5),
    doubledCount: doubled.length,
    exchange,
  };
}

function rowsIn({ json }: Frame): readonly Row[] {
  const rows = isRecord(json) ? json["rows"] : undefined;
  return Array.isArray(rows) ? (rows as readonly Json[]).filter(isRecord) : [];
}
