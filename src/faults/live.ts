/** Faults on a live connection: they stand between the server's frames and the one who reads them. */
import { isRecord, type Json, parseExact, writeExact } from "../wire/json.ts";
import type { Fault } from "../proof.ts";
import { textOf } from "../wire/frame.ts";
import type { RawClose, RawFrame, RawSocket, SocketListener, Wire } from "../wire/wire.ts";

type Message = { readonly [key: string]: Json };

/** What a fault may do with a frame that came: pass on this one, or others, now or later. */
export interface Meddling {
  /** Passes a frame on to the reader, as it is or changed. */
  pass(message: Message): void;
  fired(): void;
  close(code: number, reason: string): void;
}

/** Looks at each frame of each connection. `begin` is called for every connection, so that it can keep a state of its own. */
export function frameFault(name: string, begin: () => (message: Message, meddling: Meddling) => void): Fault {
  return {
    name,
    wrap: (wire, fired) =>
      wrapSocket(wire, (listener) => {
        const meddle = begin();
        return {
          ...listener,
          frame(frame) {
            const message = messageOf(frame);
            if (message === undefined) return listener.frame(frame);
            meddle(message, {
              fired,
              // A frame that is passed on as it came stays byte for byte what it was.
              pass: (other) => listener.frame(other === message ? frame : { text: writeExact(other), at: frame.at }),
              close: (code, reason) => listener.closed({ code, reason, at: performance.now() }),
            });
          },
        };
      }),
  };
}

/** Changes every n-th change frame that is chosen; returns what takes its place. */
export function changeFault(
  name: string,
  every: number,
  replace: (change: Message) => readonly Message[],
  chosen: (change: Message) => boolean = () => true,
): Fault {
  let count = 0;
  return frameFault(name, () => (message, { pass, fired }) => {
    if (message["type"] !== "change" || !chosen(message)) return pass(message);
    count += 1;
    if (count % every !== 0) return pass(message);
    const others = replace(message);
    fired();
    for (const other of others) pass(other);
  });
}

/** The first row that a frame tells, as it is or, of one that is gone, as it was. */
export function rowIn(message: Message): Message {
  for (const list of [message["rows"], message["old_values"]]) {
    const first: Json | undefined = Array.isArray(list) ? (list as readonly Json[])[0] : undefined;
    if (isRecord(first)) return first;
  }
  return {};
}

/** Swaps a pair of change frames: the first that is chosen waits until one comes that fits it; others go past. */
export function swapFault(
  name: string,
  chosen: (change: Message) => boolean,
  fits: (first: Message, second: Message) => boolean,
): Fault {
  return frameFault(name, () => {
    let first: Message | undefined;
    let done = false;
    return (message, { pass, fired }) => {
      if (done || message["type"] !== "change") return pass(message);
      if (first === undefined) {
        if (chosen(message)) first = message;
        else pass(message);
        return;
      }
      pass(message);
      if (!fits(first, message)) return;
      done = true;
      fired();
      pass(first);
    };
  });
}

/** Swallows the end of a connection, as a proxy does that keeps its own side open. */
export function closeFault(name: string, swallowed: (close: RawClose) => boolean): Fault {
  return {
    name,
    wrap: (wire, fired) =>
      wrapSocket(wire, (listener) => ({
        ...listener,
        closed(close) {
          if (swallowed(close)) fired();
          else listener.closed(close);
        },
      })),
  };
}

/** Changes how the end of a connection looks; undefined leaves it as it is. */
export function endFault(name: string, change: (close: RawClose) => RawClose | undefined): Fault {
  return {
    name,
    wrap: (wire, fired) =>
      wrapSocket(wire, (listener) => ({
        ...listener,
        closed(close) {
          const other = change(close);
          if (other !== undefined) fired();
          listener.closed(other ?? close);
        },
      })),
  };
}

/** Swallows the pings of the client, as a proxy does that does not know them. */
export function pingFault(name: string): Fault {
  return {
    name,
    wrap: (wire, fired) => ({ ...wire, ...onSockets(wire, (socket) => ({ ...socket, ping: fired })) }),
  };
}

/** Looks at each message that leaves; returns what takes its place, or undefined to let it pass. */
export function messageFault(name: string, meddle: (message: Message) => readonly Message[] | undefined): Fault {
  return {
    name,
    wrap: (wire, fired) => ({
      ...wire,
      ...onSockets(wire, (socket) => ({
        ...socket,
        send(data) {
          const message = typeof data === "string" ? messageOf({ text: data, at: 0 }) : undefined;
          const others = message === undefined ? undefined : meddle(message);
          if (others === undefined) return socket.send(data);
          fired();
          for (const other of others) socket.send(writeExact(other));
        },
      })),
    }),
  };
}

/** Logs every live connection in as whoever last sent a statement that `donor` matches. */
export function listenAs(name: string, donor: RegExp): Fault {
  return {
    name,
    wrap(wire, fired) {
      let borrowed: string | undefined;
      const swap = messageFault(name, (message) =>
        message["type"] !== "authenticate" || borrowed === undefined || message["token"] === borrowed
          ? undefined
          : [{ ...message, token: borrowed }],
      );
      return {
        ...swap.wrap(wire, fired),
        async exchange(request) {
          const bearer = request.headers["authorization"]?.replace(/^Bearer /, "");
          if (typeof request.body === "string" && donor.test(request.body)) borrowed = bearer ?? borrowed;
          return await wire.exchange(request);
        },
      };
    },
  };
}

/** The wire's own way to open a socket, with something around what was opened. */
function onSockets({ socket: open }: Wire, around: (socket: RawSocket) => RawSocket): Pick<Wire, "socket"> {
  if (open === undefined) return {};
  return {
    async socket(request, listener) {
      const outcome = await open(request, listener);
      return outcome.kind === "open" ? { ...outcome, socket: around(outcome.socket) } : outcome;
    },
  };
}

function wrapSocket(wire: Wire, around: (listener: SocketListener) => SocketListener): Wire {
  const { socket } = wire;
  return socket === undefined
    ? wire
    : { ...wire, socket: async (request, listener) => await socket(request, around(listener)) };
}

function messageOf(frame: RawFrame): Message | undefined {
  try {
    const message = parseExact(textOf(frame) ?? "");
    return isRecord(message) ? message : undefined;
  } catch {
    return undefined;
  }
}
