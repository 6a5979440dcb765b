/** Runs servers as child processes: a binary, a free loopback port, a fresh folder. */
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { makeFolder } from "../session/folders.ts";
import {
  ControlError,
  type Control,
  type Lifecycle,
  type SettingChanges,
  type Started,
  type StartChanges,
  type Stopped,
} from "../wire/control.ts";
import { otherServers } from "./another.ts";
import type { PostgresPlace } from "../wire/postgres/postgres.ts";
import { endsWithin, freePort, startChild, type Child } from "./child.ts";
import { newFolder, type FolderBook } from "./folder.ts";
import { guarded } from "./guarded.ts";
import { residentBytesOf } from "./memory.ts";
import { answersOn, waitUntilReady, withWire } from "./readiness.ts";
import { settingsFile, settingsForSpeed, unsynced } from "./settings-file.ts";
import { traced } from "./tracing.ts";
import { tryToStart, waitUntilAnswers } from "./trial.ts";

export interface OwnServer {
  readonly url: string;
  readonly pid: number;
  readonly rootPassword: string;
  readonly dataFolder: string;
  /** Its PostgreSQL port, where it was told to open one. */
  readonly postgres?: PostgresPlace;
  readonly control: Control;
  /** Asks it to stop, kills it if it does not, removes its folder. Its exit code; null where a signal ended it. */
  stop(): Promise<number | null>;
  /** SIGKILL: nothing more of it runs. Removes its folder. */
  kill(): Promise<void>;
  isRunning(): boolean;
  /** The first 4,000 characters that it wrote to stderr. */
  stderr(): string;
  /** The end of its output, for error messages about a server that died. */
  lastWords(): string;
}

/** The server did not start. */
export class StartError extends Error {
  readonly code: StartCode;
  /** The message without the last words. */
  readonly why: string;
  /** What the server wrote; empty where nothing was started. */
  readonly lastWords: string;

  constructor(code: StartCode, why: string, lastWords = "") {
    super(lastWords === "" ? why : `${why}: ${lastWords}`);
    this.code = code;
    this.why = why;
    this.lastWords = lastWords;
  }
}

type NotReady = Extract<Started, { readonly kind: "notReady" }>;
type StartCode = "portInUse" | "serverEnded" | "startAborted" | "startTimedOut";

const stopWithinMs = 10_000;

export interface StartOptions {
  /** The user's own settings file. */
  readonly config?: string;
  /** Settings for the file that is written where the user gives none. */
  readonly changes?: SettingChanges;
  /** Changes what costs time and is not what the server is started for, in that file. */
  readonly forSpeed?: keyof typeof settingsForSpeed;
  /** As in AnotherStart. */
  readonly durable?: boolean;
  readonly traceTo?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** A free one where absent. */
  readonly port?: number;
  /** Kept when the server ends. A fresh one where absent, which is removed. */
  readonly dataFolder?: string;
  /** A random one where absent; null: none, so that the server asks for its setup. */
  readonly rootPassword?: string | null;
  readonly withinMs: number;
  readonly signal?: AbortSignal;
  readonly book: FolderBook;
  /** For `another`, an older release. */
  readonly olderBinary?: string;
}

/**
 * Starts the binary and waits until it answers. With the user's settings file, only the address, folders and secrets
 * are ours, set through the environment.
 * Throws StartError.
 */
export async function startServer(binary: string, options: StartOptions): Promise<OwnServer> {
  const { book } = options;
  const port = options.port ?? (await freePort());
  // The answer of another process on that port would be taken for this server's.
  if (await answersOn(port)) throw new StartError("portInUse", `port ${port} is already in use`);
  const folder = newFolder(book);
  const dataFolder = options.dataFolder ?? path.join(folder, "data");
  const rootPassword = options.rootPassword === undefined ? newPassword() : (options.rootPassword ?? "");
  const file = options.config ?? path.join(folder, "server.toml");
  const { forSpeed, durable = false } = options;
  const lowered = options.config === undefined && forSpeed !== undefined ? settingsForSpeed[forSpeed] : {};
  const changed = { ...lowered, ...options.changes };
  if (options.config === undefined)
    writeFileSync(
      file,
      settingsFile(folder, port, durable ? without(changed, (name) => Object.hasOwn(unsynced, name)) : changed),
    );
  // Where there is a folder, its parent at least is not the server's to make.
  if (options.dataFolder !== undefined) makeFolder(path.dirname(dataFolder));
  const environment = {
    KALAMDB_SERVER_HOST: "127.0.0.1",
    KALAMDB_SERVER_PORT: String(port),
    KALAMDB_DATA_DIR: dataFolder,
    KALAMDB_LOGS_DIR: path.join(folder, "logs"),
    ...(rootPassword === "" ? {} : { KALAMDB_ROOT_PASSWORD: rootPassword }),
    KALAMDB_JWT_SECRET: randomBytes(32).toString("hex"),
    ...options.environment,
  };
  const { traceTo } = options;
  const [program, ...args] = traceTo === undefined ? ([binary, file] as const) : traced(traceTo, [binary, file]);
  const spawned = (changes: StartChanges = {}): Child =>
    startChild(program, args, folder, {
      ...environment,
      ...(changes.emptyFolder === undefined ? {} : { KALAMDB_DATA_DIR: emptyFolderIn(folder) }),
      ...changes.environment,
    });
  let child = spawned();
  const came = await waitUntilAnswers(child, port, options.withinMs, options.signal);
  if (!came || child.pid === undefined) {
    const [code, why] = notStarted(child.ended()?.how, options);
    await end(child, book);
    throw new StartError(code, `${binary} ${why}`, child.lastWords());
  }
  const others = otherServers(book, async ({ older, environment: more, ...wanted }) => {
    const { config, forSpeed: speed, changes: settings, olderBinary } = options;
    if (older === true && olderBinary === undefined) throw new Error("no older binary was given");
    return await startedOrWhy(older === true ? (olderBinary ?? "") : binary, {
      ...(config === undefined ? {} : { config }),
      ...(speed === undefined ? {} : { forSpeed: speed }),
      ...(settings === undefined ? {} : { changes: without(settings, isOfPostgres) }),
      ...(more === undefined ? {} : { environment: more }),
      ...wanted,
      rootPassword,
      book,
    });
  });
  const current = (): Child => child;
  const groupOf = ({ pid }: Child): number => pid ?? -1;
  return {
    url: `http://127.0.0.1:${port}`,
    get pid() {
      return groupOf(child);
    },
    rootPassword,
    dataFolder,
    ...postgresIn(options.changes),
    control: {
      kind: "process",
      own: {
        port,
        lowered,
        residentBytes: () => residentBytesOf(groupOf(child)),
        trial: async (settings, withinMs) =>
          await tryToStart(
            binary,
            settings,
            { withinMs, rootPassword: newPassword(), book },
            async (tried) => await end(tried, book),
          ),
        stderr: () => child.stderr(),
        others: { disk: others.disk, start: others.start, hasOlder: options.olderBinary !== undefined },
      },
      lifecycle: guarded(lifecycleOf(port, { current, startAgain: (changes) => (child = spawned(changes)) })),
    },
    async stop() {
      await others.endAll();
      return await end(child, book);
    },
    async kill() {
      await others.endAll();
      child.signal("SIGKILL");
      await end(child, book);
    },
    isRunning: () => child.ended() === undefined,
    stderr: () => child.stderr(),
    lastWords: () => child.lastWords(),
  };
}

async function startedOrWhy(binary: string, options: StartOptions): Promise<OwnServer | NotReady> {
  try {
    return await startServer(binary, options);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    const { why, code, lastWords } = error;
    return { kind: "notReady", why, ended: code === "serverEnded", lastWords };
  }
}

function postgresIn(changes: SettingChanges = {}): Pick<OwnServer, "postgres"> {
  const port = changes["postgres_wire.port"];
  return typeof port === "number" ? { postgres: { host: "127.0.0.1", port } } : {};
}

/** The port is taken by the server under check. */
function isOfPostgres(name: string): boolean {
  return name.startsWith("postgres_wire.");
}

function without(changes: SettingChanges, leavesOut: (name: string) => boolean): SettingChanges {
  return Object.fromEntries(Object.entries(changes).filter(([name]) => !leavesOut(name)));
}

/** Fresh at each call, and removed with the folder of the server. */
function emptyFolderIn(folder: string): string {
  const empty = path.join(folder, `empty-${randomBytes(4).toString("hex")}`);
  mkdirSync(empty);
  return empty;
}

interface Process {
  /** The one that runs, or ran last. */
  current(): Child;
  /** On the same folder and port, with the same settings and environment, but for the changes. */
  startAgain(changes: StartChanges | undefined): Child;
}

function lifecycleOf(port: number, { current, startAgain }: Process): Omit<Lifecycle, "revive" | "isLeft"> {
  return {
    how: { kill: "SIGKILL to its process group", stop: "SIGTERM to its process group" },
    processId: async () => await Promise.resolve(`process ${current().pid}`),
    async kill() {
      current().signal("SIGKILL");
      if (!(await endsWithin(current(), stopWithinMs)))
        throw new ControlError(`the server was still running ${stopWithinMs / 1000} s after SIGKILL`);
    },
    async stop({ signal = "SIGTERM", withinMs }): Promise<Stopped> {
      const child = current();
      const askedAt = performance.now();
      child.signal(signal);
      const stopped = await endsWithin(child, withinMs);
      return { stopped, exitCode: child.ended()?.code ?? null, tookMs: Math.round(performance.now() - askedAt) };
    },
    async start(withinMs, changes): Promise<Started> {
      const notReady = (why: string): Started => ({ kind: "notReady", why, ended: false, lastWords: "" });
      if (current().ended() === undefined) return notReady("it is still running");
      // The answer of another process on that port would be taken for this server's.
      if (await answersOn(port)) return notReady(`port ${port} is in use by another process`);
      const startedAt = performance.now();
      const child = startAgain(changes);
      const isOver = (): string | undefined => {
        const ended = child.ended();
        return ended === undefined ? undefined : `it ended with ${ended.how}`;
      };
      const started = await withWire(
        port,
        async (exchange) => await waitUntilReady({ exchange, startedAt, withinMs, isOver }),
      );
      return started.kind === "ready" ? started : { ...started, lastWords: child.lastWords() };
    },
    pausing: {
      async pause() {
        await Promise.resolve(current().signal("SIGSTOP"));
      },
      async resume() {
        await Promise.resolve(current().signal("SIGCONT"));
      },
    },
  };
}

function notStarted(exit: string | undefined, { signal, withinMs }: StartOptions): readonly [StartCode, string] {
  if (exit !== undefined) return ["serverEnded", `ended with ${exit}`];
  if (signal?.aborted === true) return ["startAborted", "was stopped before it answered"];
  return ["startTimedOut", `did not answer within ${withinMs} ms`];
}

function newPassword(): string {
  return `Kr1-${randomBytes(18).toString("base64url")}`;
}

async function end(child: Child, book: FolderBook): Promise<number | null> {
  if (child.ended() === undefined) {
    child.signal("SIGTERM");
    // One that is paused would not see it.
    child.signal("SIGCONT");
    if (!(await endsWithin(child, stopWithinMs))) child.signal("SIGKILL");
    await endsWithin(child, stopWithinMs);
  }
  rmSync(child.folder, { recursive: true, force: true });
  book.gone(child.folder);
  return child.ended()?.code ?? null;
}
