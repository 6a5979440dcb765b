import { gzipSync } from "node:zlib";
import { changeFault, rowIn } from "../../../src/faults/live.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { cellText } from "../../../src/server/target.ts";
import { compressedFramesEqual } from "./index.ts";
import { ways } from "./receiving.ts";
import { sizes } from "./texts.ts";

const written = Object.fromEntries(
  sizes.flatMap((size, at) => [2 * at, 2 * at + 1].map((id) => [String(id), `${size}`])),
);
const shown = ways.map(({ name }, at) => ({
  way: name,
  compression: name === "gzip" ? "gzip" : "none",
  rows: written,
  compressedPages: name === "gzip" ? 1 : 0,
  compressedChanges: name === "gzip" ? 5 : 0,
  plainSizeMax: name === "gzip" ? 500 : 65_000,
  fenced: true,
  exchange: at,
}));
const sound = { written, shown };
const having = (way: string, change: object) => ({
  ...sound,
  shown: shown.map((one) => (one.way === way ? { ...one, ...change } : one)),
});
const { "3": _, ...without3 } = written;

/** Every frame of more than 512 characters is compressed, whatever was requested. */
const compressAll: Fault = {
  name: "compressWithoutBeingAsked",
  wrap: (wire, fired) => {
    const { socket } = wire;
    if (socket === undefined) return wire;
    return {
      ...wire,
      socket: async (request, listener) =>
        await socket(request, {
          ...listener,
          frame(frame) {
            if ("bytes" in frame || frame.text.length < 512 || request.path.includes("?")) return listener.frame(frame);
            fired();
            listener.frame({ bytes: gzipSync(frame.text), at: frame.at });
          },
        }),
    };
  },
};

export default proveCheck(compressedFramesEqual, {
  holds: [
    sound,
    // An older server does not know the request, and does not claim to grant it.
    having("none asked for", { compression: "", compressedPages: 1, compressedChanges: 3 }),
  ],
  cannotTell: [
    { ...sound, shown: shown.slice(1) },
    having("gzip", { fenced: false, rows: without3 }),
    having("gzip", { compressedChanges: 0 }),
    having("plain", { compressedChanges: 4 }),
    { ...sound, written: without3, shown: shown.map((one) => ({ ...one, rows: without3 })) },
  ],
  breaks: {
    differs: {
      seen: having("gzip", { rows: { ...written, "3": "another" } }),
      fault: changeFault(
        "damageLargeRows",
        1,
        (message) => [{ ...message, rows: [{ ...rowIn(message), body: `${cellText(rowIn(message)["body"])}x` }] }],
        (message) => JSON.stringify(message).length > 10_000,
      ),
    },
    notAskedFor: {
      seen: having("none asked for", { compressedPages: 1, compressedChanges: 3 }),
      fault: compressAll,
    },
  },
});
