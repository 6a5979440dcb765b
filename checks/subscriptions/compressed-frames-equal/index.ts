import { defineCheck, pass, unknown } from "../../../src/check.ts";
import type { LiveOptions } from "../../../src/server/target.ts";
import { follow, type Following, type NotFollowing } from "../../vocabulary/following.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { received, ways, type Shown } from "./receiving.ts";
import { isEarly, makeTexts, markOf, sizes } from "./texts.ts";

const [, , , deflating] = ways;
/** With fewer compressed changes nothing was compared. */
const compressedMin = 3;

type Seen = {
  /** Length and hash of each text, by key. */
  readonly written: { readonly [id: string]: string };
  readonly shown: readonly Shown[];
  /** Why no connection that offers permessage-deflate got through, twice; null where one did. */
  readonly offerFails: string | null;
};

export const compressedFramesEqual = defineCheck({
  id: "subscriptions/compressed-frames-equal",
  title: "Compressed frames carry the same data as plain ones",
  failureTitle: "Compressed frames differ, or arrive unrequested",
  description: `Writes texts of ${sizes[0]} to ${sizes.at(-1)} characters, some that compress well and some that hardly do, with characters beyond ASCII; half of them before and half of them after ${ways.length} connections subscribe: one uncompressed, one with gzip, one that requests no compression in its login, and one that offers permessage-deflate, as browsers do. The server may ignore that offer; all must receive exactly what was written.`,
  blindTo: "MessagePack; texts above 64 KiB.",
  risk: "Large rows arrive corrupted.",
  remedy: "Connect with ?compress=false, or switch permessage-deflate off in the proxy in front, until this passes.",
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
    offerFails: {
      say: (d: { why: string }) =>
        `connections that offer permessage-deflate, as browsers do, fail twice, and others do not: ${d.why}`,
      risk: "Browsers get no live data.",
      remedy: "Switch permessage-deflate off in the server or in the proxy in front.",
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
    const open = async (options: LiveOptions): Promise<Following | NotFollowing> =>
      await follow(target, reader, `SELECT * FROM ${table}`, {}, options);
    let offerFails: string | null = null;
    for (const { name, ...options } of ways) {
      let following = await open(options);
      if ("why" in following && "deflate" in options) {
        following = await open(options);
        if ("why" in following) {
          offerFails = following.why;
          continue;
        }
      }
      followings.push({ name, ...context.need(following, `the reader could not subscribe (${name})`) });
    }
    await write(false);
    await target.sql(op, `INSERT INTO ${table} (id, body) VALUES (9999, 'fence')`);
    const shown = await Promise.all(followings.map(async (one) => await received(one.name, one)));
    // A connection that cannot read what is compressed ends: on another one, with everything in its snapshot, as well.
    const offered = shown.find(({ way, fenced, ended }) => way === deflating.name && !fenced && ended !== "");
    if (offered !== undefined) {
      const { name: _, ...options } = deflating;
      const again = await open(options);
      if ("why" in again) offerFails = again.why;
      else again.live.close();
    }
    return { written, shown, offerFails };
  },
  judge({ written, shown, offerFails }, { found }) {
    const ids = Object.keys(written);
    for (const one of shown) {
      const { way, rows, fenced } = one;
      const other = ids.filter((id) => rows[id] !== written[id] && (fenced || rows[id] !== undefined));
      const [first] = other;
      if (first === undefined) continue;
      const words = `row ${first} of ${written[first] ?? ""} arrived as ${rows[first] ?? "nothing"}`;
      found.differs({ way, rows: other.length, of: ids.length, first: words }, { case: way, sent: one });
    }
    const [plain, gzip, asked, deflate] = ways.map(({ name }) => shown.find(({ way }) => way === name));
    const others = shown.filter((one) => one !== deflate);
    if (offerFails !== null && others.length > 0 && others.every(({ fenced }) => fenced))
      found.offerFails({ why: offerFails });
    if (asked?.compression === "none" && framesOf(asked) > 0)
      found.notAskedFor({ frames: framesOf(asked) }, { sent: asked });

    if (plain === undefined || gzip === undefined || asked === undefined || deflate === undefined)
      return unknown("not every connection was observed");
    const missedFence = shown.find(({ fenced }) => !fenced);
    if (missedFence !== undefined) return unknown(`the last row did not arrive, ${missedFence.way}`);
    if (ids.length < 2 * sizes.length)
      return unknown(`only ${ids.length} of ${2 * sizes.length} rows were acknowledged`);
    if (gzip.compressedPages < 1 || gzip.compressedChanges < compressedMin)
      return unknown(`only ${gzip.compressedPages} pages and ${gzip.compressedChanges} changes were compressed`);
    if (framesOf(plain) > 0) return unknown("the connection without compression got compressed frames, too");
    return pass(
      `${ids.length} rows identical on ${shown.length} connections; with gzip ${framesOf(gzip)} frames were compressed, plain ones had up to ${plain.plainSizeMax} characters; permessage-deflate ${deflate.deflated ? "used" : "not used"}`,
    );
  },
});

function framesOf({ compressedPages, compressedChanges }: Shown): number {
  return compressedPages + compressedChanges;
}
