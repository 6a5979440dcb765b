/** Faults on a live connection: they stand between the server and the reader of its frames. */
import { isRecord, type Json, parseExact, writeExact } from "../wire/json.ts";
import type { Fault } from "../proof.ts";
import { textOf } from "../wire/frame.ts";
import type { RawClose, RawFrame, RawSocket, SocketListener, Wire } from "../wire/wire.ts";

type Message = { readonly [key: string]: Json };

/** What a fault may do with a frame: pass it or others on, now or later, or end the connection. */
export interface Meddling {
  /** Passes a frame on to the reader, changed or not. */
  pass(message: Message): void;
  fired(): void;
  close(code: number, reason: string): void;
}

/** Intercepts the frames of each connection. `begin` is called once per connection, which can so have its own state. */
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
              // An unchanged frame is passed on byte for byte.
              pass: (other) => listener.frame(other === message ? frame : { text: writeExact(other), at: frame.at }),
              close: (code, reason) => listener.closed({ code, reason, at: performance.now() }),
            });
          },
        };
      }),
  };
}

/** Replaces every n-th chosen change frame with what `replace` returns. */
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

/** The first row in a frame: its new values or, for a deleted row, its old ones. */
export function rowIn(message: Message): Message {
  for (const list of [message["rows"], message["old_values"]]) {
    const first: Json | undefined = Array.isArray(list) ? (list as readonly Json[])[0] : undefined;
    if (isRecord(first)) return first;
  }
  return {};
}

/**
 * From this age of a connection on, its frames go to `meddle`, counted from its first acknowledgement; without `meddle` the
 * connection is cut at that age, like by a proxy with a limit.
 */
export function ageFault(
  name: string,
  fromMs: number,
  meddle?: (frame: Meddling & { readonly message: Message }) => void,
): Fault {
  return frameFault(name, () => {
    let since: number | undefined;
    return (message, meddling) => {
      if (message["type"] === "subscription_ack" && since === undefined) {
        since = performance.now();
        if (meddle === undefined)
          setTimeout(() => {
            meddling.fired();
            meddling.close(1006, "");
          }, fromMs);
      }
      const isOld = since !== undefined && performance.now() - since >= fromMs;
      if (isOld && meddle !== undefined) meddle({ ...meddling, message });
      else meddling.pass(message);
    };
  });
}

/** Swaps one pair of change frames: the first chosen one waits until one that fits it has passed. */
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

/** Hides the end of a connection, like a proxy that keeps its own side open. */
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

/** Changes how the end of a connection looks; undefined leaves it unchanged. */
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

/** Drops the client's pings, like a proxy that does not forward them. */
export function pingFault(name: string): Fault {
  return {
    name,
    wrap: (wire, fired) => ({ ...wire, ...onSockets(wire, (socket) => ({ ...socket, ping: fired })) }),
  };
}

/** Intercepts outgoing messages; `meddle` returns the replacement, or undefined to let the message pass. */
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

/**
 * Intercepts both directions of each connection. `begin` is called once per connection; `sent` gets what the client sends, `got`
 * what it is sent; each returns the replacement, or undefined to let the message pass.
 */
export function connectionFault(
  name: string,
  begin: () => {
    readonly sent?: (message: Message) => readonly Message[] | undefined;
    readonly got?: (message: Message) => readonly Message[] | undefined;
  },
): Fault {
  return {
    name,
    wrap(wire, fired) {
      const { socket: open } = wire;
      if (open === undefined) return wire;
      return {
        ...wire,
        async socket(request, listener) {
          const { sent = () => undefined, got = () => undefined } = begin();
          const outgoing = messageFault(name, sent).wrap(wire, fired);
          const both = frameFault(name, () => (message, meddling) => {
            const others = got(message);
            if (others === undefined) return meddling.pass(message);
            meddling.fired();
            for (const other of others) meddling.pass(other);
          }).wrap(outgoing, fired);
          return await (both.socket ?? open)(request, listener);
        },
      };
    },
  };
}

/** Logs every live connection in as the account that last sent a statement matching `donor`. */
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

/** Opens sockets as the wire does, and wraps each one. */
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
