/** The same request with and without compression offered, and what of the answers is compared. */
import { isRecord, parseExact, writeExact } from "../../../src/wire/json.ts";
import type { Account, Target } from "../../../src/server/target.ts";
import { isPassing } from "../../vocabulary/second-look.ts";
import { encodingOf, offered, unpack } from "./unpacking.ts";

export type Side = {
  /** Null without an answer. */
  readonly status: number | null;
  readonly encoding: string;
  readonly bytes: number;
  /** Why its text could not be read, or there was no answer; empty otherwise. */
  readonly why: string;
  readonly exchange: number;
};

export type Asked = {
  readonly case: string;
  readonly plain: Side;
  readonly packed: Side;
  /** Where the texts differ, without what differs from one answer to the next anyway; null where they do not. */
  readonly difference: string | null;
  /** Whether two answers without compression were the same. */
  readonly stable: boolean;
};

type Read = Side & { readonly text: string };

export async function ask(target: Target, as: Account, name: string, sql: string): Promise<Asked> {
  const send = async (accepts: string): Promise<Read> => {
    const reply = await target.request(as, {
      method: "POST",
      path: "/v1/api/sql",
      headers: { "content-type": "application/json", "accept-encoding": accepts },
      body: writeExact({ sql }),
    });
    const { exchange } = reply;
    if (reply.kind === "broken")
      return {
        status: reply.status ?? null,
        encoding: "",
        bytes: 0,
        why: `no answer: ${reply.detail}`,
        exchange,
        text: "",
      };
    const encoding = encodingOf(reply.headers);
    const read = unpack(reply.body, encoding);
    const [text, why] = "text" in read ? [comparable(read.text), ""] : ["", read.why];
    return { status: reply.status, encoding, bytes: reply.body.byteLength, why, exchange, text };
  };
  const plain = await send("identity");
  let packed = await send(offered);
  // A connection may break by chance, or a proxy have no server for a moment.
  if (isLost(packed)) packed = await send(offered);
  const again = await send("identity");
  return {
    case: name,
    plain: sideOf(plain),
    // What is no answer of the server's own is none to compare.
    packed: isLost(packed) ? { ...sideOf(packed), status: null } : sideOf(packed),
    difference: differenceOf(plain.text, packed.text),
    stable: plain.why === "" && again.why === "" && plain.status === again.status && plain.text === again.text,
  };
}

function isLost({ status, why }: Side): boolean {
  return status === null || isPassing(status) || why.startsWith("no answer");
}

function sideOf({ status, encoding, bytes, why, exchange }: Read): Side {
  return { status, encoding, bytes, why, exchange };
}

/** Without the time that it took. */
function comparable(text: string): string {
  try {
    const json = parseExact(text);
    if (!isRecord(json)) return text;
    const { took: _, ...rest } = json;
    return writeExact(rest);
  } catch {
    return text;
  }
}

const shownMax = 60;

function differenceOf(plain: string, packed: string): string | null {
  if (plain === packed) return null;
  let at = 0;
  while (at < plain.length && plain[at] === packed[at]) at += 1;
  const excerpt = (text: string): string => JSON.stringify(text.slice(Math.max(0, at - 10), at + shownMax));
  return `from character ${at} on ${excerpt(packed)} instead of ${excerpt(plain)}`;
}
