import { postgresFault } from "../../../../src/faults/postgres.ts";
import { proveCheck, type Fault } from "../../../../src/proof.ts";
import type { PostgresResult } from "../../../../src/wire/postgres/postgres.ts";
import { reached, refused, remote, sound, table, timedOut, unreached, withheld } from "../evidence.ts";
import { postgresRowsAgree } from "./index.ts";

type Rows = Extract<PostgresResult, { readonly kind: "rows" }>;

const without: Rows = { ...table, rows: table.rows.slice(1) };
const foreign: Rows = { ...table, rows: [...table.rows, ["5", "5", "t", "5", sound.foreignMark]] };
const noSuchTable = { kind: "refused", code: "42P01", message: "the table does not exist" } as const;

/** Changes what its queries return. */
function resultsFault(name: string, change: (result: Rows, sql: string) => PostgresResult): Fault {
  return postgresFault(name, async (call, passOn) => {
    if (!call.login.isSecret || call.queries.length === 0) return undefined;
    const outcome = await passOn();
    if (outcome.kind !== "reached") return undefined;
    const results = outcome.results.map((one, at) => (one.kind === "rows" ? change(one, call.queries[at] ?? "") : one));
    return { ...outcome, results };
  });
}

export default proveCheck(postgresRowsAgree, {
  holds: [sound, remote, { ...sound, wrong: [] }],
  cannotTell: [
    { ...sound, right: unreached },
    { ...sound, right: timedOut },
    { ...sound, right: refused },
    { ...remote, right: withheld },
    { ...sound, right: reached({ results: [table] }) },
    { ...sound, right: reached({ results: [table, without] }) },
    { ...sound, right: reached({ results: [table, noSuchTable] }) },
    { ...sound, http: { before: sound.http.before.slice(1), after: sound.http.before.slice(1) } },
    { ...sound, http: { ...sound.http, after: [] } },
    // Nothing shows that it is this server.
    { ...sound, counted: false, right: reached({ results: [noSuchTable, noSuchTable] }) },
    { ...sound, counted: false, right: reached({ results: [without, without] }) },
  ],
  breaks: {
    foreignRows: {
      seen: { ...sound, right: reached({ results: [foreign, foreign] }) },
      fault: resultsFault("addRowsOfOthers", (result, sql) => {
        const [, namespace = ""] = /FROM (\w+)\./.exec(sql) ?? [];
        return { ...result, rows: [...result.rows, ["5", "5", "t", "5", `${namespace} foreign`]] };
      }),
    },
    rowsDiffer: {
      seen: { ...sound, right: reached({ results: [without, without] }) },
      fault: resultsFault("roundIntegers", (result) => ({
        ...result,
        rows: result.rows.map(([id = null, ...others]) => [id === null ? null : String(Number(id)), ...others]),
      })),
    },
    queryRefused: {
      seen: { ...sound, right: reached({ results: [noSuchTable, noSuchTable] }) },
      fault: resultsFault("refuseQueries", () => noSuchTable),
    },
  },
});
