/** The server's side of the PostgreSQL protocol, as far as a login with a password and simple queries need it. */

/** What begins a connection: a request for TLS, or the name of a user. */
export type Opening =
  | { readonly kind: "tls" }
  | { readonly kind: "startup"; readonly user: string; readonly database: string };

export interface ClientMessage {
  readonly type: string;
  readonly body: Buffer;
}

const sslRequestCode = 80_877_103;
const protocolVersion = 196_608;
const messageBytesMax = 4 * 1024 * 1024;

/** Cuts what arrives into messages. Throws for what is none. */
export class Incoming {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
  }

  opening(): Opening | undefined {
    const body = this.#cut(0);
    if (body === undefined) return undefined;
    const code = body.readInt32BE(0);
    if (code === sslRequestCode) return { kind: "tls" };
    if (code !== protocolVersion) throw new Error(`protocol ${code} is not spoken`);
    const words = body.toString("utf8", 4).split("\0");
    const value = (name: string): string => {
      const at = words.findIndex((word, index) => index % 2 === 0 && word === name);
      return at === -1 ? "" : (words[at + 1] ?? "");
    };
    return { kind: "startup", user: value("user"), database: value("database") };
  }

  message(): ClientMessage | undefined {
    const type = String.fromCharCode(this.#rest[0] ?? 0);
    const body = this.#cut(1);
    return body === undefined ? undefined : { type, body };
  }

  /** What comes after this many bytes and a length. */
  #cut(before: number): Buffer | undefined {
    if (this.#rest.byteLength < before + 4) return undefined;
    const length = this.#rest.readInt32BE(before);
    if (length < 4 || length > messageBytesMax) throw new Error(`a message of ${length} bytes`);
    if (this.#rest.byteLength < before + length) return undefined;
    const body = this.#rest.subarray(before + 4, before + length);
    this.#rest = this.#rest.subarray(before + length);
    return body;
  }
}

/** The text of a message that is one string. */
export const textOf = ({ body }: ClientMessage): string => body.toString("utf8", 0, Math.max(0, body.byteLength - 1));

const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};
const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const string = (text: string): Buffer => Buffer.from(`${text}\0`, "utf8");

function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type, "latin1"), int32(body.byteLength + 4), body]);
}

export const noTls: Buffer = Buffer.from("N", "latin1");
export const askForPassword: Buffer = message("R", int32(3));
export const ready: Buffer = message("Z", Buffer.from("I", "latin1"));

export function welcome(pid: number): Buffer {
  const parameters = {
    server_version: "16.0 (kalam-sandbox)",
    client_encoding: "UTF8",
    standard_conforming_strings: "on",
  };
  return Buffer.concat([
    message("R", int32(0)),
    ...Object.entries(parameters).map(([name, value]) => message("S", string(name), string(value))),
    message("K", int32(pid), int32(0)),
    ready,
  ]);
}

export function refusal(severity: "ERROR" | "FATAL", code: string, text: string): Buffer {
  const fields = [`S${severity}`, `V${severity}`, `C${code}`, `M${text}`].map(string);
  return message("E", ...fields, Buffer.alloc(1));
}

const textOid = 25;
const oids: Readonly<Record<string, number>> = {
  Boolean: 16,
  BigInt: 20,
  SmallInt: 21,
  Int: 23,
  Float: 700,
  Double: 701,
};

export function columns(schema: readonly { readonly name: string; readonly data_type: unknown }[]): Buffer {
  const parts = schema.flatMap(({ name, data_type: type }) => [
    string(name),
    int32(0),
    int16(0),
    int32(typeof type === "string" ? (oids[type] ?? textOid) : textOid),
    int16(-1),
    int32(-1),
    int16(0),
  ]);
  return message("T", int16(schema.length), ...parts);
}

export function row(cells: readonly unknown[]): Buffer {
  const parts = cells.flatMap((cell) => {
    if (cell === null || cell === undefined) return [int32(-1)];
    const bytes = Buffer.from(cellText(cell), "utf8");
    return [int32(bytes.byteLength), bytes];
  });
  return message("D", int16(cells.length), ...parts);
}

function cellText(cell: unknown): string {
  if (typeof cell === "boolean") return cell ? "t" : "f";
  return typeof cell === "string" ? cell : JSON.stringify(cell);
}

export const complete = (tag: string): Buffer => message("C", string(tag));
