import { once } from "node:events";
import { gunzipSync } from "node:zlib";
import { WebSocket } from "ws";

export type Row = Readonly<Record<string, unknown>>;

/** One received frame; versions are text, as in rows. */
export interface ReceivedFrame {
  readonly type: string;
  readonly subscription_id?: string;
  readonly code?: string;
  readonly message?: string;
  readonly user?: string;
  readonly role?: string;
  readonly protocol?: Row;
  readonly change_type?: "insert" | "update" | "delete";
  readonly rows?: readonly Row[];
  readonly old_values?: readonly Row[];
  readonly schema?: readonly Row[];
  readonly batch_control?: {
    readonly batch_num: number;
    readonly has_more: boolean;
    readonly status: string;
    readonly last_seq_id?: string | null;
    /** 0.8 only. */
    readonly version_domain?: Row;
  };
  readonly isBinary: boolean;
  readonly text: string;
}

/** For tests of the sandbox: a socket and the frames received on it. */
export class Listener {
  readonly frames: ReceivedFrame[] = [];
  readonly socket: WebSocket;
  /** Resolves with the code and the reason. */
  readonly closed: Promise<readonly [code: number, reason: string]>;
  /** Keeps the server from closing an idle connection. */
  readonly #pings: NodeJS.Timeout;
  #waiting: (() => void)[] = [];
  #fences = 0;

  constructor(url: string, headers: Readonly<Record<string, string>> = {}, path = "/v1/ws") {
    this.socket = new WebSocket(url.replace("http", "ws") + path, { headers, perMessageDeflate: false });
    this.socket.on("message", (data: Buffer, isBinary: boolean) => {
      const text = isBinary ? gunzipSync(data).toString() : data.toString();
      const frame = JSON.parse(text.replace(/"last_seq_id":(\d+)/g, '"last_seq_id":"$1"')) as ReceivedFrame;
      this.frames.push({ ...frame, isBinary, text });
      this.#changed();
    });
    this.closed = new Promise((resolve) => {
      this.socket.once("close", (code, reason) => {
        this.fallSilent();
        this.#changed();
        resolve([code, reason.toString()]);
      });
    });
    this.socket.on("error", () => undefined);
    this.#pings = setInterval(() => {
      if (this.socket.readyState === WebSocket.OPEN) this.socket.ping();
    }, 200);
  }

  static async open(url: string, headers?: Readonly<Record<string, string>>, path?: string): Promise<Listener> {
    const listener = new Listener(url, headers, path);
    await Promise.race([once(listener.socket, "open"), listener.closed]);
    return listener;
  }

  /** Opens a socket and logs in. */
  static async logIn(url: string, { token }: { readonly token: string }, compression = "none"): Promise<Listener> {
    const listener = await Listener.open(url);
    listener.send({ type: "authenticate", method: "jwt", token, protocol: { serialization: "json", compression } });
    await listener.until(() => listener.frames.length > 0);
    return listener;
  }

  fallSilent(): void {
    clearInterval(this.#pings);
  }

  send(message: unknown): void {
    this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  /** Subscribes, and returns the acknowledgement or the error. */
  async subscribe(id: string, sql: string, options?: Row): Promise<ReceivedFrame> {
    const before = this.frames.length;
    this.send({ type: "subscribe", subscription: { id, sql, ...(options === undefined ? {} : { options }) } });
    return await this.until(() =>
      this.frames.slice(before).find(({ type }) => /^(subscription_ack|error)$/.test(type)),
    );
  }

  /** Subscribes from `version`, given as digits because a JavaScript number would round it. */
  async resume(id: string, sql: string, version: string): Promise<ReceivedFrame> {
    const before = this.frames.length;
    const subscription = JSON.stringify({ id, sql, options: { from: "here" } }).replace('"here"', version);
    this.send(`{"type":"subscribe","subscription":${subscription}}`);
    return await this.until(() =>
      this.frames.slice(before).find(({ type }) => /^(subscription_ack|error)$/.test(type)),
    );
  }

  /** Requests pages until the last one. */
  async readOn(id: string): Promise<void> {
    for (let count = 1; ; count += 1) {
      const page = await this.until(() => this.of(id).filter(({ type }) => type === "initial_data_batch")[count - 1]);
      const { has_more: more, last_seq_id: last } = page.batch_control ?? {};
      if (more !== true) return;
      this.send(
        `{"type":"next_batch","subscription_id":${JSON.stringify(id)},"last_seq_id":${page.text.includes('"last_seq_id":"') ? JSON.stringify(last) : (last ?? "null")}}`,
      );
    }
  }

  /** Resolves when everything sent earlier has arrived: changes of acknowledged writes, answers to messages. */
  async fence(): Promise<void> {
    this.#fences += 1;
    const id = `fence ${this.#fences}`;
    this.send({ type: "next_batch", subscription_id: id });
    await this.until(() => this.of(id).length > 0);
  }

  of(id: string): ReceivedFrame[] {
    return this.frames.filter((frame) => frame.subscription_id === id);
  }

  changes(id: string): ReceivedFrame[] {
    return this.of(id).filter(({ type }) => type === "change");
  }

  /** Waits until `look` finds something. */
  async until<T>(look: () => T | undefined | false): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined && found !== false) return found;
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error(`closed; ${JSON.stringify(this.frames.at(-1))}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #changed(): void {
    for (const look of this.#waiting.splice(0)) look();
  }
}

/** The rows by `id`, without versions, that a client has after applying these frames. */
export function applyFrames(
  frames: readonly ReceivedFrame[],
  known: ReadonlyMap<unknown, Row> = new Map(),
): Map<unknown, Row> {
  const state = new Map(known);
  for (const { type, change_type: change, rows = [], old_values: old = [] } of frames) {
    if (type !== "change" && type !== "initial_data_batch") continue;
    if (change === "delete") for (const { id } of old) state.delete(id);
    for (const { _seq, _version, _deleted, ...row } of rows) state.set(row["id"], row);
  }
  return state;
}

/** The highest version in any frame. */
export const lastVersion = (frames: readonly ReceivedFrame[]): string =>
  String(
    frames
      .flatMap(({ rows = [], old_values: old = [] }) => [...rows, ...old])
      .map(({ _seq, _version }) => BigInt(String(_seq ?? _version)))
      .reduce((highest, version) => (version > highest ? version : highest), 0n),
  );
