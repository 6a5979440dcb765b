/** A file: what is in it, and what of that would be there after a loss of power. */

type Change =
  | { readonly kind: "bytes"; readonly at: number; readonly bytes: Uint8Array }
  /** Cut, or longer by zeros. */
  | { readonly kind: "size"; readonly size: number }
  | { readonly kind: "zeros"; readonly at: number; readonly count: number };

class Bytes {
  #bytes: Buffer;
  size: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes);
    this.size = bytes.length;
  }

  apply(change: Change): void {
    if (change.kind === "size") return this.#resize(change.size);
    const length = change.kind === "bytes" ? change.bytes.length : change.count;
    if (length === 0) return;
    this.#resize(Math.max(this.size, change.at + length));
    if (change.kind === "bytes") this.#bytes.set(change.bytes, change.at);
    else this.#bytes.fill(0, change.at, change.at + length);
  }

  #resize(size: number): void {
    if (size > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(size, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.size));
      this.#bytes = larger;
    }
    // What is beyond the end reads as zeros once the file is longer again.
    if (size < this.size) this.#bytes.fill(0, size, this.size);
    this.size = size;
  }

  all(): Buffer {
    return this.#bytes.subarray(0, this.size);
  }
}

export class Content {
  readonly #before: () => Uint8Array;
  #now: Bytes | undefined;
  #onDisk: Bytes | undefined;
  /** Changes that are not on disk yet, in their order. */
  #waiting: Change[] = [];
  #done = 0;

  /** `before`: what is in it, all of it on disk; read when it is first changed. */
  constructor(before: () => Uint8Array) {
    this.#before = before;
  }

  change(change: Change): void {
    this.#now ??= new Bytes(this.#before());
    this.#now.apply(change);
    this.#waiting.push(change);
  }

  get size(): number {
    return (this.#now ??= new Bytes(this.#before())).size;
  }

  /** How many changes there were, for `sync`. */
  get changes(): number {
    return this.#done + this.#waiting.length;
  }

  /** The first so many changes are on disk. */
  sync(count = this.changes): void {
    const ready = this.#waiting.splice(0, Math.max(0, count - this.#done));
    if (ready.length === 0) return;
    this.#onDisk ??= new Bytes(this.#before());
    for (const change of ready) this.#onDisk.apply(change);
    this.#done += ready.length;
  }

  /** Bytes that were written and are not on disk. */
  get unsynced(): number {
    return this.#waiting.reduce((sum, one) => sum + (one.kind === "bytes" ? one.bytes.length : 0), 0);
  }

  now(): Uint8Array {
    return this.#now?.all() ?? this.#before();
  }

  onDisk(): Uint8Array {
    return this.#onDisk?.all() ?? this.#before();
  }

  /** Whether it is on disk as it was before. */
  get isUnchangedOnDisk(): boolean {
    return this.#onDisk === undefined;
  }
}
