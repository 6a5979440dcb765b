import { Worker } from "node:worker_threads";
import type { Notice, Subscription } from "./live/notices.ts";
import type { Kind, WorkerCalls, WorkerMessage, WorkerRequest, WorkerStart } from "./message.ts";

/** The thread gave no answer and will not: whether the request took effect is unknown. */
export class Unavailable extends Error {}

interface Pending {
  readonly asked: WorkerRequest;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Large enough for PostgreSQL's own stack depth check to fire first. */
const stackMb = 32;

/** Callbacks for what the thread reports without being asked. */
export interface WorkerListeners {
  /** The data folder cannot be opened. */
  readonly onOpenFailed: (error: Error) => void;
  /** There are notices for live queries. */
  readonly onNotices: (notices: readonly Notice[]) => void;
  /** The live queries that a new thread resumes. */
  readonly subscriptions: () => readonly Subscription[];
  /** The new thread failed to resume them, too. */
  readonly onResumeFailed: (error: Error) => void;
}

/**
 * The database, in a thread of its own. It answers one request at a time, in order. A request that times out or breaks the
 * engine ends the thread; a new one reopens the folder, which has everything that was committed.
 */
export class Database {
  readonly #start: Omit<WorkerStart, "live">;
  readonly #timeoutMs: number;
  readonly #queue: Pending[] = [];
  readonly #listeners: WorkerListeners;
  #worker: Worker;
  #current: Pending | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOpen = false;
  #wasOpen = false;
  #deliveredUpTo: string | undefined;
  #opened: () => void = () => undefined;

  /** Resolves when the first request can be answered. */
  readonly ready: Promise<void>;

  constructor(start: Omit<WorkerStart, "live">, listeners: WorkerListeners) {
    this.#start = start;
    this.#timeoutMs = start.settings["execution.handler_timeout_seconds"] * 1000;
    this.#listeners = listeners;
    this.ready = new Promise((resolve) => {
      this.#opened = resolve;
    });
    this.#worker = this.#open();
  }

  async ask<K extends Kind>(kind: K, ask: WorkerCalls[K]["ask"]): Promise<WorkerCalls[K]["answer"]> {
    return await new Promise((resolve, reject) => {
      this.#queue.push({ asked: { kind, ask }, resolve: resolve as (answer: unknown) => void, reject });
      this.#next();
    });
  }

  /** Closes the database; work that is still running after `graceMs` is lost with its transaction. */
  async close(graceMs: number): Promise<void> {
    const closed = this.ask("close", null).catch(() => undefined);
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, graceMs).unref())]);
    this.#worker.removeAllListeners();
    await this.#worker.terminate();
    // A late request must not start a new thread; it gets no answer.
    this.#isOpen = false;
    clearTimeout(this.#timer);
  }

  #open(): Worker {
    const worker = new Worker(new URL("worker.js", import.meta.url), {
      workerData: {
        ...this.#start,
        lastEnd: this.#wasOpen ? undefined : this.#start.lastEnd,
        live: { subscriptions: this.#listeners.subscriptions(), deliveredUpTo: this.#deliveredUpTo },
      } satisfies WorkerStart,
      resourceLimits: { stackSizeMb: stackMb },
    });
    worker.on("message", (message: WorkerMessage) => this.#receive(message));
    worker.on("error", (error: Error) => this.#replace(error));
    return worker;
  }

  #receive(message: WorkerMessage): void {
    if (message.kind === "open") {
      this.#isOpen = true;
      this.#wasOpen = true;
      this.#opened();
      // First, and within the time limit: a delivery that times out would otherwise time out again in every new thread.
      if (this.#deliveredUpTo !== undefined) {
        const [asked, resolve] = [{ kind: "deliver", ask: null }, () => undefined] as const;
        this.#queue.unshift({ asked, resolve, reject: this.#listeners.onResumeFailed });
      }
    } else if (message.kind === "live") {
      this.#deliveredUpTo = message.deliveredUpTo;
      this.#listeners.onNotices(message.notices);
      return;
    } else {
      clearTimeout(this.#timer);
      this.#current?.resolve(message.answer);
      this.#current = undefined;
    }
    this.#next();
  }

  #next(): void {
    if (!this.#isOpen || this.#current !== undefined) return;
    this.#current = this.#queue.shift();
    if (this.#current === undefined) return;
    this.#timer = setTimeout(() => this.#replace(new Error("the statement took too long")), this.#timeoutMs);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#worker.postMessage(this.#current.asked);
  }

  #replace(error: Error): void {
    clearTimeout(this.#timer);
    if (!this.#isOpen) {
      this.#listeners.onOpenFailed(error);
      return;
    }
    this.#isOpen = false;
    this.#current?.reject(new Unavailable(error.message));
    this.#current = undefined;
    void this.#reopen();
  }

  async #reopen(): Promise<void> {
    this.#worker.removeAllListeners();
    // Two threads on one data folder would lose rows.
    await this.#worker.terminate();
    this.#worker = this.#open();
  }
}
