import { errorBody, sendInstead, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { textComparedExactly } from "./index.ts";
import { pairings, texts, ways } from "./texts.ts";

const lookups = ways.flatMap(({ name: way }) =>
  texts.map((text, at) => ({
    way,
    text,
    id: String(at + 1),
    found: [String(at + 1)] as string[] | null,
    exchange: at,
  })),
);
const keyed = texts.map((text) => ({ text, said: yes(), found: [text] as string[] | null }));
const pairs = pairings.map(({ name: way }) => ({ way, pairs: [] as [string, string][] | null, exchange: 1 }));
const sound = {
  texts: texts.length,
  lookups,
  keyed,
  pairs,
  distinct: String(texts.length) as string | null,
  distinctExchange: 9,
};
const firstLookup = (found: string[] | null) => ({
  ...sound,
  lookups: lookups.map((one, at) => (at === 0 ? { ...one, found } : one)),
});
const lastKey = (change: object) => ({
  ...sound,
  keyed: keyed.map((one, at) => (at === keyed.length - 1 ? { ...one, ...change } : one)),
});
const refusal = no("SQL_EXECUTION_ERROR", "Primary key violation", "constraint");

export default proveCheck(textComparedExactly, {
  holds: [sound],
  cannotTell: [
    { ...sound, lookups: lookups.slice(5) },
    { ...sound, keyed: [] },
    { ...sound, texts: 2, lookups: lookups.slice(0, 4), keyed: keyed.slice(0, 2) },
    { ...sound, pairs: pairs.map((one) => ({ ...one, pairs: null })) },
    { ...sound, distinct: null },
    firstLookup(null),
    lastKey({ said: nothing(), found: [] }),
    lastKey({ found: [] }),
  ],
  breaks: {
    confused: {
      seen: firstLookup(["1", "2"]),
      fault: sendInstead("ignoreCaseInParameters", /^SELECT id FROM \S+\.texts WHERE v = \$1/, (sql) =>
        sql.replace("v = $1", "LOWER(v) = LOWER($1)"),
      ),
    },
    notFound: {
      seen: firstLookup([]),
      // What it finds instead is the text without the spaces.
      also: ["confused"],
      fault: sendInstead("trimTheSearchedText", /^SELECT id FROM \S+\.texts WHERE v = '/, (sql) =>
        sql.replace(/v = '([^']*)'/, (_, text: string) => `v = '${text.trim()}'`),
      ),
    },
    keysConfused: {
      seen: lastKey({ said: refusal }),
      fault: sqlFault("takeKeysForOneThatDifferInCase", (sql, body) => {
        const [text] = (body["params"] ?? []) as readonly unknown[];
        return sql.startsWith("INSERT") && sql.includes(".names ") && text === "KEY"
          ? Promise.resolve({
              status: 400,
              body: errorBody("SQL_EXECUTION_ERROR", "Statement 1 failed: Already exists: Primary key violation"),
            })
          : undefined;
      }),
    },
  },
});
