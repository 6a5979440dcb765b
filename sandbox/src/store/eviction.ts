import type { Settings } from "../settings.ts";
import { id, literal, rowsOf, type Catalogue } from "./catalogue.ts";
import type { Engine } from "./engine.ts";

/**
 * Periodically deletes expired rows of stream tables. They can no longer be read, so the deletes are not logged as changes:
 * the triggers are off meanwhile.
 */
export class Eviction {
  readonly #engine: Engine;
  readonly #catalogue: Catalogue;
  readonly #timer: NodeJS.Timeout;

  constructor(engine: Engine, catalogue: Catalogue, settings: Settings) {
    this.#engine = engine;
    this.#catalogue = catalogue;
    // An interval of 0 would starve requests.
    const seconds = Math.max(settings["stream.eviction_interval_seconds"], 1);
    this.#timer = setInterval(() => this.#evict(), seconds * 1000);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #evict(): void {
    const streams = this.#catalogue.tables().filter((table) => table.type === "stream");
    this.#engine.atomically(() => {
      this.#engine.script("SET LOCAL session_replication_role = replica");
      for (const table of streams) {
        const end = `kalam.seq_at(clock_timestamp() - interval '${Number(table.options["ttl_seconds"])} seconds')`;
        this.#engine.script(`DELETE FROM ${rowsOf(table)} WHERE "_seq" <= ${end};
          DELETE FROM kalam.changes WHERE table_id = ${literal(id(table))} AND seq <= ${end}`);
      }
    });
  }
}
