import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
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
