import { defineCheck, pass, unknown } from "../../../src/check.ts";
import {
  cellText,
  rowsOf,
  saidOf,
  isCleanRefusal,
  valueOf,
  type Account,
  type Said,
  type Target,
  type Values,
} from "../../../src/server/target.ts";
import { makeTable, type TableSpec } from "../../vocabulary/tables.ts";

interface ListedTable extends Required<Omit<TableSpec, "columns">> {
  readonly name: string;
  /** Words that its options must contain where they are listed. */
  readonly shown: readonly string[];
}

/** One of each type. */
const tables: readonly ListedTable[] = [
  { name: "t_shared", type: "SHARED", options: { ACCESS_LEVEL: "PUBLIC" }, shown: ["public"] },
  { name: "t_stream", type: "STREAM", options: { TTL_SECONDS: 4321 }, shown: ["4321"] },
  { name: "t_user", type: "USER", options: { FLUSH_POLICY: "rows:777,interval:888" }, shown: ["777", "888"] },
];
/** Without access levels a SHARED table is listed with another option. */
function tablesFor(sharedAccess: Values["sharedAccess"] | null): typeof tables {
  const other = { options: { FLUSH_POLICY: "rows:666,interval:555" }, shown: ["666", "555"] };
  return sharedAccess === "levels" ? tables : tables.map((one) => (one.type === "SHARED" ? { ...one, ...other } : one));
}

/** A listing with this many rows may be truncated, so a table that is missing in it shows nothing. */
const rowsMax = 900;

/** Where tables are listed. `types`: whether it shows type and options. */
const places: readonly { place: string; sql: (namespace: string) => string; types: boolean }[] = [
  {
    place: "system.tables",
    sql: (ns) =>
      `SELECT namespace_id, table_name, table_type, options FROM system.tables WHERE namespace_id = '${ns}' LIMIT 100`,
    types: true,
  },
  {
    place: "information_schema.tables",
    sql: (ns) =>
      `SELECT table_schema AS namespace_id, table_name FROM information_schema.tables WHERE table_schema = '${ns}' LIMIT 100`,
    types: false,
  },
  { place: "SHOW TABLES", sql: () => "SHOW TABLES", types: true },
  { place: "SHOW TABLES IN", sql: (ns) => `SHOW TABLES IN ${ns}`, types: true },
];

type Listed = { readonly table: string; readonly type: string; readonly options: string };
/** `rows` is null if the listing could not be read or may be truncated. */
type Look = { readonly place: string; readonly said: Said; readonly rows: readonly Listed[] | null };

export const tablesListed = defineCheck({
  id: "observability/tables-listed",
  title: "Tables are listed correctly while they exist",
  failureTitle: "Tables are unlisted, listed wrong, or listed after DROP",
  description: `Creates a USER, a SHARED and a STREAM table with options and looks for them in ${places.map(({ place }) => place).join(", ")}: each must be listed once, with its type and options where these are shown, and nowhere after DROP TABLE.`,
  blindTo: "Only the type and a few options are compared; columns are left to observability/schema-history-kept.",
  risk: "Tools that use the catalogue back up, grant or clean up the wrong tables.",
  remedy:
    "Use system.tables where the lists disagree; restart the server to rebuild the lists that it keeps in memory.",
  covers: ["OBS-01"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 700,
  estimateRequests: tables.length * 2 + places.length * 2,
  findings: {
    missing: {
      say: (d: { place: string; tables: readonly string[] }) => `${d.place} does not list ${d.tables.join(", ")}`,
    },
    wrong: {
      say: (d: { place: string; table: string; what: string; told: string; wanted: string }) =>
        `${d.place} shows ${d.told === "" ? "nothing" : d.told} as the ${d.what} of ${d.table}; expected ${d.wanted}`,
    },
    lingering: {
      say: (d: { place: string; tables: readonly string[] }) =>
        `${d.place} still lists ${d.tables.join(", ")} after DROP TABLE`,
    },
    refused: {
      say: (d: { place: string; outcome: string }) => `${d.place} was refused: ${d.outcome}`,
      level: "warn",
      risk: "Tools that list tables this way do not work.",
      remedy: "Use system.tables instead.",
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const { scratch } = context;
    const columns = "id BIGINT PRIMARY KEY, v TEXT";
    const sharedAccess = valueOf(target.dialect.sharedAccess) ?? null;
    for (const { name, type, options } of tablesFor(sharedAccess))
      await makeTable(target, context, op, `${scratch}.${name}`, { type, columns, options });
    const there = await lookEverywhere(target, op, scratch);
    const dropped: Said[] = [];
    for (const { name } of tables) dropped.push(saidOf(await target.sql(op, `DROP TABLE ${scratch}.${name}`)));
    return { sharedAccess, there, dropped, after: await lookEverywhere(target, op, scratch) };
  },
  judge({ sharedAccess, there, dropped, after }, { found }) {
    const read = there.flatMap(({ place, said, rows }) => (rows === null ? [] : [{ place, said, rows }]));
    for (const { place, said, rows } of read) {
      const names = tables.map(({ name }) => name).filter((name) => rows.every((row) => row.table !== name));
      if (names.length > 0) found.missing({ place, tables: names }, { case: place, sent: said });
    }
    for (const { place, said, rows } of read)
      if (places.some((one) => one.place === place && one.types))
        for (const wrong of wrongIn(rows, tablesFor(sharedAccess)))
          found.wrong({ place, ...wrong }, { case: place, sent: said });
    const gone = dropped.every((said) => said.kind === "ok");
    for (const { place, said, rows } of gone ? after : [])
      if (rows !== null && rows.length > 0)
        found.lingering({ place, tables: rows.map((row) => row.table) }, { case: place, sent: said });
    for (const { place, said } of there)
      if (said.kind !== "ok" && isCleanRefusal(said))
        found.refused({ place, outcome: `${said.status} ${said.message}` }, { case: place, sent: said });

    if (!gone) return unknown("a table could not be dropped, so the lists afterwards cannot be judged");
    const unanswered = [...there, ...after].find(({ said }) => said.kind !== "ok");
    if (unanswered !== undefined) return unknown(`${unanswered.place} was not answered: ${unanswered.said.message}`);
    const whole = after.filter(({ rows }) => rows !== null).length;
    if (read.length < 2 || whole < 2)
      return unknown(`only ${Math.min(read.length, whole)} of ${there.length} lists could be read completely`);
    return pass(
      `${tables.length} tables listed correctly in ${read.length} places, and in none of ${whole} after DROP`,
    );
  },
});

async function lookEverywhere(target: Target, as: Account, namespace: string): Promise<Look[]> {
  const looks: Look[] = [];
  for (const { place, sql } of places) {
    const answer = await target.sql(as, sql(namespace));
    const all = rowsOf(answer);
    const complete = all !== undefined && all.length < rowsMax;
    const rows = (complete ? all : [])
      .filter((row) => row["namespace_id"] === namespace)
      .map((row) => ({
        table: cellText(row["table_name"]),
        type: cellText(row["table_type"] ?? "").toLowerCase(),
        options: cellText(row["options"] ?? ""),
      }));
    looks.push({ place, said: saidOf(answer), rows: complete ? rows : null });
  }
  return looks;
}

/** What a list shows incorrectly; tables that are missing in it are reported separately. */
function wrongIn(
  rows: readonly Listed[],
  made: typeof tables,
): { table: string; what: string; told: string; wanted: string }[] {
  return made.flatMap(({ name: table, type, shown }) => {
    const listed = rows.filter((row) => row.table === table);
    const [row] = listed;
    if (row === undefined) return [];
    if (listed.length > 1) return [{ table, what: "number", told: `${listed.length}`, wanted: "1" }];
    const absent = shown.filter((word) => !new RegExp(`\\b${word}\\b`, "i").test(row.options));
    return [
      ...(row.type === type.toLowerCase() ? [] : [{ table, what: "type", told: row.type, wanted: type.toLowerCase() }]),
      ...(absent.length === 0 ? [] : [{ table, what: "options", told: row.options, wanted: absent.join(", ") }]),
    ];
  });
}
