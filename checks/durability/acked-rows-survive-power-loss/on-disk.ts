/**
 * A folder as a process changes it, and as a loss of power would leave it. Of what file systems may do then, this is what ext4,
 * XFS and btrfs in their default modes all may: the names are as they were last, so a file that was made, renamed or
 * removed stays so; the content of each file is what was last synced. A file that took the place of another one by a rename
 * has its content, too, as ext4 and btrfs see to. So any loss of rows that it shows is one that a real one can cause.
 */
import { Content } from "./content.ts";

/** What the folder held before, all of it on disk. Names are relative. */
export interface Before {
  readonly files: readonly string[];
  read(file: string): Uint8Array;
}

/** What makes a copy of the folder as it was before into what a loss of power leaves of it now; in this order. */
export interface Differences {
  readonly removed: readonly string[];
  readonly folders: readonly string[];
  readonly written: readonly (readonly [string, Uint8Array])[];
}

export class OnDisk {
  readonly #before: ReadonlyMap<string, Content>;
  /** A file may have several names. */
  readonly #names: Map<string, Content>;
  readonly #folders = new Set<string>();
  readonly #removedFolders = new Set<string>();

  constructor({ files, read }: Before) {
    this.#before = new Map(files.map((file) => [file, new Content(() => read(file))]));
    this.#names = new Map(this.#before);
  }

  file(name: string): Content | undefined {
    return this.#names.get(name);
  }

  files(): ReadonlySet<Content> {
    return new Set(this.#names.values());
  }

  get names(): readonly string[] {
    return [...this.#names.keys()].toSorted();
  }

  /** An empty one. */
  make(name: string): Content {
    const made = new Content(() => new Uint8Array());
    this.#names.set(name, made);
    return made;
  }

  makeFolder(name: string): void {
    this.#folders.add(name);
    this.#removedFolders.delete(name);
  }

  removeFolder(name: string): void {
    if (!this.#folders.delete(name)) this.#removedFolders.add(name);
  }

  link(from: string, to: string): void {
    const file = this.#names.get(from);
    if (file !== undefined) this.#names.set(to, file);
  }

  remove(name: string): void {
    this.#names.delete(name);
  }

  /** Of a file, or of a folder with all that is in it. */
  rename(from: string, to: string): void {
    const file = this.#names.get(from);
    if (file !== undefined) {
      const replaced = this.#names.get(to);
      // Two names of one file: nothing is done.
      if (replaced === file) return;
      if (replaced !== undefined) file.sync();
      this.#names.delete(from);
      this.#names.set(to, file);
      return;
    }
    const inside = `${from}/`;
    const moved = (name: string): string => to + name.slice(from.length);
    for (const [name, one] of [...this.#names].filter(([of]) => of.startsWith(inside))) {
      this.#names.delete(name);
      this.#names.set(moved(name), one);
    }
    for (const name of [...this.#folders].filter((of) => of.startsWith(inside))) {
      this.#folders.delete(name);
      this.#folders.add(moved(name));
    }
    this.removeFolder(from);
    this.makeFolder(to);
  }

  /** What is in it now, on disk or not; undefined if there is none of that name. */
  now(name: string): Uint8Array | undefined {
    return this.#names.get(name)?.now();
  }

  differences(): Differences {
    const isSame = (name: string, file: Content): boolean => this.#before.get(name) === file && file.isUnchangedOnDisk;
    const removed = [...this.#before.keys()].filter((name) => !this.#names.has(name));
    return {
      removed: [...removed, ...this.#removedFolders],
      folders: [...this.#folders],
      written: [...this.#names].flatMap(([name, file]) => (isSame(name, file) ? [] : [[name, file.onDisk()] as const])),
    };
  }
}
