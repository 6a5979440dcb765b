/**
 * The few messages of the PostgreSQL protocol, version 3.0, that a login and simple queries need. Pure.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
import type { PostgresAsks } from "./postgres.ts";

/** A message from the server. The text format only: simple queries have no other. */
export type ServerMessage =
  | { readonly kind: "authentication"; readonly how: PostgresAsks | "ok" }
  | { readonly kind: "columns"; readonly names: readonly string[] }
  | { readonly kind: "row"; readonly cells: readonly (string | null)[] }
  | { readonly kind: "error"; readonly code: string; readonly message: string }
  | { readonly kind: "ready" }
  /** Nothing that matters here: a parameter, a notice, the end of a command. */
  | { readonly kind: "other" };

/** What arrived is not the protocol. */
export class ProtocolError extends Error {}

const protocolVersion = 196_608;
const sslRequestCode = 80_877_103;

/** Asks whether the server speaks TLS; it answers with one byte. */
export const sslRequest: Uint8Array = untyped(int32(sslRequestCode));
export const terminate: Uint8Array = typed("X");

export function startup(user: string, database: string): Uint8Array {
  const parameters = ["user", user, "database", database, "application_name", "kalam-ready"];
  return untyped(int32(protocolVersion), ...parameters.map(string), new Uint8Array(1));
}

export function passwordMessage(password: string): Uint8Array {
  return typed("p", string(password));
}

export function query(sql: string): Uint8Array {
  return typed("Q", string(sql));
}

function typed(type: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([Buffer.from(type, "latin1"), untyped(...parts)]);
}

/** With its length in front, which counts itself. */
function untyped(...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  return Buffer.concat([int32(content.byteLength + 4), content]);
}

function int32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function string(text: string): Uint8Array {
  // A NUL would end it early, and the rest would be read as something else.
  return Buffer.from(`${text.replaceAll("\0", "")}\0`, "utf8");
}

/** One message, which is more than any that a check asks for. */
const messageBytesMax = 1024 * 1024;
const totalBytesMax = 4 * 1024 * 1024;
/** Every type of message that a server of version 3 sends. */
const knownTypes = "RSKTDCEZNIAtns123vGHWVcd";

/** Cuts what arrives into messages. */
export class MessageReader {
  #rest: Buffer = Buffer.alloc(0);
  #total = 0;

  /** The messages that are complete. Throws ProtocolError. */
  push(chunk: Uint8Array): ServerMessage[] {
    this.#total += chunk.byteLength;
    if (this.#total > totalBytesMax) throw new ProtocolError(`it sent more than ${totalBytesMax} bytes`);
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const messages: ServerMessage[] = [];
    for (;;) {
      const type = String.fromCharCode(this.#rest[0] ?? 0);
      if (this.#rest.byteLength > 0 && !knownTypes.includes(type))
        throw new ProtocolError("it does not speak the PostgreSQL protocol");
      if (this.#rest.byteLength < 5) return messages;
      const length = this.#rest.readInt32BE(1);
      if (length < 4 || length > messageBytesMax) throw new ProtocolError(`it announced a message of ${length} bytes`);
      if (this.#rest.byteLength < 1 + length) return messages;
      messages.push(read(type, this.#rest.subarray(5, 1 + length)));
      this.#rest = this.#rest.subarray(1 + length);
    }
  }
}

function read(type: string, body: Buffer): ServerMessage {
  try {
    switch (type) {
      case "R":
        return { kind: "authentication", how: asked[body.readInt32BE(0)] ?? "other" };
      case "T":
        return { kind: "columns", names: columnNames(body) };
      case "D":
        return { kind: "row", cells: cells(body) };
      case "E":
        return { kind: "error", ...errorFields(body) };
      case "Z":
        return { kind: "ready" };
      default:
        return { kind: "other" };
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ProtocolError(`a message of type ${type} ends too early`);
  }
}

const asked: Readonly<Record<number, PostgresAsks | "ok">> = { 0: "ok", 3: "clearText", 5: "md5", 10: "sasl" };

/** Of each column, its name and 18 bytes about its type. */
function columnNames(body: Buffer): string[] {
  let at = 2;
  return Array.from({ length: body.readInt16BE(0) }, () => {
    const end = body.indexOf(0, at);
    if (end === -1) throw new RangeError("no end of the name");
    const name = body.toString("utf8", at, end);
    at = end + 1 + 18;
    return name;
  });
}

function cells(body: Buffer): (string | null)[] {
  let at = 2;
  return Array.from({ length: body.readInt16BE(0) }, () => {
    const length = body.readInt32BE(at);
    at += 4;
    if (length === -1) return null;
    if (length < 0 || at + length > body.byteLength) throw new RangeError("no end of the cell");
    at += length;
    return body.toString("utf8", at - length, at);
  });
}

/** `C` is the SQLSTATE, `M` the message. */
function errorFields(body: Buffer): { code: string; message: string } {
  const fields = new Map(
    body
      .toString("utf8")
      .split("\0")
      .map((field) => [field.slice(0, 1), field.slice(1)]),
  );
  return { code: fields.get("C") ?? "", message: fields.get("M") ?? "" };
}
