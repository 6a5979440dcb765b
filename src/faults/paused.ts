/** Faults of a server that does not cope with a subscriber that stops reading. */
import { isRecord, parseExact } from "../wire/json.ts";
import type { Fault } from "../proof.ts";
import { textOf } from "../wire/frame.ts";
import type { RawFrame, Wire } from "../wire/wire.ts";

export interface PausedParts {
  /** Whether a change reaches the subscriber that has stopped reading; `n` counts its changes since then. Absent: all do. */
  readonly slow?: (n: number, text: string) => boolean;
  /** The same for the other connections, for what comes while it does not read. `held`: they get it when it reads on. */
  readonly others?: "held" | ((n: number, text: string) => boolean);
}

/** From the first pause of a connection on. */
export function pausedFault(name: string, { slow = () => true, others = () => true }: PausedParts): Fault {
  return {
    name,
    wrap(wire: Wire, fired) {
      const open = wire.socket;
      if (open === undefined) return wire;
      const paused = new Set<object>();
      const held: (() => void)[] = [];
      return {
        ...wire,
        async socket(request, listener) {
          const self = { since: undefined as number | undefined };
          let whileOther = 0;
          const frame = (one: RawFrame): void => {
            const text = changeIn(one);
            if (text === undefined) return listener.frame(one);
            if (self.since !== undefined) {
              self.since += 1;
              if (slow(self.since, text)) listener.frame(one);
              else fired();
              return;
            }
            if (paused.size === 0) return listener.frame(one);
            whileOther += 1;
            if (others === "held") {
              fired();
              held.push(() => listener.frame(one));
            } else if (others(whileOther, text)) listener.frame(one);
            else fired();
          };
          const outcome = await open(request, { ...listener, frame });
          if (outcome.kind === "failed") return outcome;
          const { socket } = outcome;
          const pause = (): void => {
            paused.add(self);
            self.since = 0;
            socket.pause();
          };
          const resume = (): void => {
            paused.delete(self);
            for (const pass of held.splice(0)) pass();
            socket.resume();
          };
          return { ...outcome, socket: { ...socket, pause, resume } };
        },
      };
    },
  };
}

/** The text of a frame with a change. */
function changeIn(frame: RawFrame): string | undefined {
  try {
    const text = textOf(frame) ?? "";
    const message = parseExact(text);
    return isRecord(message) && message["type"] === "change" ? text : undefined;
  } catch {
    return undefined;
  }
}
