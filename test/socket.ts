/** A live connection without a network: it records what the client does, and a test decides what arrives and when it ends. */
import type { RawFrame, RawSocket, SocketListener, Wire } from "../src/wire/wire.ts";

export interface FakeSocket {
  /** Serves as the `socket` of a wire and as the `open` of a live connection. What arrives reaches the last listener. */
  readonly open: NonNullable<Wire["socket"]>;
  /** What the client did, in order: `send` with the text, or with the number of bytes; `close` with its code; others by name. */
  readonly calls: string[];
  deliver(frame: string | RawFrame): void;
  end(code: number, reason: string): void;
}

export function fakeSocket(): FakeSocket {
  const calls: string[] = [];
  let listener: SocketListener | undefined;
  const record = (call: string) => (): void => void calls.push(call);
  const socket: RawSocket = {
    send: (data) => calls.push(typeof data === "string" ? `send ${data}` : `send ${data.byteLength} bytes`),
    write: (bytes) => calls.push(`write ${bytes.byteLength} bytes`),
    ping: record("ping"),
    close: (code) => calls.push(code === undefined ? "close" : `close ${code}`),
    reset: record("reset"),
    cutMidFrame: record("cutMidFrame"),
    pause: record("pause"),
    resume: record("resume"),
  };
  return {
    calls,
    async open(_, given) {
      listener = given;
      return await Promise.resolve({ kind: "open", socket, at: 0 });
    },
    deliver: (frame) => listener?.frame(typeof frame === "string" ? { text: frame, at: 0 } : frame),
    end: (code, reason) => listener?.closed({ code, reason, at: 0 }),
  };
}
