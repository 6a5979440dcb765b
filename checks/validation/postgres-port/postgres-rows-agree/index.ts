import { defineCheckOf, pass, unknown } from "../../../../src/check.ts";
import { refusalText, truncated } from "../../../../src/server/target.ts";
import { lookedTwice } from "../../../vocabulary/second-look.ts";
import { answered, columns, identityOf, notKnownToBeOurs, postgresPort, rowsIn } from "../looking.ts";

type Cells = readonly (string | null)[];
const rowsMin = 4;

export const postgresRowsAgree = defineCheckOf(postgresPort, {
  id: "validation/postgres-rows-agree",
  title: "The PostgreSQL port returns the same rows as HTTP",
  failureTitle: "The PostgreSQL port returns other rows than HTTP",
  description:
    "Two accounts write rows into a USER table. One of them reads it over HTTP, twice at the PostgreSQL port with a simple query, and over HTTP again: 64-bit integers, booleans, doubles, texts and NULL must agree, and no row of the other account may be among them.",
  blindTo:
    "Prepared queries; the binary format; times, decimals, JSON and bytes; transactions; shared tables and policies.",
  risk: "A report or an application that uses a PostgreSQL driver works with other data than the rest.",
  remedy: "Read over HTTP until this passes, and report the rows that differ.",
  covers: [],
  appliesWhere: { postgresPort: true },
  level: "block",
  findings: {
    foreignRows: {
      say: (d: { rows: number }) => lookedTwice(`${d.rows} rows of another account's are returned`),
      risk: "One user reads what belongs to another.",
      remedy: "Set postgres_wire.enabled to false until this passes.",
    },
    rowsDiffer: {
      say: (d: { http: string; postgres: string }) =>
        lookedTwice(`HTTP returns ${d.http}, the PostgreSQL port ${d.postgres}`),
    },
    queryRefused: {
      say: (d: { refusal: string }) => lookedTwice(`a query that HTTP answers is refused: ${d.refusal}`),
      risk: "Applications that use a PostgreSQL driver do not work.",
    },
  },
  judge(seen, { found }) {
    const right = answered(seen);
    if (typeof right === "string") return unknown(right);
    const { http, foreignMark, name } = seen;
    if (right.login.kind === "withheld")
      return unknown(`no login was tried at ${name}: others could read the password on the way`);
    if (right.login.kind !== "in") return unknown(`the account could not log in at ${name}`);
    if (http.before.length < rowsMin || !sameRows(http.before, http.after))
      return unknown("the rows over HTTP were not the same before and after");
    const refusals = right.results.flatMap((result) => (result.kind === "refused" ? [refusalText(result)] : []));
    if (refusals.length === 2) {
      if (identityOf(seen) === undefined) return unknown(notKnownToBeOurs(seen));
      found.queryRefused({ refusal: refusals[0] ?? "" }, { sent: right });
      return unknown("the query was refused");
    }
    const [first, second] = [rowsIn(right, 0), rowsIn(right, 1)];
    if (first === undefined || second === undefined) return unknown(`the query was answered only once at ${name}`);
    const isForeign = (row: Cells): boolean => row.includes(foreignMark);
    const [foreign, foreignAgain] = [first.filter(isForeign).length, second.filter(isForeign).length];
    if (foreign > 0 && foreignAgain > 0) found.foreignRows({ rows: Math.min(foreign, foreignAgain) }, { sent: right });
    else if (foreign + foreignAgain > 0) return unknown("of two equal queries one returned rows of another account");
    const [own, ownAgain] = [first, second].map((rows) => rows.filter((row) => !isForeign(row)));
    const differs = [own, ownAgain].map((rows) => !sameRows(http.before, rows ?? []));
    if (differs.every(Boolean)) {
      if (identityOf(seen) === undefined) return unknown(notKnownToBeOurs(seen));
      found.rowsDiffer(firstDifference(http.before, own ?? []), { sent: right });
    } else if (differs.some(Boolean)) return unknown("of two equal queries one returned the rows of HTTP");
    return pass(`${http.before.length} rows with ${columns.length} columns agree, read twice; none of another account`);
  },
});

function sameRows(http: readonly Cells[], rows: readonly Cells[]): boolean {
  return http.length === rows.length && http.every((row, at) => sameRow(row, rows[at]));
}

function sameRow(http: Cells, row: Cells | undefined): boolean {
  return row?.length === http.length && http.every((cell, at) => sameCell(cell, row[at] ?? null, columns[at]));
}

/** PostgreSQL writes booleans and doubles in its own way. */
function sameCell(http: string | null, cell: string | null, column: (typeof columns)[number] | undefined): boolean {
  if (http === null || cell === null) return http === cell;
  if (column === "flag") return http.slice(0, 1) === cell.slice(0, 1);
  return column === "amount" ? Number(http) === Number(cell) : http === cell;
}

function firstDifference(http: readonly Cells[], rows: readonly Cells[]): { http: string; postgres: string } {
  const at = http.findIndex((row, index) => !sameRow(row, rows[index]));
  if (at === -1) return { http: `${http.length} rows`, postgres: `${rows.length} rows` };
  const text = (row: Cells | undefined): string => (row === undefined ? "no row" : truncated(JSON.stringify(row), 120));
  return { http: text(http[at]), postgres: text(rows[at]) };
}
