import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { saidOf, type Said, truncated } from "../../../src/server/target.ts";
import { flushToSegments } from "../../vocabulary/cold.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { shuffledKeys, readPages, type Walk } from "./pages.ts";

const limitRows = 200;
const pageRows = 500;

type Seen = {
  readonly rows: number;
  readonly written: readonly Said[];
  readonly unflushed: string | null;
  readonly walks: readonly Walk[];
};

export const largeResultWhole = defineCheck({
  id: "backpressure/large-result-whole",
  title: "Large results have every row once and in order",
  failureTitle: "Large results lose, repeat or disorder rows",
  description: `Writes 1,200 rows in shuffled order (600 at light effort, 5,000 at deep), half of them flushed to cold storage. Reads the first ${limitRows} with LIMIT, then all in pages of ${pageRows} by key, upwards and downwards: each row must be there exactly once, in the order of the key.`,
  blindTo: "Rows that change while pages are read, and pages by OFFSET.",
  risk: "Lists and exports lack rows or have them twice.",
  remedy: "Use smaller pages and compare the number of rows with COUNT(*) after reading.",
  covers: ["BP-07"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_200,
  estimateRequests: 25,
  findings: {
    missing: {
      say: (d: { way: string; missing: number; of: number; first: readonly number[] }) =>
        `${d.missing} of ${d.of} rows are missing, read ${d.way}: ${d.first.join(", ")}`,
    },
    doubled: {
      say: (d: { way: string; doubled: number; of: number; first: readonly number[] }) =>
        `${d.doubled} of ${d.of} rows come more than once, read ${d.way}: ${d.first.join(", ")}`,
    },
    unordered: {
      say: (d: { way: string; before: number; after: number }) =>
        `the rows are not in the order of the key, read ${d.way}: ${d.before} comes before ${d.after}`,
    },
  },
  async observe(target, context): Promise<Seen> {
    const [op, user] = await Promise.all([target.account("dba"), target.account("user")]);
    const table = await makeTable(target, context, op, `${context.scratch}.results`, {
      columns: "id BIGINT PRIMARY KEY, v TEXT",
    });
    const rows = context.size({ light: 600, standard: 1_200, deep: 5_000 });
    const keys = shuffledKeys(rows, context.random("keys"));
    const written: Said[] = [];
    let unflushed: string | null = null;
    for (const half of [keys.slice(0, rows / 2), keys.slice(rows / 2)]) {
      const values = half.map((key) => `(${key}, 'row ${key}')`);
      written.push(saidOf(await target.sql(user, `INSERT INTO ${table} (id, v) VALUES ${values.join(", ")}`)));
      if (written.length > 1) continue;
      const segments = await flushToSegments(target, context, op, table, [user.name]);
      if (typeof segments === "string") unflushed = segments;
      else if ((segments[user.name] ?? 0) === 0) unflushed = "no row is listed in cold storage";
    }
    const read = async (way: Walk["way"], page: number, most: number): Promise<Walk> =>
      await readPages(target, user, { table, keys, way, page, most });
    const walks = [
      await read("with one LIMIT", limitRows, limitRows),
      await read("in pages upwards", pageRows, rows),
      await read("in pages downwards", pageRows, rows),
    ];
    return { rows, written, unflushed, walks };
  },
  judge({ rows, written, unflushed, walks }, { found }) {
    const isWritten = written.length > 1 && written.every(({ kind }) => kind === "ok");
    for (const { way, of, missing, missingCount, doubled, doubledCount, unordered, ended, exchanges: sent } of walks) {
      const about = { case: way, sent };
      if (isWritten && ended === null && missingCount > 0)
        found.missing({ way, missing: missingCount, of, first: missing }, about);
      if (doubledCount > 0) found.doubled({ way, doubled: doubledCount, of, first: doubled }, about);
      if (unordered !== null) found.unordered({ way, before: unordered[0], after: unordered[1] }, about);
    }
    const unwritten = written.find(({ kind }) => kind !== "ok");
    if (!isWritten) return unknown(`the rows were not all acknowledged: ${truncated(unwritten?.message ?? "", 200)}`);
    const cut = walks.find(({ ended }) => ended !== null);
    if (cut !== undefined) return unknown(`not everything could be read ${cut.way}: ${cut.ended ?? ""}`);
    if (walks.length < 3 || rows <= pageRows) return unknown("too little was read: one page of rows at most");
    if (unflushed !== null) return unknown(unflushed);
    const pages = walks.reduce((sum, walk) => sum + walk.pages, 0);
    return pass(
      `${rows} rows read in ${pages} pages, upwards, downwards and ${limitRows} with one LIMIT: each once, in order`,
    );
  },
});
