/** The body of an answer as a browser reads it: decompressed as its header says. */
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";

/** What browsers accept. */
export const offered = "gzip, deflate, br";

/** The most that a body may decompress to. */
const unpackedBytesMax = 8 * 1024 * 1024;
const limit = { maxOutputLength: unpackedBytesMax };

const decoders: Readonly<Record<string, (body: Uint8Array) => Uint8Array>> = {
  identity: (body) => body,
  gzip: (body) => gunzipSync(body, limit),
  "x-gzip": (body) => gunzipSync(body, limit),
  deflate: (body) => inflateSync(body, limit),
  br: (body) => brotliDecompressSync(body, limit),
};

/** The value of the header, in lower case; `identity` without one. */
export function encodingOf(headers: Readonly<Record<string, string>>): string {
  const named = (headers["content-encoding"] ?? "").trim().toLowerCase();
  return named === "" ? "identity" : named;
}

/** The text, or why there is none. */
export function unpack(body: Uint8Array, encoding: string): { readonly text: string } | { readonly why: string } {
  const decode = Object.hasOwn(decoders, encoding) ? decoders[encoding] : undefined;
  if (decode === undefined) return { why: `its content-encoding ${encoding.slice(0, 40)} was not offered` };
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(decode(body)) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ERR_BUFFER_TOO_LARGE") return { why: `it decompresses to more than ${unpackedBytesMax} bytes` };
    return { why: encoding === "identity" ? "it is not UTF-8" : `it is not valid ${encoding}: ${message}` };
  }
}
