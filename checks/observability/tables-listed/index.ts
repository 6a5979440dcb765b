import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import {
  cellText,
  rowsOf,
  saidOf,
  isCleanRefusal,
  type Account,
  type Said,
  type Target,
} from "../../../src/server/target.ts";

/** One of each type. `options`: words that its options must hold where they are told. */
const tables: readonly { name: string; type: string; with: string; options: readonly string[] }[] = [
  { name: "t_shared", type: "shared", with: "TYPE='SHARED', ACCESS_LEVEL='PUBLIC'", options: ["public"] },
  { name: "t_stream", type: "stream", with: "TYPE='STREAM', TTL_SECONDS=4321", options: ["4321"] },
  { name: "t_user", type: "user", with: "TYPE='USER', FLUSH_POLICY='rows:777,interval:888'", options: ["777", "888"] },
];
/** A listing of this many rows may have been cut without a word: who is missing in it shows nothing. */
const rowsMax = 900;

/** Where tables are listed. `types`: whether it tells type and options, too. */
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
/** `rows` is null where it was not answered, or may have been cut. */
type Look = { readonly place: string; readonly said: Said; readonly rows: readonly Listed[] | null };

async function lookEverywhere(target: Target, as: Account, namespace: string): Promise<Look[]> {
  const looks: Look[] = [];
  for (const { place, sql } of places) {
    const answer = await target.sql(as, sql(namespace));
    const all = rowsOf(answer);
    const ours = all
      ?.filter((row) => row["namespace_id"] === namespace)
      .map((row) => ({
        table: cellText(row["table_name"]),
        type: cellText(row["table_type"] ?? "").toLowerCase(),
        options: cellText(row["options"] ?? ""),
      }));
    looks.push({
      place,
      said: saidOf(answer),
      rows: all === undefined || all.length >= rowsMax ? null : (ours ?? null),
    });
  }
  return looks;
}

export const tablesListed = defineCheck({
  id: "observability/tables-listed",
  title: "Tables are listed as they are, and not after their end",
  failureTitle: "Tables are listed wrongly, not at all, or after their end",
  description: `Creates a USER, a SHARED and a STREAM table with options and looks for them in ${places.map(({ place }) => place).join(", ")}: each must be there once, with its type and options where these are told; and after DROP TABLE nowhere.`,
  blindTo: "It looks at type and a few options; columns are for observability/schema-history-kept and validation.",
  risk: "Tools and people who go by the catalogue back up, grant and clean up the wrong tables.",
  remedy:
    "Go by system.tables where the places disagree. A restart lists anew what the server keeps in memory; tell its makers.",
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
        `${d.place} tells ${d.told === "" ? "nothing" : d.told} as the ${d.what} of ${d.table}; it is ${d.wanted}`,
    },
    lingering: {
      say: (d: { place: string; tables: readonly string[] }) =>
        `${d.place} still lists ${d.tables.join(", ")} after DROP TABLE`,
    },
    refused: {
      say: (d: { place: string; outcome: string }) => `${d.place} tells nothing: ${d.outcome}`,
      level: "warn",
    },
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    const made: Said[] = [];
    for (const { name, with: options } of tables)
      made.push(
        saidOf(
          await target.sql(op, `CREATE TABLE ${scratch}.${name} (id BIGINT PRIMARY KEY, v TEXT) WITH (${options})`),
        ),
      );
    const there = await lookEverywhere(target, op, scratch);
    const dropped: Said[] = [];
    for (const { name } of tables) dropped.push(saidOf(await target.sql(op, `DROP TABLE ${scratch}.${name}`)));
    return { made, there, dropped, after: await lookEverywhere(target, op, scratch) };
  },
  judge({ made, there, dropped, after }) {
    const unmade = made.find((said) => said.kind !== "ok");
    if (unmade !== undefined) return unknown(`a table could not be made: ${unmade.message}`);
    const read = there.flatMap(({ place, said, rows }) => (rows === null ? [] : [{ place, said, rows }]));
    const missing = read.flatMap(({ place, said, rows }) => {
      const names = tables.map(({ name }) => name).filter((name) => rows.every((row) => row.table !== name));
      return names.length === 0
        ? []
        : [{ name: "missing" as const, case: place, data: { place, tables: names }, sent: [said.exchange] }];
    });
    const wrong = read
      .filter(({ place }) => places.some((one) => one.place === place && one.types))
      .flatMap(({ place, said, rows }) =>
        wrongIn(rows).map((data) => ({
          name: "wrong" as const,
          case: place,
          data: { place, ...data },
          sent: [said.exchange],
        })),
      );
    const gone = dropped.every((said) => said.kind === "ok");
    const lingering = after.flatMap(({ place, said, rows }) =>
      !gone || rows === null || rows.length === 0
        ? []
        : [
            {
              name: "lingering" as const,
              case: place,
              data: { place, tables: rows.map((row) => row.table) },
              sent: [said.exchange],
            },
          ],
    );
    const refused = there
      .filter(({ said }) => said.kind !== "ok" && isCleanRefusal(said))
      .map(({ place, said }) => ({
        name: "refused" as const,
        case: place,
        data: { place, outcome: `${said.status} ${said.message}` },
        sent: [said.exchange],
      }));
    if (missing.length + wrong.length + lingering.length + refused.length > 0)
      return fail(...missing, ...wrong, ...lingering, ...refused);
    if (!gone) return unknown("a table could not be dropped, so nothing is known of what is listed afterwards");
    const untold = [...there, ...after].find(({ said }) => said.kind !== "ok");
    if (untold !== undefined) return unknown(`${untold.place} was not answered: ${untold.said.message}`);
    const whole = after.filter(({ rows }) => rows !== null).length;
    if (read.length < 2 || whole < 2)
      return unknown(`only ${Math.min(read.length, whole)} of ${there.length} listings could be read whole`);
    return pass(`${tables.length} tables listed rightly in ${read.length} places, and in none of ${whole} after DROP`);
  },
});

/** What a listing tells otherwise than it is; a table that is missing is told elsewhere. */
function wrongIn(rows: readonly Listed[]): { table: string; what: string; told: string; wanted: string }[] {
  return tables.flatMap(({ name, type, options }) => {
    const listed = rows.filter((row) => row.table === name);
    const [row] = listed;
    if (row === undefined) return [];
    if (listed.length > 1) return [{ table: name, what: "number", told: `${listed.length}`, wanted: "1" }];
    const absent = options.filter((word) => !new RegExp(`\\b${word}\\b`, "i").test(row.options));
    return [
      ...(row.type === type ? [] : [{ table: name, what: "type", told: row.type, wanted: type }]),
      ...(absent.length === 0 ? [] : [{ table: name, what: "options", told: row.options, wanted: absent.join(", ") }]),
    ];
  });
}
