import { dialect } from "../dialect.ts";
import { parseJson } from "../http/exchange.ts";
import { parseExactly, wholeNumber } from "../sql/parameters.ts";
import type { Options, VersionDomain } from "./notices.ts";

/** A message from a client. */
export type Request =
  | { readonly kind: "authenticate"; readonly token: string; readonly compression: Compression }
  | { readonly kind: "subscribe"; readonly id: string; readonly sql: string; readonly options: Options | undefined }
  | { readonly kind: "next_batch"; readonly id: string; readonly after: string | undefined }
  | { readonly kind: "unsubscribe"; readonly id: string }
  | { readonly kind: "ping" };

export type Compression = "none" | "gzip";

/** Not a message of the protocol: the connection is closed with this reason. */
export class Malformed extends Error {
  constructor(problem: string) {
    super(`Invalid message: ${problem}`);
  }
}

type Fields = Readonly<Record<string, unknown>>;

const kinds = ["authenticate", "subscribe", "next_batch", "unsubscribe", "ping"];

export function readRequest(text: string): Request {
  const value = parseJson(text, parseExactly);
  if (value === undefined) throw new Malformed("expected value at line 1 column 1");
  const fields = asFields(value);
  switch (oneOf(textOf(fields, "type"), kinds)) {
    case "authenticate":
      return readAuthenticate(fields);
    case "subscribe":
      return readSubscribe(asFields(field(fields, "subscription")));
    case "next_batch":
      return {
        kind: "next_batch",
        id: textOf(fields, "subscription_id"),
        after: cursor(fields["last_seq_id"]),
      };
    case "unsubscribe":
      return { kind: "unsubscribe", id: textOf(fields, "subscription_id") };
    default:
      return { kind: "ping" };
  }
}

function readAuthenticate(fields: Fields): Request {
  oneOf(textOf(fields, "method"), ["jwt"]);
  const token = textOf(fields, "token");
  const protocol = asFields(field(fields, "protocol"));
  oneOf(textOf(protocol, "serialization"), ["json"]);
  const compression = oneOf(textOf(protocol, "compression"), ["none", "gzip"]) as Compression;
  return { kind: "authenticate", token, compression };
}

function readSubscribe(fields: Fields): Request {
  const [id, sql, given] = [textOf(fields, "id"), textOf(fields, "sql"), fields["options"]];
  return {
    kind: "subscribe",
    id,
    sql,
    options: given === undefined || given === null ? undefined : readOptions(asFields(given)),
  };
}

function readOptions({ batch_size: size, last_rows: last, from, from_seq_id: older, ...others }: Fields): Options {
  const { version_domain: given, ...rest } = dialect.cursor === "text" ? withoutFetching(others) : others;
  const hasDomain = dialect.domain === "inBatchControl";
  const [batchSize, lastRows] = [integer(size, "usize"), integer(last, "u32")];
  const [version, domain] = [cursor(from ?? older), hasDomain ? readDomain(given) : undefined];
  const [unknown] = Object.keys(hasDomain || given === undefined ? rest : others);
  return {
    ...(batchSize === undefined ? {} : { batchSize: Number(batchSize) }),
    ...(lastRows === undefined ? {} : { lastRows: Number(lastRows) }),
    ...(version === undefined ? {} : { from: version }),
    ...(domain === undefined ? {} : { domain }),
    ...(unknown === undefined ? {} : { unknown }),
  };
}

/** Whether the client asks for pages by itself is its own affair. */
function withoutFetching({ auto_fetch_batches: one, autoFetchBatches: other, ...others }: Fields): Fields {
  for (const given of [one, other])
    if (given !== undefined && given !== null && typeof given !== "boolean")
      throw new Malformed(`invalid type: ${shown(given)}, expected a boolean`);
  return others;
}

function readDomain(given: unknown): VersionDomain | undefined {
  if (given === undefined || given === null) return undefined;
  const fields = asFields(given);
  const table = textOf(fields, "table_id");
  if (!/^[^.]+\.[^.]+$/.test(table)) throw new Malformed(`Invalid table_id format: ${table}`);
  const partition = integer(fields["partition_id"], "usize");
  return {
    history_incarnation: textOf(fields, "history_incarnation"),
    table_id: table,
    scope_id: Number(integer(field(fields, "scope_id"), "usize")),
    partition_id: partition === undefined ? null : Number(partition),
  };
}

/** A version, as the dialect writes it; 0 is no version in 0.8. */
function cursor(value: unknown): string | undefined {
  if (dialect.cursor === "number" || value === undefined || value === null) return integer(value, "i64");
  if (typeof value !== "string") throw new Malformed(`invalid type: ${shown(value)}, expected a string`);
  if (!/^\+?\d{1,30}$/.test(value)) throw new Malformed("version decimal is invalid");
  const version = BigInt(value.replace("+", ""));
  if (version === 0n) throw new Malformed("committed row version must be non-zero");
  if (version > ranges.i64[1]) throw new Malformed("version does not fit a signed bigint");
  return String(version);
}

function asFields(value: unknown): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new Malformed(`invalid type: ${shown(value)}, expected an object`);
}

function field(fields: Fields, name: string): unknown {
  if (fields[name] === undefined) throw new Malformed(`missing field \`${name}\``);
  return fields[name];
}

function textOf(fields: Fields, name: string): string {
  const value = field(fields, name);
  if (typeof value === "string") return value;
  throw new Malformed(`invalid type: ${shown(value)}, expected a string`);
}

function oneOf(word: string, words: readonly string[]): string {
  if (words.includes(word)) return word;
  const known = words.map((one) => `\`${one}\``).join(", ");
  throw new Malformed(`unknown variant \`${word}\`, expected ${words.length > 1 ? "one of " : ""}${known}`);
}

const ranges = { i64: [-(2n ** 63n), 2n ** 63n - 1n], u32: [0n, 2n ** 32n - 1n], usize: [0n, 2n ** 53n] } as const;

/** The digits of a whole number; a JavaScript number would round a version. */
function integer(value: unknown, type: keyof typeof ranges): string | undefined {
  if (value === undefined || value === null) return undefined;
  const digits = wholeNumber(value);
  if (digits === undefined) throw new Malformed(`invalid type: ${shown(value)}, expected ${type}`);
  const [least, most] = ranges[type];
  const isInside = /^-?\d+$/.test(digits) && BigInt(digits) >= least && BigInt(digits) <= most;
  if (!isInside) throw new Malformed(`invalid value: integer \`${digits}\`, expected ${type}`);
  return digits;
}

const shown = (value: unknown): string => {
  const whole = wholeNumber(value);
  if (whole !== undefined) return `integer \`${whole}\``;
  return `${Array.isArray(value) ? "sequence" : typeof value} ${JSON.stringify(value)?.slice(0, 60) ?? ""}`;
};
