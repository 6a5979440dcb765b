/** Records what passes over a wire, so that the two sides of a fault can be compared. */
import type { Control, Lifecycle, Others, OwnControl } from "./control.ts";
import type { RawAnswer, RawFrame, RawRequest, Wire } from "./wire.ts";

export interface Watched {
  readonly wire: Wire;
  /** Everything that passed, as text. Exchanges are concurrent, so they are sorted; the order on a socket is kept. */
  text(): string;
}

export function watch(wire: Wire): Watched {
  const notes: string[] = [];
  const sockets: string[][] = [];
  const { control, kalam, postgres, socket } = wire;
  return {
    text: () => [...notes, ...sockets.map((lines) => lines.join("\n"))].toSorted().join("\n"),
    wire: {
      async exchange(request) {
        const answer = await wire.exchange(request);
        notes.push(`${requestText(request)} -> ${answerText(answer)}`);
        return answer;
      },
      ...(socket === undefined
        ? {}
        : {
            async socket(request, listener) {
              const lines = [`${request.path} ${JSON.stringify(request.headers)}`];
              sockets.push(lines);
              const outcome = await socket(request, {
                frame(frame) {
                  lines.push(`< ${frameText(frame)}`);
                  listener.frame(frame);
                },
                closed(close) {
                  lines.push(`closed ${close.code} ${close.reason}`);
                  listener.closed(close);
                },
              });
              if (outcome.kind === "failed") {
                lines.push(`${outcome.because} ${outcome.status ?? ""}`);
                return outcome;
              }
              const { send, write, ping } = outcome.socket;
              const sending = (data: string | Uint8Array): void => {
                lines.push(`> ${typeof data === "string" ? data : Buffer.from(data).toString("base64")}`);
                send(data);
              };
              const writing = (bytes: Uint8Array): void => {
                lines.push(`> no frame ${Buffer.from(bytes).toString("base64")}`);
                write(bytes);
              };
              const pinging = (): void => {
                lines.push("> ping");
                ping();
              };
              return { ...outcome, socket: { ...outcome.socket, send: sending, write: writing, ping: pinging } };
            },
          }),
      ...(control === undefined
        ? {}
        : {
            control: watchControl(control, (note) => notes.push(note)),
          }),
      ...(postgres === undefined
        ? {}
        : {
            postgres: {
              ownAddresses: postgres.ownAddresses,
              async call(asked) {
                const outcome = await postgres.call(asked);
                const { at, login, queries } = asked;
                notes.push(`postgres ${JSON.stringify({ at, login, queries })} -> ${JSON.stringify(outcome)}`);
                return outcome;
              },
            },
          }),
      ...(kalam === undefined
        ? {}
        : {
            async kalam(asked) {
              const outcome = await kalam(asked);
              const { tookMs: _, endedAfterMs: __, ...rest } = outcome;
              const { args, at, files, input } = asked;
              notes.push(`${JSON.stringify({ args, at, files, input })} -> ${JSON.stringify(rest)}`);
              return outcome;
            },
          }),
    },
  };
}

function watchControl(control: Control, note: (text: string) => void): Control {
  const { own, lifecycle } = control;
  return {
    ...control,
    ...(own === undefined ? {} : { own: watchOwn(own, note) }),
    ...(lifecycle === undefined ? {} : { lifecycle: watchLifecycle(lifecycle, note) }),
  };
}

function watchOwn(own: OwnControl, note: (text: string) => void): OwnControl {
  return {
    ...own,
    residentBytes() {
      const bytes = own.residentBytes();
      note(`resident ${bytes}`);
      return bytes;
    },
    async trial(settings, withinMs) {
      const outcome = await own.trial(settings, withinMs);
      const { tookMs: _, ...rest } = outcome;
      note(`${JSON.stringify(settings)} -> ${JSON.stringify(rest)}`);
      return outcome;
    },
    ...(own.others === undefined ? {} : { others: watchOthers(own.others, note) }),
  };
}

function watchOthers(others: Others, note: (text: string) => void): Others {
  return {
    ...others,
    async start(wanted) {
      const other = await others.start(wanted);
      const { environment = {}, older = false } = wanted;
      note(`another ${JSON.stringify({ environment, older })} -> ${other.kind}`);
      if (other.kind === "notReady") return other;
      return {
        ...other,
        async exchange(request) {
          const answer = await other.exchange(request);
          note(`another: ${requestText(request)} -> ${answerText(answer)}`);
          return answer;
        },
        async stop() {
          const code = await other.stop();
          note(`another ended with ${code}`);
          return code;
        },
        async kill() {
          await other.kill();
          note("another was killed");
        },
      };
    },
  };
}

function watchLifecycle(lifecycle: Lifecycle, note: (text: string) => void): Lifecycle {
  return {
    ...lifecycle,
    async kill() {
      await lifecycle.kill();
      note("kill");
    },
    async stop(options) {
      const outcome = await lifecycle.stop(options);
      note(`stop ${options.signal ?? ""} -> ${outcome.stopped} ${outcome.exitCode}`);
      return outcome;
    },
    async start(withinMs, changes) {
      const outcome = await lifecycle.start(withinMs, changes);
      const took = outcome.kind === "ready" ? ` after ${outcome.readyMs} ms` : "";
      note(`start ${JSON.stringify(changes ?? {})} -> ${outcome.kind}${took}`);
      return outcome;
    },
    async processId() {
      const id = await lifecycle.processId();
      note(`it is ${id}`);
      return id;
    },
  };
}

function requestText({ method, path, headers, body }: RawRequest): string {
  return `${method} ${path} ${JSON.stringify(headers)} ${typeof body === "string" ? body : body === undefined ? "" : Buffer.from(body).toString("base64")}`;
}

function answerText(answer: RawAnswer): string {
  if (answer.kind === "broken") return `${answer.because} ${answer.status ?? ""}`;
  return `${answer.status} ${JSON.stringify(answer.headers)} ${Buffer.from(answer.body).toString("base64")}`;
}

function frameText(frame: RawFrame): string {
  return "text" in frame ? frame.text : Buffer.from(frame.bytes).toString("base64");
}
