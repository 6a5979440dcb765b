/** What is written with the older release, and the queries that must be answered in the same way by the newer one. */
import type { Context } from "../../../src/check.ts";
import type { Account, Answer, OtherServer } from "../../../src/server/target.ts";
import {
  askLine,
  change,
  digestColumns,
  digestQueries,
  fill,
  refusedColumns,
  type Ask,
  type Digest,
} from "../digest.ts";
import { createTable } from "../../vocabulary/tables.ts";

export const namespace = "kept";
export const owners = ["root", "alice", "bob"] as const;
export type Owner = (typeof owners)[number];
/** Of servers that only this run reaches, and that end with it. */
export const password = "Kr1-older-data-opens";

/** Whether its rows were written before the flush or after it. */
type Half = "cold" | "hot";
type Statements = readonly [Half, (context: Pick<Context, "need">, ask: Ask, table: string) => Promise<unknown>][];

export interface Place {
  readonly type: "SHARED" | "USER";
  /** Whose rows these are, and the only one who writes them. */
  readonly owner: Owner;
  readonly table: string;
  readonly columns: string;
  readonly writes: Statements;
  readonly queries: (table: string) => Readonly<Record<string, string>>;
  /** A row that nobody has written yet. */
  readonly fresh: { readonly id: number; readonly column: string };
}

const each = 20;
/** Rows of all types, half of them before the flush, some updated and deleted after it. */
function ofAllTypes(place: Pick<Place, "type" | "owner" | "table">, from: number): Place {
  const [whole, later] = [
    { from, count: 2 * each },
    { from: from + each, count: each },
  ];
  let without: Awaited<ReturnType<typeof refusedColumns>> = [];
  return {
    ...place,
    columns: digestColumns,
    writes: [
      [
        "cold",
        async (context, ask, table) => {
          without = await refusedColumns(context, ask, table);
          await fill(context, ask, table, { from, count: each }, without);
        },
      ],
      [
        "hot",
        async (context, ask, table) => {
          await fill(context, ask, table, later, without);
          await change(context, ask, table, whole);
        },
      ],
    ],
    queries: (table) => digestQueries(table, whole),
    fresh: { id: 9_000 + from, column: "mark" },
  };
}

const altered: Place = {
  type: "SHARED",
  owner: "root",
  table: "altered",
  columns: "id BIGINT PRIMARY KEY, name TEXT NOT NULL, level INT DEFAULT 7",
  writes: [
    [
      "cold",
      async (context, ask, table) => {
        const rows = Array.from({ length: 10 }, (_, at) => `(${at + 1}, 'before ${at + 1}')`);
        context.need(await ask(`INSERT INTO ${table} (id, name) VALUES ${rows.join(", ")}`), "a row was not written");
      },
    ],
    [
      "hot",
      async (context, ask, table) => {
        context.need(await ask(`ALTER TABLE ${table} ADD COLUMN note TEXT`), "a column could not be added");
        const rows = Array.from({ length: 10 }, (_, at) => `(${at + 11}, 'after ${at + 11}', ${at}, 'n${at}')`);
        const sql = `INSERT INTO ${table} (id, name, level, note) VALUES ${rows.join(", ")}`;
        context.need(await ask(sql), "a row was not written");
      },
    ],
  ],
  queries: (table) => ({
    "the number of rows": `SELECT COUNT(*) AS n FROM ${table}`,
    "rows 1 to 25": `SELECT id, name, level, note FROM ${table} WHERE id <= 25 ORDER BY id LIMIT 50`,
    "a default": `SELECT id FROM ${table} WHERE level = 7 ORDER BY id LIMIT 50`,
    "IS NULL": `SELECT id FROM ${table} WHERE note IS NULL ORDER BY id LIMIT 50`,
  }),
  fresh: { id: 9_000, column: "name" },
};

/** Flushed by the newer release, too: none of its rows was deleted, and what a flush makes of those is for other checks. */
export const flushedLater = altered.table;

export const places: () => readonly Place[] = () => [
  ofAllTypes({ type: "SHARED", owner: "root", table: "shared" }, 1),
  altered,
  ofAllTypes({ type: "USER", owner: "alice", table: "own" }, 1),
  ofAllTypes({ type: "USER", owner: "bob", table: "own" }, 101),
];
/** Made just before a kill. */
export const latePlace = (): Place => ofAllTypes({ type: "SHARED", owner: "root", table: "late" }, 1);

export const nameOf = ({ table }: Pick<Place, "table">): string => `${namespace}.${table}`;

/** Sends statements as that owner. */
export type AskAs = (owner: Owner) => Ask;

export function askOf(server: OtherServer, accounts: ReadonlyMap<Owner, Account>): AskAs {
  return (owner) => async (sql) => await server.sql(accounts.get(owner) ?? server.root, sql);
}

/** Makes the tables of these places; a USER table has the rows of several. */
export async function makeTables(
  context: Pick<Context, "need">,
  ask: Ask,
  all: readonly Place[],
  name = nameOf,
): Promise<void> {
  const made = new Set<string>();
  for (const place of all) {
    const table = name(place);
    if (made.has(table)) continue;
    made.add(table);
    const { type, columns } = place;
    context.need(await ask(createTable(table, { type, columns })), `the table ${table} could not be made`);
  }
}

export async function writeHalf(
  context: Pick<Context, "need">,
  askAs: AskAs,
  place: Place,
  half: Half,
  name = nameOf,
): Promise<void> {
  for (const [when, write] of place.writes) if (when === half) await write(context, askAs(place.owner), name(place));
}

/** The answers about one place. */
export type Shown = {
  readonly type: "SHARED" | "USER";
  readonly owner: Owner;
  readonly table: string;
  readonly digest: Digest;
  /** The type of each column, as text; null where that was not answered. */
  readonly types: Readonly<Record<string, string>> | null;
};

export async function show(askAs: AskAs, place: Place, name = nameOf): Promise<Shown> {
  const { type, owner, table } = place;
  const ask = askAs(owner);
  const digest = [];
  for (const [query, sql] of Object.entries(place.queries(name(place)))) digest.push(await askLine(ask, query, sql));
  return { type, owner, table, digest, types: typesIn(await ask(`SELECT * FROM ${name(place)} LIMIT 1`)) };
}

/** Words of a version for the same type may differ in case and spaces. System columns are the server's own. */
function typesIn(answer: Answer): Shown["types"] {
  if (answer.kind !== "ok" || answer.results.length === 0) return null;
  const own = (answer.results[0]?.columns ?? []).filter(({ name }) => !name.startsWith("_"));
  return Object.fromEntries(
    own.map(({ name, type }) => [name, JSON.stringify(type).toLowerCase().replace(/\W+/g, " ").trim()]),
  );
}
