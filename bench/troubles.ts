/** What makes a healthy server look ill: a busy machine, a slow way, others at work, a machine that stands still. */
import { spawn } from "node:child_process";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import type { OwnServer } from "../src/control/process.ts";
import { sleep } from "../src/session/pacing.ts";

/** In force until it is ended. `url`: where the server is reached meanwhile. */
interface InForce {
  readonly url: string;
  end(): Promise<void>;
}

export interface Trouble {
  readonly name: string;
  begin(server: OwnServer, url: string): Promise<InForce>;
}

const busyCore: Trouble = {
  name: "a busy core",
  async begin(_, url) {
    const child = spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" });
    return await Promise.resolve({
      url,
      async end() {
        child.kill("SIGKILL");
        await Promise.resolve();
      },
    });
  },
};

/** In each direction. */
const delayMs = 25;
const slowWay: Trouble = {
  name: "50 ms more",
  // Counted from its arrival: waiting for each in turn would let through 40 a second, and not be late but narrow.
  begin: async (_, url) =>
    await passOn(url, async ({ arrivedAt }) => await sleep(Math.max(0, arrivedAt + delayMs - performance.now()))),
};

const sliceBytes = 97;
const slicedWrites: Trouble = {
  name: "sliced writes",
  async begin(_, url) {
    return await passOn(url, async ({ chunk }, write) => {
      for (let at = 0; at < chunk.byteLength; at += sliceBytes) {
        write(chunk.subarray(at, at + sliceBytes));
        await new Promise((resolve) => setImmediate(resolve));
      }
      return "written";
    });
  },
};

const foreignClients: Trouble = {
  name: "foreign clients",
  async begin(server, url) {
    const over = new AbortController();
    const clients = [1, 2].map(async (n) => await workAsStranger(server, n, over.signal));
    return await Promise.resolve({
      url,
      async end() {
        over.abort();
        await Promise.all(clients);
      },
    });
  },
};

const suspendedEveryMs = 8_000;
const suspendedMs = 1_000;
const suspended: Trouble = {
  name: "suspended for 1 s",
  async begin(server, url) {
    const over = new AbortController();
    const suspending = (async () => {
      while (!over.signal.aborted) {
        await sleep(suspendedEveryMs, over.signal).catch(() => undefined);
        process.kill(server.pid, "SIGSTOP");
        await sleep(suspendedMs);
        process.kill(server.pid, "SIGCONT");
      }
    })();
    return await Promise.resolve({
      url,
      async end() {
        over.abort();
        await suspending;
      },
    });
  },
};

const single = [busyCore, slowWay, slicedWrites, foreignClients, suspended];

const together: Trouble = {
  name: "all of them",
  async begin(server, url) {
    const begun: InForce[] = [];
    for (const one of single) begun.push(await one.begin(server, begun.at(-1)?.url ?? url));
    return {
      url: begun.at(-1)?.url ?? url,
      async end() {
        for (const one of begun.toReversed()) await one.end();
      },
    };
  },
};

export const troubles: readonly Trouble[] = [...single, together];

interface Arrived {
  readonly chunk: Uint8Array;
  readonly arrivedAt: number;
}

/** How one chunk is passed on, in either direction: `written` if it wrote the chunk itself. */
type PassOn = (arrived: Arrived, write: (part: Uint8Array) => void) => Promise<unknown>;

/** A proxy of the bytes of each connection. */
async function passOn(url: string, pass: PassOn): Promise<InForce> {
  const { hostname, port } = new URL(url);
  const open = new Set<Socket>();
  const link = (from: Socket, to: Socket): void => {
    let turn = Promise.resolve();
    const after = (work: () => Promise<void> | void): void => {
      turn = turn.then(work);
    };
    open.add(from);
    from.setNoDelay(true);
    from.on("data", (chunk: Uint8Array) => {
      const arrived = { chunk, arrivedAt: performance.now() };
      after(async () => {
        const written = await pass(arrived, (part) => to.write(part));
        if (written !== "written") to.write(chunk);
      });
    });
    from.on("end", () => after(() => void to.end()));
    from.on("error", () => to.destroy());
    from.on("close", () => {
      open.delete(from);
      after(() => void to.end());
    });
  };
  const proxy = createServer({ allowHalfOpen: true }, (client) => {
    const server = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    link(client, server);
    link(server, client);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    async end() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}

/** Writes and reads rows of its own until it is told to stop, and takes them away. */
async function workAsStranger(server: OwnServer, n: number, signal: AbortSignal): Promise<void> {
  const post = async (path: string, body: object, token?: string): Promise<unknown> => {
    const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
    const answer = await fetch(new URL(path, server.url), { method: "POST", headers, body: JSON.stringify(body) });
    return await answer.json();
  };
  const { access_token: token } = (await post("/v1/api/auth/login", {
    username: "root",
    password: server.rootPassword,
  })) as { access_token?: string };
  if (token === undefined) throw new Error("the foreign client could not log in");
  const sql = async (text: string): Promise<unknown> => await post("/v1/api/sql", { sql: text }, token);
  const namespace = `stranger_${n}`;
  await sql(`CREATE NAMESPACE ${namespace}`);
  await sql(`CREATE TABLE ${namespace}.t (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='SHARED')`);
  for (let id = 1; !signal.aborted; id += 1) {
    await sql(`INSERT INTO ${namespace}.t (id, v) VALUES (${id}, 'row ${id}')`);
    await sql(`SELECT * FROM ${namespace}.t ORDER BY id DESC LIMIT 100`);
    await sql(`UPDATE ${namespace}.t SET v = 'changed' WHERE id = ${id}`);
    await sleep(15, signal).catch(() => undefined);
  }
  await sql(`DROP NAMESPACE ${namespace} CASCADE`);
}
