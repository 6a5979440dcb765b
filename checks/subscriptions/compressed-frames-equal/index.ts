import { createHash } from "node:crypto";
import { defineCheck, fail, pass, unknown, type FoundOf } from "../../../src/check.ts";
import { isRecord } from "../../../src/wire/json.ts";
import { cellText, type Frame, type Row } from "../../../src/server/target.ts";
import { fenceArrives, follow, type Following } from "../../vocabulary/following.ts";

/** Sizes of texts, around the place where a server begins to compress, and far above. */
export const sizes = [100, 400, 511, 512, 1_024, 4_096, 16_384, 65_536];

/** How a connection asks for compression or against it. */
export const ways = [
  { name: "plain", compression: "none", path: "/v1/ws?compress=false" },
  { name: "gzip", compression: "gzip", path: "/v1/ws" },
  { name: "none asked for", compression: "none", path: "/v1/ws" },
] as const;

type Shown = {
  readonly way: string;
  /** The compression that the answer to the login names; empty where it names none. */
  readonly told: string;
  /** By key: length and hash of the text that came, in the snapshot or as a change. */
  readonly rows: { readonly [id: string]: string };
  /** Frames with rows that came compressed, of the snapshot and of changes, and the largest that did not. */
  readonly compressedPages: number;
  readonly compressedChanges: number;
  readonly plainSizeMax: number;
  readonly fenced: boolean;
  readonly exchange: number;
};

/** With less compressed, nothing was compared. */
const compressedMin = 3;

type Seen = {
  readonly why: string | null;
  /** Length and hash of each text, by key. */
  readonly written: { readonly [id: string]: string };
  readonly shown: readonly Shown[];
};

const findings = {
  differs: {
    say: (d: { way: string; rows: number; of: number; first: string }) =>
      `${d.rows} of ${d.of} rows are not what was written, ${d.way}; the first: ${d.first}`,
  },
  notAskedFor: {
    say: (d: { frames: number }) =>
      `${d.frames} frames came compressed on a connection that asked for none and was told that it has none`,
    level: "warn",
  },
} as const;

export const compressedFramesEqual = defineCheck({
  id: "subscriptions/compressed-frames-equal",
  title: "Compressed frames hold what plain ones hold",
  failureTitle: "Compressed frames differ, or come without being asked for",
  description: `Writes texts of ${sizes[0]} to ${sizes.at(-1)} characters, some that compress well and some that hardly do, with letters beyond ASCII; half of them before and half of them after three connections subscribe: one plain, one with gzip, one that asks for no compression in its login. All must be shown the same, and what was written.`,
  blindTo: "MessagePack; texts above 64 KiB.",
  risk: "Large rows arrive damaged, or a client that cannot unpack them gets nothing.",
  remedy: "Connect with ?compress=false until this passes.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_200,
  estimateRequests: 2 * sizes.length + 12,
  findings,
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const reader = await target.account("user", "reader");
    const table = `${context.scratch}.large`;
    const nothing = { written: {}, shown: [] };
    const made = await target.sql(
      op,
      `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, body TEXT) WITH (TYPE='SHARED', ACCESS_LEVEL='PUBLIC')`,
    );
    if (made.kind !== "ok") return { ...nothing, why: `the table could not be made: ${made.message}` };
    const texts = sizes.flatMap((size) => [wellPacked(size), hardlyPacked(size, context.random("values"))]);
    const written: Record<string, string> = {};
    const write = async (at: number): Promise<boolean> => {
      const text = texts[at] ?? "";
      const done = await target.sql(op, `INSERT INTO ${table} (id, body) VALUES (${at}, '${text}')`);
      if (done.kind === "ok") written[String(at)] = markOf(text);
      return done.kind === "ok";
    };
    // Odd and even alike: of each size one comes in the snapshot and one as a change, packed well or hardly in turn.
    const [early, late] = [texts.keys(), texts.keys()].map((keys, half) =>
      [...keys].filter((at) => (at + Math.floor(at / 2)) % 2 === half),
    );
    for (const at of early ?? []) await write(at);
    const followings: Following[] = [];
    for (const { compression, path } of ways) {
      const following = await follow(target, reader, `SELECT * FROM ${table}`, {}, { compression, path });
      if ("why" in following) return { ...nothing, why: following.why };
      followings.push(following);
    }
    for (const at of late ?? []) await write(at);
    await target.sql(op, `INSERT INTO ${table} (id, body) VALUES (9999, 'fence')`);
    const shown = await Promise.all(followings.map(async (one, at) => await shownBy(ways[at]?.name ?? "", one)));
    return { why: null, written, shown };
  },
  judge({ why, written, shown }) {
    if (why !== null) return unknown(why);
    const [plain, gzip, asked] = ways.map(({ name }) => shown.find(({ way }) => way === name));
    const found: FoundOf<typeof findings>[] = [];
    for (const { way, rows, exchange, fenced } of shown) {
      const other = Object.keys(written).filter((id) => rows[id] !== written[id] && (fenced || rows[id] !== undefined));
      const [first] = other;
      if (first === undefined) continue;
      const words = `row ${first} of ${written[first] ?? ""} came as ${rows[first] ?? "nothing"}`;
      const data = { way, rows: other.length, of: Object.keys(written).length, first: words };
      found.push({ name: "differs", case: way, data, sent: [exchange] });
    }
    const unasked = (asked?.compressedPages ?? 0) + (asked?.compressedChanges ?? 0);
    if (asked?.told === "none" && unasked > 0)
      found.push({ name: "notAskedFor", data: { frames: unasked }, sent: [asked.exchange] });
    if (found.length > 0) return fail(...found);
    if (plain === undefined || gzip === undefined || asked === undefined)
      return unknown("not every connection was seen");
    const deaf = shown.find(({ fenced }) => !fenced);
    if (deaf !== undefined) return unknown(`the last row did not arrive, ${deaf.way}`);
    const rows = Object.keys(written).length;
    if (rows < 2 * sizes.length) return unknown(`only ${rows} of ${2 * sizes.length} rows were acknowledged`);
    if (gzip.compressedPages < 1 || gzip.compressedChanges < compressedMin)
      return unknown(`only ${gzip.compressedPages} pages and ${gzip.compressedChanges} changes came compressed`);
    if (plain.compressedPages + plain.compressedChanges > 0)
      return unknown("no connection without compression was to be had");
    return pass(
      `${rows} rows alike on ${shown.length} connections; with gzip ${gzip.compressedPages + gzip.compressedChanges} frames came compressed, plain ones had up to ${plain.plainSizeMax} characters`,
    );
  },
});

async function shownBy(way: string, { live, rows, subscription }: Following): Promise<Shown> {
  const fenced = await fenceArrives(subscription, "body", "fence");
  const all: Row[] = [...rows, ...subscription.changes.flatMap(({ row }) => (row === null ? [] : [row]))];
  const withRows = live.frames.filter(({ about }) => about === subscription.id);
  const compressed = (type: string): number =>
    withRows.filter((frame) => frame.type === type && frame.compressed).length;
  const shown = {
    way,
    told: toldIn(live.frames),
    rows: Object.fromEntries(all.map((row) => [cellText(row["id"]), markOf(cellText(row["body"]))])),
    compressedPages: compressed("initial_data_batch"),
    compressedChanges: compressed("change"),
    plainSizeMax: Math.max(0, ...withRows.filter((frame) => !frame.compressed).map(({ size }) => size)),
    fenced,
    exchange: subscription.exchange,
  };
  live.close();
  return shown;
}

function toldIn(frames: readonly Frame[]): string {
  const answer = frames.find(({ type }) => type === "auth_success")?.json;
  const protocol = isRecord(answer) ? answer["protocol"] : undefined;
  return isRecord(protocol) ? cellText(protocol["compression"]) : "";
}

/** A text by its length and its first digits of a hash: large texts do not belong into evidence. */
function markOf(text: string): string {
  return `${text.length} characters, ${createHash("sha256").update(text).digest("hex").slice(0, 12)}`;
}

function wellPacked(size: number): string {
  return `😀 ${"Grüße, 世界! ".repeat(Math.ceil(size / 10))}`.slice(0, size);
}

function hardlyPacked(size: number, random: () => number): string {
  const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_äöü世界";
  return Array.from({ length: size }, () => alphabet[Math.floor(random() * alphabet.length)] ?? "").join("");
}
