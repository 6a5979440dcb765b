/**
 * What no client means to send on a live connection: messages that are none, and frames that are against RFC 6455, of
 * the kinds of the Autobahn test suite that need no echo. None of them names anything on the server but our own table.
 */
export interface BadMessage {
  readonly name: string;
  /** One after the other: a message as text, a message in a binary frame, or bytes in no frame of ours. */
  readonly parts: readonly Part[];
  /** Sent before the login, in its place. */
  readonly before?: true;
  /** Against the WebSocket protocol itself: whoever gets it may just drop the connection. */
  readonly mayDrop?: true;
  /** If it is taken for what it looks like, it does nothing: to let it pass is lenient, and hurts nobody. */
  readonly harmless?: true;
  /** It asks for the end of the connection, so that any end is right. */
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

/** A frame with a mask of zeros, so that its content can be read on the way. */
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

/** One line a case; add to it freely. `{t}` stands for a table that everybody may read. */
export const badMessages: readonly BadMessage[] = [
  text("empty message", ""),
  text("no JSON", "subscribe me"),
  text("JSON cut short", '{"type":'),
  text("two messages in one", `${subscribe(`{${proper}}`)}${subscribe(`{${proper}}`)}`),
  text("a list", "[]"),
  text("null", "null"),
  text("nested without end", "[".repeat(20_000)),
  text("no type", "{}"),
  text("unknown type", '{"type":"shout"}'),
  text("a number for a type", '{"type":7}'),
  text("subscribe to nothing", '{"type":"subscribe"}'),
  text("a text for a subscription", subscribe('"SELECT * FROM {t}"')),
  text("subscription without id", subscribe('{"sql":"SELECT * FROM {t}","options":{}}')),
  text("a number for an id", subscribe('{"id":7,"sql":"SELECT * FROM {t}","options":{}}')),
  text("subscription without SQL", subscribe('{"id":"bad","options":{}}')),
  text("a list for SQL", subscribe('{"id":"bad","sql":["SELECT * FROM {t}"],"options":{}}')),
  text("a text for options", withOptions('"all"')),
  text("fewer than no rows", withOptions('{"last_rows":-1}')),
  text("a text for a page's size", withOptions('{"batch_size":"ten"}')),
  text("a version beyond 64 bits", withOptions('{"from":18446744073709551616}')),
  text("next page of nothing", '{"type":"next_batch"}'),
  text("next page of an unknown one", '{"type":"next_batch","subscription_id":"never"}'),
  text("unsubscribe from nothing", '{"type":"unsubscribe"}'),
  text("login without a token", enter(`"method":"jwt",${protocol}`)),
  // Who the connection belongs to stays as it is; but a client that renews its token this way believes it is renewed.
  { ...text("a second login with garbage", enter(`"method":"jwt","token":"garbage",${protocol}`)), harmless: true },
  { name: "a binary message", parts: [{ binary: Uint8Array.from([0, 255, 254, 1]) }] },
  early("no JSON before the login", "let me in"),
  early("unknown way to log in", enter(`"method":"magic","token":"garbage",${protocol}`)),
  early("login in an unknown format", enter('"method":"jwt","token":"garbage","protocol":{"serialization":"xml"}')),
  { name: "a binary message before the login", parts: [{ binary: Uint8Array.from([1, 2, 3]) }], before: true },
  raw("text that is no UTF-8", frame({ opcode: 1 }, [0x22, 0xc3, 0x28, 0xff, 0x22])),
  raw("a reserved bit", frame({ opcode: 1, rsv: 2 }, bytesOf('{"type":"ping"}'))),
  raw("an unknown kind of frame", frame({ opcode: 3 })),
  raw("an unknown kind of control frame", frame({ opcode: 11 })),
  raw("a frame without a mask", frame({ opcode: 1, masked: false }, bytesOf('{"type":"ping"}'))),
  raw("a ping in parts", frame({ opcode: 9, fin: false }, bytesOf("x"))),
  raw(
    "a ping of 126 bytes",
    frame(
      { opcode: 9 },
      Array.from({ length: 126 }, () => 0x78),
    ),
  ),
  raw("an end without a beginning", frame({ opcode: 0 }, bytesOf('"}'))),
  raw(
    "a message inside a message",
    frame({ opcode: 1, fin: false }, bytesOf('{"type":')),
    frame({ opcode: 1 }, bytesOf('{"type":"ping"}')),
  ),
  closing("a goodbye of one byte", [0x03]),
  closing("a goodbye with a code that is none", [0x03, 0xe7]),
  closing("a goodbye that is no UTF-8", [0x03, 0xe8, 0xc3, 0x28]),
];
