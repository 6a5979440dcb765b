import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { loadModule } from "libpg-query";
import { LiveQueries } from "./live/queries.ts";
import type { Kind, WorkerCalls, WorkerMessage, WorkerRequest, WorkerStart } from "./message.ts";
import { addAccount, findProfile, logIn, needsSetup, setRootPassword } from "./sql/accounts.ts";
import { answer, type Answer } from "./sql/batch.ts";
import { Refusal } from "./sql/errors.ts";
import { Catalogue } from "./store/catalogue.ts";
import { Engine } from "./store/engine.ts";
import { Eviction } from "./store/eviction.ts";
import { Jobs } from "./store/jobs.ts";
import { passwordProblem } from "./store/passwords.ts";
import { bootstrapScript, schemaVersion } from "./store/schema.ts";
import { ensureDataFolder } from "./template.ts";

const { settings, rootPassword, live: resumption } = workerData as WorkerStart;
const folder = path.join(settings["storage.data_path"], "pglite");
// package.json is not exported by PGlite, so it is found next to its entry point.
const manifest = new URL("../package.json", import.meta.resolve("@electric-sql/pglite"));
const pglite = (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;

async function makeTemplate(target: string): Promise<void> {
  const engine = await Engine.open(target);
  engine.script(bootstrapScript);
  await engine.close();
}

const fresh = !existsSync(folder);
await ensureDataFolder(folder, `pglite-${pglite}-${schemaVersion}`, makeTemplate);
await loadModule();
const engine = await Engine.open(folder);
const [[madeBy] = []] = engine.query("SELECT obj_description('kalam'::regnamespace)");
if (madeBy !== schemaVersion) throw new Error("it was made by another version of the sandbox");
if (fresh)
  engine.script(
    "UPDATE system.users SET created_at = now(), updated_at = now(); UPDATE system.storages SET created_at = now(), updated_at = now()",
  );
engine.query("UPDATE system.storages SET base_directory = $1", [path.join(settings["storage.data_path"], "storage")]);
if (rootPassword !== undefined && needsSetup(engine)) setRootPassword(engine, rootPassword, settings);
const catalogue = new Catalogue(engine);
const jobs = new Jobs(engine, catalogue, backUp);
const eviction = new Eviction(engine, catalogue, settings);
const live = new LiveQueries(engine, catalogue, settings, (deliveredUpTo, notices) =>
  post({ kind: "live", deliveredUpTo, notices }),
);
live.resume(resumption);

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
  return Number(engine.query("SELECT pg_database_size('postgres')")[0]?.[0] ?? 0);
}

const handlers: {
  readonly [K in Kind]: (ask: WorkerCalls[K]["ask"]) => WorkerCalls[K]["answer"] | Promise<WorkerCalls[K]["answer"]>;
} = {
  sql({ user, address, sql, parameters, namespace, sockets }): Answer {
    const role = catalogue.roleOf(user);
    if (role === undefined) {
      return { kind: "refused", status: 401, code: "INVALID_CREDENTIALS", message: "Invalid credentials" };
    }
    const shared = { engine, catalogue, jobs, settings, live, sockets };
    const session = { ...shared, account: { user, role }, address, namespace, transaction: undefined };
    const answered = answer(sql, parameters, session);
    // Before the answer: once a write is acknowledged, its changes are in flight.
    if (/insert|update|delete/i.test(sql)) live.deliver();
    return answered;
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
