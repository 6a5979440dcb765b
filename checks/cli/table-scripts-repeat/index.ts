import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { createTable, type TableSpec } from "../../vocabulary/tables.ts";
import { shown } from "../../vocabulary/trials.ts";
import { judgeRepeats, keptText, repeatFindings, repeats, repeatScripts } from "../repeated-scripts.ts";

const tables: readonly ({ readonly name: string } & Omit<TableSpec, "columns">)[] = [
  { name: "users", type: "USER" },
  { name: "shared", type: "SHARED" },
  { name: "stream", type: "STREAM", options: { TTL_SECONDS: 3600 } },
];
const columns = "id BIGINT PRIMARY KEY, v TEXT NOT NULL";
const otherColumns = "id BIGINT PRIMARY KEY, other INT, another DOUBLE";

export const tableScriptsRepeat = defineCheck({
  id: "cli/table-scripts-repeat",
  title: "A script that creates and drops tables can be rerun",
  failureTitle: "A table script fails or changes something when rerun",
  description: `Creates a USER, a SHARED and a STREAM table with IF NOT EXISTS in one request, inserts a row into each, sends the same script ${repeats} more times and then one with other columns: columns, version, options and rows must be unchanged. CREATE without IF NOT EXISTS must be rejected for each. Then sends a script that drops them with IF EXISTS ${repeats + 1} times: it must succeed each time, and the tables must be gone.`,
  blindTo:
    "It reruns scripts that succeeded; a script that failed half way is not tried. IF NOT EXISTS with other columns may succeed or be rejected; it only must not change anything.",
  risk: "A migration that is run again stops half way, or empties or alters existing tables.",
  remedy: "Until this passes, check system.tables before each CREATE and DROP.",
  covers: ["CLI-06"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 900,
  estimateRequests: 30,
  findings: repeatFindings,
  async observe(target, context) {
    const { scratch } = context;
    const op = await target.account("dba");
    const qualified = (name: string): string => `${scratch}.${name}`;
    const make = (shape: string): string =>
      tables
        .map(({ name, ...spec }) => createTable(`IF NOT EXISTS ${qualified(name)}`, { ...spec, columns: shape }))
        .join("; ");
    const list = async (): Promise<string | null> =>
      await shown(
        target,
        op,
        `SELECT table_name, table_type, version, options FROM system.tables WHERE namespace_id = '${scratch}' ORDER BY table_name LIMIT 10`,
      );
    const listColumns = `SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns WHERE table_schema = '${scratch}' ORDER BY table_name, ordinal_position LIMIT 100`;
    const rowsOf = async (name: string): Promise<string | null> =>
      await shown(target, op, `SELECT id, v FROM ${qualified(name)} ORDER BY id LIMIT 10`);
    return await repeatScripts(target, context, op, {
      make: make(columns),
      async fill() {
        for (const { name } of tables) {
          const insert = `INSERT INTO ${qualified(name)} (id, v) VALUES (1, '${keptText}')`;
          context.need(await target.sql(op, insert), `the row of ${name} could not be written`);
        }
      },
      otherShape: make(otherColumns),
      plain: tables.map(({ name, ...spec }) => ({
        name,
        as: op,
        sql: createTable(qualified(name), { ...spec, columns }),
      })),
      drop: tables.map(({ name }) => `DROP TABLE IF EXISTS ${qualified(name)}`).join("; "),
      state: async () => ({
        "the catalogue": await list(),
        "the columns": await shown(target, op, listColumns),
        ...Object.fromEntries(
          await Promise.all(tables.map(async ({ name }) => [`the rows of ${name}`, await rowsOf(name)] as const)),
        ),
      }),
      list,
    });
  },
  judge(seen, { found }) {
    const count = { rows: tables.length, plain: tables.length };
    const why = judgeRepeats(seen, found, { object: "TABLE", count });
    if (why !== undefined) return unknown(why);
    const reruns = seen.again.length + seen.droppedAgain.length;
    return pass(
      `${reruns} of ${reruns} reruns of scripts for ${tables.length} tables succeeded and changed nothing, nor did other columns; CREATE without IF NOT EXISTS was rejected ${seen.plain.length} times; all tables are gone`,
    );
  },
});
