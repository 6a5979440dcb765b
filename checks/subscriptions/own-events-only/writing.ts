/** What each of two users writes: the same keys, with texts that cannot be guessed. */
import type { Account, Target } from "../../../src/server/target.ts";

const rowsEach = 10;
export const tables = ["USER", "STREAM"] as const;
type TableType = (typeof tables)[number];

interface Writer {
  readonly who: string;
  readonly as: Account;
  readonly nonce: string;
}

/** How many texts of its own a subscriber receives: early and late ones, an update where there is one, and the fence. */
export function ownTextsOf(table: string): number {
  return 2 * rowsEach + (table === "USER" ? 1 : 0) + 1;
}

export function fenceOf({ who, nonce }: Writer): string {
  return `${who} ${nonce} fence`;
}

/** The rows that are in the snapshot; whether they were acknowledged. */
export async function writeEarly(target: Target, writer: Writer, table: string): Promise<boolean> {
  return await insert(target, writer, table, 1, textsOf(writer, "early"));
}

/** Inserts, an update and a delete, and the fence row; whether all of it was acknowledged. */
export async function writeLate(
  target: Target,
  writer: Writer,
  table: string,
  type: TableType,
  perInsert: number,
): Promise<boolean> {
  const { who, as, nonce } = writer;
  const texts = textsOf(writer, "late");
  const done: boolean[] = [];
  for (let at = 0; at < texts.length; at += perInsert)
    done.push(await insert(target, writer, table, 100 + at, texts.slice(at, at + perInsert)));
  const changes = [
    `UPDATE ${table} SET canary = '${who} ${nonce} changed' WHERE id = 100`,
    `DELETE FROM ${table} WHERE id = 101`,
  ];
  for (const sql of type === "USER" ? changes : []) done.push((await target.sql(as, sql)).kind === "ok");
  done.push(await insert(target, writer, table, 999, [fenceOf(writer)]));
  return !done.includes(false);
}

function textsOf({ who, nonce }: Writer, kind: string): string[] {
  return Array.from({ length: rowsEach }, (_, at) => `${who} ${nonce} ${kind} ${at}`);
}

async function insert(
  target: Target,
  { as }: Writer,
  table: string,
  from: number,
  texts: readonly string[],
): Promise<boolean> {
  const rows = texts.map((text, at) => `(${from + at}, '${text}')`);
  return (await target.sql(as, `INSERT INTO ${table} (id, canary) VALUES ${rows.join(", ")}`)).kind === "ok";
}
