/* oxlint-disable no-useless-concat -- the parts of a frame are written apart */
import { expect, test } from "vitest";
import { badMessages } from "./bad-messages.ts";

test("each invalid frame is invalid in the one way that its name says", () => {
  const frames = badMessages.flatMap(({ name, parts }) => {
    const raw = parts.flatMap((part) => ("raw" in part ? [Buffer.from(part.raw).toString("hex")] : []));
    return raw.length === 0 ? [] : [[name, ...raw]];
  });
  const ping = Buffer.from('{"type":"ping"}').toString("hex");
  expect(frames).toEqual([
    // FIN and opcode, MASK and length, mask, content.
    ["invalid UTF-8", "81" + "85" + "00000000" + "22c328ff22"],
    ["a reserved bit", "a1" + "8f" + "00000000" + ping],
    ["an unknown data opcode", "83" + "80" + "00000000"],
    ["an unknown control opcode", "8b" + "80" + "00000000"],
    ["an unmasked frame", "81" + "0f" + ping],
    ["a fragmented ping", "09" + "81" + "00000000" + "78"],
    ["a ping of 126 bytes", "89" + "fe" + "007e" + "00000000" + "78".repeat(126)],
    ["a continuation without a start", "80" + "82" + "00000000" + "227d"],
    [
      "a message inside another one",
      "01" + "88" + "00000000" + Buffer.from('{"type":').toString("hex"),
      "81" + "8f" + "00000000" + ping,
    ],
    ["a close frame of one byte", "88" + "81" + "00000000" + "03"],
    ["a close frame with a bad code", "88" + "82" + "00000000" + "03e7"],
    ["a close frame, invalid UTF-8", "88" + "84" + "00000000" + "03e8c328"],
  ]);
});

test("only invalid frames may drop the connection, only close frames may end it", () => {
  const those = (trait: "before" | "mayDrop" | "harmless" | "mayEnd") =>
    badMessages.filter((one) => one[trait] === true).map(({ name }) => name);
  expect(badMessages.map(({ name }) => name).slice(0, 2)).toEqual(["empty message", "invalid JSON"]);
  expect(those("before")).toEqual([
    "invalid JSON before the login",
    "unknown login method",
    "unknown login serialization",
    "a binary message before the login",
  ]);
  const raw = badMessages.filter(({ parts }) => parts.some((part) => "raw" in part)).map(({ name }) => name);
  expect(those("mayDrop")).toEqual(raw);
  expect(those("harmless")).toEqual(["a second login, invalid token", ...raw]);
  expect(those("mayEnd")).toEqual(raw.filter((name) => name.startsWith("a close frame")));
});
