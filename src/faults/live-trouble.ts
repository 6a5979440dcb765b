/** Troubles of live connections. */
import { truncated } from "../formats/printable.ts";
import type { RawFrame, RawSocket, SocketListener, SocketOutcome, UpgradeRequest, Wire } from "../wire/wire.ts";
import type { Loss, Trouble } from "./trouble.ts";

export interface Hearing extends Pick<SocketListener, "closed"> {
  /** `isRead`: false for what arrives on a connection that the check has paused or cut itself, and that it does not hear. */
  frame(frame: RawFrame, isRead: boolean): void;
}

/** Opens a connection on which it is known which frames the check reads. */
export async function listening(
  open: NonNullable<Wire["socket"]>,
  request: UpgradeRequest,
  { frame: heard, closed }: Hearing,
): Promise<SocketOutcome> {
  let isRead = true;
  const outcome = await open(request, { frame: (frame) => heard(frame, isRead), closed });
  if (outcome.kind !== "open") return outcome;
  const { socket } = outcome;
  const from = (reads: boolean, act: () => void) => (): void => {
    isRead = reads;
    act();
  };
  const watched: RawSocket = {
    ...socket,
    pause: from(false, socket.pause),
    resume: from(true, socket.resume),
    reset: from(false, socket.reset),
    cutMidFrame: from(false, socket.cutMidFrame),
  };
  return { ...outcome, socket: watched };
}

/** Answers the n-th attempt to open a live connection with 503; without it the check opens `usual` of them. */
export function refuseUpgrade(nth: number, usual: number): Trouble {
  return {
    name: `live connection ${nth} refused with 503`,
    wrap(wire, lost) {
      const { socket: open } = wire;
      if (open === undefined) return wire;
      let opened = 0;
      const loss: Loss = { what: `live connection ${nth}`, done: false, again: false };
      return {
        ...wire,
        async socket(request, listener) {
          opened += 1;
          // One more than usual: it was tried again.
          if (opened > usual) loss.again = true;
          if (opened !== nth) return await open(request, listener);
          lost(loss);
          const detail = "the upgrade was answered with 503 (a trouble)";
          return await Promise.resolve({ kind: "failed", because: "malformed", detail, status: 503 });
        },
      };
    },
  };
}

/** Ends the connection on which the n-th frame of the check arrives, in its place: it and what comes after it are lost. */
export function cutAtFrame(nth: number, usual: number): Trouble {
  return {
    name: `live connection cut at frame ${nth}`,
    wrap(wire, lost) {
      const { socket: open } = wire;
      if (open === undefined) return wire;
      let frames = 0;
      let opened = 0;
      let loss: Loss | undefined;
      return {
        ...wire,
        async socket(request, listener) {
          opened += 1;
          if (loss !== undefined && opened > usual) loss.again = true;
          let isCut = false;
          let end = (): void => undefined;
          const outcome = await listening(open, request, {
            frame(frame, isRead) {
              if (isCut) return;
              if (isRead) frames += 1;
              if (!isRead || frames !== nth) return listener.frame(frame);
              isCut = true;
              loss = {
                what: `frame ${"text" in frame ? truncated(frame.text, 200) : "of bytes"}`,
                done: false,
                again: false,
              };
              lost(loss);
              listener.closed({ code: 1006, reason: "", at: performance.now() });
              end();
            },
            closed(close) {
              if (!isCut) listener.closed(close);
            },
          });
          if (outcome.kind === "open") {
            end = () => outcome.socket.reset();
            if (isCut) end();
          }
          return outcome;
        },
      };
    },
  };
}
