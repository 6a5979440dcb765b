/** What a server has acknowledged, on our disk before the next request is sent: it outlives this process. */
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import path from "node:path";
import { newFolder, type FolderBook } from "../control/folder.ts";
import type { Json } from "../wire/json.ts";

export interface Journal {
  /** Appends a line of JSON. It has been handed to the system when this returns. */
  note(entry: Json): void;
}

export interface OpenJournal extends Journal {
  readonly file: string;
  /** Closes and removes it. */
  close(): void;
}

/** In a folder of its own, which `cleanup` finds if this run is killed. */
export function openJournal(book: FolderBook): OpenJournal {
  const folder = newFolder(book);
  const file = path.join(folder, "journal.jsonl");
  const opened = openSync(file, "ax", 0o600);
  let isOpen = true;
  return {
    file,
    note(entry) {
      // An observation that was ended may still note something; its file may have another's number by then.
      if (isOpen) writeSync(opened, `${JSON.stringify(entry)}\n`);
    },
    close() {
      isOpen = false;
      closeSync(opened);
      rmSync(folder, { recursive: true, force: true });
      book.gone(folder);
    },
  };
}
