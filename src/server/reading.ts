/** A frame as it is kept, read from the raw frame. Nothing here throws, whatever the server sends. */
import type { Frame } from "./feed.ts";
import { readText } from "../wire/frame.ts";
import { cellText, isRecord, type Json, parseMeasured } from "../wire/json.ts";
import type { RawFrame } from "../wire/wire.ts";

/** The approximate memory of a frame besides its content. */
const frameCost = 160;

/** With the memory that it takes, in bytes, estimated. */
export function readFrame(raw: RawFrame): { readonly frame: Frame; readonly memory: number } {
  const compressed = "bytes" in raw;
  // A binary frame that is not gzip is kept with the type `unreadable`.
  const { text, bytes } = readText(raw);
  let json: Json | undefined;
  let memory = bytes;
  try {
    if (text !== undefined) ({ json, memory } = parseMeasured(text));
  } catch {
    // Not JSON, or more of it than is accepted: kept as such.
  }
  const type = isRecord(json) ? cellText(json["type"]) : "";
  const about = isRecord(json) ? cellText(json["subscription_id"]) : "";
  return {
    frame: {
      json,
      type: json === undefined ? "unreadable" : type,
      about,
      compressed,
      size: text?.length ?? 0,
      at: raw.at,
    },
    memory: memory + frameCost,
  };
}
