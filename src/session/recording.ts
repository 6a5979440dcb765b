/** What was sent and what was answered, so that the report can show it for a finding. Bounded: a run may make millions of exchanges. */
import { truncated } from "../formats/printable.ts";

export interface Exchange {
  readonly number: number;
  /** Milliseconds since the run began. */
  readonly at: number;
  /** The account whose token was sent; absent if none was. */
  readonly as?: string;
  readonly method: string;
  readonly path: string;
  /** The SQL text, or the body of other requests; truncated after `textMax` characters. */
  readonly text?: string;
  readonly params?: string;
  /** The namespace for unqualified names, if one was given. */
  readonly namespace?: string;
  /** It was sent with headers or a body that are not shown here. */
  readonly partial?: true;
  /** The answer, in one line; truncated like `text`. */
  readonly outcome: string;
  readonly tookMs: number;
}

const kept = 5_000;
const textMax = 2_000;

export class Recording {
  readonly #began = performance.now();
  readonly #exchanges = new Map<number, Exchange>();
  #forgotten = false;
  readonly #listen: ((exchange: Exchange) => void) | undefined;
  #count = 0;

  constructor(listen?: (exchange: Exchange) => void) {
    this.#listen = listen;
  }

  /** Requests made so far. */
  get count(): number {
    return this.#count;
  }

  /** The number for the next exchange. */
  next(): number {
    this.#count += 1;
    return this.#count;
  }

  note(exchange: Omit<Exchange, "at" | "tookMs"> & { sentAt: number; doneAt: number }): void {
    const { sentAt, doneAt, text, params, outcome, ...rest } = exchange;
    const noted: Exchange = {
      ...rest,
      outcome: cut(outcome),
      ...(text === undefined ? {} : { text: cut(text) }),
      ...(params === undefined ? {} : { params: cut(params) }),
      at: Math.round(sentAt - this.#began),
      tookMs: Math.round((doneAt - sentAt) * 10) / 10,
    };
    this.#exchanges.set(noted.number, noted);
    if (this.#exchanges.size > kept) {
      for (const oldest of this.#exchanges.keys()) {
        this.#exchanges.delete(oldest);
        this.#forgotten = true;
        break;
      }
    }
    this.#listen?.(noted);
  }

  /** What is kept, in the order of the answers. */
  get all(): Iterable<Exchange> {
    return this.#exchanges.values();
  }

  /** Whether there were more than are kept. */
  get forgotten(): boolean {
    return this.#forgotten;
  }

  /** Undefined if it is no longer kept. */
  get(number: number): Exchange | undefined {
    return this.#exchanges.get(number);
  }
}

function cut(text: string): string {
  return text.length > textMax ? `${truncated(text, textMax)} (${text.length} characters)` : text;
}
