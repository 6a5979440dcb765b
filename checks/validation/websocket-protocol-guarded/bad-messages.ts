/**
 * Invalid messages for a live connection, and frames that violate RFC 6455 (the kinds of the Autobahn test suite that
 * need no echo). They name nothing on the server but the run's own table.
 */
export interface BadMessage {
  readonly name: string;
  /** Sent in order: a text message, a binary message, or raw bytes. */
  readonly parts: readonly Part[];
  /** Sent in place of the login. */
  readonly before?: true;
  /** Violates the WebSocket protocol itself: the server may drop the connection. */
  readonly mayDrop?: true;
  /** Has no effect even if it is accepted: to let it pass is lenient, and hurts no one. */
  readonly harmless?: true;
  /** Asks to close the connection, so that any close is correct. */
  readonly mayEnd?: true;
}

export type Part = { readonly text: string } | { readonly binary: Uint8Array } | { readonly raw: Uint8Array };

interface Head {
  readonly fin?: boolean;
  readonly rsv?: number;
  readonly opcode: number;
  readonly masked?: boolean;
}

const bytesOf = (text: string): number[] => [...new TextEncoder().encode(text)];

/** A frame with a mask of zeros, so that its content is readable in a capture. */
function frame({ fin = true, rsv = 0, opcode, masked = true }: Head, payload: readonly number[] = []): Uint8Array {
  const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 255];
  const [short = 0, ...rest] = length;
  const mask = masked ? [0, 0, 0, 0] : [];
  return Uint8Array.from([
    (fin ? 0x80 : 0) | (rsv << 4) | opcode,
    (masked ? 0x80 : 0) | short,
    ...rest,
    ...mask,
    ...payload,
  ]);
}

const text = (name: string, message: string): BadMessage => ({ name, parts: [{ text: message }] });
const early = (name: string, message: string): BadMessage => ({ ...text(name, message), before: true });
const raw = (name: string, ...frames: readonly Uint8Array[]): BadMessage => ({
  name,
  parts: frames.map((one) => ({ raw: one })),
  mayDrop: true,
  harmless: true,
});
const closing = (name: string, payload: readonly number[]): BadMessage => ({
  ...raw(name, frame({ opcode: 8 }, payload)),
  mayEnd: true,
});

const subscribe = (subscription: string): string => `{"type":"subscribe","subscription":${subscription}}`;
const proper = '"id":"bad","sql":"SELECT * FROM {t}"';
const withOptions = (options: string): string => subscribe(`{${proper},"options":${options}}`);
const enter = (fields: string): string => `{"type":"authenticate",${fields}}`;
const protocol = '"protocol":{"serialization":"json","compression":"none"}';

/** One case per line. `{t}` is a table that all accounts may read. */
export const badMessages: readonly BadMessage[] = [
  text("empty message", ""),
  text("invalid JSON", "subscribe me"),
  text("truncated JSON", '{"type":'),
  text("two messages in one", `${subscribe(`{${proper}}`)}${subscribe(`{${proper}}`)}`),
  text("a list", "[]"),
  text("null", "null"),
  text("20,000 unclosed lists", "[".repeat(20_000)),
  text("no type", "{}"),
  text("unknown type", '{"type":"shout"}'),
  text("a number as type", '{"type":7}'),
  text("subscribe without a subscription", '{"type":"subscribe"}'),
  text("a string as subscription", subscribe('"SELECT * FROM {t}"')),
  text("subscription without id", subscribe('{"sql":"SELECT * FROM {t}","options":{}}')),
  text("a number as id", subscribe('{"id":7,"sql":"SELECT * FROM {t}","options":{}}')),
  text("subscription without SQL", subscribe('{"id":"bad","options":{}}')),
  text("a list as SQL", subscribe('{"id":"bad","sql":["SELECT * FROM {t}"],"options":{}}')),
  text("a string as options", withOptions('"all"')),
  text("negative last_rows", withOptions('{"last_rows":-1}')),
  text("a string as batch_size", withOptions('{"batch_size":"ten"}')),
  text("a version above 64 bits", withOptions('{"from":18446744073709551616}')),
  text("next_batch without an id", '{"type":"next_batch"}'),
  text("next_batch of an unknown id", '{"type":"next_batch","subscription_id":"never"}'),
  text("unsubscribe without an id", '{"type":"unsubscribe"}'),
  text("login without a token", enter(`"method":"jwt",${protocol}`)),
  // The connection keeps its account, but a client that renews its token this way believes that it is renewed.
  { ...text("a second login, invalid token", enter(`"method":"jwt","token":"garbage",${protocol}`)), harmless: true },
  { name: "a binary message", parts: [{ binary: Uint8Array.from([0, 255, 254, 1]) }] },
  early("invalid JSON before the login", "let me in"),
  early("unknown login method", enter(`"method":"magic","token":"garbage",${protocol}`)),
  early("unknown login serialization", enter('"method":"jwt","token":"garbage","protocol":{"serialization":"xml"}')),
  { name: "a binary message before the login", parts: [{ binary: Uint8Array.from([1, 2, 3]) }], before: true },
  raw("invalid UTF-8", frame({ opcode: 1 }, [0x22, 0xc3, 0x28, 0xff, 0x22])),
  raw("a reserved bit", frame({ opcode: 1, rsv: 2 }, bytesOf('{"type":"ping"}'))),
  raw("an unknown data opcode", frame({ opcode: 3 })),
  raw("an unknown control opcode", frame({ opcode: 11 })),
  raw("an unmasked frame", frame({ opcode: 1, masked: false }, bytesOf('{"type":"ping"}'))),
  raw("a fragmented ping", frame({ opcode: 9, fin: false }, bytesOf("x"))),
  raw(
    "a ping of 126 bytes",
    frame(
      { opcode: 9 },
      Array.from({ length: 126 }, () => 0x78),
    ),
  ),
  raw("a continuation without a start", frame({ opcode: 0 }, bytesOf('"}'))),
  raw(
    "a message inside another one",
    frame({ opcode: 1, fin: false }, bytesOf('{"type":')),
    frame({ opcode: 1 }, bytesOf('{"type":"ping"}')),
  ),
  closing("a close frame of one byte", [0x03]),
  closing("a close frame with a bad code", [0x03, 0xe7]),
  closing("a close frame, invalid UTF-8", [0x03, 0xe8, 0xc3, 0x28]),
];
