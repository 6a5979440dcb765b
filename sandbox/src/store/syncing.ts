/** What is on disk before a write is acknowledged: PostgreSQL's own fsync, which PGlite leaves out. */
import { closeSync, fsyncSync, openSync, readdirSync } from "node:fs";
import path from "node:path";
import { PGlite, type PGliteOptions } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";
import type { Faults } from "../faults.ts";

/** A file as Emscripten has it open; folders have no descriptor. */
interface Stream {
  readonly nfd?: number;
  readonly path: string;
}

interface Emscripten {
  readonly NODEFS: { readonly stream_ops: { fsync?: (stream: Stream) => number } };
}

/** Passes fsync on to the operating system, which Emscripten's own files do not. */
class SyncedFiles extends NodeFS {
  readonly #faults: Faults;

  constructor(folder: string, faults: Faults) {
    super(folder);
    this.#faults = faults;
  }

  override async init(pg: PGlite, options: Parameters<NodeFS["init"]>[1]): ReturnType<NodeFS["init"]> {
    const made = await super.init(pg, options);
    const fsync = ({ nfd, path: file }: Stream): number => {
      if (nfd !== undefined && !(file.includes("/pg_wal/") && this.#faults.fires("ackBeforeSync"))) fsyncSync(nfd);
      return 0;
    };
    const passOn = (module: unknown): void => {
      (module as Emscripten).NODEFS.stream_ops.fsync = fsync;
    };
    const { emscriptenOpts } = made;
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), passOn] } };
  }
}

/** A database that waits for the disk at each commit and in checkpoints: `-F` is what turns that off. */
export function syncedOptions(folder: string, faults: Faults): PGliteOptions {
  return {
    fs: new SyncedFiles(folder, faults),
    startParams: PGlite.defaultStartParams.filter((given) => given !== "-F"),
  };
}

/** Emscripten does not pass on fdatasync, which is PostgreSQL's choice. */
export const syncedSettings = ["wal_sync_method = fsync"] as const;

/** A file or a folder. */
export function syncPath(place: string): void {
  const descriptor = openSync(place, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** A folder with all that is in it. */
export function syncTree(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    syncPath(path.join(entry.parentPath, entry.name));
  syncPath(folder);
}
