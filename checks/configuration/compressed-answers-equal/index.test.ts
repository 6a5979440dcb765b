import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { judged } from "../../vocabulary/evidence.ts";
import { compressedAnswersEqual } from "./index.ts";
import proof from "./proof.ts";
import { encodingOf, unpack } from "./unpacking.ts";

const text = "Grüße, 世界! 😀".repeat(100);
const bytes = new TextEncoder().encode(text);

test.for([
  ["identity", bytes],
  ["gzip", gzipSync(bytes)],
  ["deflate", deflateSync(bytes)],
  ["br", brotliCompressSync(bytes)],
] as const)("%s is read", ([encoding, body]) => {
  expect(unpack(body, encodingOf({ "content-encoding": encoding.toUpperCase() }))).toEqual({ text });
});

test.for([
  ["labelled and not compressed", bytes, "gzip", /^it is not valid gzip/],
  ["truncated", gzipSync(bytes).subarray(0, -12), "gzip", /^it is not valid gzip: unexpected end/],
  ["damaged", gzipSync(bytes).fill(0, 20, 40), "gzip", /^it is not valid gzip/],
  ["another encoding than it says", gzipSync(bytes), "br", /^it is not valid br/],
  ["compressed and not labelled", gzipSync(bytes), "identity", /^it is not UTF-8/],
  ["an encoding that was not offered", bytes, "zstd", /^its content-encoding zstd was not offered/],
  ["several", bytes, "gzip, br", /was not offered/],
  ["a bomb", gzipSync(Buffer.alloc(40 * 1024 * 1024)), "gzip", /^it decompresses to more than 8388608 bytes/],
  ["another bomb", brotliCompressSync(Buffer.alloc(40 * 1024 * 1024)), "br", /^it decompresses to more than 8388608/],
] as const)("a body that is %s is not", ([, body, encoding, why]) => {
  expect(unpack(body, encoding)).toEqual({ why: expect.stringMatching(why) as string });
});

test("another status is another answer", () => {
  const { asked } = proof.holds[0] as Parameters<typeof compressedAnswersEqual.judge>[0];
  const other = asked.map((one, at) => (at === 2 ? { ...one, packed: { ...one.packed, status: 500 } } : one));
  const verdict = compressedAnswersEqual.judge({ asked: other }, compressedAnswersEqual.limits);
  expect(verdict).toMatchObject({ kind: "fail", found: [{ name: "differs", case: "a long error" }] });
});

type Seen = Parameters<typeof compressedAnswersEqual.judge>[0];
const [sound] = proof.holds as readonly [Seen];
type Asked = Seen["asked"][number];
const at = (index: number, change: (one: Asked) => Partial<Asked>): string[] =>
  judged(compressedAnswersEqual, {
    asked: sound.asked.map((one, place) => (place === index ? { ...one, ...change(one) } : one)),
  });

test("what could not be read without compression is no answer that was not asked for", () => {
  const unread = (status: number | null, why: string): string[] =>
    at(0, ({ plain }) => ({ plain: { ...plain, status, why, encoding: "gzip" }, stable: false }));
  expect(unread(null, "no answer: reset")).toEqual([expect.stringMatching(/^unknown: .*no answer: reset/)]);
  expect(unread(200, "it is not valid gzip")).toEqual([expect.stringMatching(/^unknown: .*it is not valid gzip/)]);
  expect(unread(200, "")).toEqual(['notAskedFor: rows of every kind: {"case":"rows of every kind","encoding":"gzip"}']);
});

test("the largest answer is told, wherever it is", () => {
  for (const index of [0, 2, 3])
    expect(
      at(index, ({ plain, packed }) => ({ plain: { ...plain, bytes: 80_000 }, packed: { ...packed, bytes: 77 } })),
    ).toEqual([expect.stringContaining("4 compressed (gzip), up to 80,000 bytes to 77")]);
});
