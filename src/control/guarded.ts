/** Keeps account of what was done to a server, so that it is running again when the run ends, however it ends. */
import { ControlError, type Lifecycle } from "../wire/control.ts";

const reviveWithinMs = 60_000;

/** `stuck`: it was asked to end and did not. `odd`: it was started otherwise than it was before. */
type State = "running" | "down" | "stuck" | "odd" | "paused";

/** `onStart` is called after each start. One call at a time: what an abandoned check still does is done before the server is revived. */
export function guarded(lifecycle: Omit<Lifecycle, "revive" | "isLeft">, onStart: () => void = () => {}): Lifecycle {
  let state: State = "running";
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = async <T>(act: () => Promise<T>): Promise<T> => {
    const turn = last.then(act);
    last = turn.catch(() => undefined);
    return await turn;
  };
  const { pausing } = lifecycle;
  const kill = async (): Promise<void> => {
    // Before it is known to be gone: the command may fail after it has worked.
    state = "down";
    await lifecycle.kill();
  };
  const start: Lifecycle["start"] = async (withinMs, changes) => {
    const started = await lifecycle.start(withinMs, changes);
    state = started.kind === "notReady" ? "stuck" : changes === undefined ? "running" : "odd";
    onStart();
    return started;
  };
  const resume = async (): Promise<void> => {
    await pausing?.resume();
    state = "running";
  };
  return {
    ...lifecycle,
    kill: async () => await inTurn(kill),
    stop: async (options) =>
      await inTurn(async () => {
        const before = state;
        state = "stuck";
        try {
          const stopped = await lifecycle.stop(options);
          if (stopped.stopped) state = "down";
          return stopped;
        } catch (error) {
          if (error instanceof ControlError && error.untried) state = before;
          throw error;
        }
      }),
    start: async (withinMs, changes) => await inTurn(async () => await start(withinMs, changes)),
    ...(pausing === undefined
      ? {}
      : {
          pausing: {
            pause: async () =>
              await inTurn(async () => {
                state = "paused";
                await pausing.pause();
              }),
            resume: async () => await inTurn(resume),
          },
        }),
    isLeft: () => state !== "running",
    revive: async () =>
      await inTurn(async () => {
        if (state === "running") return undefined;
        try {
          if (state === "paused") {
            await resume();
            return undefined;
          }
          // What fails here must not keep it from being started.
          const notKilled = state === "down" ? undefined : await whyFailed(kill);
          const started = await start(reviveWithinMs);
          if (started.kind === "ready") return undefined;
          return [notKilled, started.why, started.lastWords]
            .filter((why) => why !== undefined && why !== "")
            .join(": ");
        } catch (error) {
          if (error instanceof ControlError) return error.message;
          throw error;
        }
      }),
  };
}

async function whyFailed(act: () => Promise<void>): Promise<string | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    if (error instanceof ControlError) return error.message;
    throw error;
  }
}
