/** The PostgreSQL port of 0.8: a login with a password in clear text, and simple queries, each like a request over HTTP. */
import { randomUUID } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import type { Database } from "../database.ts";
import type { Faults } from "../faults.ts";
import type { SocketFigures } from "../live/notices.ts";
import type { Settings } from "../settings.ts";
import type { WireSession } from "./sessions.ts";
import {
  askForPassword,
  columns,
  complete,
  Incoming,
  noTls,
  ready,
  refusal,
  row,
  textOf,
  welcome,
  type ClientMessage,
} from "./messages.ts";

interface PortParts {
  readonly settings: Settings;
  readonly database: Database;
  readonly sockets: { readonly figures: SocketFigures };
  readonly faults: Faults;
}

/** Long enough for a person to type a password. */
const loginMs = 60_000;

/** These open the schema `default`; any other name is the schema that is searched first. */
const defaultDatabases = new Set(["", "kalam", "postgres", "template1"]);

/** The result of a statement, as over HTTP. */
interface Result {
  readonly schema?: readonly { readonly name: string; readonly data_type: unknown }[];
  readonly rows?: readonly (readonly unknown[])[];
  readonly row_count: number;
  readonly message?: string;
}

export class PostgresPort {
  readonly #server: Server;
  readonly #sessions = new Map<string, WireSession>();
  readonly #sockets = new Set<Socket>();
  #parts: PortParts | undefined;
  #connections = 0;

  constructor() {
    this.#server = createServer((socket) => void this.#serve(socket));
  }

  /** Listens; returns the error if it cannot. Nobody is let in before `open`. */
  async listen(host: string, port: number): Promise<Error | undefined> {
    return await new Promise((resolve) => {
      this.#server.once("error", resolve);
      this.#server.listen(port, host, () => resolve(undefined));
    });
  }

  open(parts: PortParts): void {
    this.#parts = parts;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  get sessions(): readonly WireSession[] {
    return [...this.#sessions.values()];
  }

  async #serve(socket: Socket): Promise<void> {
    const id = randomUUID();
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#sessions.delete(id);
    });
    try {
      await this.#converse(socket, id);
    } catch {
      // The client is gone, or speaks another protocol.
    }
    socket.end();
  }

  async #converse(socket: Socket, id: string): Promise<void> {
    const incoming = new Incoming();
    const arrived = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    const receive = async <T>(take: () => T | undefined): Promise<T | undefined> => {
      for (;;) {
        const taken = take();
        if (taken !== undefined) return taken;
        const next = await arrived.next();
        if (next.done === true) return undefined;
        incoming.push(next.value);
      }
    };
    socket.setTimeout(loginMs, () => socket.destroy());
    let opening = await receive(() => incoming.opening());
    if (opening?.kind === "tls") {
      socket.write(noTls);
      opening = await receive(() => incoming.opening());
    }
    if (opening?.kind !== "startup") return;
    socket.write(askForPassword);
    const given = await receive(() => incoming.message());
    const parts = this.#parts;
    if (given?.type !== "p") return;
    if (parts === undefined) {
      socket.write(refusal("FATAL", "57P03", "the database system is starting up"));
      return;
    }
    const user = await this.#logIn(parts, opening.user, textOf(given), socket.remoteAddress ?? "");
    if (user === undefined) {
      socket.write(refusal("FATAL", "28P01", "password authentication failed"));
      return;
    }
    socket.setTimeout(0);
    this.#connections += 1;
    const namespace = defaultDatabases.has(opening.database) ? "default" : opening.database;
    const now = new Date().toISOString();
    this.#sessions.set(id, {
      id,
      pid: this.#connections,
      user,
      namespace,
      address: socket.remoteAddress ?? "",
      openedAt: now,
    });
    socket.write(welcome(this.#connections));
    for (;;) {
      const message = await receive(() => incoming.message());
      if (message === undefined || message.type === "X") return;
      socket.write(await this.#answer(parts, message, { user, namespace, address: socket.remoteAddress ?? "" }));
    }
  }

  async #logIn(
    { database, faults }: PortParts,
    user: string,
    password: string,
    address: string,
  ): Promise<string | undefined> {
    const login = await database.ask("login", { user, password, address });
    if (login.kind === "in") return login.profile.id;
    const known = await database.ask("profile", { user });
    return faults.fires("letAnyoneIn") ? (known?.id ?? "root") : undefined;
  }

  async #answer(
    { database, sockets, faults }: PortParts,
    message: ClientMessage,
    as: { readonly user: string; readonly namespace: string; readonly address: string },
  ): Promise<Buffer> {
    if (message.type !== "Q")
      return Buffer.concat([refusal("ERROR", "0A000", "only simple queries are supported"), ready]);
    const answer = await database.ask("sql", {
      ...as,
      sql: textOf(message),
      parameters: [],
      sockets: sockets.figures,
      wireSessions: this.sessions,
    });
    if (answer.kind === "refused") {
      const state = { SQL_EXECUTION_ERROR: "XX000", INVALID_SQL: "42601", PERMISSION_DENIED: "42501" }[answer.code];
      return Buffer.concat([refusal("ERROR", state ?? "XX000", answer.message), ready]);
    }
    const results = answer.results.map((text) => JSON.parse(text) as Result);
    return Buffer.concat([...results.flatMap((result) => resultMessages(result, faults)), ready]);
  }
}

function resultMessages({ schema, rows, row_count: count, message = "" }: Result, faults: Faults): Buffer[] {
  if (schema === undefined || rows === undefined) return [complete(message === "" ? `OK ${count}` : message)];
  const shown = rows.length > 1 && faults.fires("loseLastRowOnWire") ? rows.slice(0, -1) : rows;
  return [columns(schema), ...shown.map(row), complete(`SELECT ${shown.length}`)];
}
