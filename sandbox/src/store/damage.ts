/** What a server that does not keep what it saved comes back with: the faults that are switched on, done to the data at the start. */
import type { FaultName, Faults } from "../faults.ts";
import { removal, viewOf } from "../sql/tables.ts";
import { literal, id, quote, rowsOf, type Catalogue, type Table } from "./catalogue.ts";
import type { Engine } from "./engine.ts";
import type { Column } from "./types.ts";

/** How the process before this one ended; `none`: the data folder is new. */
export type LastEnd = "none" | "stopped" | "killed";

interface Store {
  readonly engine: Engine;
  readonly catalogue: Catalogue;
}

/** Does the damage to the `n` newest; what was damaged, empty if there was nothing to damage. */
type Damage = (store: Store, n: number) => string;

const whenKilled: Partial<Record<FaultName, Damage>> = { loseOnKill: loseLast, tearBatch };
const whenStopped: Partial<Record<FaultName, Damage>> = { loseOnStop: loseLast };
const atRestart: Partial<Record<FaultName, Damage>> = {
  skipSegment: (store, n) => onSegments(store, n, (rows, where) => `DELETE FROM ${rows} WHERE ${where}`),
  doubleSegment: (store, n) =>
    onSegments(store, n, (rows, where) => {
      const key = quote(`${rows.slice(rows.indexOf(".") + 1)}_pkey`);
      store.engine.script(`ALTER TABLE ${rows} DROP CONSTRAINT IF EXISTS ${key}`);
      return `INSERT INTO ${rows} SELECT * FROM ${rows} WHERE ${where}`;
    }),
  resurrectDeleted: (store, n) => undo(store, `after IS NULL AND ${isLatest} ORDER BY number DESC LIMIT ${n}`),
  showOlderValue: (store, n) =>
    undo(store, `before IS NOT NULL AND after IS NOT NULL AND ${isLatest} ORDER BY number DESC LIMIT ${n}`),
  evaluateDefaultsAgain,
  startWithoutTable,
  loseAccount: ({ engine }, n) =>
    listed(engine.query(`DELETE FROM system.users WHERE user_id IN (${newestAccounts(n)}) RETURNING user_id`)),
  losePassword: ({ engine }, n) =>
    listed(
      engine.query(
        `UPDATE system.users SET password_hash = 'lost' WHERE user_id IN (${newestAccounts(n)}) RETURNING user_id`,
      ),
    ),
  forgetDefault: (store) =>
    redefine(store, (column) =>
      column.default_value === "None"
        ? undefined
        : { column: { ...column, default_value: "None" }, change: `ALTER ${quote(column.column_name)} DROP DEFAULT` },
    ),
  forgetNotNull: (store) =>
    redefine(store, (column) =>
      column.is_nullable || column.is_primary_key
        ? undefined
        : { column: { ...column, is_nullable: true }, change: `ALTER ${quote(column.column_name)} DROP NOT NULL` },
    ),
  forgetToEnforce: (store) =>
    redefine(store, (column) =>
      column.is_nullable || column.is_primary_key
        ? undefined
        : { column, change: `ALTER ${quote(column.column_name)} DROP NOT NULL` },
    ),
  forgetOrder,
  misreadDecimals,
  rewindOffsets: ({ engine }, n) =>
    listed(
      engine.query(
        `WITH gone AS (DELETE FROM system.topic_offsets WHERE last_acked_offset < ${n} RETURNING topic_id),
           lower AS (UPDATE system.topic_offsets SET last_acked_offset = last_acked_offset - ${n}
             WHERE last_acked_offset >= ${n} RETURNING topic_id)
         SELECT topic_id FROM gone UNION ALL SELECT topic_id FROM lower`,
      ),
    ),
  skipMessages: ({ engine }) =>
    listed(
      engine.query(
        `UPDATE system.topic_offsets o SET last_acked_offset = (SELECT max("offset") FROM kalam.messages m
           WHERE m.topic_id = o.topic_id AND m.partition_id = o.partition_id)
         WHERE last_acked_offset < (SELECT max("offset") FROM kalam.messages m
           WHERE m.topic_id = o.topic_id AND m.partition_id = o.partition_id) RETURNING topic_id`,
      ),
    ),
};

/** Does what is switched on and applies after such an end, in the transaction that is open. */
export function damage(store: Store, lastEnd: LastEnd, faults: Faults): void {
  if (lastEnd === "none") return;
  // The triggers would stamp the rows anew and log the damage as changes.
  store.engine.script("SET LOCAL session_replication_role = replica");
  const damages = { ...(lastEnd === "killed" ? whenKilled : whenStopped), ...atRestart };
  for (const [name, cause] of Object.entries(damages) as [FaultName, Damage][]) {
    const n = faults.numberOf(name);
    if (n === undefined) continue;
    const what = cause(store, n);
    store.catalogue.reload();
    if (what !== "") faults.fired(name, what);
  }
}

/** Shows the last job as running once more; its id. */
export function stickJob(engine: Engine, faults: Faults): string | undefined {
  if (faults.numberOf("stickJob") === undefined) return undefined;
  const [[job] = []] = engine.query(
    `UPDATE system.jobs SET status = 'running', finished_at = NULL, message = NULL WHERE job_id =
       (SELECT job_id FROM system.jobs WHERE job_type IN ('flush', 'compact') ORDER BY created_at DESC LIMIT 1) RETURNING job_id`,
  );
  if (job === null || job === undefined) return undefined;
  faults.fired("stickJob", job);
  return job;
}

const listed = (rows: readonly (readonly (string | null)[])[]): string => rows.map(([name]) => name ?? "").join(", ");

/** Dropped accounts do not count, nor does root. */
const newestAccounts = (n: number): string =>
  `SELECT user_id FROM system.users WHERE user_id <> 'root' AND deleted_at IS NULL ORDER BY created_at DESC, user_id DESC LIMIT ${n}`;

/** Of a change `c`: none of the same row is later. */
const isLatest = `NOT EXISTS (SELECT 1 FROM kalam.changes later WHERE later.table_id = c.table_id
  AND later.owner = c.owner AND later.key = c.key AND later.number > c.number)`;

function loseLast(store: Store, n: number): string {
  return undo(store, `true ORDER BY number DESC LIMIT ${n}`);
}

/** A batch is what one transaction changed: PostgreSQL keeps its number with each row. */
function tearBatch(store: Store, n: number): string {
  const batches = `SELECT xmin::text FROM kalam.changes GROUP BY xmin::text HAVING count(*) > 1 ORDER BY max(number) DESC LIMIT ${n}`;
  const half = `SELECT number FROM (SELECT number, row_number() OVER batch AS at, count(*) OVER whole AS size FROM kalam.changes
    WHERE xmin::text IN (${batches}) WINDOW whole AS (PARTITION BY xmin::text), batch AS (PARTITION BY xmin::text ORDER BY number)) numbered
    WHERE at > size / 2`;
  return undo(store, `number IN (${half}) ORDER BY number DESC`);
}

/** Takes the selected changes back, in the order of the selection, and out of the log. */
function undo({ engine, catalogue }: Store, selection: string): string {
  const changes = engine.query(`SELECT c.number, table_id, owner, key, before FROM kalam.changes c WHERE ${selection}`);
  const undone: string[] = [];
  for (const [number = null, table = "", owner = null, key = null, before = null] of changes) {
    const [namespace = "", name = ""] = (table ?? "").split(".");
    const found = catalogue.table(namespace, name);
    if (found === undefined || found.type === "stream") continue;
    const column = found.columns.find(({ is_primary_key }) => is_primary_key)?.column_name ?? "_seq";
    const rows = rowsOf(found);
    engine.query(`DELETE FROM ${rows} r WHERE "_user" = $1 AND row_to_json(r)->>$2 = $3`, [owner, column, key]);
    if (before !== null)
      engine.query(`INSERT INTO ${rows} SELECT * FROM json_populate_record(NULL::${rows}, $1)`, [before]);
    engine.query("DELETE FROM kalam.changes WHERE number = $1", [number]);
    undone.push(`${table} ${key}`);
  }
  return shortened(undone);
}

const shownMax = 5;

function shortened(items: readonly string[]): string {
  if (items.length <= shownMax) return items.join(", ");
  return `${items.slice(0, shownMax).join(", ")} and ${items.length - shownMax} more`;
}

/** Runs a statement on the rows of the last segment of each of the `n` scopes that were flushed last. */
function onSegments(
  { engine, catalogue }: Store,
  n: number,
  statement: (rows: string, where: string) => string,
): string {
  const segments = engine.query(
    `SELECT table_id, owner, segments->-1->>'min_seq', segments->-1->>'max_seq' FROM kalam.scopes
       WHERE jsonb_array_length(segments) > 0 ORDER BY updated_at DESC LIMIT ${n}`,
  );
  const damaged: string[] = [];
  for (const [table, owner, from, to] of segments) {
    const [namespace = "", name = ""] = (table ?? "").split(".");
    const found = catalogue.table(namespace, name);
    if (found === undefined) continue;
    const where = `"_user" = ${literal(owner ?? "")} AND "_seq" BETWEEN ${from} AND ${to}`;
    const { count } = engine.run({ text: statement(rowsOf(found), where) });
    if (count > 0) damaged.push(`${count} rows of ${table}`);
  }
  return shortened(damaged);
}

function ownTables(catalogue: Catalogue): readonly Table[] {
  return catalogue.tables().filter(({ type }) => type !== "system");
}

function evaluateDefaultsAgain({ engine, catalogue }: Store): string {
  const changed: string[] = [];
  for (const table of ownTables(catalogue)) {
    const columns = table.columns.filter(
      ({ default_value: value, is_primary_key: isKey }) =>
        !isKey && typeof value === "object" && "FunctionCall" in value && value.FunctionCall.name !== "CURRENT_USER",
    );
    if (columns.length === 0) continue;
    const set = columns.map(({ column_name: name }) => `${quote(name)} = DEFAULT`).join(", ");
    const { count } = engine.run({ text: `UPDATE ${rowsOf(table)} SET ${set}` });
    if (count > 0) changed.push(`${count} rows of ${id(table)}`);
  }
  return shortened(changed);
}

function startWithoutTable({ engine, catalogue }: Store, n: number): string {
  const newest = engine.query(
    `SELECT namespace_id, table_name FROM system.schemas WHERE is_latest AND table_type <> 'system' ORDER BY created_at DESC LIMIT ${n}`,
  );
  const tables = newest.flatMap(([namespace, name]) => catalogue.table(namespace ?? "", name ?? "") ?? []);
  for (const table of tables) engine.script(removal(table));
  return shortened(tables.map(id));
}

/** Changes columns of all tables; `change` alters the stored table, undefined leaves the column as it is. */
function redefine(
  { engine, catalogue }: Store,
  changed: (column: Column) => { readonly column: Column; readonly change: string } | undefined,
): string {
  const names: string[] = [];
  for (const table of ownTables(catalogue)) {
    const all = table.columns.map((column) => (column.column_name.startsWith("_") ? undefined : changed(column)));
    const changes = all.flatMap((one) => (one === undefined ? [] : [one.change]));
    if (changes.length === 0) continue;
    engine.script(`ALTER TABLE ${rowsOf(table)} ${changes.join(", ")}`);
    describe(engine, { ...table, columns: table.columns.map((column, at) => all[at]?.column ?? column) });
    names.push(id(table));
  }
  return shortened(names);
}

/** The last two columns change places. */
function forgetOrder({ engine, catalogue }: Store): string {
  const names: string[] = [];
  for (const table of ownTables(catalogue)) {
    const own = table.columns.filter(({ column_name: name }) => !name.startsWith("_"));
    const [one, other] = own.slice(-2);
    if (one === undefined || other === undefined) continue;
    const columns = table.columns
      .map((column) => (column === one ? other : column === other ? one : column))
      .map((column, at) => ({ ...column, ordinal_position: at + 1 }));
    describe(engine, { ...table, columns });
    names.push(id(table));
  }
  return shortened(names);
}

/** As if the scale of their type were one less than it was when they were written. */
function misreadDecimals({ engine, catalogue }: Store): string {
  const names: string[] = [];
  for (const table of ownTables(catalogue)) {
    const misread: string[] = [];
    const columns = table.columns.map((column) => {
      const { data_type: type } = column;
      if (typeof type !== "object" || !("Decimal" in type) || type.Decimal.scale === 0) return column;
      misread.push(column.column_name);
      return { ...column, data_type: { Decimal: { ...type.Decimal, scale: type.Decimal.scale - 1 } } };
    });
    if (misread.length === 0) continue;
    const set = misread.map((name) => `${quote(name)} = ${quote(name)} * 10`).join(", ");
    engine.script(`UPDATE ${rowsOf(table)} SET ${set}`);
    describe(engine, { ...table, columns });
    names.push(id(table));
  }
  return shortened(names);
}

/** Describes the table in another way, without a new version. */
function describe(engine: Engine, table: Table): void {
  engine.script(viewOf(table, "replaced"));
  engine.query("UPDATE system.schemas SET columns = $1 WHERE is_latest AND table_id = $2", [
    JSON.stringify(table.columns),
    `${table.namespace}:${table.name}`,
  ]);
}
