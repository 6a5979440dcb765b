import { mask, message, stable } from "./compare.ts";
import { threadOf } from "./conversation.ts";
import type { Entry, Frame } from "./recording.ts";

/**
 * How a conversation differs from the recorded one. Frames are compared per subscription, and those of the connection by
 * themselves, because the order between them is not fixed. Keys are `name` for the connection, `name: id` for a
 * subscription, and `name: gzip` for whether any frame was compressed.
 */
export function conversationDifferences(entry: Entry, came: readonly Frame[], folder: string): Map<string, string[]> {
  const { name = "", frames = [] } = entry;
  const found = new Map<string, string[]>();
  const note = (key: string, lines: readonly string[]): void => {
    if (lines.length > 0) found.set(key, [...(found.get(key) ?? []), ...lines]);
  };
  const [recorded, now] = [threads(frames), threads(came)];
  for (const thread of new Set([...recorded.keys(), ...now.keys()])) {
    const key = thread === "" ? name : `${name}: ${thread}`;
    const isRepeated = entry.alike !== undefined;
    note(key, threadDifferences(recorded.get(thread) ?? [], now.get(thread) ?? [], isRepeated, folder));
  }
  const [was, is] = [ending(frames), ending(came)];
  if (was.close !== is.close) note(name, [`closed with ${is.close} ${is.reason}, recorded ${was.close} ${was.reason}`]);
  else note(name, message(was.reason, is.reason.slice(0, was.reason.length), folder));
  const isPacked = (some: readonly Frame[]): boolean => some.some((frame) => frame.gzip === true);
  if (isPacked(frames) !== isPacked(came)) note(`${name}: gzip`, [`compressed: ${isPacked(came)}`]);
  return found;
}

function threads(frames: readonly Frame[]): Map<string, unknown[]> {
  const found = new Map<string, unknown[]>();
  for (const frame of frames) {
    if (frame.in === undefined) continue;
    const thread = threadOf(frame.in);
    found.set(thread, [...(found.get(thread) ?? []), frame.in]);
  }
  return found;
}

function threadDifferences(was: readonly unknown[], is: readonly unknown[], once: boolean, folder: string): string[] {
  const [recorded, now] = [was, is].map((frames) => {
    const texts = frames.map((frame) => stable(mask(inOrder(frame), folder)));
    // The number of repeated frames was not recorded.
    return once ? [...new Set(texts)] : texts;
  }) as [string[], string[]];
  const lines: string[] = [];
  for (let index = 0; index < Math.max(recorded.length, now.length); index += 1) {
    const [a = "nothing", b = "nothing"] = [recorded[index], now[index]];
    if (a !== b && !sayTheSame(a, b, folder))
      lines.push(`frame ${index}: recorded ${a.slice(0, 400)}\n      now      ${b.slice(0, 400)}`);
  }
  return lines;
}

/** Whether two errors differ only in their messages, and those match as over HTTP. */
function sayTheSame(a: string, b: string, folder: string): boolean {
  if (!a.startsWith("{") || !b.startsWith("{")) return false;
  const [was, is] = [a, b].map((text) => JSON.parse(text) as Readonly<Record<string, unknown>>);
  if (typeof was?.["message"] !== "string" || typeof is?.["message"] !== "string") return false;
  const same = stable({ ...was, message: "" }) === stable({ ...is, message: "" });
  return same && message(was["message"], is["message"], folder).length === 0;
}

/** Sorts the rows of a page, since their order is not fixed. */
function inOrder(frame: unknown): unknown {
  const { rows } = Object(frame) as { rows?: readonly unknown[] };
  if (rows === undefined) return frame;
  return { ...Object(frame), rows: rows.toSorted((a, b) => (stable(a) < stable(b) ? -1 : 1)) } as unknown;
}

function ending(frames: readonly Frame[]): { readonly close: number; readonly reason: string } {
  const { close = 0, reason = "" } = frames.find((frame) => frame.close !== undefined) ?? {};
  return { close, reason };
}
