import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { cellText, integerText, rowsOf, type Account, type Target } from "../../../src/server/target.ts";
import { sortTried, tryAll, whyUnclear, type Trial, type Tried } from "../../vocabulary/trials.ts";
import type { Value } from "../../vocabulary/values.ts";
import { wrongValues } from "./wrong-values.ts";

const columns = wrongValues;
/** Each case has the id of the row that it would write. */
const cases = columns
  .flatMap((column) => Object.entries(column.bad).map(([name, value]) => ({ column, name, value })))
  .map((one, at) => ({ ...one, id: at + 1 }));
const goodId = 1000;

/** How a value gets into a row, each way with a table of its own. UPDATE finds rows that are there, the others do not. */
const ways: Readonly<
  Record<string, (table: string, column: string, value: Value, id: number) => Omit<Trial, "name" | "as">>
> = {
  literal: (table, column, value, id) => ({
    sql: `INSERT INTO ${table} (id, ${column}) VALUES (${id}, ${value.literal})`,
  }),
  parameter: (table, column, value, id) => ({
    sql: `INSERT INTO ${table} (id, ${column}) VALUES ($1, $2)`,
    params: [id, value.param],
  }),
  update: (table, column, value, id) => ({ sql: `UPDATE ${table} SET ${column} = ${value.literal} WHERE id = ${id}` }),
};

/** A refusal that says any of this says what is wrong. */
const clear = /cast|coerc|convert|pars|invalid|type|range|too large|overflow|syntax|expected|uuid|json/i;

type Entry = Tried & {
  readonly type: string;
  /** The value as it was written. */
  readonly value: string;
  /** What is stored, where something is; undefined is not JSON, so null where nothing is. */
  readonly stored: string | null;
};
type Way = {
  readonly way: string;
  readonly bad: readonly Entry[];
  readonly good: readonly Entry[];
  /** Whether it could be looked up what is stored. */
  readonly looked: boolean;
};

async function look(target: Target, as: Account, table: string, way: string): Promise<Way> {
  const write = ways[way];
  if (write === undefined) throw new Error(`there is no way ${way}`);
  const definition = columns.map(({ name, type }) => `${name} ${type}`).join(", ");
  await target.sql(as, `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, ${definition}) WITH (TYPE='SHARED')`);
  const goods = columns.map((column, at) => ({ column, name: "fits", value: column.good, id: goodId + at }));
  if (way === "update") {
    const ids = [...cases, ...goods].map(({ id }) => `(${id})`).join(", ");
    await target.sql(as, `INSERT INTO ${table} (id) VALUES ${ids}`);
  }
  const trial = ({ column, name, value, id }: (typeof goods)[number]): Trial => ({
    name: `${column.type} ${name}, ${way}`,
    as,
    ...write(table, column.name, value, id),
  });
  const tried = await tryAll(target, [...cases, ...goods].map(trial));
  const filled = columns.map(({ name }) => `${name} IS NOT NULL`).join(" OR ");
  const answer = await target.sql(as, `SELECT id FROM ${table} WHERE ${filled} ORDER BY id LIMIT 200`);
  const there = rowsOf(answer)?.map((row) => integerText(row["id"]) ?? "");
  const entries: Entry[] = [];
  for (const [at, { column, value, id }] of [...cases, ...goods].entries()) {
    const one = tried[at];
    if (one === undefined) continue;
    const isThere = there?.includes(String(id)) === true;
    // Only where it matters, and each by itself: what is stored of it may not be readable.
    const stored =
      isThere && id < goodId ? await read(target, as, table, column.name, id) : isThere ? "something" : null;
    entries.push({ ...one, type: column.type, value: cellText(value.param), stored });
  }
  return { way, bad: entries.slice(0, cases.length), good: entries.slice(cases.length), looked: there !== undefined };
}

async function read(target: Target, as: Account, table: string, column: string, id: number): Promise<string> {
  const answer = await target.sql(as, `SELECT ${column} AS v FROM ${table} WHERE id = ${id} LIMIT 1`);
  const [row] = rowsOf(answer) ?? [];
  return row === undefined ? "what cannot be read" : cellText(row["v"]);
}

export const wrongTypesRefused = defineCheck({
  id: "validation/wrong-types-refused",
  title: "A value that does not fit its column is refused",
  failureTitle: "A value that does not fit its column is accepted or bent",
  description: `Writes ${cases.length} values that do not fit (text, out of range, dates that do not exist, broken UUIDs and JSON, 1.7 for a whole number) into columns of ${columns.length} types, as a literal, as a parameter and by UPDATE. Each must be refused with a text that says so, and store nothing. A value that fits must be taken in each column and each way.`,
  blindTo:
    "It tries one or a few wrong values per type. Conversions that lose nothing, such as true into a whole number, are not judged.",
  risk: "Programs write values of the wrong kind without noticing, and others compute with what became of them.",
  remedy: "Check values in your programs before they are sent; look for rows whose values nobody can have meant.",
  covers: ["VAL-07"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 900,
  estimateRequests: Object.keys(ways).length * (cases.length + columns.length + 3),
  findings: {
    coerced: {
      say: (d: { type: string; value: string; stored: string; sql: string }) =>
        `${d.sql}: ${d.value} was accepted for ${d.type} and became ${d.stored}`,
    },
    accepted: {
      say: (d: { type: string; value: string; sql: string; message: string }) =>
        `${d.sql}: ${JSON.stringify(d.value)} was accepted for ${d.type}: ${d.message}`,
    },
    unclear: {
      say: (d: { sql: string; message: string }) => `the refusal of ${d.sql} does not say what is wrong: ${d.message}`,
    },
    validRefused: {
      say: (d: { type: string; value: string; sql: string; message: string }) =>
        `${d.sql}: ${d.value} fits ${d.type} and is refused: ${d.message}`,
    },
  },
  async observe(target, { scratch }) {
    const seen: readonly Way[] = await Promise.all(
      Object.keys(ways).map(
        async (way) => await look(target, await target.account("dba", way), `${scratch}.by_${way}`, way),
      ),
    );
    return { ways: seen };
  },
  judge(seen) {
    const all = seen.ways.flatMap(({ bad }) => bad);
    const controls = seen.ways.flatMap(({ good }) => good);
    const sorted = sortTried(all);
    const isBent = (one: Entry): boolean => one.stored !== null && one.stored !== one.value;
    const kept = [...sorted.accepted, ...sorted.refused.filter((one) => one.stored !== null)];
    const about = (one: Entry) => ({ case: one.case, sent: [one.said.exchange] });
    const found = [
      ...kept.filter(isBent).map((one) => ({
        name: "coerced" as const,
        data: { type: one.type, value: one.value, stored: one.stored ?? "", sql: one.sql },
        ...about(one),
      })),
      ...kept
        .filter((one) => !isBent(one))
        .map((one) => ({
          name: "accepted" as const,
          data: { type: one.type, value: one.value, sql: one.sql, message: one.said.message },
          ...about(one),
        })),
      ...sorted.refused
        .filter((one) => one.stored === null && !clear.test(one.said.message))
        .map((one) => ({
          name: "unclear" as const,
          data: { sql: one.sql, message: one.said.message },
          ...about(one),
        })),
      ...sortTried(controls).refused.map((one) => ({
        name: "validRefused" as const,
        data: { type: one.type, value: one.value, sql: one.sql, message: one.said.message },
        ...about(one),
      })),
    ];
    if (found.length > 0) return fail(...found);
    const blind = seen.ways.find(({ looked }) => !looked);
    if (blind !== undefined) return unknown(`${blind.way}: it could not be looked up what is stored`);
    const why = whyUnclear(sorted);
    if (why !== undefined) return unknown(why);
    const dead = controls.find((one) => one.said.kind !== "ok" || one.stored === null);
    if (dead !== undefined)
      return unknown(`${dead.case} was not stored either, so the refusals show nothing: ${dead.said.message}`);
    const wanted = Object.keys(ways).length * (cases.length + columns.length);
    if (all.length + controls.length < wanted)
      return unknown(`only ${all.length + controls.length} of ${wanted} values were tried`);
    return pass(
      `${sorted.refused.length} of ${all.length} wrong values refused and named, none stored; ${controls.length} of ${controls.length} that fit are stored`,
    );
  },
});
