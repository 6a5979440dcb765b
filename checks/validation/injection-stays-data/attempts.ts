/** Stores the texts, and puts statements where names stand. Nothing here judges what came of it. */
import type { Context } from "../../../src/check.ts";
import { integerText, rowsOf, saidOf, type Account, type Said, type Target } from "../../../src/server/target.ts";
import { afterAWhile } from "../../vocabulary/looking-again.ts";
import { sampleAtLight } from "../../vocabulary/sample.ts";
import { quoted } from "../../vocabulary/values.ts";
import { aliases, cases, payloads, places } from "./injections.ts";

/** One text in one place: the answer to it, and what was read back; `got` is null if nothing was. */
export type Text = {
  readonly case: string;
  readonly text: string;
  readonly mayRefuse: boolean;
  readonly said: Said;
  readonly got: string | null;
};
/** The rows that a filter for a text must find, and those it found; null if it was not answered. */
export type Filter = {
  readonly case: string;
  readonly text: string;
  readonly expected: readonly string[];
  /** Of those that got no answer: they may be there or not. */
  readonly maybe: readonly string[];
  readonly found: readonly string[] | null;
  /** Asked for a second time where it found other rows than expected; then `found` is the second answer. */
  readonly unsteady: boolean;
  readonly exchange: number;
};

/** The statement that deletes a case's row of the canary table. */
type Remove = (name: string) => string;

/** The key of a case's row in the canary table; 0 is for the control. */
export const canaryKey = (name: string): number => cases.indexOf(name) + 1;

/** Stores each text (at light effort `tried` of them) as a literal and as a parameter, in rows with consecutive keys, and filters for it. */
export async function storeTexts(
  target: Target,
  context: Pick<Context, "poll" | "effort">,
  as: Account,
  table: string,
  remove: Remove,
): Promise<{ readonly tried: number; stored: Omit<Text, "got">[]; filters: Filter[] }> {
  const stored: Omit<Text, "got">[] = [];
  const filters: Filter[] = [];
  const some = sampleAtLight(context, payloads, 3, ({ name }) => /^backslash and|^NUL/.test(name));
  for (const { name, text: make, mayRefuse = false } of some) {
    const text = make(remove(name));
    const id = stored.length;
    const insert = `INSERT INTO ${table} (id, v) VALUES`;
    const literal = await target.sql(as, `${insert} (${id}, ${quoted(text)})`);
    const parameter = await target.sql(as, `${insert} ($1, $2)`, { params: [id + 1, text] });
    stored.push(
      { case: `${name}, as a literal`, text, mayRefuse, said: saidOf(literal) },
      { case: `${name}, as a parameter`, text, mayRefuse, said: saidOf(parameter) },
    );
    const expected = [literal, parameter].flatMap(({ kind }, at) => (kind === "ok" ? [String(id + at)] : []));
    // Nobody knows whether these were stored.
    const maybe = [literal, parameter].flatMap(({ kind }, at) => (kind === "unsure" ? [String(id + at)] : []));
    if (expected.length === 0) continue;
    const ask = async (look: 1 | 2): Promise<Pick<Filter, "found" | "exchange">> => {
      // A cache in between would answer the same statement from the first.
      const query = `SELECT id FROM ${table} WHERE v = $1 ORDER BY id LIMIT ${200 + look}`;
      const filter = await target.sql(as, query, { params: [text] });
      return {
        found: rowsOf(filter)?.map((row) => integerText(row["id"]) ?? "") ?? null,
        exchange: filter.exchange,
      };
    };
    const once = await ask(1);
    const isOdd = once.found !== null && once.found.filter((one) => !maybe.includes(one)).join() !== expected.join();
    const last = isOdd ? await afterAWhile(context, async () => await ask(2)) : once;
    const unsteady = isOdd && last.found?.join() !== once.found?.join();
    filters.push({ case: `${name}, in a filter`, text, expected, maybe, unsteady, ...last });
  }
  return { tried: some.length, stored, filters };
}

export async function tryPlaces(target: Target, as: Account, scratch: string, remove: Remove): Promise<Said[]> {
  const answers: Said[] = [];
  for (const { name, sql, params, namespace } of places) {
    const statement = remove(name);
    const options = {
      ...(params === undefined ? {} : { params: params(statement) }),
      ...(namespace === undefined ? {} : { namespace: namespace(statement) }),
    };
    answers.push(saidOf(await target.sql(as, sql(scratch, statement), options)));
  }
  return answers;
}

export async function tryAliases(target: Target, as: Account, remove: Remove): Promise<Text[]> {
  const texts: Text[] = [];
  for (const { name, text } of aliases) {
    const alias = text(remove(name));
    const answer = await target.sql(as, `SELECT 1 AS "${alias.replaceAll('"', '""')}"`);
    const got = answer.kind === "ok" ? (answer.results[0]?.columns[0]?.name ?? null) : null;
    texts.push({ case: name, text: alias, mayRefuse: false, said: saidOf(answer), got });
  }
  return texts;
}
