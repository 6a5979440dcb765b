import { dialect } from "../dialect.ts";
import { acknowledgement, batch, change, type Page } from "./frames.ts";
import type { Opened, Subscription } from "./notices.ts";
import { defaultPageRows } from "./options.ts";

/**
 * One live query from its client's side: pages of the initial rows, at the client's pace, then the changes. Changes made
 * meanwhile wait, so that the client knows the row of every change.
 */
export class Reading {
  readonly subscription: Subscription;
  readonly #domain: string | undefined;
  #rows: readonly string[];
  #versions: readonly bigint[];
  /** Bodies of waiting changes; undefined once all pages are sent. */
  #waiting: string[] | undefined;
  #waitingBytes = 0;
  #pages = 0;

  constructor(subscription: Subscription, opened: Opened & { readonly kind: "open" }) {
    this.subscription = subscription;
    this.#domain = opened.domain;
    this.#rows = opened.rows;
    this.#versions = opened.versions.map(BigInt);
    this.#waiting = subscription.options === undefined ? undefined : [...opened.missed];
  }

  /** The frames sent when the live query opens. */
  begin(schema: string): string[] {
    const { id, options } = this.subscription;
    const page = this.#page(undefined);
    return [acknowledgement(id, page, schema, this.#rows.length), ...(options === undefined ? [] : this.#send(page))];
  }

  /** The page after a version, or the first one. */
  next(after: string | undefined): string[] {
    return this.#send(this.#page(after));
  }

  /** The frames of these changes; none while pages are still to be sent. */
  changed(bodies: readonly string[]): string[] {
    const { id } = this.subscription;
    if (this.#waiting === undefined) return bodies.map((body) => change(id, body));
    this.#waiting.push(...bodies);
    this.#waitingBytes += bodies.reduce((sum, body) => sum + body.length, 0);
    return [];
  }

  /** Size of the changes waiting for the client to request its pages. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  #page(after: string | undefined): Page {
    const asked = this.subscription.options?.batchSize ?? defaultPageRows;
    const size = Math.min(asked, dialect.pageRowsMax);
    const start = after === undefined ? 0 : this.#versions.findIndex((version) => version > BigInt(after));
    const end = start < 0 ? start : start + size;
    const versions = start < 0 ? [] : this.#versions.slice(start, end);
    const upTo = versions.reduce((highest, version) => (version > highest ? version : highest), 0n);
    return {
      number: this.#pages,
      rows: start < 0 ? [] : this.#rows.slice(start, end),
      hasMore: start >= 0 && end < this.#rows.length,
      domain: this.#domain,
      upTo: versions.length === 0 ? undefined : String(upTo),
    };
  }

  #send(page: Page): string[] {
    const { id } = this.subscription;
    this.#pages += 1;
    const frames = [batch(id, page)];
    if (!page.hasMore && this.#waiting !== undefined) {
      frames.push(...this.#waiting.map((body) => change(id, body)));
      [this.#rows, this.#versions] = [[], []];
      [this.#waiting, this.#waitingBytes] = [undefined, 0];
    }
    return frames;
  }
}
