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
  deflated: name.startsWith("permessage-deflate"),
  fenced: true,
  ended: "",
  exchange: at,
}));
const sound = { written, shown, offerFails: null as string | null };
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

/** A proxy that accepts the offer and damages what it compresses: the client has to give the connection up. */
const breakDeflated: Fault = {
  name: "damageDeflatedFrames",
  wrap: (wire, fired) => {
    const { socket } = wire;
    if (socket === undefined) return wire;
    return {
      ...wire,
      async socket(request, listener) {
        if (request.deflate !== true) return await socket(request, listener);
        return await socket(request, {
          ...listener,
          frame(frame) {
            if (!("text" in frame) || frame.text.length < 10_000) return listener.frame(frame);
            fired();
            listener.closed({ code: 1006, reason: "invalid block type", at: frame.at });
          },
        });
      },
    };
  },
};

export default proveCheck(compressedFramesEqual, {
  holds: [
    sound,
    // An older server does not know the request, and does not claim to grant it.
    having("none asked for", { compression: "", compressedPages: 1, compressedChanges: 3 }),
    // The server ignores the offer.
    having("permessage-deflate offered", { deflated: false }),
    having("gzip", { compressedChanges: 3 }),
  ],
  cannotTell: [
    { ...sound, shown: [], offerFails: "the connection was closed with 1006" },
    ...shown.map((one) => ({ ...sound, shown: shown.filter((other) => other !== one) })),
    having("permessage-deflate offered", { fenced: false, ended: "closed 1006 at an age of 2 s", rows: without3 }),
    { ...sound, shown: shown.slice(0, 3).map((one) => ({ ...one, fenced: false })), offerFails: "closed 1006" },
    having("gzip", { fenced: false, rows: without3 }),
    having("gzip", { compressedChanges: 2 }),
    having("gzip", { compressedPages: 0 }),
    having("plain", { compressedChanges: 1 }),
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
    offerFails: {
      // It broke after it was open, and did not open again.
      seen: {
        ...having("permessage-deflate offered", {
          fenced: false,
          ended: "closed 1006 at an age of 2 s",
          rows: without3,
        }),
        offerFails: "the connection was closed with 1006",
      },
      fault: breakDeflated,
    },
    notAskedFor: {
      seen: having("none asked for", { compressedChanges: 1 }),
      fault: compressAll,
    },
  },
});
