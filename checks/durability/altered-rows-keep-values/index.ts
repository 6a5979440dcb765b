import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import { cellText, saidOf, type Account, type Said, type Target } from "../../../src/server/target.ts";
import { flush, whyNotFlushed, type Flushed } from "../../vocabulary/jobs.ts";
import { lookedTwice } from "../../vocabulary/second-look.ts";
import { makeTable, readTable, sharedTable } from "../../vocabulary/tables.ts";

const columns = "id BIGINT PRIMARY KEY, kept TEXT, was TEXT, gone TEXT";
/** In this order, each on the rows that the one before it has left. */
const changes = [
  { name: "ADD COLUMN", sql: "ADD COLUMN added TEXT", reads: ["kept", "was", "added"] },
  { name: "RENAME COLUMN", sql: "RENAME COLUMN was TO renamed", reads: ["kept", "renamed", "added"] },
  { name: "DROP COLUMN", sql: "DROP COLUMN gone", reads: ["kept", "renamed", "added"] },
  // Flushed rows may still have the old column under that name.
  { name: "ADD COLUMN again", sql: "ADD COLUMN gone TEXT", reads: ["kept", "renamed", "added", "gone"] },
] as const;
type Column = (typeof changes)[number]["reads"][number];

/** What a row held when it was inserted; columns that were added, once or again, have nothing. */
function expected(column: Column, id: string): string | null {
  return column === "added" || column === "gone" ? null : column === "kept" ? `k${id}` : `v${id}`;
}

/** A cell that is not as it was: `found` is null for NULL, `no row` where the row is missing. */
type Wrong = { readonly column: Column; readonly id: string; readonly found: string | null };
type Look = {
  readonly change: string;
  readonly said: Said;
  /** Null where the rows could not be read. */
  readonly first: readonly Wrong[] | null;
  readonly again: readonly Wrong[] | null;
};
type Altered = {
  readonly type: "USER" | "SHARED";
  /** Rows with ids from 1 to `half` were flushed before the changes, as many more were not. */
  readonly half: number;
  readonly flushed: Flushed;
  readonly looks: readonly Look[];
};

export const alteredRowsKeepValues = defineCheck({
  id: "durability/altered-rows-keep-values",
  title: "ALTER TABLE keeps the values of existing rows",
  failureTitle: "ALTER TABLE loses or changes values of existing rows",
  description:
    "Fills a USER and a SHARED table and flushes half of their rows; then a column is added, another renamed, and a third dropped and added again. After each change every row is read: the columns that were there must have their values, under the new name as well, and the new columns must be empty.",
  blindTo:
    "Defaults, types and keys; columns that are changed while others write, which is for concurrency/schema-change-under-writes; live queries; writes through the new name.",
  risk: "A migration that succeeds loses a column of data.",
  remedy:
    "Do not change tables with rows in the way that the finding names: make a new table and insert the rows again.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_500,
  estimateRequests: 30,
  findings: {
    lostValues: {
      say: (d: {
        change: string;
        type: string;
        column: string;
        lost: number;
        of: number;
        where: string;
        first: string;
      }) =>
        lookedTwice(
          `after ${d.change} ${d.lost} of ${d.of} rows of the ${d.type} table have another value in ${d.column} (${d.where}), such as ${d.first}`,
        ),
    },
  },
  async observe(target, context): Promise<readonly Altered[]> {
    const op = await target.account("dba");
    const [own, shared] = [`${context.scratch}.own`, `${context.scratch}.shared`];
    await makeTable(target, context, op, own, { columns });
    await sharedTable(target, context, op, shared, { columns });
    return await Promise.all([
      alter(target, context, op, { type: "USER", table: own }),
      alter(target, context, op, { type: "SHARED", table: shared }),
    ]);
  },
  judge(seen, { found }) {
    const doubts: string[] = [];
    for (const { type, half, flushed, looks } of seen) {
      const why = whyNotFlushed(flushed);
      if (why !== undefined) doubts.push(`the ${type} table: ${why}`);
      const known = new Set<string>();
      for (const { change, said, first, again } of looks) {
        if (said.kind !== "ok") doubts.push(`${change} of the ${type} table: ${said.message}`);
        if (first === null || again === null) {
          doubts.push(`the ${type} table could not be read after ${change}`);
          continue;
        }
        const wrong = first.filter((one) => again.some((other) => keyOf(other) === keyOf(one)));
        if (wrong.length !== first.length)
          doubts.push(`of two reads of the ${type} table after ${change} one was right`);
        for (const column of new Set(wrong.map((one) => one.column))) {
          // A column that was wrong before is wrong for the change before.
          if (known.has(nameBefore(column))) continue;
          const here = wrong.filter((one) => one.column === column);
          found.lostValues(
            {
              change,
              type,
              column,
              lost: here.length,
              of: 2 * half,
              where: placeOf(here, half),
              first: wordsOf(here[0]),
            },
            { case: `${change} ${type}`, sent: said },
          );
        }
        for (const { column } of wrong) known.add(nameBefore(column));
      }
      if (looks.length < changes.length) doubts.push(`only ${looks.length} of ${changes.length} changes were made`);
    }
    const [doubt] = doubts;
    if (doubt !== undefined) return unknown(doubt);
    const rows = seen.reduce((sum, { half }) => sum + 2 * half, 0);
    return pass(
      `${rows} rows of 2 tables, half of them flushed, have their values after ${changes.map(({ name }) => name).join(", ")}`,
    );
  },
});

function keyOf({ column, id, found }: Wrong): string {
  return JSON.stringify([column, id, found]);
}

/** The two names of the renamed column are one. */
function nameBefore(column: Column): Column {
  return column === "renamed" ? "was" : column;
}

function placeOf(wrong: readonly Wrong[], half: number): string {
  const cold = wrong.filter(({ id }) => Number(id) <= half).length;
  return `${cold} flushed, ${wrong.length - cold} not`;
}

function wordsOf(wrong: Wrong | undefined): string {
  if (wrong === undefined) return "none";
  const { column, id, found } = wrong;
  return `id ${id}: ${found ?? "NULL"} instead of ${expected(column, id) ?? "NULL"}`;
}

async function alter(
  target: Target,
  context: Context,
  as: Account,
  { type, table }: { readonly type: Altered["type"]; readonly table: string },
): Promise<Altered> {
  const half = context.size({ light: 5, standard: 20, deep: 100 });
  const fill = async (from: number): Promise<void> => {
    const rows = Array.from({ length: half }, (_, at) => String(from + at)).map(
      (id) => `(${id}, '${expected("kept", id)}', '${expected("was", id)}', 'g${id}')`,
    );
    const sql = `INSERT INTO ${table} (id, kept, was, gone) VALUES ${rows.join(", ")}`;
    context.need(await target.sql(as, sql), `the rows of the ${type} table could not be inserted`);
  };
  await fill(1);
  const flushed = await flush(target, context, as, table);
  await fill(half + 1);
  const looks: Look[] = [];
  for (const { name, sql, reads } of changes) {
    const said = saidOf(await target.sql(as, `ALTER TABLE ${table} ${sql}`));
    const look = async (): Promise<readonly Wrong[] | null> => await wrongIn(target, as, table, reads, 2 * half);
    const first = said.kind === "ok" ? await look() : null;
    const again = first === null || first.length === 0 ? first : await look();
    looks.push({ change: name, said, first, again });
    // What comes after it would be refused, or about another column.
    if (said.kind !== "ok") break;
  }
  return { type, half, flushed, looks };
}

async function wrongIn(
  target: Target,
  as: Account,
  table: string,
  reads: readonly Column[],
  count: number,
): Promise<readonly Wrong[] | null> {
  const rows = await readTable(target, as, table, ["id", ...reads]);
  if (rows === null) return null;
  const byId = new Map(rows.map((row) => [cellText(row["id"]), row]));
  const ids = Array.from({ length: count }, (_, at) => String(at + 1));
  return ids.flatMap((id) =>
    reads.flatMap((column) => {
      const row = byId.get(id);
      const cell = row?.[column];
      const found = row === undefined ? "no row" : cell === null || cell === undefined ? null : cellText(cell);
      return found === expected(column, id) ? [] : [{ column, id, found }];
    }),
  );
}
