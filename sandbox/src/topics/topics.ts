import { storedAs, rowsOf, type Catalogue, type Table } from "../store/catalogue.ts";
import type { Engine } from "../store/engine.ts";
import { toJson } from "../store/types.ts";
import type { Settings } from "../settings.ts";
import { Claims } from "./claims.ts";
import { partitionOf } from "./partition.ts";

export const operations = ["insert", "update", "delete"] as const;
export type Operation = (typeof operations)[number];
export const payloads = ["full", "key", "diff"] as const;
export type Payload = (typeof payloads)[number];

/** A source of a topic: changes of this kind of a table become messages. */
export interface Route {
  readonly table_id: string;
  readonly op: Operation;
  readonly payload_mode: Payload;
  readonly filter_expr: null;
  readonly partition_key_expr: null;
}

interface Topic {
  readonly name: string;
  readonly partitions: number;
  readonly routes: readonly Route[];
}

export interface Message {
  readonly offset: number;
  readonly key: string | null;
  /** JSON text. */
  readonly payload: string;
  readonly publishedMs: string;
  /** The owner of the row; null for a shared table. */
  readonly user: string | null;
  readonly op: Operation;
}

export type Position = "earliest" | "latest" | number;

/** One change as it is read from `kalam.changes`. */
interface Change {
  readonly number: string;
  readonly owner: string;
  readonly op: Operation;
  readonly row: string;
  /** Of the transaction that made it. */
  readonly commit: string;
}

const retention = { seconds: 7 * 24 * 60 * 60, bytes: 1024 ** 3 };
/** Read in batches: one statement may have made more changes than fit into memory. */
const changesMax = 256;

/** Topics: committed changes of their sources, as messages in the order of the commits. */
export class Topics {
  readonly #engine: Engine;
  readonly #catalogue: Catalogue;
  readonly #visibleMs: number;
  #topics: ReadonlyMap<string, Topic> = new Map();
  #hasRoutes = false;
  /** The engine's count of writes when messages were last made; what was there before is in no count. */
  #published = -1;
  /** As in KalamDB they are in memory: after a restart, what is not acknowledged is delivered again. */
  readonly #claims = new Map<string, Claims>();

  constructor(engine: Engine, catalogue: Catalogue, settings: Settings) {
    this.#engine = engine;
    this.#catalogue = catalogue;
    this.#visibleMs = settings["topics.visibility_timeout_secs"] * 1000;
    this.#reload();
  }

  has(name: string): boolean {
    return this.#topics.has(name);
  }

  inNamespace(namespace: string): string[] {
    return [...this.#topics.keys()].filter((name) => name.startsWith(`${namespace}.`));
  }

  create(name: string, partitions: number): void {
    this.#engine.query(
      `INSERT INTO system.topics VALUES ($1, $1, NULL, $2, ${retention.seconds}, ${retention.bytes}, '[]', now(), now())`,
      [name, String(partitions)],
    );
    this.#reload();
  }

  /** Everything of it: a new one with that name starts empty. */
  drop(name: string): void {
    for (const table of ["system.topics", "system.topic_offsets", "kalam.messages"])
      this.#engine.query(`DELETE FROM ${table} WHERE topic_id = $1`, [name]);
    for (const key of this.#claims.keys()) if (key.startsWith(`${name} `)) this.#claims.delete(key);
    this.#reload();
  }

  /** From now on: earlier changes are no messages. Returns whether it is new. */
  addRoute(name: string, route: Route): boolean {
    const routes = this.#topics.get(name)?.routes ?? [];
    if (routes.some(({ table_id: table, op }) => table === route.table_id && op === route.op)) return false;
    this.#engine.atomically(() => {
      if (!this.#hasRoutes)
        this.#engine.script("UPDATE kalam.published SET up_to = (SELECT coalesce(max(number), 0) FROM kalam.changes)");
      this.#engine.query("UPDATE system.topics SET routes = $2, updated_at = now() WHERE topic_id = $1", [
        name,
        JSON.stringify([...routes, route]),
      ]);
    });
    this.#reload();
    return true;
  }

  /** Makes messages of the changes that were committed since the last time. */
  publish(): void {
    const { writes } = this.#engine;
    if (!this.#hasRoutes || writes === this.#published) return;
    for (;;) {
      const { rows, cut } = this.#engine.run({
        text: `SELECT number, table_id, owner, xmin, before, after FROM kalam.changes
          WHERE number > (SELECT up_to FROM kalam.published) ORDER BY number`,
        limit: changesMax,
        prepared: true,
      });
      const last = rows.at(-1)?.[0];
      if (last === undefined || last === null) break;
      this.#engine.atomically(() => {
        for (const [number, table, owner, commit, before = null, after = null] of rows) {
          const op = after === null ? "delete" : before === null ? "insert" : "update";
          const change = { op, number, owner, commit, row: after ?? before } as Change;
          this.#send(table ?? "", change);
        }
        this.#engine.query("UPDATE kalam.published SET up_to = $1", [last]);
      });
      if (!cut) break;
    }
    this.#published = writes;
  }

  #send(tableId: string, change: Change): void {
    for (const topic of this.#topics.values())
      for (const route of topic.routes) {
        if (route.table_id !== tableId || route.op !== change.op) continue;
        const [namespace = "", name = ""] = tableId.split(".");
        const table = this.#catalogue.table(namespace, name);
        if (table !== undefined) this.#append(topic, route, table, change);
      }
  }

  #append(topic: Topic, route: Route, table: Table, change: Change): void {
    const cells = this.#cellsOf(table, change);
    const primary = table.columns.find((column) => column.is_primary_key)?.column_name ?? "";
    const key = cells.get(primary);
    const shown: readonly (readonly [string, string])[] =
      route.payload_mode === "key" && key !== undefined
        ? [[primary, key]]
        : [...cells, ["_table", JSON.stringify(tableName(table))]];
    const payload = `{${shown.map(([column, json]) => `${JSON.stringify(column)}:${json}`).join(",")}}`;
    const text = key === undefined ? null : plain(key);
    const partition = partitionOf(text ?? payload, topic.partitions);
    this.#engine.query(
      `INSERT INTO kalam.messages SELECT $1, $2::int4, coalesce(max("offset") + 1, 0), $3, $4, clock_timestamp(), $5, $6
        FROM kalam.messages WHERE topic_id = $1 AND partition_id = $2::int4`,
      [topic.name, String(partition), text, payload, change.owner === "" ? null : change.owner, change.op],
    );
  }

  /** The row as clients see it, JSON text by column; converted by PostgreSQL to the types of the table. */
  #cellsOf(table: Table, { row, op, commit }: Change): Map<string, string> {
    const columns = table.columns.filter(({ column_name: name }) => name !== "_deleted");
    const [cells = []] = this.#engine.query(
      `SELECT ${columns.map(({ column_name: name }) => storedAs(name)).join(", ")}
        FROM json_populate_record(NULL::${rowsOf(table)}, $1) AS r`,
      [row],
    );
    return new Map([
      ...columns.map(
        ({ column_name: name, data_type: type }, at) => [name, toJson(cells[at] ?? null, type, "us")] as const,
      ),
      ["_deleted", String(op === "delete")],
      ["_commit_seq", JSON.stringify(commit)],
    ]);
  }

  /** The offset that the next message gets. */
  end(name: string, partition: number): number {
    const [[end] = []] = this.#engine.query(
      `SELECT coalesce(max("offset") + 1, 0) FROM kalam.messages WHERE topic_id = $1 AND partition_id = $2`,
      [name, String(partition)],
    );
    return Number(end);
  }

  /** Where a group continues; without a group, or before it has acknowledged anything, at the position. */
  start(name: string, partition: number, group: string | undefined, position: Position): number {
    const acknowledged =
      group === undefined
        ? undefined
        : this.#engine.query(
            "SELECT last_acked_offset FROM system.topic_offsets WHERE topic_id = $1 AND group_id = $2 AND partition_id = $3",
            [name, group, String(partition)],
          )[0]?.[0];
    if (typeof acknowledged === "string") return Number(acknowledged) + 1;
    if (position === "earliest") return 0;
    return position === "latest" ? this.end(name, partition) : position;
  }

  /** The next messages. In a group they are claimed, and the group's own place counts, not `from`. */
  fetch(
    name: string,
    partition: number,
    wanted: { readonly group: string | undefined; readonly from: number; readonly limit: number },
  ): readonly Message[] {
    const read = (from: number, limit: number): Message[] => this.#read(name, partition, from, limit);
    if (wanted.group === undefined) return read(wanted.from, wanted.limit);
    const now = performance.now();
    return this.#claimsOf(name, partition, wanted.group, wanted.from).take(
      wanted.limit,
      { now, lastsMs: this.#visibleMs },
      read,
    );
  }

  #read(name: string, partition: number, from: number, limit: number): Message[] {
    if (limit <= 0) return [];
    const { rows } = this.#engine.run({
      text: `SELECT "offset", key, payload, kalam.millis(published_at), user_id, op FROM kalam.messages
        WHERE topic_id = $1 AND partition_id = $2 AND "offset" >= $3 ORDER BY "offset"`,
      values: [name, String(partition), String(from)],
      limit,
    });
    return rows.map(([offset, key = null, payload, published, user = null, op]) => ({
      offset: Number(offset),
      key,
      payload: payload ?? "",
      publishedMs: published ?? "",
      user,
      op: op as Operation,
    }));
  }

  /** Never goes back: an earlier offset changes nothing. */
  acknowledge(name: string, partition: number, group: string, upTo: number): void {
    this.#engine.query(
      `INSERT INTO system.topic_offsets VALUES ($1, $2, $3, $4, now()) ON CONFLICT (topic_id, group_id, partition_id)
        DO UPDATE SET last_acked_offset = excluded.last_acked_offset, updated_at = now()
        WHERE topic_offsets.last_acked_offset < excluded.last_acked_offset`,
      [name, group, String(partition), String(upTo)],
    );
    this.#claimsOf(name, partition, group, upTo + 1).acknowledge(upTo);
  }

  #claimsOf(name: string, partition: number, group: string, from: number): Claims {
    const key = `${name} ${partition} ${group}`;
    const claims = this.#claims.get(key) ?? new Claims(from);
    this.#claims.set(key, claims);
    return claims;
  }

  #reload(): void {
    const rows = this.#engine.query("SELECT topic_id, partitions, routes FROM system.topics");
    this.#topics = new Map(
      rows.map(([name, partitions, routes]) => [
        name ?? "",
        { name: name ?? "", partitions: Number(partitions), routes: JSON.parse(routes ?? "[]") as Route[] },
      ]),
    );
    this.#hasRoutes = [...this.#topics.values()].some(({ routes }) => routes.length > 0);
  }
}

const tableName = ({ namespace, name }: Table): string => `${namespace}:${name}`;

/** The text of a JSON value: a key is text, whatever its type. */
function plain(json: string): string {
  return json.startsWith('"') ? (JSON.parse(json) as string) : json;
}
