/** The text of a frame, decompressed if necessary. */
import { gunzipSync } from "node:zlib";
import type { RawFrame } from "./wire.ts";

/** The largest message accepted; anything that decompresses to more is treated as a decompression bomb. */
export const frameBytesMax = 64 * 1024 * 1024;

/** Undefined for bytes that are not gzip, or that decompress to more than the largest message. */
export function textOf(frame: RawFrame): string | undefined {
  if ("text" in frame) return frame.text;
  try {
    return gunzipSync(frame.bytes, { maxOutputLength: frameBytesMax }).toString("utf8");
  } catch {
    return undefined;
  }
}
