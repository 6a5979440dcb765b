/**
 * Predicates for tests that need no second opinion: whatever a predicate means, each row must make it true, false or
 * unknown, and only one of them. Pure: the same random numbers give the same predicates. Each is parenthesised, each part
 * has the type that its place calls for, and only syntax is used that KalamDB has.
 */
import { quoted } from "../../vocabulary/values.ts";

type Random = () => number;

/** The table of the predicates. Every column but the first two may be NULL. */
export const predicateColumns =
  "id BIGINT PRIMARY KEY, bit BIGINT NOT NULL, i INT, b BIGINT, d DOUBLE, s TEXT, f BOOLEAN";

const texts = ["a", "b", "ab", "A", "", "x_y", "50%", "é"];
const patterns = ["a%", "%b", "_", "%", "", "A_", "%_y"];
const bigs = ["0", "1", "-1", "100", "9007199254740993", "-9007199254740993"];
const comparisons = ["=", "<>", "<", "<=", ">", ">="];
/** Every fifth cell is NULL. */
const nullShare = 0.2;

function pick<T>(random: Random, from: readonly T[]): T {
  const [first] = from;
  if (first === undefined) throw new Error("nothing to pick from");
  return from[Math.floor(random() * from.length)] ?? first;
}

const whole = (random: Random): string => String(Math.floor(random() * 14) - 4);
const quarter = (random: Random): string => String(Math.floor(random() * 25 - 12) / 4);

/** One row as it stands in VALUES. `bit` is a power of two, so that a sum of bits names the rows that it is of. */
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

/** A predicate with at most so many levels of AND, OR, NOT and CASE above its comparisons. */
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

/** Sometimes with a NULL in it: x IN (1, NULL) is true or unknown, and never false. */
function listOf(random: Random, item: () => string): string {
  const items = Array.from({ length: 1 + Math.floor(random() * 3) }, item);
  return (random() < 0.3 ? [...items, "NULL"] : items).join(", ");
}

/**
 * Asks which rows make it true, false and unknown, each by a WHERE of its own (ternary logic partitioning), and once
 * without one, where nothing can be left out early (non-optimizing reference engine construction). Methods of SQLancer,
 * Rigger and Su 2020.
 */
export function question(table: string, predicate: string): string {
  return [
    `SELECT 'yes' AS part, COUNT(*) AS c, SUM(bit) AS m FROM ${table} WHERE ${predicate}`,
    `SELECT 'no', COUNT(*), SUM(bit) FROM ${table} WHERE NOT ${predicate}`,
    `SELECT 'null', COUNT(*), SUM(bit) FROM ${table} WHERE ${predicate} IS NULL`,
    `SELECT 'seen', COUNT(*), SUM(CASE WHEN ${predicate} THEN bit ELSE 0 END) FROM ${table}`,
  ].join(" UNION ALL ");
}
