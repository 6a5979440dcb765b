/** What one connection received, and which of its frames were compressed. */
import { isRecord } from "../../../src/wire/json.ts";
import { cellText, type Frame, type LiveOptions, type Row } from "../../../src/server/target.ts";
import { fenceArrives, noticesOf, type Following } from "../../vocabulary/following.ts";
import { markOf } from "./texts.ts";

/** How a connection asks for compression or for none. */
export const ways = [
  { name: "plain", compression: "none", path: "/v1/ws?compress=false" },
  { name: "gzip", compression: "gzip", path: "/v1/ws" },
  { name: "none asked for", compression: "none", path: "/v1/ws" },
  { name: "permessage-deflate offered", compression: "none", path: "/v1/ws?compress=false", deflate: true },
] as const satisfies readonly (LiveOptions & { readonly name: string })[];

export type Shown = {
  readonly way: string;
  /** The compression that the answer to the login names; empty where it names none. */
  readonly compression: string;
  /** Whether the server has accepted permessage-deflate. */
  readonly deflated: boolean;
  /** By key: length and hash of the text, from the snapshot or a change. */
  readonly rows: { readonly [id: string]: string };
  /** Compressed frames with rows, in the snapshot and in changes, and the size of the largest uncompressed one. */
  readonly compressedPages: number;
  readonly compressedChanges: number;
  readonly plainSizeMax: number;
  readonly fenced: boolean;
  /** How the connection ended before it was closed; empty where it did not. */
  readonly ended: string;
  readonly exchange: number;
};

export async function received(way: string, { live, rows, subscription }: Following): Promise<Shown> {
  const fenced = await fenceArrives(subscription, "body", "fence");
  const all: Row[] = [...rows, ...subscription.changes.flatMap(({ row }) => (row === null ? [] : [row]))];
  const withRows = live.frames.filter(({ about }) => about === subscription.id);
  const compressed = (type: string): number =>
    withRows.filter((frame) => frame.type === type && frame.compressed).length;
  const shown = {
    way,
    compression: compressionIn(live.frames),
    deflated: live.deflated,
    rows: Object.fromEntries(all.map((row) => [cellText(row["id"]), markOf(cellText(row["body"]))])),
    compressedPages: compressed("initial_data_batch"),
    compressedChanges: compressed("change"),
    plainSizeMax: Math.max(0, ...withRows.filter((frame) => !frame.compressed).map(({ size }) => size)),
    fenced,
    ended: noticesOf(subscription, live).join("; "),
    exchange: subscription.exchange,
  };
  live.close();
  return shown;
}

function compressionIn(frames: readonly Frame[]): string {
  const answer = frames.find(({ type }) => type === "auth_success")?.json;
  const protocol = isRecord(answer) ? answer["protocol"] : undefined;
  return isRecord(protocol) ? cellText(protocol["compression"]) : "";
}
