import { defineCheck, pass, unknown } from "../../../src/check.ts";
import {
  cellText,
  integerText,
  onlyRow,
  rowsOf,
  saidOf,
  type Account,
  type Said,
  type Target,
} from "../../../src/server/target.ts";
import { sampleAtLight } from "../../vocabulary/sample.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { quoted } from "../../vocabulary/values.ts";
import { pairings, texts, ways } from "./texts.ts";

/** Rows that a comparison found for a text; null if it was not answered, and nothing is expected of a text that was not stored. */
type Lookup = {
  readonly way: string;
  readonly text: string;
  readonly id: string;
  readonly found: readonly string[] | null;
  readonly exchange: number;
};
/** Pairs of rows that one statement takes for equal. */
type Pairing = {
  readonly way: string;
  readonly pairs: readonly (readonly [string, string])[] | null;
  readonly exchange: number;
};
/** A text as a key: whether it was stored, and what is read under it. */
type Keyed = { readonly text: string; readonly said: Said; readonly found: readonly string[] | null };

/** Fewer show too little. */
const textsMin = 10;

const textOf = (id: string): string => JSON.stringify(texts[Number(id) - 1] ?? id);

export const textComparedExactly = defineCheck({
  id: "validation/text-compared-exactly",
  title: "Texts are equal only if every character is",
  failureTitle: "Different texts are taken for equal",
  description: `Stores ${texts.length} texts that look alike (upper and lower case, accents composed and decomposed, spaces at the ends, full-width letters, numbers in several forms, long texts with one prefix, wildcards) and compares them: by = with a literal and with a parameter, JOIN, IN, GROUP BY and DISTINCT, and as keys of a table (at light effort some of them). Each text must be found by itself alone, and each must be a key of its own.`,
  blindTo: "The order of texts, and LIKE (validation/clauses-answer-right looks at both); live filters.",
  risk: "One customer logs in as another whose name differs in case, and a search returns, updates or deletes the rows of others.",
  remedy: "Normalise names before you store them, and do not use them as keys until this passes.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 700,
  estimateRequests: 4 * texts.length + pairings.length + 5,
  findings: {
    confused: {
      say: (d: { way: string; text: string; with: string; times: number }) =>
        `${d.way}: ${d.text} is taken for ${d.with}${d.times > 1 ? `, and ${d.times - 1} more pairs` : ""}`,
    },
    notFound: {
      say: (d: { way: string; text: string; times: number }) =>
        `${d.way}: ${d.text} is stored and not found by itself${d.times > 1 ? `, and ${d.times - 1} more texts` : ""}`,
      risk: "Rows that are there cannot be found.",
      remedy: "Look rows up by number until this passes.",
    },
    keysConfused: {
      say: (d: { text: string; answer: string; times: number }) =>
        `the key ${d.text} is taken for another one: ${d.answer}${d.times > 1 ? `, and ${d.times - 1} more keys` : ""}`,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const accounts = await Promise.all([0, 1, 2].map(async (at) => await target.account("service", `reader ${at}`)));
    const sharing = { columns: "id BIGINT PRIMARY KEY, v TEXT", readers: ["service"], writers: ["service"] } as const;
    const table = await sharedTable(target, context, op, `${context.scratch}.texts`, sharing);
    const keys = await sharedTable(target, context, op, `${context.scratch}.names`, {
      ...sharing,
      columns: "id TEXT PRIMARY KEY, v TEXT",
    });
    const rows = texts.map((text, at) => `(${at + 1}, ${quoted(text)})`).join(", ");
    context.need(await target.sql(op, `INSERT INTO ${table} (id, v) VALUES ${rows}`), "the texts could not be written");
    const [first = op, second = op, third = op] = accounts;
    // All are stored, so that each of these can be taken for any.
    const tried = sampleAtLight(context, texts, 5, (text) => /^(key ?|KEY|0?1)$/.test(text));
    const [lookups, keyed, pairs] = await Promise.all([
      lookUp(target, first, table, tried),
      tryKeys(target, second, keys, tried),
      pairUp(target, third, table),
    ]);
    const answer = await target.sql(third, `SELECT COUNT(DISTINCT v) AS c FROM ${table}`);
    const distinct = integerText(onlyRow(answer)?.["c"]) ?? null;
    return { texts: tried.length, lookups, keyed, pairs, distinct, distinctExchange: answer.exchange };
  },
  judge({ texts: tried, lookups, keyed, pairs, distinct, distinctExchange }, { found }) {
    for (const { name: way } of ways) {
      const some = lookups.filter((one) => one.way === way && one.found !== null);
      const stray = some.filter((one) => one.found?.some((id) => id !== one.id) === true);
      const [one] = stray;
      const other = one?.found?.find((id) => id !== one.id);
      if (one !== undefined && other !== undefined)
        found.confused(
          { way, text: JSON.stringify(one.text), with: textOf(other), times: stray.length },
          { case: way, sent: stray.slice(0, 3) },
        );
      const missing = some.filter((each) => each.found?.includes(each.id) !== true);
      const [lost] = missing;
      if (lost !== undefined)
        found.notFound(
          { way, text: JSON.stringify(lost.text), times: missing.length },
          { case: way, sent: missing.slice(0, 3) },
        );
    }
    for (const { way, pairs: some, exchange } of pairs) {
      const [pair] = some ?? [];
      if (pair !== undefined)
        found.confused(
          { way, text: textOf(pair[0]), with: textOf(pair[1]), times: some?.length ?? 1 },
          { case: way, sent: [exchange] },
        );
    }
    if (distinct !== null && Number(distinct) < texts.length)
      found.confused(
        {
          way: "DISTINCT",
          text: `one of ${texts.length} texts`,
          with: "another",
          times: texts.length - Number(distinct),
        },
        { case: "DISTINCT", sent: [distinctExchange] },
      );
    const refused = keyed.filter(({ said }) => said.kind === "refused" && said.why === "constraint");
    const others = keyed.filter(
      (one) => one.said.kind === "ok" && one.found?.some((text) => text !== one.text) === true,
    );
    for (const [some, answerOf] of [
      [refused, ({ said }: Keyed) => said.message],
      [others, ({ found: rows }: Keyed) => `it finds ${rows?.map((text) => JSON.stringify(text)).join(" and ") ?? ""}`],
    ] as const) {
      const [key] = some;
      if (key !== undefined)
        found.keysConfused(
          { text: JSON.stringify(key.text), answer: answerOf(key), times: some.length },
          { sent: some.slice(0, 3).map(({ said }) => said) },
        );
    }
    const lost = lookups.find((one) => one.found === null)?.way ?? pairs.find((one) => one.pairs === null)?.way;
    if (lost !== undefined) return unknown(`${lost}: not answered`);
    if (distinct === null) return unknown("COUNT(DISTINCT) was not answered");
    const unclear = keyed.find((one) => one.said.kind !== "ok" || one.found === null);
    if (unclear !== undefined)
      return unknown(`the key ${JSON.stringify(unclear.text)} was not stored and read: ${unclear.said.message}`);
    const missed = keyed.find((one) => one.found?.length !== 1);
    if (missed !== undefined)
      return unknown(`the key ${JSON.stringify(missed.text)} is found ${missed.found?.length ?? 0} times`);
    if (
      tried < textsMin ||
      lookups.length < ways.length * tried ||
      keyed.length < tried ||
      pairs.length < pairings.length
    )
      return unknown(`only ${lookups.length + keyed.length} comparisons were made`);
    return pass(
      `${tried} of ${texts.length} texts told apart from all by ${ways.map(({ name }) => name).join(", ")} and as keys, and all by ${pairings.map(({ name }) => name).join(", ")} and DISTINCT`,
    );
  },
});

async function lookUp(target: Target, as: Account, table: string, tried: readonly string[]): Promise<Lookup[]> {
  const lookups: Lookup[] = [];
  for (const { name: way, sql, param } of ways) {
    for (const text of tried) {
      const answer = await target.sql(as, sql(table, text), param === true ? { params: [text] } : {});
      const found = rowsOf(answer)?.map((row) => integerText(row["id"]) ?? "") ?? null;
      lookups.push({ way, text, id: String(texts.indexOf(text) + 1), found, exchange: answer.exchange });
    }
  }
  return lookups;
}

async function tryKeys(target: Target, as: Account, table: string, tried: readonly string[]): Promise<Keyed[]> {
  const stored: { text: string; said: Said }[] = [];
  for (const text of tried)
    stored.push({
      text,
      said: saidOf(await target.sql(as, `INSERT INTO ${table} (id, v) VALUES ($1, $1)`, { params: [text] })),
    });
  const keyed: Keyed[] = [];
  for (const one of stored) {
    const rows = rowsOf(await target.sql(as, `SELECT v FROM ${table} WHERE id = $1 LIMIT 100`, { params: [one.text] }));
    keyed.push({ ...one, found: rows?.map((row) => cellText(row["v"])) ?? null });
  }
  return keyed;
}

async function pairUp(target: Target, as: Account, table: string): Promise<Pairing[]> {
  const pairs: Pairing[] = [];
  for (const { name: way, sql } of pairings) {
    const answer = await target.sql(as, sql(table));
    const found = rowsOf(answer)?.map((row) => [integerText(row["x"]) ?? "", integerText(row["y"]) ?? ""] as const);
    pairs.push({ way, pairs: found ?? null, exchange: answer.exchange });
  }
  return pairs;
}
