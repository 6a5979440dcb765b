import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import { cellText, type Account, type Target, truncated } from "../../../src/server/target.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { sortTried, tryAll, whyUnclear, type Tried } from "../../vocabulary/trials.ts";
import { cases, changedRows, columns, idsOf, initialRows, type Row } from "./cases.ts";

const kinds = ["USER", "SHARED"] as const;
/** At most this many changed rows are shown per finding. */
const shownMax = 3;

type Seen = {
  readonly kind: string;
  readonly tried: readonly Tried[];
  /** The rows after all statements; null if they could not be read. */
  readonly rows: readonly Row[] | null;
  readonly proper: readonly Tried[];
};

async function look(
  target: Target,
  context: Context,
  op: Account,
  as: Account,
  type: "USER" | "SHARED",
): Promise<Seen> {
  const table = await makeTable(target, context, op, `${context.scratch}.${type.toLowerCase()}_rows`, {
    type,
    columns,
  });
  const written = initialRows.map(([id, must, num]) => `(${id ?? ""}, '${must ?? ""}', ${num ?? ""})`);
  context.need(
    await target.sql(as, `INSERT INTO ${table} (id, must, num) VALUES ${written.join(", ")}`),
    `the rows of the ${type} table could not be written`,
  );
  const tried = await tryAll(
    target,
    cases.map(({ name, sql, params }) => ({ name, as, sql: sql(table), ...(params === undefined ? {} : { params }) })),
  );
  const answer = await target.sql(as, `SELECT id, must, num, may FROM ${table} ORDER BY id LIMIT 200`);
  const [result] = answer.kind === "ok" ? answer.results : [];
  const rows = result?.rows.map((row) => row.map((cell) => (cell === null ? null : cellText(cell)))) ?? null;
  const proper = await tryAll(target, [
    { name: "INSERT", as, sql: `INSERT INTO ${table} (id, must, num) VALUES (30, 'z', 3)` },
    { name: "UPDATE", as, sql: `UPDATE ${table} SET must = 'two' WHERE id = 2` },
  ]);
  return { kind: type, tried, rows, proper };
}

export const notNullHolds = defineCheck({
  id: "validation/not-null-holds",
  title: "NOT NULL columns always have a value",
  failureTitle: "A NOT NULL column can be left without a value",
  description: `Tries ${cases.length} ways to leave NOT NULL columns and the key without a value (left out, NULL as a literal and as a parameter, one NULL among many rows, by UPDATE, from a SELECT, in a transaction), on a USER table as a plain user and on a SHARED table. Each must be rejected, and afterwards only the rows that were written properly may exist. The empty string and 0 are values and must be accepted.`,
  blindTo: "It does not add a NOT NULL column to a table that has rows; the durability category tests altered tables.",
  risk: "Rows without an owner, amount or date are stored, or the server makes up a value, and the programs that read them fail much later.",
  remedy: "Give every NOT NULL column a value in each INSERT, or declare a DEFAULT if it may be left out.",
  covers: ["VAL-08"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 500,
  estimateRequests: kinds.length * (cases.length + 5),
  findings: {
    accepted: {
      say: (d: { case: string; kind: string; sql: string; stored: readonly string[] }) =>
        `${d.sql} was accepted on a ${d.kind} table${d.stored.length === 0 ? "" : `, which now has ${d.stored.join(", ")}`}`,
    },
    partial: {
      say: (d: { case: string; kind: string; sql: string; stored: readonly string[] }) =>
        `${d.sql} was rejected on a ${d.kind} table but changed it: ${d.stored.join(", ")}`,
      risk: "A program repeats a statement that reported an error, although part of it was already stored.",
      remedy: "After an error, look up which rows were stored before you send the statement again.",
    },
  },
  async observe(target, context) {
    const [op, user] = await Promise.all([target.account("dba"), target.account("user")]);
    const tables: readonly Seen[] = await Promise.all(
      kinds.map(async (kind) => await look(target, context, op, kind === "USER" ? user : op, kind)),
    );
    return { tables };
  },
  judge({ tables }, { found }) {
    for (const { kind, tried, rows } of tables) {
      const { accepted, refused } = sortTried(tried);
      const dataOf = (one: Tried, changed: readonly Row[]) => ({
        case: one.case,
        kind,
        sql: one.sql,
        stored: shownOf(changed),
      });
      for (const one of accepted)
        found.accepted(dataOf(one, changedRows(rows ?? [], one.case)), {
          case: `${one.case}, ${kind}`,
          sent: one.said,
        });
      const explained = new Set(accepted.flatMap((one) => idsOf(one.case)));
      for (const one of refused) {
        const changed = changedRows(rows ?? [], one.case).filter(([id]) => !explained.has(Number(id)));
        if (idsOf(one.case).length > 0 && changed.length > 0)
          found.partial(dataOf(one, changed), { case: `${one.case}, ${kind}`, sent: one.said });
      }
    }
    if (tables.length < kinds.length) return unknown(`only ${tables.length} of ${kinds.length} table types were tried`);
    for (const { kind, tried, rows, proper } of tables) {
      if (rows === null) return unknown(`the rows of the ${kind} table could not be read afterwards`);
      if (JSON.stringify(rows) !== JSON.stringify(initialRows))
        return unknown(
          `the ${kind} table does not have the rows that were written at the start: ${truncated(JSON.stringify(rows), 300)}`,
        );
      const why = whyUnclear(sortTried(tried));
      if (why !== undefined) return unknown(`${kind} table, ${why}`);
      if (tried.length < cases.length) return unknown(`only ${tried.length} of ${cases.length} ways were tried`);
      const failed = proper.find(({ said }) => said.kind !== "ok");
      if (failed !== undefined || proper.length < 2)
        return unknown(
          `a valid ${failed?.case ?? "statement"} does not work on the ${kind} table either: ${failed?.said.message ?? ""}`,
        );
    }
    const tries = kinds.length * cases.length;
    return pass(`${tries} of ${tries} ways rejected on ${kinds.join(" and ")} tables, only the valid rows exist`);
  },
});

function shownOf(rows: readonly Row[]): readonly string[] {
  const shown = rows.slice(0, shownMax).map((row) => JSON.stringify(row));
  return rows.length > shownMax ? [...shown, `and ${rows.length - shownMax} more`] : shown;
}
