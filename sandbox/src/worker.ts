import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { loadModule } from "libpg-query";
import { faultsOf } from "./faults.ts";
import { LiveQueries } from "./live/queries.ts";
import type { Kind, WorkerCalls, WorkerMessage, WorkerRequest, WorkerStart } from "./message.ts";
import { addAccount, findProfile, logIn, needsSetup, setRootPassword } from "./sql/accounts.ts";
import { answer, type Answer } from "./sql/batch.ts";
import { Refusal } from "./sql/errors.ts";
import { Catalogue } from "./store/catalogue.ts";
import { Cold } from "./store/cold.ts";
import { damage, stickJob } from "./store/damage.ts";
import { Engine } from "./store/engine.ts";
import { Eviction } from "./store/eviction.ts";
import { Jobs } from "./store/jobs.ts";
import { passwordProblem } from "./store/passwords.ts";
import { bootstrapScript, schemaVersion } from "./store/schema.ts";
import { syncTree } from "./store/syncing.ts";
import { ensureDataFolder } from "./template.ts";
import { answerAck, answerConsume } from "./topics/answers.ts";
import { Topics } from "./topics/topics.ts";

const { settings, rootPassword, lastEnd, faults: switchedOn, live: resumption } = workerData as WorkerStart;
const faults = faultsOf(switchedOn, (line) => process.stderr.write(`${line}\n`));
const folder = path.join(settings["storage.data_path"], "pglite");
const restored = path.join(settings["storage.data_path"], "restored");
/** The segments on disk. */
const storage = path.join(settings["storage.data_path"], "storage");
// package.json is not exported by PGlite, so it is found next to its entry point.
const manifest = new URL("../package.json", import.meta.resolve("@electric-sql/pglite"));
const pglite = (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;

async function makeTemplate(target: string): Promise<void> {
  const engine = await Engine.open(target);
  engine.script(bootstrapScript);
  await engine.close();
}

// Restored by the process before: it could not replace the database that it had opened.
if (lastEnd !== undefined && existsSync(restored)) {
  for (const [from, to] of [
    [path.join(restored, "storage"), storage],
    [path.join(restored, "pglite"), folder],
  ] as const) {
    rmSync(to, { recursive: true, force: true });
    if (existsSync(from)) renameSync(from, to);
  }
  rmSync(restored, { recursive: true, force: true });
}
const fresh = !existsSync(folder);
const isSynced = settings["storage.rocksdb.sync_writes"];
await ensureDataFolder(folder, `pglite-${pglite}-${schemaVersion}`, makeTemplate);
if (fresh && isSynced) syncTree(folder);
await loadModule();
const engine = await Engine.open(folder, isSynced ? faults : undefined);
const [[madeBy] = []] = engine.query("SELECT obj_description('kalam'::regnamespace)");
if (madeBy !== schemaVersion) throw new Error("it was made by another version of the sandbox");
if (fresh)
  engine.script(
    "UPDATE system.users SET created_at = now(), updated_at = now(); UPDATE system.storages SET created_at = now(), updated_at = now()",
  );
engine.query("UPDATE system.storages SET base_directory = $1", [storage]);
if (rootPassword !== undefined && needsSetup(engine)) setRootPassword(engine, rootPassword, settings);
const catalogue = new Catalogue(engine);
if (lastEnd !== undefined) engine.atomically(() => damage({ engine, catalogue }, lastEnd, faults));
if (lastEnd !== undefined && lastEnd !== "none" && faults.fires("ignoreChecksums"))
  engine.script("SET ignore_checksum_failure = on");
const cold = new Cold(engine, storage, isSynced ? faults : undefined);
const damagedTables = engine.atomically(() => {
  // As in damage: these are no changes that anyone made.
  engine.script("SET LOCAL session_replication_role = replica");
  return cold.check(catalogue, faults);
});
for (const { namespace, name, why } of damagedTables) process.stderr.write(`${namespace}.${name}: ${why}\n`);
const jobs = new Jobs(
  { engine, catalogue, cold },
  { backUp, stage },
  {
    stuck: lastEnd === "killed" ? stickJob(engine, faults) : undefined,
    failsToFlush: () => lastEnd === "killed" && faults.fires("breakFlush"),
  },
);
const eviction = new Eviction(engine, catalogue, settings);
const live = new LiveQueries(engine, catalogue, settings, (deliveredUpTo, notices) =>
  post({ kind: "live", deliveredUpTo, notices }),
);
live.resume(resumption);
const topics = new Topics(engine, catalogue, settings);
topics.publish();

/**
 * Copies the data folder after a checkpoint; nothing else writes meanwhile, since only this thread writes. Never overwrites:
 * a backup opened as a data folder resumes the very job that made it.
 */
function backUp(target: string): number {
  const copy = path.join(target, "pglite");
  if (existsSync(copy)) throw new Error(`Backup failed: ${copy} exists`);
  engine.script("CHECKPOINT");
  mkdirSync(target, { recursive: true });
  cpSync(folder, copy, { recursive: true });
  if (existsSync(storage)) cpSync(storage, path.join(target, "storage"), { recursive: true });
  return Number(engine.query("SELECT pg_database_size('postgres')")[0]?.[0] ?? 0);
}

/** Whether a statement reads or changes the table. It can be dropped and written to all the same. */
function touches(sql: string, table: string): boolean {
  return /^\s*(SELECT|UPDATE|DELETE|BEGIN)\b/i.test(sql) && new RegExp(`(?<![\\w.])${table}(?!\\w)`, "i").test(sql);
}

function failedBy(message: string): Answer {
  return { kind: "refused", status: 400, code: "SQL_EXECUTION_ERROR", message: `Statement 1 failed: ${message}` };
}

let firstAskedAt: number | undefined;

/** Soon after a restart, with that fault. */
function emptied(answered: Answer): Answer {
  const forMs = faults.numberOf("emptyAtFirst");
  firstAskedAt ??= performance.now();
  if (forMs === undefined || answered.kind === "refused" || performance.now() - firstAskedAt > forMs) return answered;
  const results = answered.results.map((text) =>
    text.replace(/"rows":\[\[.*\]\],"row_count":\d+/s, '"rows":[],"row_count":0'),
  );
  if (results.some((text, at) => text !== answered.results[at])) faults.fired("emptyAtFirst");
  return { ...answered, results };
}

function stage(source: string): void {
  const [copy, segments] = [path.join(source, "pglite"), path.join(source, "storage")];
  if (!existsSync(copy)) throw new Error(`Restore failed: ${copy} does not exist`);
  const staging = `${restored}.new`;
  for (const old of [staging, restored]) rmSync(old, { recursive: true, force: true });
  cpSync(copy, path.join(staging, "pglite"), { recursive: true });
  if (existsSync(segments)) cpSync(segments, path.join(staging, "storage"), { recursive: true });
  renameSync(staging, restored);
}

const handlers: {
  readonly [K in Kind]: (ask: WorkerCalls[K]["ask"]) => WorkerCalls[K]["answer"] | Promise<WorkerCalls[K]["answer"]>;
} = {
  sql({ user, address, sql, parameters, namespace, sockets, wireSessions }): Answer {
    const role = catalogue.roleOf(user);
    if (role === undefined) {
      return { kind: "refused", status: 401, code: "INVALID_CREDENTIALS", message: "Invalid credentials" };
    }
    const broken = damagedTables.find(({ namespace: of, name }) =>
      touches(sql, of === namespace ? name : `${of}.${name}`),
    );
    if (broken !== undefined)
      return failedBy(`Execution error: table '${broken.namespace}.${broken.name}' is damaged: ${broken.why}`);
    const shared = { engine, catalogue, jobs, settings, live, topics, sockets, wireSessions };
    const session = { ...shared, account: { user, role }, address, namespace, transaction: undefined };
    const answered = answer(sql, parameters, session);
    // Before the answer: once a write is acknowledged, its changes are in flight.
    live.deliver();
    topics.publish();
    return lastEnd === "stopped" || lastEnd === "killed" ? emptied(answered) : answered;
  },
  subscribe: (subscription) => live.open(subscription),
  unsubscribe({ connection, id }) {
    live.close(connection, id);
    return null;
  },
  leave({ connection }) {
    live.leave(connection);
    return null;
  },
  consume: ({ user, ...wanted }) => answerConsume(topics, catalogue.roleOf(user), wanted),
  ack: ({ user, ...wanted }) => answerAck(topics, catalogue.roleOf(user), wanted),
  login: ({ user, password, address }) => logIn(engine, user, password, address, settings),
  profile: ({ user }) => findProfile(engine, user),
  needsSetup: () => needsSetup(engine),
  setup({ user, password, rootPassword: forRoot, email }) {
    if (!needsSetup(engine)) return { kind: "already" };
    const shortest = settings["auth.min_password_length"];
    for (const [whose, given] of [
      ["DBA user", password],
      ["Root", forRoot],
    ] as const) {
      const weak = passwordProblem(given, shortest);
      if (weak !== undefined) return { kind: "weak", message: `${whose} password: ${weak}` };
    }
    try {
      engine.atomically(() => {
        addAccount(engine, { name: user, password, role: "dba", email }, settings);
        setRootPassword(engine, forRoot, settings);
      });
      catalogue.reload();
    } catch (error) {
      if (error instanceof Refusal) return { kind: "refused", message: error.message };
      throw error;
    }
    const profile = findProfile(engine, user);
    return profile === undefined ? { kind: "already" } : { kind: "done", profile };
  },
  deliver() {
    live.deliver();
    return null;
  },
  async close() {
    jobs.stop();
    eviction.stop();
    await engine.close();
    return true;
  },
};

function post(message: WorkerMessage): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(message);
}

/** An error thrown here is not a refusal: the engine is broken, so this thread ends with it and is replaced. */
async function respond({ kind, ask }: WorkerRequest): Promise<void> {
  const handle = handlers[kind] as (ask: unknown) => unknown;
  post({ kind: "answer", answer: await handle(ask) });
}

parentPort?.on("message", (asked: WorkerRequest) => void respond(asked));
post({ kind: "open" });
