import { randomBytes } from "node:crypto";
import { failed } from "../sql/errors.ts";
import { id, quote, rowsOf, type Catalogue, type Table } from "./catalogue.ts";
import type { Cold } from "./cold.ts";
import type { Engine } from "./engine.ts";
import { titled } from "./roles.ts";
import { sqlType } from "./types.ts";

const idPrefixes = {
  flush: "FL",
  compact: "CO",
  cleanup: "CL",
  backup: "BK",
  restore: "RS",
  topic_cleanup: "TC",
} as const;
type Kind = keyof typeof idPrefixes;

/** How long a job stays in each state: long enough to be observed, short enough to wait for. */
const stepMs = 15;

const openStates = "('queued', 'running')";

/** Copies of the whole database. */
interface Copies {
  /** Returns the number of bytes. */
  readonly backUp: (target: string) => number;
  /** Has it replace the database at the next start. */
  readonly stage: (source: string) => void;
}

/** What is wrong with jobs, by a fault. */
export interface BrokenJobs {
  /** The job that stays running. */
  readonly stuck: string | undefined;
  readonly failsToFlush: () => boolean;
}

/** Background jobs: queued, running, then completed or failed. They survive a restart. */
export class Jobs {
  readonly #engine: Engine;
  readonly #catalogue: Catalogue;
  readonly #cold: Cold;
  readonly #copies: Copies;
  readonly #broken: BrokenJobs;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    { engine, catalogue, cold }: { readonly engine: Engine; readonly catalogue: Catalogue; readonly cold: Cold },
    copies: Copies,
    broken: BrokenJobs,
  ) {
    this.#engine = engine;
    this.#catalogue = catalogue;
    this.#cold = cold;
    this.#copies = copies;
    this.#broken = broken;
    this.#continue();
  }

  /** Stops running jobs; open ones continue at the next start. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  add(kind: Kind, subject: Table | string): string {
    const name = `${idPrefixes[kind]}-${randomBytes(6).toString("hex")}`;
    const key = typeof subject === "string" ? `${kind}-${name}` : `${kind}-${subject.namespace}-${subject.name}`;
    this.#engine.query(
      `INSERT INTO system.jobs (job_id, job_type, status, parameters, idempotency_key, retry_count, max_retries, created_at, updated_at, node_id)
       VALUES ($1, $2, 'queued', $3, $4, 0, 3, now(), now(), 1)`,
      [name, kind, JSON.stringify(parameters(kind, subject)), key],
    );
    this.#continue();
    return name;
  }

  isOpen(kind: Kind, { namespace, name }: Table): boolean {
    const key = `${kind}-${namespace}-${name}`;
    return (
      this.#engine.query(`SELECT 1 FROM system.jobs WHERE idempotency_key = $1 AND status IN ${openStates}`, [key])
        .length > 0
    );
  }

  cancel(name: string): void {
    const found = this.#engine.query(
      `UPDATE system.jobs SET status = 'cancelled', updated_at = now(), finished_at = now() WHERE job_id = $1 AND status IN ${openStates} RETURNING 1`,
      [name],
    );
    if (found.length === 0) throw failed(`Not found: Job ${name} not found`);
  }

  #continue(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#step(), stepMs);
  }

  #step(): void {
    const running = this.#engine.query("SELECT job_id, job_type, parameters FROM system.jobs WHERE status = 'running'");
    for (const [name, kind, given] of running)
      if (name !== this.#broken.stuck) this.#finish(name ?? "", kind as Kind, JSON.parse(given ?? "{}") as Given);
    const started = this.#engine.query(
      "UPDATE system.jobs SET status = 'running', started_at = now(), updated_at = now() WHERE status = 'queued' RETURNING 1",
    );
    if (started.length > 0) this.#continue();
  }

  #finish(name: string, kind: Kind, given: Given): void {
    let [status, message] = ["completed", ""];
    try {
      message = JSON.stringify({ message: this.#engine.atomically(() => this.#work(kind, given)) });
    } catch (error) {
      [status, message] = ["failed", error instanceof Error ? error.message : String(error)];
    }
    this.#engine.query(
      "UPDATE system.jobs SET status = $2, message = $3, updated_at = now(), finished_at = now() WHERE job_id = $1",
      [name, status, message],
    );
  }

  #work(kind: Kind, given: Given): string {
    if (kind === "topic_cleanup") return `Cleaned up topic ${given.topic_id ?? ""} successfully`;
    if (kind === "backup") {
      const path = given.path ?? "";
      return `Backup completed: '${path}' (${(this.#copies.backUp(path) / 1e6).toFixed(2)} MB)`;
    }
    if (kind === "restore") {
      this.#copies.stage(given.path ?? "");
      return `Restore staged from '${given.path ?? ""}'. Restart server to activate restored data.`;
    }
    const [namespace = "", table = ""] = (given.table_id ?? "").split(".");
    const name = `${namespace}:${table}`;
    if (kind === "cleanup") this.#cold.remove(namespace, table);
    if (kind === "cleanup") return `Cleaned up table ${name} successfully`;
    if (kind === "compact") return `Compaction completed for ${name}`;
    if (this.#broken.failsToFlush()) throw new Error(`Flush of ${name} failed: a fault is switched on`);
    const found = this.#catalogue.table(namespace, table);
    const files = found === undefined ? [] : this.#flush(found).filter((rows) => rows > 0);
    return `Flushed ${name} successfully (${files.reduce((sum, rows) => sum + rows, 0)} rows, ${files.length} files)`;
  }

  /** Records the rows that each owner wrote since the last flush as a new segment; returns the rows of each. */
  #flush(table: Table): number[] {
    const key = table.columns.find((column) => column.is_primary_key && sqlType(column.data_type) in arrowTypes);
    const bound = (of: "min" | "max"): string =>
      `'${of}', json_build_object('${arrowTypes[sqlType(key?.data_type ?? "")]}', ${of}(r.${quote(key?.column_name ?? "")})::text)`;
    const stats =
      key === undefined
        ? "'{}'::json"
        : `json_build_object('${key.column_id}', json_build_object(${bound("min")}, ${bound("max")}, 'null_count', 0))`;
    const flushed = this.#engine.query(
      `WITH fresh AS (
           SELECT owner, count(r."_seq") AS rows, max(r."_seq") AS latest, jsonb_build_object(
             'id', file, 'path', file, 'min_seq', min(r."_seq"), 'max_seq', max(r."_seq"), 'row_count', count(*),
             'size_bytes', sum(pg_column_size(r)), 'created_at', kalam.millis(now()), 'column_stats', ${stats},
             'schema_version', ${table.version}, 'status', 'committed') AS segment
           FROM kalam.scopes LEFT JOIN ${rowsOf(table)} r ON r."_user" = owner AND r."_seq" > flushed,
             format('batch-%s.parquet', jsonb_array_length(segments)) file
           WHERE table_id = $1 AND pending GROUP BY owner, file)
         UPDATE kalam.scopes s SET pending = false, updated_at = now(), flushed = greatest(flushed, latest),
           segments = segments || CASE WHEN rows > 0 THEN segment ELSE '[]' END
         FROM fresh WHERE table_id = $1 AND s.owner = fresh.owner RETURNING rows, s.owner`,
      [id(table)],
    );
    this.#cold.write(
      table,
      flushed.flatMap(([rows, owner]) => (Number(rows) > 0 ? [owner ?? ""] : [])),
    );
    return flushed.map(([rows]) => Number(rows));
  }
}

/** Key types whose bounds a segment records, with their Arrow names. */
const arrowTypes: Readonly<Record<string, string>> = { BIGINT: "Int64", INT: "Int32", SMALLINT: "Int16", TEXT: "Utf8" };

interface Given {
  readonly table_id?: string;
  readonly topic_id?: string;
  readonly path?: string;
}

function parameters(kind: Kind, subject: Table | string): Readonly<Record<string, unknown>> {
  if (typeof subject === "string")
    return kind === "topic_cleanup" ? { topic_id: subject, topic_name: subject } : { path: subject };
  const about = { table_id: id(subject), table_type: titled(subject.type) };
  if (kind === "flush") return { flush_threshold: null, ...about };
  if (kind === "compact") return { ...about, target_file_size_mb: 128 };
  return { operation: "drop_table", ...about };
}

/** Whether the table has unflushed writes. */
export function hasPending(engine: Engine, table: Table): boolean {
  return engine.query("SELECT 1 FROM kalam.scopes WHERE pending AND table_id = $1", [id(table)]).length > 0;
}
