/** Data folders of other servers, made by this process. */
import { cpSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Disk } from "../wire/control.ts";
import { newFolder, type FolderBook } from "./folder.ts";

export interface OwnDisk extends Disk {
  removeAll(): void;
}

export function ownDisk(book: FolderBook): OwnDisk {
  /** Each is in a folder of its own, which is recorded. */
  const made = new Map<string, string>();
  const place = (folder: string, file = ""): string => {
    const found = path.resolve(folder, file);
    if (!made.has(folder) || (file !== "" && !found.startsWith(folder + path.sep)))
      throw new Error(`${found} is not in a folder that this run made`);
    return found;
  };
  const newData = (): string => {
    const outer = newFolder(book);
    mkdirSync(path.join(outer, "data"));
    // As a trace shows it.
    const folder = realpathSync(path.join(outer, "data"));
    made.set(folder, outer);
    return folder;
  };
  const drop = (folder: string): void => {
    place(folder);
    const outer = made.get(folder) ?? folder;
    rmSync(outer, { recursive: true, force: true });
    made.delete(folder);
    book.gone(outer);
  };
  return {
    newFolder: newData,
    copyOf(folder) {
      const copy = newData();
      cpSync(place(folder), copy, { recursive: true });
      return copy;
    },
    restore(folder, copy) {
      const [to, from] = [place(folder), place(copy)];
      rmSync(to, { recursive: true, force: true });
      cpSync(from, to, { recursive: true });
    },
    files: (folder) =>
      readdirSync(place(folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
        .toSorted(),
    read: (folder, file) => readFileSync(place(folder, file)),
    write(folder, file, bytes) {
      const found = place(folder, file);
      mkdirSync(path.dirname(found), { recursive: true });
      writeFileSync(found, bytes);
    },
    makeFolder: (folder, name) => void mkdirSync(place(folder, name), { recursive: true }),
    remove(folder, file) {
      if (file === undefined) drop(folder);
      else rmSync(place(folder, file), { recursive: true, force: true });
    },
    removeAll() {
      for (const folder of made.keys()) drop(folder);
    },
  };
}
