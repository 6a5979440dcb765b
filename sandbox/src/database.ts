import { Worker } from "node:worker_threads";
import type { News, Subscription } from "./live/news.ts";
import type { Asked, Kind, Questions, Start, Told } from "./message.ts";

/** No answer, and none will come: whether it took effect is not known. */
export class Unavailable extends Error {}

interface Waiting {
  readonly asked: Asked;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** PostgreSQL's own checks of its depth must come before this is used up. */
const stackMb = 32;

/** Those who want to know what the thread tells unasked. */
export interface Hearers {
  /** The folder cannot be opened at all. */
  readonly failed: (error: Error) => void;
  /** There is something to tell to live queries. */
  readonly told: (news: readonly News[]) => void;
  /** The live queries that a new thread is to go on with. */
  readonly subscriptions: () => readonly Subscription[];
  /** A new thread could not go on with them, either. */
  readonly stuck: (error: Error) => void;
}

/**
 * The thread that has the database. One question at a time, in the order in which they came; a question that takes too
 * long, or breaks the engine, ends the thread, and a new one opens the folder again: what was committed is there.
 */
export class Database {
  readonly #start: Omit<Start, "live">;
  readonly #timeoutMs: number;
  readonly #queue: Waiting[] = [];
  readonly #hearers: Hearers;
  #worker: Worker;
  #current: Waiting | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOpen = false;
  #toldUpTo: string | undefined;
  #opened: () => void = () => undefined;

  /** Resolves when the first question can be answered. */
  readonly ready: Promise<void>;

  constructor(start: Omit<Start, "live">, hearers: Hearers) {
    this.#start = start;
    this.#timeoutMs = start.settings["execution.handler_timeout_seconds"] * 1000;
    this.#hearers = hearers;
    this.ready = new Promise((resolve) => {
      this.#opened = resolve;
    });
    this.#worker = this.#open();
  }

  async ask<K extends Kind>(kind: K, ask: Questions[K]["ask"]): Promise<Questions[K]["answer"]> {
    return await new Promise((resolve, reject) => {
      this.#queue.push({ asked: { kind, ask }, resolve: resolve as (answer: unknown) => void, reject });
      this.#next();
    });
  }

  /** Closes the folder, unless something else takes longer than `graceMs`: what is not committed then never was. */
  async close(graceMs: number): Promise<void> {
    const closed = this.ask("close", null).catch(() => undefined);
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, graceMs).unref())]);
    this.#worker.removeAllListeners();
    await this.#worker.terminate();
    // Whoever still asks gets no answer, and must not bring about a new thread either.
    this.#isOpen = false;
    clearTimeout(this.#timer);
  }

  #open(): Worker {
    const worker = new Worker(new URL("worker.js", import.meta.url), {
      workerData: {
        ...this.#start,
        live: { subscriptions: this.#hearers.subscriptions(), toldUpTo: this.#toldUpTo },
      } satisfies Start,
      resourceLimits: { stackSizeMb: stackMb },
    });
    worker.on("message", (told: Told) => this.#hear(told));
    worker.on("error", (error: Error) => this.#replace(error));
    return worker;
  }

  #hear(told: Told): void {
    if (told.kind === "open") {
      this.#isOpen = true;
      this.#opened();
      // Before anything else, and on time: if this is what takes too long, it would do so again and again.
      if (this.#toldUpTo !== undefined) {
        const [asked, resolve] = [{ kind: "deliver", ask: null }, () => undefined] as const;
        this.#queue.unshift({ asked, resolve, reject: this.#hearers.stuck });
      }
    } else if (told.kind === "live") {
      this.#toldUpTo = told.toldUpTo;
      this.#hearers.told(told.news);
      return;
    } else {
      clearTimeout(this.#timer);
      this.#current?.resolve(told.answer);
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
      this.#hearers.failed(error);
      return;
    }
    this.#isOpen = false;
    this.#current?.reject(new Unavailable(error.message));
    this.#current = undefined;
    void this.#reopen();
  }

  async #reopen(): Promise<void> {
    this.#worker.removeAllListeners();
    // Two threads on one folder would lose rows.
    await this.#worker.terminate();
    this.#worker = this.#open();
  }
}
