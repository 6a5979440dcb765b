/** Servers of our own beside the one under check, for what must not be done to that one. */
import { httpWire } from "../wire/http.ts";
import type { Another, AnotherStart, Disk } from "../wire/control.ts";
import { ownDisk } from "./disk.ts";
import type { FolderBook } from "./folder.ts";

interface Running {
  readonly url: string;
  readonly rootPassword: string;
  /** Asks it to stop, kills it if it does not. */
  stop(): Promise<number | null>;
  kill(): Promise<void>;
  stderr(): string;
}

interface OtherServers {
  readonly disk: Disk;
  start(wanted: AnotherStart): Promise<Another>;
  /** Kills those that run, and removes all folders. */
  endAll(): Promise<void>;
}

/** `start` starts one, or says why it did not. */
export function otherServers(
  book: FolderBook,
  start: (wanted: AnotherStart) => Promise<Running | Extract<Another, { readonly kind: "notReady" }>>,
): OtherServers {
  const running = new Set<Running>();
  const starting = new Set<Promise<unknown>>();
  let isOver = false;
  const disk = ownDisk(book);
  return {
    disk,
    async start(wanted) {
      const started = start(wanted);
      starting.add(started);
      const server = await started.finally(() => starting.delete(started));
      if ("kind" in server) return server;
      if (isOver) {
        await server.kill();
        return { kind: "notReady", why: "the run is over", ended: true, lastWords: "" };
      }
      running.add(server);
      const wire = httpWire(server.url, { connections: 4 });
      return {
        kind: "running",
        rootPassword: server.rootPassword,
        exchange: wire.exchange,
        async stop() {
          running.delete(server);
          const code = await server.stop();
          await wire.close();
          return code;
        },
        async kill() {
          running.delete(server);
          await server.kill();
          await wire.close();
        },
        stderr: server.stderr,
      };
    },
    async endAll() {
      isOver = true;
      await Promise.allSettled(starting);
      await Promise.all([...running].map(async (server) => await server.kill()));
      running.clear();
      disk.removeAll();
    },
  };
}
