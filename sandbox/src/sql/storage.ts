import { mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { dialect } from "../dialect.ts";
import { id, type Table } from "../store/catalogue.ts";
import { hasPending } from "../store/jobs.ts";
import { denied, failed, invalid, noTable } from "./errors.ts";
import { readName, readTableName, refuseRest } from "./names.ts";
import { answer, done, type Outcome, type Session } from "./session.ts";
import { valueOf, type Reader } from "./tokens.ts";

/** Reads what follows `STORAGE FLUSH` or `STORAGE COMPACT`. */
export function readStorageJob(reader: Reader, kind: "flush" | "compact"): (session: Session) => Outcome {
  const what = `STORAGE ${kind.toUpperCase()}`;
  const all = reader.accept("ALL");
  if (!all && !reader.accept("TABLE")) throw invalid(`Expected TABLE or ALL after ${what}`);
  const said = `${what} ${all ? "ALL" : "TABLE"}`;
  const table = all ? undefined : readTableName(reader, said);
  const inNamespace = all && reader.accept("IN") ? readName(reader, `${said} IN`) : undefined;
  refuseRest(reader, said);
  return (session) => {
    if (session.account.role === "user") throw denied(`Unauthorized: ${said} requires Service, DBA, or System role`);
    const namespace = table?.namespace ?? inNamespace ?? session.namespace;
    if (table === undefined) return startAll(kind, namespace, session);
    const found = session.catalogue.table(namespace, table.name);
    if (found === undefined) throw noTable(`Not found: Table ${namespace}.${table.name} not found`);
    if (found.type === "stream" || found.type === "system") {
      throw failed(`Invalid operation: ${said} is not supported for ${found.type.toUpperCase()} tables`);
    }
    return startOne(kind, found, session);
  };
}

function startOne(kind: "flush" | "compact", table: Table, { engine, jobs }: Session): Outcome {
  const noun = kind === "flush" ? "flush" : "compaction";
  if (jobs.isOpen(kind, table)) return done(`Storage ${noun} skipped: already queued for table '${id(table)}'`);
  if (kind === "flush" && !hasPending(engine, table))
    return done(`Storage flush skipped: no pending writes for table '${id(table)}'`);
  return done(`Storage ${noun} started for table '${id(table)}'. Job ID: ${jobs.add(kind, table)}`);
}

function startAll(kind: "flush" | "compact", namespace: string, { engine, catalogue, jobs }: Session): Outcome {
  const noun = kind === "flush" ? "flush" : "compaction";
  const tables = catalogue
    .tables(namespace)
    .filter((table) => (table.type === "user" || table.type === "shared") && !jobs.isOpen(kind, table))
    .filter((table) => kind === "compact" || hasPending(engine, table));
  if (tables.length === 0) return done(`Storage ${noun} skipped: nothing to do in namespace '${namespace}'`);
  const started = tables.map((table) => jobs.add(kind, table));
  return done(
    `Storage ${noun} started for ${tables.length} table(s) in namespace '${namespace}'. Job IDs: [${started.join(", ")}]`,
  );
}

/** Reads what follows `STORAGE CHECK`. */
export function readStorageCheck(reader: Reader): (session: Session) => Outcome {
  const storage = readName(reader, "STORAGE CHECK");
  const extended = reader.accept("EXTENDED");
  refuseRest(reader, "STORAGE CHECK");
  return (session) => {
    if (storage !== "local") throw failed(`Not found: Storage '${storage}' not found`);
    const folder = path.join(session.settings["storage.data_path"], "storage");
    const from = Date.now();
    const problem = tryFolder(folder);
    const space = extended && problem === undefined ? statfsSync(folder) : undefined;
    const bytes = (blocks: number): string | null => (space === undefined ? null : String(blocks * space.bsize));
    const well = problem === undefined;
    const state = [storage, well ? "healthy" : "unhealthy", well, well, well, well, String(Date.now() - from)];
    const sizes = [bytes(space?.blocks ?? 0), bytes((space?.blocks ?? 0) - (space?.bfree ?? 0))];
    return answer(
      "storage_id:Text status:Text readable:Boolean writable:Boolean listable:Boolean deletable:Boolean latency_ms:BigInt " +
        "total_bytes:BigInt used_bytes:BigInt error:Text tested_at:Timestamp",
      [[...state, ...sizes, problem ?? null, Date.now() * (dialect.microseconds ? 1000 : 1)]],
    );
  };
}

/** Writes, reads, lists and deletes a small file. */
function tryFolder(folder: string): string | undefined {
  const file = `check-${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, file), file);
    if (readFileSync(path.join(folder, file), "utf8") !== file) return "read something else than was written";
    if (!readdirSync(folder).includes(file)) return "the file is not listed";
    rmSync(path.join(folder, file));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Reads what follows `BACKUP DATABASE`. */
export function readBackup(reader: Reader): (session: Session) => Outcome {
  if (!reader.accept("TO")) throw invalid("Expected TO clause in BACKUP DATABASE");
  const target = reader.next();
  if (target?.kind !== "string") throw invalid("Expected a quoted path in BACKUP DATABASE");
  refuseRest(reader, "BACKUP DATABASE");
  const folder = valueOf(target);
  return ({ jobs }) => done(`Database backup started to '${folder}'. Job ID: ${jobs.add("backup", folder)}`);
}

/** Reads what follows `RESTORE DATABASE`. */
export function readRestore(reader: Reader): (session: Session) => Outcome {
  if (!reader.accept("FROM")) throw invalid("Expected FROM clause in RESTORE DATABASE");
  const source = reader.next();
  if (source?.kind !== "string") throw invalid("Expected a quoted path in RESTORE DATABASE");
  refuseRest(reader, "RESTORE DATABASE");
  const folder = valueOf(source);
  return ({ jobs }) =>
    done(
      `Database restore started from '${folder}'. Job ID: ${jobs.add("restore", folder)}. Server restart required after completion.`,
    );
}
