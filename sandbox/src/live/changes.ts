import { dialect } from "../dialect.ts";
import { id, type Table } from "../store/catalogue.ts";
import type { Engine } from "../store/engine.ts";
import type { Options } from "./notices.ts";
import { versionOf, type Plan } from "./plan.ts";
import type { Cells } from "./shape.ts";

/** One committed change of one row, as `kalam.changes` keeps it. */
export interface Change {
  readonly table: string;
  readonly owner: string;
  readonly version: string;
  /** JSON of the row before and after; an insert has no before, a delete no after. */
  readonly before: string | null;
  readonly after: string | null;
}

/** Read in batches: one statement may have made more changes than fit into memory. */
const changesMax = 256;

/** The next changes after that number, and whether there are more. */
export function unread(engine: Engine, number: string): { changes: Change[]; upTo: string; more: boolean } {
  const { rows, cut } = engine.run({
    text: "SELECT number, table_id, owner, seq, before, after FROM kalam.changes WHERE number > $1::int8 ORDER BY number",
    values: [number],
    limit: changesMax,
    prepared: true,
  });
  const changes = rows.map(([, table, owner, version, before = null, after = null]) => ({
    table: table ?? "",
    owner: owner ?? "",
    version: version ?? "",
    before,
    after,
  }));
  return { changes, upTo: rows.at(-1)?.[0] ?? number, more: cut };
}

/** The number of the latest change. */
export const latest = (engine: Engine): string =>
  engine.query("SELECT coalesce(max(number), 0) FROM kalam.changes")[0]?.[0] ?? "0";

/** Whether the change is one of the plan's table and of the rows that its account may read. */
export function concerns(plan: Plan, { table, owner }: Change): boolean {
  return table === id(plan.table) && owner === plan.owner;
}

/** The frame bodies of these changes for a live query; a row that stops matching is a delete. */
export function bodiesOf(plan: Plan, changes: readonly Change[]): string[] {
  const evaluated = plan.evaluate(
    changes.flatMap(({ before, after }) => [before, after].filter((row) => row !== null)),
  );
  let at = 0;
  return changes.flatMap(({ before, after, version }) => {
    const was = before === null ? undefined : evaluated[at++];
    const is = after === null ? undefined : evaluated[at++];
    if (is?.matches === true)
      return was?.visible !== true ? plan.shape.inserted(is.cells) : plan.shape.updated(was.cells, is.cells);
    return was?.matches === true ? plan.shape.deleted(was.cells, version) : [];
  });
}

/** Whether more changes of the table follow the version than are kept for resuming; those up to a number are not kept. */
export function isExpired(engine: Engine, table: Table, from: string, notKept: string): boolean {
  const [[missed, lost] = []] = engine.query(
    `SELECT count(*), count(*) FILTER (WHERE number <= $3) FROM (SELECT number FROM kalam.changes
       WHERE table_id = $1 AND owner = '' AND seq > $2 ORDER BY number DESC LIMIT ${dialect.replayChangesMax + 1}) latest`,
    [id(table), from, notKept],
  );
  return Number(missed) > dialect.replayChangesMax || Number(lost) > 0;
}

/** The initial rows of a live query, and the deletes since `from`. */
export function begin(plan: Plan, options: Options, engine: Engine): { rows: Cells[]; missed: string[] } {
  const { from, lastRows } = options;
  if (from === undefined) {
    return {
      rows: plan.rows(lastRows === undefined ? "" : `ORDER BY ${versionOf} DESC LIMIT ${lastRows}`),
      missed: [],
    };
  }
  const rows = plan.rows("", from);
  const there = new Set(rows.map((row) => plan.shape.identity(row)));
  // The first change of each row since `from` has the row as it was then; the last one has its latest version.
  const touched = engine.query(
    `SELECT DISTINCT ON (key) max(seq) OVER (PARTITION BY key), before FROM kalam.changes
     WHERE table_id = $1 AND owner = $2 AND seq > $3 ORDER BY key, number`,
    [id(plan.table), plan.owner, from],
  );
  const had = touched.flatMap(([version, before]) =>
    typeof before === "string" ? [{ version: version ?? "", before }] : [],
  );
  const missed = plan.evaluate(had.map(({ before }) => before)).flatMap(({ cells, matches }, index) => {
    if (!matches || there.has(plan.shape.identity(cells))) return [];
    const version = had[index]?.version ?? "";
    return [{ version, body: plan.shape.deleted(cells, version) }];
  });
  const inOrder = missed.toSorted((a, b) => (BigInt(a.version) < BigInt(b.version) ? -1 : 1));
  return { rows, missed: inOrder.map(({ body }) => body) };
}
