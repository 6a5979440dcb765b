/** What a correct server makes of the statements, for proofs. */
import { yes } from "../../vocabulary/evidence.ts";
import type { Effects, Step, Table } from "./index.ts";
import { differingKeys, statements, type Rows } from "./statements.ts";

function soundTable(kind: Table["kind"]): Table {
  let before: Rows = {};
  const steps = statements.map(({ name, sql, effect, flushes }, at): Step => {
    const after = effect(before);
    const rows = String(Object.keys(after).length);
    const counts = ["", " WHERE id > -1"].map((where) => ({
      sql: `SELECT COUNT(*) AS c FROM t${where}`,
      count: rows,
      exchange: at,
    }));
    const rowCount = flushes === true ? null : differingKeys(before, after).length;
    const step = {
      name,
      sql: sql("t"),
      said: yes(),
      rowCount,
      notFlushed: null,
      before,
      after,
      unsteady: false,
      counts,
    };
    before = after;
    return step;
  });
  return { kind, planned: steps.length, steps };
}

export const soundEffects: Effects = { tables: [soundTable("USER"), soundTable("SHARED")] };

/** The same with one step of the shared table changed. */
export function withStep(name: string, change: (step: Step) => Partial<Step>): Effects {
  return withShared((table) => ({
    steps: table.steps.map((step) => (step.name === name ? { ...step, ...change(step) } : step)),
  }));
}

export function withShared(change: (table: Table) => Partial<Table>): Effects {
  return {
    tables: soundEffects.tables.map((table) => (table.kind === "SHARED" ? { ...table, ...change(table) } : table)),
  };
}
