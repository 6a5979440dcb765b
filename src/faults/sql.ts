/** Faults in SQL over HTTP: small pieces that proofs combine. */
import { cellText, isRecord, type Json, parseExact, writeExact } from "../wire/json.ts";
import type { Fault } from "../proof.ts";
import { sqlPath } from "../server/recorded.ts";
import { sleep } from "../session/pacing.ts";
import type { RawAnswer, RawRequest, Wire } from "../wire/wire.ts";

type Body = { readonly [key: string]: Json };
export interface Said {
  readonly status: number;
  readonly body: Json;
}

/**
 * Intercepts SQL requests. Anything but undefined from `meddle` replaces the answer and counts as fired: `lost` cuts the
 * connection, `silent` lets the request run into its time limit.
 */
export function sqlFault(
  name: string,
  meddle: (
    sql: string,
    body: Body,
    exchange: (sql?: string) => Promise<Said | undefined>,
    headers: RawRequest["headers"],
  ) => Promise<Said | "lost" | "silent" | undefined> | undefined,
): Fault {
  return {
    name,
    wrap: (wire: Wire, fired: () => void): Wire => ({
      ...wire,
      async exchange(request) {
        const body = sqlBody(request);
        const sql = body?.["sql"];
        if (body === undefined || typeof sql !== "string") return await wire.exchange(request);
        const sentAt = performance.now();
        let last: RawAnswer | undefined;
        const pass = async (instead?: string): Promise<Said | undefined> => {
          last = await wire.exchange(
            instead === undefined ? request : { ...request, body: writeExact({ ...body, sql: instead }) },
          );
          return last.kind === "answered" ? { status: last.status, body: bodyOf(last) } : undefined;
        };
        const meddled = await meddle(sql, body, pass, request.headers);
        if (meddled === undefined) return last ?? (await wire.exchange(request));
        fired();
        if (meddled === "silent") await sleep(request.timeoutMs, request.signal);
        const doneAt = performance.now();
        if (meddled === "silent")
          return { kind: "broken", because: "timeout", detail: "held by a fault", sentAt, doneAt };
        if (meddled === "lost")
          return { kind: "broken", because: "reset", detail: "dropped by a fault", sentAt, doneAt };
        return {
          kind: "answered",
          status: meddled.status,
          headers: { "content-type": "application/json" },
          // A string is a body that was not JSON, and stays unchanged.
          body: new TextEncoder().encode(typeof meddled.body === "string" ? meddled.body : writeExact(meddled.body)),
          sentAt: last?.sentAt ?? sentAt,
          doneAt: last?.doneAt ?? doneAt,
        };
      },
    }),
  };
}

/** Sends another statement instead, and passes on its answer. */
export function sendInstead(name: string, pattern: RegExp, rewrite: (sql: string) => string): Fault {
  return sqlFault(name, (sql, _, exchange) => (pattern.test(sql) ? exchange(rewrite(sql)) : undefined));
}

/** A fault that begins once so many statements that match were answered. */
export function since(pattern: RegExp, times: number, fault: Fault): Fault {
  return {
    name: fault.name,
    wrap(wire, fired) {
      const faulty = fault.wrap(wire, fired);
      let seen = 0;
      return {
        ...faulty,
        async exchange(request) {
          const answer = await (seen >= times ? faulty : wire).exchange(request);
          const sql = sqlBody(request)?.["sql"];
          if (typeof sql === "string" && pattern.test(sql)) seen += 1;
          return answer;
        },
      };
    },
  };
}

/** Runs statements as the account that last sent one matching `donor`. */
export function actAs(name: string, donor: RegExp, pattern: RegExp): Fault {
  return {
    name,
    wrap(wire, fired) {
      let borrowed: string | undefined;
      return {
        ...wire,
        async exchange(request) {
          const sql = sqlBody(request)?.["sql"];
          const own = request.headers["authorization"];
          if (typeof sql !== "string" || own === undefined) return await wire.exchange(request);
          if (donor.test(sql)) borrowed = own;
          if (borrowed === undefined || borrowed === own || !pattern.test(sql)) return await wire.exchange(request);
          fired();
          return await wire.exchange({ ...request, headers: { ...request.headers, authorization: borrowed } });
        },
      };
    },
  };
}

/** Rejects a statement without sending it. */
export function refuseIt(
  name: string,
  pattern: RegExp,
  error: { status?: number; code?: string; message?: string } = {},
): Fault {
  const {
    status = 400,
    code = "SQL_EXECUTION_ERROR",
    message = "Statement 1 failed: Invalid operation: refused by a fault",
  } = error;
  return sqlFault(name, (sql) =>
    pattern.test(sql) ? Promise.resolve({ status, body: errorBody(code, message) }) : undefined,
  );
}

/** Reports success for a statement without sending it. */
export function claimSuccess(name: string, pattern: RegExp, rowCount = 0): Fault {
  return sqlFault(name, (sql) => (pattern.test(sql) ? Promise.resolve(acknowledged(rowCount)) : undefined));
}

/** Changes the message of a rejection. */
export function rewordRefusal(name: string, pattern: RegExp, reword: (message: string) => string): Fault {
  return sqlFault(name, async (sql, _, exchange) => {
    if (!pattern.test(sql)) return undefined;
    const said = await exchange();
    const error = said !== undefined && isRecord(said.body) ? said.body["error"] : undefined;
    if (said === undefined || !isRecord(said.body) || !isRecord(error)) return undefined;
    const { details: _details, ...rest } = error;
    return {
      status: said.status,
      body: { ...said.body, error: { ...rest, message: reword(cellText(error["message"])) } },
    };
  });
}

/** Changes the rows of an answer; `change` returns undefined to leave it unchanged. */
export function changeRows(
  name: string,
  pattern: RegExp,
  change: (
    rows: readonly (readonly Json[])[],
    columns: readonly string[],
    sql: string,
  ) => readonly (readonly Json[])[] | undefined,
): Fault {
  return changeResult(name, pattern, (result, sql) => {
    const { schema, rows } = result;
    if (!Array.isArray(schema) || !Array.isArray(rows)) return undefined;
    const columns = (schema as readonly Json[]).map((column) => (isRecord(column) ? cellText(column["name"]) : ""));
    const changed = change(rows as readonly (readonly Json[])[], columns, sql);
    return changed === undefined ? undefined : { ...result, rows: changed, row_count: changed.length };
  });
}

/** Changes the cells of one column in every row; an answer without that column stays unchanged. */
export function changeColumn(
  name: string,
  pattern: RegExp,
  column: string,
  change: (cell: Json, sql: string) => Json,
): Fault {
  return changeRows(name, pattern, (rows, columns, sql) => {
    const at = columns.indexOf(column);
    if (at === -1) return undefined;
    return rows.map((row) => row.map((cell, n) => (n === at ? change(cell, sql) : cell)));
  });
}

/** Changes the first result of an answer; `change` returns undefined to leave it unchanged. */
export function changeResult(
  name: string,
  pattern: RegExp,
  change: (result: Body, sql: string) => Body | undefined,
): Fault {
  return sqlFault(name, async (sql, _, exchange) => {
    if (!pattern.test(sql)) return undefined;
    const said = await exchange();
    const results = said !== undefined && isRecord(said.body) ? said.body["results"] : undefined;
    const first = Array.isArray(results) ? (results[0] as Json) : undefined;
    if (said === undefined || !isRecord(said.body) || !isRecord(first)) return undefined;
    const changed = change(first, sql);
    if (changed === undefined) return undefined;
    return {
      status: said.status,
      body: { ...said.body, results: [changed, ...(results as readonly Json[]).slice(1)] },
    };
  });
}

/** Answers with an internal server error. */
export function breakServer(name: string, pattern: RegExp): Fault {
  return refuseIt(name, pattern, { status: 500, code: "INTERNAL_ERROR", message: "a fault" });
}

/** The answer to a statement without rows that was executed. */
export function acknowledged(rowCount: number): Said {
  return { status: 200, body: { status: "success", results: [{ row_count: rowCount, message: "done" }], took: 1 } };
}

/** The answer to an insert of a key that is there. */
export function duplicateKey(): Said {
  return {
    status: 400,
    body: errorBody("SQL_EXECUTION_ERROR", "Statement 1 failed: Already exists: Primary key violation: duplicate key"),
  };
}

export function errorBody(code: string, message: string): Json {
  return { status: "error", results: [], took: 1, error: { code, message } };
}

function sqlBody(request: RawRequest): Body | undefined {
  if (request.path !== sqlPath || typeof request.body !== "string") return undefined;
  try {
    const body = parseExact(request.body);
    return isRecord(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

function bodyOf(answer: { readonly body: Uint8Array }): Json {
  const text = new TextDecoder().decode(answer.body);
  try {
    return parseExact(text);
  } catch {
    return text;
  }
}
