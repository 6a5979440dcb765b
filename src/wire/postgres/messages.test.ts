import { describe, expect, test } from "vitest";
import { MessageReader, passwordMessage, ProtocolError, query, sslRequest, startup, terminate } from "./messages.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** A message from the server. */
function message(type: string, body: Uint8Array | string): Buffer {
  const content = Buffer.from(body as Uint8Array);
  const head = Buffer.alloc(5, type, "latin1");
  head.writeInt32BE(content.byteLength + 4, 1);
  return Buffer.concat([head, content]);
}

const ready = message("Z", "I");
const numbers = (...bytes: readonly number[]): Buffer => Buffer.from(bytes);

describe("what is sent", () => {
  test("has its length in front, which counts itself", () => {
    expect(hex(sslRequest)).toBe("0000000804d2162f");
    expect(hex(terminate)).toBe("5800000004");
    expect(hex(query("SELECT 1"))).toBe(`510000000d${Buffer.from("SELECT 1").toString("hex")}00`);
    expect(hex(passwordMessage("é"))).toBe("7000000007c3a900");
  });

  test("of a startup names the user, the database and the program", () => {
    const bytes = Buffer.from(startup("ann", "kalam"));
    expect([bytes.readInt32BE(0), bytes.readInt32BE(4)]).toEqual([bytes.byteLength, 196_608]);
    expect(bytes.toString("utf8", 8).split("\0")).toEqual([
      "user",
      "ann",
      "database",
      "kalam",
      "application_name",
      "kalam-ready",
      "",
      "",
    ]);
  });

  test("has no NUL in the middle, after which the rest would be read as something else", () => {
    expect(hex(passwordMessage("a\0b"))).toBe(hex(passwordMessage("ab")));
  });
});

describe("what arrives", () => {
  const columns = message(
    "T",
    Buffer.concat([numbers(0, 2), Buffer.from("id\0"), Buffer.alloc(18), Buffer.from("größe\0"), Buffer.alloc(18)]),
  );
  const row = message("D", Buffer.concat([numbers(0, 2, 0, 0, 0, 2), Buffer.from("17"), numbers(255, 255, 255, 255)]));
  const all = Buffer.concat([
    message("R", numbers(0, 0, 0, 3)),
    message("R", numbers(0, 0, 0, 0)),
    message("S", "server_version\u000016\0"),
    columns,
    row,
    message("E", "SFATAL\0C28P01\0Mwrong password\0\0"),
    ready,
  ]);
  const read = [
    { kind: "authentication", how: "clearText" },
    { kind: "authentication", how: "ok" },
    { kind: "other" },
    { kind: "columns", names: ["id", "größe"] },
    { kind: "row", cells: ["17", null] },
    { kind: "error", code: "28P01", message: "wrong password" },
    { kind: "ready" },
  ];

  test.for([1, 3, 7, 4_096])("in pieces of %i bytes is read as whole messages", (size) => {
    const reader = new MessageReader();
    const messages: unknown[] = [];
    for (let at = 0; at < all.byteLength; at += size) messages.push(...reader.push(all.subarray(at, at + size)));
    expect(messages).toEqual(read);
  });

  test.for<[string, number, string]>([
    ["md5", 5, "md5"],
    ["SASL", 10, "sasl"],
    ["Kerberos", 2, "other"],
  ])("asks for a login by %s", ([, code, how]) => {
    expect(new MessageReader().push(message("R", numbers(0, 0, 0, code)))).toEqual([{ kind: "authentication", how }]);
  });

  const wrongLength = (length: number): Buffer => {
    const bytes = Buffer.alloc(5, "R", "latin1");
    bytes.writeInt32BE(length, 1);
    return bytes;
  };
  test.for<[string, Buffer]>([
    ["another protocol", Buffer.from("HTTP/1.1 400 Bad Request\r\n")],
    ["a negative length", wrongLength(-1)],
    ["a length that does not count itself", wrongLength(3)],
    ["a message that is too long", wrongLength(2 ** 30)],
    ["a login without its kind", message("R", numbers(0))],
    ["a row that ends early", message("D", numbers(0, 1, 0, 0, 0, 9, 65))],
    ["a cell with a negative length", message("D", numbers(0, 1, 255, 255, 255, 254))],
    ["a column without a name", message("T", numbers(0, 1, 65))],
  ])("that is %s is not the protocol", ([, bytes]) => {
    expect(() => new MessageReader().push(bytes)).toThrow(ProtocolError);
  });

  test("is bounded altogether", () => {
    const reader = new MessageReader();
    const notice = message("N", Buffer.alloc(1_000_000));
    for (let n = 0; n < 4; n += 1) expect(reader.push(notice)).toEqual([{ kind: "other" }]);
    expect(() => reader.push(notice)).toThrow("more than 4194304 bytes");
  });
});
