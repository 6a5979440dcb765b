/**
 * Predicates that can be judged without a reference implementation: whatever one means, each row makes it either true,
 * false or unknown. Pure: the same random numbers give the same predicates. Each part is parenthesized and of the type
 * that its place requires, and only syntax that KalamDB supports is used.
 */
import { quoted } from "../../vocabulary/values.ts";

type Random = () => number;

/** Every column but the first two may be NULL. */
export const predicateColumns =
  "id BIGINT PRIMARY KEY, bit BIGINT NOT NULL, i INT, b BIGINT, d DOUBLE, s TEXT, f BOOLEAN";

const texts = ["a", "b", "ab", "A", "", "x_y", "50%", "é"];
const patterns = ["a%", "%b", "_", "%", "", "A_", "%_y"];
const bigs = ["0", "1", "-1", "100", "9007199254740993", "-9007199254740993"];
const comparisons = ["=", "<>", "<", "<=", ">", ">="];
/** On average every fifth cell is NULL. */
const nullShare = 0.2;

function pick<T>(random: Random, from: readonly T[]): T {
  const [first] = from;
  if (first === undefined) throw new Error("nothing to pick from");
  return from[Math.floor(random() * from.length)] ?? first;
}

const whole = (random: Random): string => String(Math.floor(random() * 14) - 4);
const quarter = (random: Random): string => String(Math.floor(random() * 25 - 12) / 4);

/** One row of a VALUES list. `bit` is a power of two, so that a sum of bits identifies its rows. */
export function rowOf(random: Random, id: number): string {
  const cell = (value: () => string): string => (random() < nullShare ? "NULL" : value());
  return `(${[
    String(id),
    String(2n ** BigInt(id)),
    cell(() => whole(random)),
    cell(() => pick(random, bigs)),
    cell(() => quarter(random)),
    cell(() => quoted(pick(random, texts))),
    cell(() => pick(random, ["TRUE", "FALSE"])),
  ].join(", ")})`;
}

/** `depth` limits the levels of AND, OR, NOT and CASE above the comparisons. */
export function predicateOf(random: Random, depth = 2): string {
  if (depth > 0 && random() < 0.7) {
    const part = (): string => predicateOf(random, depth - 1);
    return pick(random, [
      () => `(${part()} AND ${part()})`,
      () => `(${part()} OR ${part()})`,
      () => `(NOT ${part()})`,
      () => `(${part()} IS NULL)`,
      () => `(${part()} IS NOT TRUE)`,
      () => `(CASE WHEN ${part()} THEN ${part()} ELSE ${part()} END)`,
    ])();
  }
  const not = random() < 0.4 ? "NOT " : "";
  return pick(random, [
    () => `(${numberOf(random)} ${pick(random, comparisons)} ${numberOf(random)})`,
    () => `(${textOf(random)} ${pick(random, comparisons)} ${textOf(random)})`,
    () => `(${numberOf(random)} ${not}BETWEEN ${whole(random)} AND ${quarter(random)})`,
    () => `(${numberOf(random)} ${not}IN (${listOf(random, () => whole(random))}))`,
    () => `(${textOf(random)} ${not}IN (${listOf(random, () => quoted(pick(random, texts)))}))`,
    () => `(${textOf(random)} ${not}LIKE ${quoted(pick(random, patterns))})`,
    () => `(${pick(random, ["i", "b", "d", "s", "f"])} IS ${not}NULL)`,
    () => `(${numberOf(random)} IS ${not}DISTINCT FROM ${numberOf(random)})`,
    () => `(f = ${pick(random, ["TRUE", "FALSE"])})`,
    () => `(f IS ${not}${pick(random, ["TRUE", "FALSE"])})`,
  ])();
}

function numberOf(random: Random, depth = 2): string {
  if (depth > 0 && random() < 0.3) {
    const part = (): string => numberOf(random, depth - 1);
    return pick(random, [
      () => `(${part()} + ${part()})`,
      () => `(${part()} - ${part()})`,
      () => `ABS(${part()})`,
      () => `COALESCE(${part()}, ${part()})`,
      () => `NULLIF(i, ${whole(random)})`,
      () => "CHAR_LENGTH(s)",
    ])();
  }
  return pick(random, [() => "i", () => "b", () => "d", () => whole(random), () => quarter(random)])();
}

function textOf(random: Random): string {
  return pick(random, [
    () => "s",
    () => "LOWER(s)",
    () => "UPPER(s)",
    () => `COALESCE(s, ${quoted(pick(random, texts))})`,
    () => `(s || ${quoted(pick(random, texts))})`,
    () => quoted(pick(random, texts)),
  ])();
}

/** Sometimes with a NULL: x IN (1, NULL) is true or unknown, but never false. */
function listOf(random: Random, item: () => string): string {
  const items = Array.from({ length: 1 + Math.floor(random() * 3) }, item);
  return (random() < 0.3 ? [...items, "NULL"] : items).join(", ");
}

/**
 * Asks which rows make the predicate true, false and unknown, each with its own WHERE (ternary logic partitioning), and
 * which make it true without a WHERE, where no optimizer can skip rows (non-optimizing reference engine construction).
 * Methods of SQLancer, Rigger and Su 2020.
 */
export function question(table: string, predicate: string): string {
  return [
    `SELECT 'yes' AS part, COUNT(*) AS c, SUM(bit) AS m FROM ${table} WHERE ${predicate}`,
    `SELECT 'no', COUNT(*), SUM(bit) FROM ${table} WHERE NOT ${predicate}`,
    `SELECT 'null', COUNT(*), SUM(bit) FROM ${table} WHERE ${predicate} IS NULL`,
    `SELECT 'seen', COUNT(*), SUM(CASE WHEN ${predicate} THEN bit ELSE 0 END) FROM ${table}`,
  ].join(" UNION ALL ");
}
