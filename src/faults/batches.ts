/** Faults in batches between BEGIN and COMMIT: what a server does whose transactions are not whole. */
import type { Fault } from "../proof.ts";
import { sleep } from "../session/pacing.ts";
import { isRecord, type Json } from "../wire/json.ts";
import { everyNth } from "./races.ts";
import { acknowledged, changeRows, errorBody, sqlFault, type Said } from "./sql.ts";

/** The statements of a batch, without its BEGIN and its end. Literals with `; ` in them are not understood. */
function innerOf(sql: string): string[] {
  return sql.split("; ").slice(1, -1);
}

/** The statement that deletes the first row of an insert; any other statement as it is. */
function removalOf(insert: string): string {
  return insert.replace(/^INSERT INTO (\S+) \((\w+),[^)]*\) VALUES \((\d+),.*$/, "DELETE FROM $1 WHERE $2 = $3");
}

const isWrite = (sql: string): boolean => /^(INSERT|UPDATE|DELETE)\b/.test(sql);

function resultsOf(said: Said | undefined): readonly Json[] {
  const results = said !== undefined && isRecord(said.body) ? said.body["results"] : undefined;
  return Array.isArray(results) ? (results as readonly Json[]) : [];
}

/** Commits each statement of a batch at once, with a pause between, so that others see one without the next. */
export function commitEach(name: string, pattern: RegExp, pauseMs: number): Fault {
  return sqlFault(name, async (sql, _, exchange) => {
    if (!pattern.test(sql)) return undefined;
    const results: Json[] = [];
    let written = 0;
    for (const statement of innerOf(sql)) {
      const said = await exchange(statement);
      if (said === undefined || said.status >= 400) return said;
      if (isWrite(statement)) written += 1;
      else results.push(...resultsOf(said));
      await sleep(pauseMs);
    }
    const counted = written === 0 ? [] : [{ row_count: written, message: "done" }];
    return { status: 200, body: { status: "success", results: [...results, ...counted], took: 1 } };
  });
}

/** Applies only the first statement of every n-th batch of single-row writes, and acknowledges all of them. */
export function commitFirstOnly(name: string, pattern: RegExp, every: number): Fault {
  const chosen = everyNth(pattern, every);
  return sqlFault(name, async (sql, _, exchange) => {
    if (!chosen(sql)) return undefined;
    const [first = "", ...rest] = innerOf(sql);
    await exchange(first);
    return acknowledged(1 + rest.length);
  });
}

/** Rolls every batch back but its last insert. */
export function keepLastInsert(name: string, pattern: RegExp): Fault {
  return sqlFault(name, async (sql, _, exchange) => {
    if (!pattern.test(sql)) return undefined;
    const last = innerOf(sql).findLast((statement) => statement.startsWith("INSERT"));
    const said = await exchange();
    await exchange(last);
    return said;
  });
}

/** Shows what a batch inserts first, for a while, before it is rolled back. */
export function showBeforeRollback(name: string, pattern: RegExp, forMs: number): Fault {
  return sqlFault(name, async (sql, _, exchange) => {
    if (!pattern.test(sql)) return undefined;
    const [first = ""] = innerOf(sql);
    await exchange(first);
    await sleep(forMs);
    await exchange(removalOf(first));
    return await exchange();
  });
}

/** Writes what a batch inserts first, and deletes it again, before it is rolled back: whoever follows the table is told both. */
export function takeBackFirst(name: string, pattern: RegExp): Fault {
  return sqlFault(name, async (sql, _, exchange) => {
    const [first = ""] = innerOf(sql);
    const removal = removalOf(first);
    if (!pattern.test(sql) || removal === first) return undefined;
    await exchange(first);
    await exchange(removal);
    return await exchange();
  });
}

/**
 * Commits the single row that a batch inserts first at once, so that live queries deliver it, and hides it from queries for
 * its key until the batch is over.
 */
export function commitFirstEarly(name: string, pattern: RegExp, heldMs: number): Fault {
  let hidden = "";
  const hide = changeRows(name, /^SELECT .* WHERE \w+ = \d+/, (rows, _, sql) =>
    hidden !== "" && sql.includes(` = ${hidden}`) ? [] : rows,
  );
  const hold = sqlFault(name, async (sql, _, exchange) => {
    const [first = ""] = innerOf(sql);
    const [, key] = /VALUES \((\d+),/.exec(first) ?? [];
    if (!pattern.test(sql) || key === undefined) return undefined;
    hidden = key;
    await exchange(first);
    await sleep(heldMs);
    hidden = "";
    return acknowledged(1);
  });
  return { name, wrap: (wire, fired) => hide.wrap(hold.wrap(wire, fired), () => undefined) };
}

/**
 * Transactions that belong to a request id, whoever sends it: while a batch is held, a SELECT with its id shows the first
 * row that it inserts, and a bare COMMIT or ROLLBACK with its id ends it.
 */
export function shareByRequestId(name: string, what: "rows" | "ends", heldMs: number): Fault {
  const open = new Map<string, { readonly first: string; ended: boolean }>();
  return sqlFault(name, async (sql, _, exchange, headers) => {
    const id = headers["x-request-id"];
    if (id === undefined) return undefined;
    if (sql.startsWith("BEGIN; INSERT")) {
      const transaction = { first: innerOf(sql)[0] ?? "", ended: false };
      open.set(id, transaction);
      await sleep(heldMs);
      open.delete(id);
      if (!transaction.ended) return undefined;
      const message = "Statement 9 failed: Invalid operation: COMMIT requires an active explicit SQL transaction";
      return { status: 400, body: errorBody("SQL_EXECUTION_ERROR", message) };
    }
    const transaction = open.get(id);
    if (transaction === undefined) return undefined;
    if (what === "ends" && /^(COMMIT|ROLLBACK)$/.test(sql)) {
      transaction.ended = true;
      return acknowledged(0);
    }
    return what === "rows" && sql.startsWith("SELECT") ? withRow(await exchange(), transaction.first) : undefined;
  });
}

/** The answer with the row that an insert of two values would add. */
function withRow(said: Said | undefined, insert: string): Said | undefined {
  const [, key, text] = /VALUES \((\d+), '([^']*)'\)/.exec(insert) ?? [];
  const [first] = resultsOf(said);
  if (said === undefined || key === undefined || text === undefined || !isRecord(first) || !isRecord(said.body))
    return undefined;
  const rows = [...(Array.isArray(first["rows"]) ? (first["rows"] as readonly Json[]) : []), [key, text]];
  return { ...said, body: { ...said.body, results: [{ ...first, rows, row_count: rows.length }] } };
}
