/** Control over the server's process. Part of the wire, so that faults can wrap it. */
import type { Wire } from "./wire.ts";

/** Settings by their dotted names: `server.port`, `logging.level`. */
export type SettingChanges = Readonly<Record<string, string | number | boolean>>;

/**
 * Settings for another server. In string values `{folder}` stands for a fresh folder and `{file}` for the path of a
 * regular file in it.
 */
export type TrialSettings =
  | { readonly kind: "noFile" }
  /** The text of the whole file. */
  | { readonly kind: "text"; readonly text: string }
  /** A valid file except for these settings. */
  | { readonly kind: "changed"; readonly changes: SettingChanges };

/** The outcome of starting a server on trial. By then it has been stopped. */
export interface TrialOutcome {
  /** Whether it answered HTTP on its port. */
  readonly answered: boolean;
  /** Its exit code if it ended by itself; null if it was still running when the time was up. */
  readonly exitCode: number | null;
  readonly tookMs: number;
  /** The first 4,000 characters of each. */
  readonly stderr: string;
  readonly stdout: string;
  /** Whether something still answered on its port after its end. */
  readonly leftListening: boolean;
}

export interface Control {
  readonly kind: "process" | "docker" | "command";
  /** Only with a server that kalam-ready started. */
  readonly own?: OwnControl;
  /** Where the server under check can be stopped and started again. */
  readonly lifecycle?: Lifecycle;
}

/** What else can be done with a server that kalam-ready started. */
export interface OwnControl {
  /** The port that the server under check listens on. */
  readonly port: number;
  /**
   * Settings whose protection kalam-ready lowered to make its checks faster, such as the cost of passwords and rate limits: they
   * show nothing about how the server is run. Empty with the user's own settings file.
   */
  readonly lowered: SettingChanges;
  /** What its processes hold in memory; undefined where /proc does not tell. */
  residentBytes(): number | undefined;
  /** Starts another server from the same binary on loopback, in a fresh folder, and stops it as soon as it has answered. */
  trial(settings: TrialSettings, withinMs: number): Promise<TrialOutcome>;
  /** What the server under check wrote to stderr since its last start, the first 4,000 characters. */
  stderr(): string;
  readonly others?: Others;
}

/** Other servers beside the one under check, for what must not be done to that one. */
export interface Others {
  readonly disk: Disk;
  /** Starts one with the same settings, on loopback. It ends with the server under check at the latest. */
  start(wanted: AnotherStart): Promise<Another>;
  /** Whether there is an older binary (--older-server-bin). */
  readonly hasOlder: boolean;
}

/** Folders for the data of other servers. All of it throws for a folder that it did not make. */
export interface Disk {
  /** An empty one. All are removed with the server under check at the latest. */
  newFolder(): string;
  /** A copy of one whose server has ended. */
  copyOf(folder: string): string;
  /** Makes a folder whose server has ended what a copy of it is: servers may keep absolute paths. */
  restore(folder: string, copy: string): void;
  /** The paths of all files in it, relative and sorted. */
  files(folder: string): readonly string[];
  read(folder: string, file: string): Uint8Array;
  /** With the folders that it is in. */
  write(folder: string, file: string, bytes: Uint8Array): void;
  /** Makes a folder in it, with those that it is in. */
  makeFolder(folder: string, name: string): void;
  /** Removes a file, or a folder in it with its content; without one the whole folder. */
  remove(folder: string, file?: string): void;
}

/** The file of a trace, in the folder that was named for it. */
export const traceFile = "trace";

export interface AnotherStart {
  /** Of `disk`, and no server's that is running. */
  readonly dataFolder: string;
  readonly withinMs: number;
  /** From the older binary. */
  readonly older?: boolean;
  /** Writes are as durable as the user's settings have them: nothing of that is changed for speed. */
  readonly durable?: boolean;
  /** A folder of `disk`: what the server does to files is recorded in its file `trace`, as strace prints it. */
  readonly traceTo?: string;
  /** For faults. */
  readonly environment?: Readonly<Record<string, string>>;
}

export type Another =
  | {
      readonly kind: "running";
      readonly rootPassword: string;
      readonly exchange: Wire["exchange"];
      /** SIGTERM, and SIGKILL if it has not ended after 10 s. The exit code; null where a signal ended it. */
      stop(): Promise<number | null>;
      /** SIGKILL; resolves when it is gone. */
      kill(): Promise<void>;
      /** As for the server under check. */
      stderr(): string;
    }
  | Extract<Started, { readonly kind: "notReady" }>;

/** Times are in milliseconds on the process's monotonic clock (`performance.now()`), durations since `startedAt`. */
export type Started =
  | {
      readonly kind: "ready";
      readonly startedAt: number;
      /** Until health was answered. */
      readonly healthyMs: number;
      /** Until SQL was answered. */
      readonly readyMs: number;
    }
  /** `ended`: it is known to have ended by itself. `lastWords`: the end of its output; empty where nobody reads it. */
  | { readonly kind: "notReady"; readonly why: string; readonly ended: boolean; readonly lastWords: string };

export interface Stopped {
  /** Whether it ended in time. */
  readonly stopped: boolean;
  /** Null where a signal ended it, it did not end, or nothing tells. */
  readonly exitCode: number | null;
  readonly tookMs: number;
}

export interface StopOptions {
  /** SIGTERM where absent. */
  readonly signal?: "SIGTERM" | "SIGINT";
  readonly withinMs: number;
}

/** What is different about a start. For faults, and only with a server that kalam-ready started. */
export interface StartChanges {
  readonly environment?: Readonly<Record<string, string>>;
  /** Another data folder, which is empty. */
  readonly emptyFolder?: true;
}

/**
 * Stops and starts the server under check, never another one; on the same data, port and secrets. One call at a time: each waits
 * for the one before it. All of it throws ControlError where the means of control fails.
 */
export interface Lifecycle {
  /** In words, for reports: `SIGKILL to process group 4711`, `docker kill kalamdb`. */
  readonly how: { readonly kill: string; readonly stop: string };
  /** Which process it is: another text after a restart. Undefined where nothing tells. */
  processId(): Promise<string | undefined>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Asks it to end, and waits for it. */
  stop(options: StopOptions): Promise<Stopped>;
  /** Starts it, and waits until health and SQL are answered. */
  start(withinMs: number, changes?: StartChanges): Promise<Started>;
  /** Stops its execution, and continues it. */
  readonly pausing?: { pause(): Promise<void>; resume(): Promise<void> };
  /** Whether it is not running as it was, because of what was done to it. */
  isLeft(): boolean;
  /** Has it running as it was, whatever was done to it; why that failed, undefined if it runs. */
  revive(): Promise<string | undefined>;
}

/** The means of control failed: nothing is known about the server. The message is a sentence for the reader of a report. */
export class ControlError extends Error {
  /** It was not even tried. */
  readonly untried: boolean;

  constructor(message: string, { untried = false } = {}) {
    super(message);
    this.untried = untried;
  }
}
