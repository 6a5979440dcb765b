/** Long texts written in several ways, and read back. */
import type { Context } from "../../../src/check.ts";
import { cellText, onlyRow, rowsOf, saidOf, type Said, type Target } from "../../../src/server/target.ts";
import { flushToSegments } from "../../vocabulary/cold.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { quoted } from "../../vocabulary/values.ts";
import { compare, longText, sha256, type Got } from "./texts.ts";

type Way = "literal" | "parameter";

export type Trip = {
  readonly way: Way;
  readonly bytes: number;
  readonly sha256: string;
  readonly said: Said;
  /** Read back immediately and after a flush; `gone`: no such row; null if it was not answered. */
  readonly before: Got | "gone" | null;
  readonly after: Got | "gone" | null;
  readonly exchange: number;
};

/** A text above any usual limit: sent once, and once more if no answer came. */
export type Oversized = Omit<Trip, "after" | "exchange"> & {
  /** A query on the same connection afterwards, asked twice at most. */
  readonly next: Said;
};

export type Texts = {
  readonly trips: readonly Trip[];
  readonly oversized: readonly Oversized[];
  /** Why nothing is known to be in cold storage; null if the texts are. */
  readonly unflushed: string | null;
  /** Nothing can be between us and the server. */
  readonly direct: boolean;
};

const connection = "long texts";

export async function observeTexts(target: Target, context: Context): Promise<Texts> {
  const [op, user] = await Promise.all([target.account("dba"), target.account("user")]);
  const columns = "id BIGINT PRIMARY KEY, v TEXT";
  const table = await makeTable(target, context, op, `${context.scratch}.texts`, { columns });
  const random = context.random("texts");
  const sizes = [10_000, 100_000, ...(context.effort === "light" ? [] : [500_000])];
  const planned: (readonly [Way, number])[] = [
    ...sizes.flatMap((bytes) => [["literal", bytes] as const, ["parameter", bytes] as const]),
    ...(context.effort === "deep" ? [["literal", 900_000] as const] : []),
  ];
  const texts = planned.map(([way, bytes]) => ({ way, bytes, text: longText(bytes, random) }));
  const read = async (id: number, text: string): Promise<{ got: Trip["before"]; exchange: number }> => {
    const answer = await target.sql(user, `SELECT v FROM ${table} WHERE id = ${id} LIMIT 2`, { connection });
    const row = onlyRow(answer);
    const gone = rowsOf(answer)?.length === 0 ? "gone" : null;
    return { got: row === undefined ? gone : compare(text, cellText(row["v"])), exchange: answer.exchange };
  };
  const write = async (id: number, way: Way, text: string): Promise<Said> => {
    const [value, params] = way === "literal" ? [quoted(text), []] : ["$1", [text]];
    const options = { connection, ...(params.length === 0 ? {} : { params }) };
    return saidOf(await target.sql(user, `INSERT INTO ${table} (id, v) VALUES (${id}, ${value})`, options));
  };

  const stored: Omit<Trip, "after">[] = [];
  for (const [id, { way, bytes, text }] of texts.entries()) {
    const said = await write(id, way, text);
    const { got, exchange } = await read(id, text);
    stored.push({ way, bytes, sha256: sha256(text), said, before: got, exchange });
  }
  const segments = await flushToSegments(target, context, op, table, [user.name]);
  const cold = typeof segments === "string" ? 0 : (segments[user.name] ?? 0);
  const unflushed = typeof segments === "string" ? segments : cold === 0 ? "no row is listed in cold storage" : null;
  const trips: Trip[] = [];
  for (const [id, one] of stored.entries()) trips.push({ ...one, after: (await read(id, texts[id]?.text ?? "")).got });

  const oversized: Oversized[] = [];
  for (const [at, [way, bytes]] of oversizes.slice(0, context.effort === "light" ? 2 : 3).entries()) {
    const [id, text] = [100 + at, longText(bytes, random)];
    let said = await write(id, way, text);
    if (said.status === null) said = await write(id + 100, way, text);
    const next = await again(async () => saidOf(await target.sql(user, "SELECT 1 AS one", { connection })));
    const first = (await read(id, text)).got;
    const before = first === "gone" ? (await read(id + 100, text)).got : first;
    oversized.push({ way, bytes, sha256: sha256(text), said, next, before });
  }
  return { trips, oversized, unflushed, direct: target.control !== undefined };
}

/** The limits that are known: 1 MiB of SQL (4 MiB from 0.8), 512 KiB of a parameter, 2 MiB of a body. */
const oversizes = [
  ["literal", 1_500_000],
  ["parameter", 1_000_000],
  ["literal", 6_000_000],
] as const;

/** A connection that ends at the same moment fails once; a server that takes no more queries fails again. */
async function again(ask: () => Promise<Said>): Promise<Said> {
  const said = await ask();
  return said.kind === "unsure" ? await ask() : said;
}
