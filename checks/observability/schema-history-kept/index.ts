import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { rowsOf, saidOf, isCleanRefusal, type Said } from "../../../src/server/target.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { describe, keptOf, versionOf, type Described, type Kept } from "./reading.ts";

/** Columns of the table when it is created; the server adds its own. */
const initially = ["id", "a"];
/** In order. `columns`: the columns afterwards; null if the statement must be refused. */
const steps: readonly { change: string; columns: readonly string[] | null }[] = [
  { change: "ADD COLUMN b TEXT", columns: ["id", "a", "b"] },
  { change: "ADD COLUMN b TEXT", columns: null },
  { change: "ADD COLUMN c INT", columns: ["id", "a", "b", "c"] },
  { change: "DROP COLUMN nowhere", columns: null },
  { change: "DROP COLUMN c", columns: ["id", "a", "b"] },
];
const dropped = "c";
/** The columns of each version, from the first on. */
const versions = [initially, ...steps.flatMap(({ columns }) => (columns === null ? [] : [columns]))];

/** `version` is null if system.tables did not show it. */
type Stepped = { readonly said: Said; readonly version: number | null };

export const schemaHistoryKept = defineCheck({
  id: "observability/schema-history-kept",
  title: "Each schema change gets a version, and its history is kept",
  failureTitle: "Schema changes get no version, or history is lost",
  description: `Changes a table three times with ALTER TABLE and tries two changes that must be refused. Each change must increase the table's version in system.tables by one and a refused one must not. system.schemas must keep every version with its columns and mark one as the latest. DESCRIBE TABLE must show the current version, and DESCRIBE TABLE … HISTORY the dropped column.`,
  blindTo: "Only added and dropped columns; renames and type changes are left to the durability category.",
  risk: "After a bad deployment, nobody can find out which schema the data was written with.",
  remedy: "Keep the statements of every schema change yourself, with the time at which they ran.",
  covers: ["OBS-07"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 500,
  estimateRequests: steps.length * 2 + 6,
  findings: {
    notCounted: {
      say: (d: { statement: string; refused: boolean; before: number; after: number; wanted: number }) =>
        `${d.statement} ${d.refused ? "was refused" : "succeeded"}, and the version went from ${d.before} to ${d.after}; expected ${d.wanted}`,
    },
    historyLost: {
      say: (d: { version: number; told: string; wanted: string }) =>
        `system.schemas shows ${d.told} for version ${d.version}; its columns were ${d.wanted}`,
    },
    notOneLatest: {
      say: (d: { latest: readonly number[]; wanted: number }) =>
        `system.schemas marks ${d.latest.length === 0 ? "no version" : d.latest.join(" and ")} as the latest; expected ${d.wanted}`,
      risk: "Tools that read the current schema from system.schemas use the wrong one.",
      remedy: "Take the current version from system.tables.",
    },
    describedWrong: {
      say: (d: { statement: string; told: string; wanted: string }) =>
        `${d.statement} shows ${d.told}; expected ${d.wanted}`,
      level: "warn",
      remedy: "Read system.tables and system.schemas instead of DESCRIBE.",
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const { scratch } = context;
    const table = await makeTable(target, context, op, `${scratch}.altered`, {
      type: "SHARED",
      columns: "id BIGINT PRIMARY KEY, a TEXT",
    });
    const first = context.need(await versionOf(target, op, scratch), "system.tables does not show the table's version");
    const stepped: Stepped[] = [];
    for (const { change } of steps) {
      const said = saidOf(await target.sql(op, `ALTER TABLE ${table} ${change}`));
      stepped.push({ said, version: await versionOf(target, op, scratch) });
    }
    const history = await target.sql(
      op,
      `SELECT schema_version, is_latest, columns FROM system.schemas WHERE namespace_id = '${scratch}' ORDER BY schema_version LIMIT 100`,
    );
    return {
      first,
      stepped,
      history: rowsOf(history)?.map(keptOf) ?? null,
      historySaid: saidOf(history),
      described: await describe(target, op, `DESCRIBE TABLE ${table}`),
      describedHistory: await describe(target, op, `DESCRIBE TABLE ${table} HISTORY`),
    };
  },
  judge({ first, stepped, history, historySaid, described, describedHistory }, { found }) {
    for (const [at, { change, columns }] of steps.entries()) {
      const said = stepped[at]?.said;
      if (said === undefined) return unknown(`ALTER TABLE … ${change} was not tried`);
      if (columns === null ? !isCleanRefusal(said) : said.kind !== "ok")
        return unknown(`ALTER TABLE … ${change} ${said.kind === "ok" ? "was accepted" : `failed: ${said.message}`}`);
    }
    let miscounted = false;
    let before: number | null = first;
    for (const [at, { said, version }] of stepped.entries()) {
      const { change = "", columns = null } = steps[at] ?? {};
      const refused = columns === null;
      // Compared with the step before, so that one wrong version is one finding.
      const wanted: number = (before ?? 0) + (refused ? 0 : 1);
      if (before !== null && version !== null && version !== wanted) {
        miscounted = true;
        found.notCounted(
          { statement: `ALTER TABLE … ${change}`, refused, before, after: version, wanted },
          { case: change, sent: said },
        );
      }
      before = version;
    }
    const last = first + versions.length - 1;
    if (history !== null) {
      // Where the versions themselves are wrong, none of them can be looked up.
      for (const data of miscounted ? [] : lostIn(history, first)) found.historyLost(data, { sent: historySaid });
      const latest = history.filter((one) => one.latest).map(({ version }) => version);
      const wanted = stepped.at(-1)?.version ?? last;
      if (latest.length !== 1 || latest[0] !== wanted) found.notOneLatest({ latest, wanted }, { sent: historySaid });
    }
    const misdescribed = (statement: string, told: string, wanted: string, sent: Described): void =>
      found.describedWrong({ statement, told, wanted }, { case: statement, sent });
    if (described !== null && described.versions.some((version) => version !== last))
      misdescribed("DESCRIBE TABLE", `schema_version ${described.versions.join(", ")}`, String(last), described);
    if (describedHistory !== null && !describedHistory.columns.includes(dropped))
      misdescribed(
        "DESCRIBE TABLE … HISTORY",
        `only ${describedHistory.columns.join(", ")}`,
        `also ${dropped}, which was added and dropped`,
        describedHistory,
      );
    if (stepped.some(({ version }) => version === null))
      return unknown("system.tables did not show the version after each step");
    if (history === null) return unknown(`system.schemas could not be read: ${historySaid.message}`);
    const also = described === null || describedHistory === null ? "DESCRIBE was not answered" : "DESCRIBE agrees";
    return pass(
      `version ${[first, ...stepped.map(({ version }) => version)].join(", ")} over ${steps.length} changes; ${history.length} versions kept, ${last} is the latest; ${also}`,
    );
  },
});

/** Versions that are missing, or listed with other columns than they had. */
function lostIn(history: readonly Kept[], first: number): { version: number; told: string; wanted: string }[] {
  return versions.flatMap((columns, at) => {
    const version = first + at;
    const wanted = columns.join(", ");
    const told = history.find((one) => one.version === version)?.columns.join(", ") ?? "nothing";
    return told === wanted ? [] : [{ version, told, wanted }];
  });
}
