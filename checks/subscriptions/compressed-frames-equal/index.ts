import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { follow } from "../../vocabulary/following.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { received, ways, type Shown } from "./receiving.ts";
import { isEarly, makeTexts, markOf, sizes } from "./texts.ts";

/** With fewer compressed changes nothing was compared. */
const compressedMin = 3;

type Seen = {
  /** Length and hash of each text, by key. */
  readonly written: { readonly [id: string]: string };
  readonly shown: readonly Shown[];
};

export const compressedFramesEqual = defineCheck({
  id: "subscriptions/compressed-frames-equal",
  title: "Compressed frames carry the same data as plain ones",
  failureTitle: "Compressed frames differ, or arrive unrequested",
  description: `Writes texts of ${sizes[0]} to ${sizes.at(-1)} characters, some that compress well and some that hardly do, with characters beyond ASCII; half of them before and half of them after three connections subscribe: one uncompressed, one with gzip, one that requests no compression in its login. All must receive exactly what was written.`,
  blindTo: "MessagePack; texts above 64 KiB.",
  risk: "Large rows arrive corrupted.",
  remedy: "Connect with ?compress=false until this passes.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_200,
  estimateRequests: 2 * sizes.length + 12,
  findings: {
    differs: {
      say: (d: { way: string; rows: number; of: number; first: string }) =>
        `${d.rows} of ${d.of} rows differ from what was written, ${d.way}; the first: ${d.first}`,
    },
    notAskedFor: {
      say: (d: { frames: number }) =>
        `${d.frames} compressed frames on a connection that requested no compression and was granted that`,
      level: "warn",
      risk: "A client that cannot decompress frames gets nothing from them.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const reader = await target.account("user", "reader");
    const table = await sharedTable(target, context, op, `${context.scratch}.large`, {
      columns: "id BIGINT PRIMARY KEY, body TEXT",
      readers: ["user"],
    });
    const texts = makeTexts(context.random("values"));
    const written: Record<string, string> = {};
    const write = async (early: boolean): Promise<void> => {
      for (const [at, text] of texts.entries()) {
        if (isEarly(at) !== early) continue;
        const done = await target.sql(op, `INSERT INTO ${table} (id, body) VALUES (${at}, '${text}')`);
        if (done.kind === "ok") written[String(at)] = markOf(text);
      }
    };
    await write(true);
    const followings = [];
    for (const { name, compression, path } of ways) {
      const following = await follow(target, reader, `SELECT * FROM ${table}`, {}, { compression, path });
      followings.push({ name, ...context.need(following, `the reader could not subscribe (${name})`) });
    }
    await write(false);
    await target.sql(op, `INSERT INTO ${table} (id, body) VALUES (9999, 'fence')`);
    const shown = await Promise.all(followings.map(async (one) => await received(one.name, one)));
    return { written, shown };
  },
  judge({ written, shown }, { found }) {
    const ids = Object.keys(written);
    for (const one of shown) {
      const { way, rows, fenced } = one;
      const other = ids.filter((id) => rows[id] !== written[id] && (fenced || rows[id] !== undefined));
      const [first] = other;
      if (first === undefined) continue;
      const words = `row ${first} of ${written[first] ?? ""} arrived as ${rows[first] ?? "nothing"}`;
      found.differs({ way, rows: other.length, of: ids.length, first: words }, { case: way, sent: one });
    }
    const [plain, gzip, asked] = ways.map(({ name }) => shown.find(({ way }) => way === name));
    const unasked = asked === undefined ? 0 : framesOf(asked);
    if (asked?.compression === "none" && unasked > 0) found.notAskedFor({ frames: unasked }, { sent: asked });

    if (plain === undefined || gzip === undefined || asked === undefined)
      return unknown("not every connection was observed");
    const missedFence = shown.find(({ fenced }) => !fenced);
    if (missedFence !== undefined) return unknown(`the last row did not arrive, ${missedFence.way}`);
    if (ids.length < 2 * sizes.length)
      return unknown(`only ${ids.length} of ${2 * sizes.length} rows were acknowledged`);
    if (gzip.compressedPages < 1 || gzip.compressedChanges < compressedMin)
      return unknown(`only ${gzip.compressedPages} pages and ${gzip.compressedChanges} changes were compressed`);
    if (framesOf(plain) > 0) return unknown("the connection without compression got compressed frames, too");
    return pass(
      `${ids.length} rows identical on ${shown.length} connections; with gzip ${framesOf(gzip)} frames were compressed, plain ones had up to ${plain.plainSizeMax} characters`,
    );
  },
});

function framesOf({ compressedPages, compressedChanges }: Shown): number {
  return compressedPages + compressedChanges;
}
