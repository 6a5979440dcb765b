/** The text of a frame: as it came, or unpacked. */
import { gunzipSync } from "node:zlib";
import type { RawFrame } from "./wire.ts";

/** More than this nobody sends in one message; a few bytes that unpack to more are a bomb. */
export const frameBytesMax = 64 * 1024 * 1024;

/** Undefined for bytes that are no gzip, or that would unpack to more than a message may have. */
export function textOf(frame: RawFrame): string | undefined {
  if ("text" in frame) return frame.text;
  try {
    return gunzipSync(frame.bytes, { maxOutputLength: frameBytesMax }).toString("utf8");
  } catch {
    return undefined;
  }
}
