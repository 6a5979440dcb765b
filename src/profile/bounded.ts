/** Reads a file of which somebody gave the name. One that does not end, such as /dev/zero, must not exhaust the memory. */
import { closeSync, openSync, readSync, statSync } from "node:fs";

const bytesMax = 1024 * 1024;

/** 0 is stdin. `regular`: nothing else, such as a device or a pipe that keeps the reader waiting. Throws. */
export function readText(file: string | 0, { regular = false } = {}): string {
  if (file !== 0 && regular) {
    const kind = statSync(file);
    if (!kind.isFile() && !kind.isDirectory()) throw new Error("it is not a regular file");
  }
  const descriptor = file === 0 ? 0 : openSync(file, "r");
  try {
    const bytes = Buffer.alloc(bytesMax + 1);
    let size = 0;
    for (;;) {
      const read = readSync(descriptor, bytes, size, bytes.length - size, null);
      size += read;
      if (size > bytesMax) throw new Error("it is larger than 1 MiB");
      if (read === 0) return bytes.toString("utf8", 0, size);
    }
  } finally {
    if (descriptor !== 0) closeSync(descriptor);
  }
}

/** `ENOENT`, or a sentence. */
export function whyUnreadable(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
