import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import type { Json } from "../../../src/wire/json.ts";
import {
  cellText,
  integerText,
  rowsOf,
  saidOf,
  isCleanRefusal,
  type Account,
  type Said,
  type Target,
} from "../../../src/server/target.ts";

/** In order. `columns`: those of our own afterwards; where they stay, the statement has to be refused. */
const steps: readonly { change: string; columns: readonly string[] }[] = [
  { change: "", columns: ["id", "a"] },
  { change: "ADD COLUMN b TEXT", columns: ["id", "a", "b"] },
  { change: "ADD COLUMN b TEXT", columns: ["id", "a", "b"] },
  { change: "ADD COLUMN c INT", columns: ["id", "a", "b", "c"] },
  { change: "DROP COLUMN nowhere", columns: ["id", "a", "b", "c"] },
  { change: "DROP COLUMN c", columns: ["id", "a", "b"] },
];
const changed = (at: number): boolean => steps[at]?.columns.length !== steps[at - 1]?.columns.length;
/** How many versions there are after each step. */
const counts = steps.map((_, at) => steps.slice(0, at + 1).filter((__, n) => n === 0 || changed(n)).length);
const dropped = "c";

type Kept = { readonly version: number; readonly latest: boolean; readonly columns: readonly string[] };
/** `version` is null where the view did not tell it. */
type Stepped = { readonly said: Said; readonly version: number | null };
/** What DESCRIBE tells; null where it is not answered. */
type Described = {
  readonly versions: readonly number[];
  readonly columns: readonly string[];
  readonly exchange: number;
};

export const schemaHistoryKept = defineCheck({
  id: "observability/schema-history-kept",
  title: "Each change of a table is counted, and its history kept",
  failureTitle: "Changes of a table are not counted, or forgotten",
  description: `Changes a table three times by ALTER TABLE, and tries two changes that have to be refused. Each change must raise its version in system.tables by one, a refused one must not; system.schemas must keep every version with its columns, and call one the latest. DESCRIBE TABLE must tell the version, its HISTORY the column that was dropped.`,
  blindTo: "Columns are added and dropped only; renaming and changing types are for the durability checks.",
  risk: "After a bad deployment nobody can tell which schema the data was written with.",
  remedy: "Keep the statements of every schema change yourself, with the time at which they were run.",
  covers: ["OBS-07"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 500,
  estimateRequests: steps.length * 2 + 4,
  findings: {
    notCounted: {
      say: (d: { statement: string; refused: boolean; before: number; after: number; wanted: number }) =>
        `${d.statement}, which was ${d.refused ? "refused" : "done"}, took the version from ${d.before} to ${d.after}; wanted: ${d.wanted}`,
    },
    historyLost: {
      say: (d: { version: number; told: string; wanted: string }) =>
        `system.schemas tells ${d.told} of version ${d.version}; its columns were ${d.wanted}`,
    },
    notOneLatest: {
      say: (d: { latest: readonly number[]; wanted: number }) =>
        `system.schemas calls ${d.latest.length === 0 ? "no version" : d.latest.join(" and ")} the latest; it is ${d.wanted}`,
    },
    describedWrong: {
      say: (d: { statement: string; told: string; wanted: string }) =>
        `${d.statement} tells ${d.told}; wanted: ${d.wanted}`,
      level: "warn",
    },
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    const table = `${scratch}.altered`;
    const stepped: Stepped[] = [];
    for (const { change } of steps) {
      const statement =
        change === ""
          ? `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, a TEXT) WITH (TYPE='SHARED')`
          : `ALTER TABLE ${table} ${change}`;
      const said = saidOf(await target.sql(op, statement));
      stepped.push({ said, version: await versionOf(target, op, scratch) });
    }
    const history = await target.sql(
      op,
      `SELECT schema_version, is_latest, columns FROM system.schemas WHERE namespace_id = '${scratch}' ORDER BY schema_version LIMIT 100`,
    );
    return {
      stepped,
      history: rowsOf(history)?.map(keptOf) ?? null,
      historySaid: saidOf(history),
      described: await describe(target, op, `DESCRIBE TABLE ${table}`),
      describedHistory: await describe(target, op, `DESCRIBE TABLE ${table} HISTORY`),
    };
  },
  judge({ stepped, history, historySaid, described, describedHistory }) {
    const odd = stepped.findIndex(({ said }, at) =>
      at === 0 || changed(at) ? said.kind !== "ok" : !isCleanRefusal(said),
    );
    const first = stepped[0]?.version ?? null;
    if (odd !== -1 || first === null || stepped.length < steps.length) {
      const { said } = stepped[odd] ?? {};
      const went = said === undefined ? "its version is not told" : said.kind === "ok" ? "was accepted" : said.message;
      return unknown(`${steps[odd]?.change || "the table"}: ${went}`);
    }
    const wanted = (at: number): number => first + (counts[at] ?? 0) - 1;
    const miscounted = stepped.flatMap(({ said, version }, at) => {
      const before = stepped[at - 1]?.version;
      // Told from the step before, so that one slip is one finding.
      if (version === null || before === null || before === undefined) return [];
      const right = before + (changed(at) ? 1 : 0);
      if (version === right) return [];
      const statement = `ALTER TABLE … ${steps[at]?.change ?? ""}`;
      const data = { statement, refused: !changed(at), before, after: version, wanted: right };
      return [{ name: "notCounted" as const, case: steps[at]?.change ?? "", data, sent: [said.exchange] }];
    });
    const last = wanted(steps.length - 1);
    const kept = history === null || miscounted.length > 0 ? [] : lostIn(history, wanted);
    const lost = kept.map((data) => ({ name: "historyLost" as const, data, sent: [historySaid.exchange] }));
    const latest = (history ?? []).filter((one) => one.latest).map(({ version }) => version);
    const several =
      history === null || (latest.length === 1 && latest[0] === stepped.at(-1)?.version)
        ? []
        : [
            {
              name: "notOneLatest" as const,
              data: { latest, wanted: stepped.at(-1)?.version ?? last },
              sent: [historySaid.exchange],
            },
          ];
    const misdescribed = [
      ...(described !== null && described.versions.some((version) => version !== last)
        ? [tellDescribed("DESCRIBE TABLE", `schema_version ${described.versions.join(", ")}`, String(last), described)]
        : []),
      ...(describedHistory !== null && !describedHistory.columns.includes(dropped)
        ? [
            tellDescribed(
              "DESCRIBE TABLE … HISTORY",
              `only of ${describedHistory.columns.join(", ")}`,
              `also ${dropped}, which was added and dropped`,
              describedHistory,
            ),
          ]
        : []),
    ];
    const found = [...miscounted, ...lost, ...several, ...misdescribed];
    if (found.length > 0) return fail(...found);
    if (stepped.some(({ version }) => version === null))
      return unknown("system.tables did not tell the version each time");
    if (history === null) return unknown(`system.schemas could not be read: ${historySaid.message}`);
    const also = described === null || describedHistory === null ? "DESCRIBE was not answered" : "DESCRIBE agrees";
    return pass(
      `version ${stepped.map(({ version }) => version).join(", ")} over ${steps.length} steps; ${history.length} versions kept, ${last} is the latest; ${also}`,
    );
  },
});

/** Versions that are not kept, or with other columns than they had. */
function lostIn(
  history: readonly Kept[],
  versionAfter: (step: number) => number,
): { version: number; told: string; wanted: string }[] {
  return steps.flatMap(({ columns }, at) => {
    if (at > 0 && !changed(at)) return [];
    const version = versionAfter(at);
    const kept = history.find((one) => one.version === version);
    const wanted = columns.join(", ");
    const told = kept === undefined ? "nothing" : kept.columns.join(", ");
    return told === wanted ? [] : [{ version, told, wanted }];
  });
}

function tellDescribed(statement: string, told: string, wanted: string, { exchange }: Described) {
  return { name: "describedWrong" as const, case: statement, data: { statement, told, wanted }, sent: [exchange] };
}

async function versionOf(target: Target, as: Account, namespace: string): Promise<number | null> {
  const rows = rowsOf(
    await target.sql(as, `SELECT version FROM system.tables WHERE namespace_id = '${namespace}' LIMIT 5`),
  );
  const version = integerText(rows?.[0]?.["version"]);
  return rows?.length === 1 && version !== undefined ? Number(version) : null;
}

function keptOf(row: Readonly<Record<string, Json>>): Kept {
  const columns = [...cellText(row["columns"]).matchAll(/"column_name"\s*:\s*"([^"]+)"/g)].map(([, name = ""]) => name);
  return {
    version: Number(cellText(row["schema_version"])),
    latest: row["is_latest"] === true,
    columns: ours(columns),
  };
}

async function describe(target: Target, as: Account, statement: string): Promise<Described | null> {
  const answer = await target.sql(as, statement);
  const rows = rowsOf(answer);
  if (rows === undefined || rows.length === 0) return null;
  return {
    versions: [...new Set(rows.map((row) => Number(cellText(row["schema_version"]))))],
    columns: ours([...new Set(rows.map((row) => cellText(row["column_name"])))]),
    exchange: answer.exchange,
  };
}

/** Without those that the server adds. */
function ours(columns: readonly string[]): string[] {
  return columns.filter((name) => !name.startsWith("_"));
}
