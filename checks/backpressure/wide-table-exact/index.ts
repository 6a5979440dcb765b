import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import { cellText, rowsOf, type Account, type Target, truncated } from "../../../src/server/target.ts";
import { flushToSegments } from "../../vocabulary/cold.ts";
import { createTable } from "../../vocabulary/tables.ts";
import { isPermissionDenied, sortTried, tryAll, tryOne, whyUnclear, type Tried } from "../../vocabulary/trials.ts";
import { columnsOf, literalOf, parameterOf, shuffled, valueOf, type Column } from "./columns.ts";

/** Up to as many parameters are usual. */
const parametersMax = 40;
const sampleMax = 5;
/** Beyond it, some servers store columns in another way. */
const columnsMin = 100;

type Wrong = {
  readonly row: number;
  readonly column: string;
  readonly want: string;
  readonly got: string;
  readonly belongsTo: string;
};
/** `when`: what was read, and whether after a flush. `compared`: cells; null if the query was not answered. */
type Reading = {
  readonly when: string;
  readonly compared: number | null;
  readonly wrong: readonly Wrong[];
  readonly wrongCount: number;
  readonly exchange: number;
};
type Seen = {
  readonly columns: number;
  readonly made: Tried;
  readonly written: readonly Tried[];
  /** Statements with more or fewer values than columns. */
  readonly arity: readonly Tried[];
  /** The rows that these statements stored; null if it is not known. */
  readonly stored: number | null;
  readonly unflushed: string | null;
  readonly readings: readonly Reading[];
};

export const wideTableExact = defineCheck({
  id: "backpressure/wide-table-exact",
  title: "In wide tables each value stays in its own column",
  failureTitle: "Wide tables mix up columns",
  description:
    "Makes tables of 30, 100 and 250 columns (at light effort one of 120) of several types and writes rows in the order of the table, in a shuffled column list and with parameters. Reads them with * and with a shuffled column list, immediately and after a flush: each value must be under its own name. An INSERT with one value too few or too many must be rejected and store nothing.",
  blindTo: "Wider tables, and columns that were added later: the durability category alters tables.",
  risk: "A field of a record shows the value of another one.",
  remedy: "Name the columns in every INSERT and SELECT, and split tables that are wider than what is stored exactly.",
  covers: ["BP-05"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_500,
  estimateRequests: 45,
  findings: {
    swappedColumns: {
      say: (d: { columns: number; when: string; wrong: number; of: number; first: Wrong }) =>
        `${d.wrong} of ${d.of} values of a table of ${d.columns} columns are wrong, ${d.when}: ${d.first.column} of row ${d.first.row} is ${d.first.got}${d.first.belongsTo === "" ? "" : `, the value of ${d.first.belongsTo}`}, expected ${d.first.want}`,
    },
    wrongArityAccepted: {
      say: (d: { columns: number; case: string; stored: number | null }) =>
        `an INSERT with ${d.case} into a table of ${d.columns} columns was accepted${d.stored === null ? "" : ` and stored ${d.stored} rows`}`,
      risk: "A program that forgets a value stores records with the wrong fields.",
      remedy: "Check in the application that each INSERT has a value for every column that it names.",
    },
  },
  async observe(target, context) {
    const [op, user] = await Promise.all([target.account("dba"), target.account("user")]);
    const widths = context.effort === "light" ? [120] : [30, 100, 250];
    const tables: Seen[] = [];
    for (const width of widths) tables.push(await look(target, context, { op, user, width }));
    return { tables };
  },
  judge({ tables }, { found }) {
    for (const { columns, readings, arity, stored } of tables) {
      const [worst] = readings.flatMap(({ wrong, ...reading }) => wrong.map((first) => ({ ...reading, first })));
      if (worst !== undefined)
        found.swappedColumns(
          { columns, when: worst.when, wrong: worst.wrongCount, of: worst.compared ?? 0, first: worst.first },
          { case: `${columns} columns`, sent: worst },
        );
      const { accepted } = sortTried(arity);
      for (const one of accepted)
        found.wrongArityAccepted(
          { columns, case: one.case, stored },
          { case: `${columns} columns, ${one.case}`, sent: one.said },
        );
      if (accepted.length === 0 && arity.length > 0 && (stored ?? 0) > 0)
        found.wrongArityAccepted(
          { columns, case: "a wrong number of values", stored },
          { sent: arity.map(({ said }) => said) },
        );
    }
    const widest = Math.max(0, ...tables.map(({ columns }) => columns));
    if (widest < columnsMin) return unknown(`the widest table had ${widest} columns; ${columnsMin} are needed`);
    const why = tables.map(whyUnknown).find((sentence) => sentence !== undefined);
    if (why !== undefined) return unknown(why);
    const cells = tables.flatMap(({ readings }) => readings).reduce((sum, { compared }) => sum + (compared ?? 0), 0);
    return pass(
      `${cells} values of tables with ${tables.map(({ columns }) => columns).join(", ")} columns under their own names, immediately and after a flush; every wrong number of values was rejected`,
    );
  },
});

const rowsEach = 3;
const readingsEach = 4;

async function look(
  target: Target,
  context: Context,
  { op, user, width }: { readonly op: Account; readonly user: Account; readonly width: number },
): Promise<Seen> {
  const random = context.random(`columns ${width}`);
  const columns = columnsOf(width);
  const table = `${context.scratch}.wide_${width}`;
  const declared = columns.map(({ name, type }) => `${name} ${type}`).join(", ");
  const made = await tryOne(target, {
    name: "CREATE TABLE",
    as: op,
    sql: createTable(table, { columns: `id BIGINT PRIMARY KEY, ${declared}` }),
  });
  const mixed = shuffled(columns, random);
  const bound = shuffled(columns, random).slice(0, parametersMax);
  const written = await tryAll(target, [
    { name: "in the order of the table", as: user, sql: insert(table, 1, columns, literalOf) },
    { name: "in a shuffled order", as: user, sql: insert(table, 2, mixed, literalOf) },
    {
      name: "with parameters",
      as: user,
      sql: insert(table, 3, bound, (_, __, at) => `$${at + 1}`),
      params: bound.map((column) => parameterOf(column, 3)),
    },
  ]);
  const names = columns.map(({ name }) => name);
  const [fewer, more] = [columns.slice(0, -1), [...columns, ...columns.slice(0, 1)]];
  const values = (some: readonly Column[]): string => some.map((column) => literalOf(column, 9)).join(", ");
  const arity = await tryAll(target, [
    {
      name: "one value too few",
      as: user,
      sql: `INSERT INTO ${table} (id, ${names.join(", ")}) VALUES (91, ${values(fewer)})`,
    },
    {
      name: "one value too many",
      as: user,
      sql: `INSERT INTO ${table} (id, ${names.join(", ")}) VALUES (92, ${values(more)})`,
    },
  ]);
  const left = rowsOf(await target.sql(user, `SELECT id FROM ${table} WHERE id > 90 LIMIT 10`));
  // A row whose INSERT was not acknowledged may be there or not.
  const expected = new Map(
    [columns, columns, bound].flatMap((list, at) => (written[at]?.said.kind === "ok" ? [[at + 1, list] as const] : [])),
  );
  const readBoth = async (when: string): Promise<Reading[]> => {
    const readings: Reading[] = [];
    for (const [way, list] of [
      ["read with *", "*"],
      ["read in a shuffled order", `id, ${shuffled(names, random).join(", ")}`],
    ] as const) {
      const answer = await target.sql(user, `SELECT ${list} FROM ${table} WHERE id < 90 ORDER BY id LIMIT 10`);
      readings.push({
        when: `${way}${when}`,
        ...compare(rowsOf(answer), columns, expected),
        exchange: answer.exchange,
      });
    }
    return readings;
  };
  const before = await readBoth("");
  const segments = await flushToSegments(target, context, op, table, [user.name]);
  const flushed =
    typeof segments === "string" ? segments : (segments[user.name] ?? 0) > 0 ? null : "nothing was flushed";
  const after = await readBoth(" after a flush");
  return {
    columns: width,
    made,
    written,
    arity,
    stored: left?.length ?? null,
    unflushed: flushed,
    readings: [...before, ...after],
  };
}

type Literal = (column: Column, row: number, at: number) => string;

function insert(table: string, id: number, columns: readonly Column[], literal: Literal): string {
  const values = columns.map((column, at) => literal(column, id, at));
  return `INSERT INTO ${table} (${[...columns.map(({ name }) => name), "id"].join(", ")}) VALUES (${[...values, id].join(", ")})`;
}

/** Columns that were not written must be NULL. A row that is missing has no value at all. */
function compare(
  rows: ReturnType<typeof rowsOf>,
  columns: readonly Column[],
  expected: ReadonlyMap<number, readonly Column[]>,
): Pick<Reading, "compared" | "wrong" | "wrongCount"> {
  if (rows === undefined) return { compared: null, wrong: [], wrongCount: 0 };
  const owner = new Map(
    [...expected].flatMap(([row, list]) =>
      list.map((column) => [valueOf(column, row), `${column.name} of row ${row}`]),
    ),
  );
  const all = [...expected].flatMap(([row, list]) => {
    const record = rows.find(({ id }) => cellText(id) === String(row));
    return columns.map((column) => {
      const want = list.includes(column) ? valueOf(column, row) : "NULL";
      const cell = record?.[column.name];
      const got = cell === undefined ? "not there" : cell === null ? "NULL" : cellText(cell);
      return { row, column: column.name, want, got, belongsTo: owner.get(got) ?? "" };
    });
  });
  const wrong = all.filter(({ want, got }) => want !== got);
  return { compared: all.length, wrong: wrong.slice(0, sampleMax), wrongCount: wrong.length };
}

function whyUnknown({ columns, made, written, arity, stored, unflushed, readings }: Seen): string | undefined {
  const what = `the table of ${columns} columns`;
  const unwritten = [made, ...written].find(({ said }) => said.kind !== "ok");
  if (unwritten !== undefined) return `${what}, ${unwritten.case}: ${truncated(unwritten.said.message, 200)}`;
  if (written.length < rowsEach) return `${what}: only ${written.length} of ${rowsEach} rows were written`;
  const denied = arity.find(({ said }) => isPermissionDenied(said));
  const unclear = whyUnclear(sortTried(arity)) ?? (denied === undefined ? undefined : denied.said.message);
  if (unclear !== undefined) return `${what}: ${unclear}`;
  if (arity.length < 2 || stored === null) return `${what}: whether a wrong number of values was stored is not known`;
  if (unflushed !== null) return `${what}: ${unflushed}`;
  const unread = readings.some(({ compared }) => compared === null);
  return unread || readings.length < readingsEach ? `${what} could not be read` : undefined;
}
