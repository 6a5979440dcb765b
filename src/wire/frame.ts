/** The text of a frame, decompressed if necessary. */
import { gunzipSync } from "node:zlib";
import type { RawFrame } from "./wire.ts";

/** The largest message accepted, and the most that one may decompress to. */
export const frameBytesMax = 4 * 1024 * 1024;

/** Undefined for bytes that are not gzip, or that decompress to more than the largest message. */
export function textOf(frame: RawFrame): string | undefined {
  return readText(frame).text;
}

/** `bytes`: how much was decompressed for it, also if it came to nothing. */
export function readText(frame: RawFrame): { readonly text: string | undefined; readonly bytes: number } {
  if ("text" in frame) return { text: frame.text, bytes: frame.text.length };
  try {
    const bytes = gunzipSync(frame.bytes, { maxOutputLength: frameBytesMax });
    return { text: bytes.toString("utf8"), bytes: bytes.byteLength };
  } catch (error) {
    const isBomb = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    return { text: undefined, bytes: isBomb ? frameBytesMax : frame.bytes.byteLength };
  }
}
