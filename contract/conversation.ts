import { once } from "node:events";
import { gunzipSync } from "node:zlib";
import { WebSocket } from "ws";
import { rebuild, type Entry, type Frame } from "./recording.ts";

/** Keeps the connection alive, except where a heartbeat timeout was recorded. */
const pingEveryMs = 300;

/** How long a frame may take before a fence shows whether it is still to come. */
const frameMs = 500;
const waitMsMax = 15_000;

/** Replaces the end of a message that was truncated in the recording. */
const longFiller = "x".repeat(1_200_000);

interface Message {
  readonly type?: string;
  readonly code?: string;
  readonly subscription_id?: string;
  readonly user?: string;
  readonly rows?: readonly { readonly id?: string; readonly _seq?: string }[];
  readonly batch_control?: { readonly batch_num: number };
}

const read = (frame: unknown): Message => Object(frame) as Message;

/** The subscription that a frame belongs to; empty for frames of the connection. */
export const threadOf = (frame: unknown): string => read(frame).subscription_id ?? "";

/** Maps row versions of the recording to those of this run, by the keys of the rows. */
export class Versions {
  readonly #recorded = new Map<string, string>();
  readonly #now = new Map<string, string>();

  learn(recorded: unknown, now: unknown): void {
    for (const [known, frame, turn] of [
      [this.#recorded, recorded, true],
      [this.#now, now, false],
    ] as const) {
      for (const { id, _seq: seq } of (Object(frame) as { rows?: readonly { id?: string; _seq?: string }[] }).rows ??
        [])
        if (id !== undefined && seq !== undefined) known.set(turn ? seq : id, turn ? id : seq);
    }
  }

  translate(text: string): string {
    return text.replace(/\d{17,}/g, (seq) => this.#now.get(this.#recorded.get(seq) ?? "") ?? seq);
  }
}

/** The frames as originally sent: the recording omits repeated and binary ones, and truncates long ones. */
export function restored({ name = "", frames = [] }: Entry): Frame[] {
  const whole: Frame[] = [];
  let turn: Frame | undefined;
  const burst = Number(/^(\d+) messages in a burst/.exec(name)?.[1] ?? 0);
  for (const frame of frames) {
    const batch = read(frame.in).batch_control?.batch_num ?? 0;
    if (
      read(frame.in).type === "initial_data_batch" &&
      batch > 0 &&
      whole.at(-1)?.out === undefined &&
      turn !== undefined
    )
      whole.push({ ...turn, at: frame.at });
    if (read(frame.in).code === "UNSUPPORTED_DATA") whole.push({ at: frame.at, out: new Uint8Array(6) });
    while (
      read(frame.in).code === "RATE_LIMIT_EXCEEDED" &&
      whole.filter(({ out }) => out !== undefined).length <= burst
    )
      whole.push({ ...whole.at(-1), at: frame.at });
    if (typeof frame.out === "string" && /"next_batch"/.test(frame.out)) turn = frame;
    else if (read(frame.out).type === "next_batch") turn = frame;
    whole.push(frame);
  }
  // The answer to the last page request was not recorded.
  const [asked, end] = whole.slice(-2);
  return asked !== undefined && asked === turn && end?.reason === "" ? whole.filter((frame) => frame !== asked) : whole;
}

/** The replay of one recorded conversation. */
export class Conversation {
  readonly entry: Entry;
  readonly came: Frame[] = [];
  readonly #url: string;
  readonly #tokenOf: (user: string) => string;
  readonly #versions: Versions;
  readonly #fences = new Set<string>();
  readonly #began = performance.now();
  #socket: WebSocket | undefined;
  #closed: Promise<void> = Promise.resolve();
  #changed: () => void = () => undefined;
  #pings: NodeJS.Timeout | undefined;

  constructor(entry: Entry, url: string, tokenOf: (user: string) => string, versions: Versions) {
    this.entry = entry;
    this.#url = url;
    this.#tokenOf = tokenOf;
    this.#versions = versions;
  }

  async open(): Promise<void> {
    const { headers = [], path = "", frames = [], name = "" } = this.entry;
    const isWrong = name.startsWith("bad");
    const socket = new WebSocket(this.#url.replace("http", "ws") + path, {
      perMessageDeflate: false,
      headers: {
        ...(headers.includes("authorization")
          ? { authorization: `Bearer ${isWrong ? "garbage" : this.#token()}` }
          : {}),
        ...(headers.includes("origin") ? { origin: "https://elsewhere.example" } : {}),
      },
    });
    this.#socket = socket;
    this.#closed = new Promise<void>((resolve) => {
      socket.once("close", (close, reason) => {
        this.#note({ close, reason: reason.toString() });
        resolve();
      });
    });
    socket.on("error", () => undefined);
    socket.on("message", (data: Buffer, isBinary: boolean) => this.#hear(data, isBinary));
    if (frames.at(-1)?.reason !== "Heartbeat timeout")
      this.#pings = setInterval(() => socket.readyState === socket.OPEN && socket.ping(), pingEveryMs);
    await Promise.race([once(socket, "open"), this.#closed]);
  }

  /** Sends the frame, waits for it, or ends the conversation. */
  async step(frame: Frame): Promise<void> {
    const { out, close, reason } = frame;
    if (frame.in !== undefined) await this.#wait(frame);
    else if (close !== undefined) await this.#end(close === 1000 && reason === "");
    else if (out instanceof Uint8Array) this.#socket?.send(out);
    else {
      const text = typeof out === "string" ? rebuild(out).replace(/x{100}$/, longFiller) : JSON.stringify(out);
      this.#note({ out });
      this.#send(this.#versions.translate(text).replace('"<jwt>"', JSON.stringify(this.#token())));
      // It has no answer, and must be handled before the next message.
      if (read(out).type === "unsubscribe" && this.entry.alike === undefined) await this.#fence();
    }
  }

  #send(text: string): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  #token(): string {
    const known = (this.entry.frames ?? []).map((frame) => read(frame.in).user);
    return this.#tokenOf(known.find((user) => user !== undefined) ?? "alice");
  }

  #hear(data: Buffer, isBinary: boolean): void {
    const text = isBinary ? gunzipSync(data).toString() : data.toString();
    const frame = JSON.parse(text.replace(/"last_seq_id":(\d+)/g, '"last_seq_id":{"exact":"$1"}')) as unknown;
    if (this.#fences.delete(threadOf(frame))) this.#changed();
    else this.#note({ in: frame, ...(isBinary ? { gzip: true } : {}) });
  }

  #note(frame: Omit<Frame, "at">): void {
    this.came.push({ at: Math.round(performance.now() - this.#began), ...frame });
    this.#changed();
  }

  /** Waits until as many frames of the subscription arrived as were recorded up to this one, or no more are coming. */
  async #wait(frame: Frame): Promise<void> {
    const thread = threadOf(frame.in);
    const of = (frames: readonly Frame[]): Frame[] =>
      frames.filter((one) => one.in !== undefined && threadOf(one.in) === thread);
    const recorded = this.entry.frames ?? [];
    const count = of(recorded.slice(0, recorded.indexOf(frame) + 1)).length;
    const isThere = (): boolean => of(this.came).length >= count;
    if (!(await this.#until(isThere, frameMs))) await this.#fence();
    this.#versions.learn(frame.in, of(this.came)[count - 1]?.in);
  }

  /** Messages are answered in order: once this one is answered, all earlier ones are. */
  async #fence(): Promise<void> {
    const isIn = this.came.some((one) => read(one.in).type === "auth_success");
    if (!isIn || this.entry.alike !== undefined) return;
    const name = `fence ${this.came.length} ${this.#fences.size}`;
    this.#fences.add(name);
    this.#send(JSON.stringify({ type: "next_batch", subscription_id: name }));
    await this.#until(() => !this.#fences.has(name), waitMsMax);
  }

  async #until(isSo: () => boolean, withinMs: number): Promise<boolean> {
    // A timer may fire a little early by the clock, so the timer itself says that the time is up.
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
      this.#changed();
    }, withinMs);
    while (!isSo() && !this.#isClosed() && !isOver) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
    clearTimeout(timer);
    return isSo();
  }

  #isClosed(): boolean {
    return this.#socket?.readyState === WebSocket.CLOSED;
  }

  async #end(byUs: boolean): Promise<void> {
    if (byUs) {
      await this.#fence();
      this.#socket?.close(1000);
    }
    await this.#until(() => this.#isClosed(), waitMsMax);
    clearInterval(this.#pings);
    this.#socket?.terminate();
    await this.#closed;
  }
}
