import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { frameBytesMax, readText, textOf } from "./frame.ts";

const zipped = (bytes: string | Uint8Array) => ({ bytes: gzipSync(bytes), at: 0 });

test("a text is as it came, bytes are decompressed, and both are counted", () => {
  expect(readText({ text: "plain", at: 0 })).toEqual({ text: "plain", bytes: 5 });
  expect(readText(zipped("pläin"))).toEqual({ text: "pläin", bytes: 6 });
  expect(textOf(zipped("plain"))).toBe("plain");
});

test("the largest message is 4 MiB, compressed or not", () => {
  expect(frameBytesMax).toBe(4_194_304);
  expect(readText(zipped(new Uint8Array(frameBytesMax))).bytes).toBe(frameBytesMax);
});

test("what decompresses to more costs as much as the largest, what is not gzip as much as it has bytes", () => {
  expect(readText(zipped(new Uint8Array(frameBytesMax + 1)))).toEqual({ text: undefined, bytes: frameBytesMax });
  expect(readText({ bytes: Uint8Array.from([1, 2, 3]), at: 0 })).toEqual({ text: undefined, bytes: 3 });
});
