/** Long texts, and how one that was read back differs from the one that was stored. */
import { createHash } from "node:crypto";

/**
 * What servers get wrong: four bytes a character, quotes, both kinds of line end, backslashes, escapes that look like SQL or JSON,
 * the same letter composed and decomposed, characters of zero width, right-to-left text.
 */
const pieces = [
  "plain text; ",
  "😀🏳️‍🌈𝒳𠜎 ",
  "it's ''quoted'' \"twice\" ",
  "\\n \\u0041 %s $1 ${x} ",
  "line\nline\r\nline\ttab ",
  "caf\u00e9 cafe\u0301 \u212b ",
  "漢字かな交じり ",
  "a\u200bb\u00a0c\u2028d ",
  "שלום مرحبا ",
  "-- /* not a comment */ ; ",
] as const;

/** A list of tens of thousands of short texts takes several times as much memory as what they make. */
const piecesAtOnce = 500;

/** A text of exactly this many bytes as UTF-8; no two stretches of it are alike, so that a lost block shows. */
export function longText(bytes: number, random: () => number): string {
  const parts: string[] = [];
  let block: string[] = [];
  let left = bytes;
  for (let at = 0; ; at += 1) {
    const piece = `${at}:${pieces[Math.floor(random() * pieces.length)] ?? ""}`;
    const size = Buffer.byteLength(piece);
    if (size > left) break;
    block.push(piece);
    left -= size;
    if (block.length === piecesAtOnce) {
      parts.push(block.join(""));
      block = [];
    }
  }
  return [...parts, ...block, "e".repeat(left)].join("");
}

/** A text that was read back, compared with the one that was stored. */
export type Got = {
  readonly bytes: number;
  readonly sha256: string;
  /** It is the beginning of what was stored. */
  readonly isPrefix: boolean;
  /** Around the first character that differs, as JSON. */
  readonly wanted: string;
  readonly got: string;
};

const shownChars = 16;

export function compare(wanted: string, got: string): Got {
  const same = wanted === got;
  let at = 0;
  while (!same && at < got.length && got[at] === wanted[at]) at += 1;
  const around = (text: string): string =>
    same ? "" : JSON.stringify(text.slice(Math.max(0, at - 4), at + shownChars));
  return {
    bytes: Buffer.byteLength(got),
    sha256: sha256(got),
    isPrefix: got.length < wanted.length && at === got.length,
    wanted: around(wanted),
    got: around(got),
  };
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
