/** Faults in what the server says about itself: catalogue, jobs, figures, envelopes. */
import type { Fault } from "../../proof.ts";
import { cellText, isRecord, type Json } from "../../wire/json.ts";
import { changeColumn, changeResult, changeRows, errorBody, sqlFault, type Said } from "../sql.ts";
import { member, type Member } from "./member.ts";
import { errorIn, rowsIn } from "./shapes.ts";

/** A view that is read once and then answered from memory: what came later is not in it, what was dropped is. */
function remember(name: string, pattern: RegExp): Fault {
  return {
    name,
    wrap(wire, fired) {
      const known = new Map<string, Said>();
      return sqlFault("", async (sql, _, exchange) => {
        if (!pattern.test(sql)) return undefined;
        const old = known.get(sql);
        if (old !== undefined) return old;
        const said = await exchange();
        if (said !== undefined && rowsIn(said) !== undefined) known.set(sql, said);
        return undefined;
      }).wrap(wire, fired);
    },
  };
}

const hideOne = (name: string, pattern: RegExp): Fault =>
  changeRows(name, pattern, (rows) => (rows.length === 0 ? undefined : rows.slice(1)));

/** Every column of a type is told as one of another. */
export function tellAs(name: string, type: string, other: string): Fault {
  return changeResult(name, /^SELECT/i, (result) => {
    const { schema } = result;
    if (!Array.isArray(schema) || !JSON.stringify(schema).includes(`"data_type":"${type}"`)) return undefined;
    const columns = schema as readonly Json[];
    const told = columns.map((one) =>
      isRecord(one) && one["data_type"] === type ? { ...one, data_type: other } : one,
    );
    return { ...result, schema: told };
  });
}

/** What a constraint refuses is answered as an error of the server. */
export const failOnConstraints: Fault = sqlFault("failOnConstraints", async (_, __, exchange) => {
  const said = await exchange();
  const message = errorIn(said);
  return message !== undefined && /primary key violation|not null|constraint violation/i.test(message)
    ? { status: 500, body: errorBody("INTERNAL_ERROR", message) }
    : undefined;
});

const ofJobs = /FROM system\.jobs/i;

export const catalogueFaults: readonly Member[] = [
  member(
    "catalogue",
    "A table is missing from system.tables",
    ["observability/tables-listed/missing"],
    hideOne("hideATable", /FROM system\.tables\b/i),
  ),
  member(
    "catalogue",
    "The list of tables is that of the first time",
    ["observability/tables-listed/lingering", "observability/tables-listed/missing"],
    remember("rememberTables", /FROM (information_schema|system)\.tables\b/i),
  ),
  member(
    "catalogue",
    "The list of namespaces is that of the first time",
    ["observability/namespaces-listed/lingering", "observability/namespaces-listed/missing"],
    remember("rememberNamespaces", /(FROM system\.namespaces|^SHOW NAMESPACES)/i),
  ),
  member(
    "catalogue",
    "All tables are listed as shared",
    ["observability/tables-listed/wrong"],
    changeColumn("listAllAsShared", /FROM system\.tables\b/i, "table_type", () => "shared"),
  ),
  member(
    "catalogue",
    "An account is missing from system.users",
    ["observability/users-listed/missing"],
    hideOne("hideAnAccount", /FROM system\.users\b/i),
  ),
  member(
    "catalogue",
    "Figures of system.stats do not move",
    ["observability/stats-move/frozen"],
    remember("freezeTheFigures", /FROM system\.stats\b/i),
  ),
  member(
    "jobs",
    "Jobs are never listed as completed",
    ["observability/jobs-tracked/stuck"],
    changeColumn("jobsStayRunning", ofJobs, "status", () => "running"),
  ),
  member(
    "jobs",
    "Jobs are not listed",
    ["observability/jobs-tracked/missing"],
    changeRows("hideJobs", ofJobs, () => []),
  ),
  member(
    "jobs",
    "A flush does not name its job",
    ["observability/jobs-tracked/unnamed"],
    changeResult("nameNoJob", /^STORAGE FLUSH/i, (result) => ({ ...result, message: "Storage flush started" })),
  ),
  member(
    "jobs",
    "A flush of a missing table is accepted",
    ["validation/bad-flush-command-refused/accepted"],
    sqlFault("flushWhatIsNotThere", async (sql, _, exchange) => {
      if (!/^STORAGE FLUSH/i.test(sql) || errorIn(await exchange()) === undefined) return undefined;
      return {
        status: 200,
        body: {
          status: "success",
          results: [{ row_count: 0, message: "Storage flush started. Job ID: FL-ffffffffffff" }],
          took: 1,
        },
      };
    }),
  ),
  member(
    "catalogue",
    "Dropping a missing table succeeds",
    ["validation/drop-missing-table-refused/accepted"],
    sqlFault("dropWhatIsNotThere", async (sql, _, exchange) => {
      if (!/^DROP TABLE(?! IF)/i.test(sql) || errorIn(await exchange()) === undefined) return undefined;
      return {
        status: 200,
        body: { status: "success", results: [{ row_count: 0, message: "Table dropped" }], took: 1 },
      };
    }),
  ),
  member(
    "catalogue",
    "Errors are answered with status 200",
    ["cli/status-matches-body/disagree"],
    sqlFault("answerAlwaysWith200", async (_, __, exchange) => {
      const said = await exchange();
      return said === undefined || said.status === 200 ? undefined : { ...said, status: 200 };
    }),
  ),
  member(
    "catalogue",
    "Errors have no code",
    ["cli/status-matches-body/codeMissing"],
    sqlFault("leaveOutTheCode", async (_, __, exchange) => {
      const said = await exchange();
      if (said === undefined || !isRecord(said.body) || !isRecord(said.body["error"])) return undefined;
      const { code: _code, ...error } = said.body["error"];
      return { ...said, body: { ...said.body, error } };
    }),
  ),
  member(
    "catalogue",
    "A result without rows has no columns",
    ["cli/empty-result-described/noSchema"],
    changeResult("leaveOutEmptyColumns", /^\s*(SELECT|WITH|SHOW|DESCRIBE)\b/i, (result) => {
      const { schema, rows, ...rest } = result;
      return schema !== undefined && Array.isArray(rows) && rows.length === 0 ? rest : undefined;
    }),
  ),
  member(
    "catalogue",
    "What a constraint refuses is a server error",
    ["validation/constraint-error-coded/serverError"],
    failOnConstraints,
  ),
  member(
    "catalogue",
    "DESCRIBE leaves out the last column",
    ["cli/catalogue-commands-answer/broken"],
    changeRows("describeAllButTheLast", /^DESCRIBE /i, (rows) => {
      const own = rows.filter((row) => !row.some((cell) => typeof cell === "string" && cell.startsWith("_")));
      const last = own.at(-1);
      return last === undefined ? undefined : rows.filter((row) => row !== last);
    }),
  ),
  member(
    "catalogue",
    "BIGINT columns are told as Int",
    ["cli/empty-result-described/typeConfused"],
    tellAs("tellBigIntsAsInts", "BigInt", "Int"),
  ),
  member(
    "catalogue",
    "Syntax errors are server errors",
    ["validation/syntax-errors-clear/serverError"],
    sqlFault("failOnBadSyntax", async (_, __, exchange) => {
      const said = await exchange();
      const message = errorIn(said);
      return message !== undefined && /pars|syntax|token/i.test(message)
        ? { status: 500, body: errorBody("INTERNAL_ERROR", cellText(message)) }
        : undefined;
    }),
  ),
];
