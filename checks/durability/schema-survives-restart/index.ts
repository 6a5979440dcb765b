import { defineCheck, pass, unknown } from "../../../src/check.ts";
import {
  cellText,
  isCleanRefusal,
  outcomeOf,
  rowsOf,
  saidOf,
  type Account,
  type Said,
  type Target,
} from "../../../src/server/target.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { restart, restartText, restartTimes, whyNotRestarted, type Restart } from "../restart.ts";

const columns =
  "id BIGINT PRIMARY KEY, name TEXT NOT NULL, level INT DEFAULT 7, price DECIMAL(12,2), day DATE, made TIMESTAMP DEFAULT NOW()";
const added = "note TEXT";

/** One place that describes the table, as text; null where it was not answered. */
type Description = {
  readonly place: string;
  readonly text: string | null;
  readonly said: string;
  readonly exchange: number;
};
type Rule = { readonly rule: string; readonly before: Said; readonly after: Said };
type Seen = {
  readonly before: readonly Description[];
  readonly restart: Restart;
  readonly after: readonly Description[];
  readonly rules: readonly Rule[];
  /** The defaults of a row that was written after the restart; null if it could not be read. */
  readonly level: string | null;
};

/** Statements that a rule of the table refuses; `n` makes their keys differ before and after the restart. */
const forbidden: readonly { readonly rule: string; readonly sql: (table: string, n: number) => string }[] = [
  { rule: "NOT NULL", sql: (table, n) => `INSERT INTO ${table} (id, name) VALUES (${n}, NULL)` },
  { rule: "PRIMARY KEY", sql: (table) => `INSERT INTO ${table} (id, name) VALUES (1, 'again')` },
  {
    rule: "the type of a column",
    sql: (table, n) => `INSERT INTO ${table} (id, name, level) VALUES (${n}, 'x', 'seven')`,
  },
];

export const schemaSurvivesRestart = defineCheck({
  id: "durability/schema-survives-restart",
  title: "A table's schema survives a restart, and is enforced",
  failureTitle: "A restart changes a table's schema or forgets its rules",
  description:
    "Creates a SHARED table with a key, NOT NULL, defaults, several types and options, and adds a column. DESCRIBE TABLE, system.tables and system.schemas must say exactly the same after the server was asked to stop (SIGTERM) and started again; NOT NULL, the primary key and types must be enforced, and a default applied.",
  blindTo: "One table with one added column; it shows nothing about a power loss during a schema change.",
  risk: "After an update of the server, columns are missing or bad rows are accepted.",
  remedy: "Keep the statements that create your tables, and compare DESCRIBE TABLE after each update.",
  covers: ["DUR-05"],
  touches: "process",
  needs: ["control", "dba"],
  alone: true,
  level: "block",
  estimateMs: 2_500,
  estimateRequests: 25,
  timeoutMs: 200_000,
  findings: {
    schemaChanged: {
      say: (d: { place: string; before: string; after: string }) =>
        `${d.place} said ${d.before} before the restart and says ${d.after} after it`,
    },
    ruleForgotten: {
      say: (d: { rule: string; statement: string }) =>
        `after the restart ${d.rule} is no longer enforced: ${d.statement}`,
      risk: "Bad rows are accepted that were refused before.",
      remedy: "Check the data for rows that break the rule, and create the table anew.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const { scratch } = context;
    const table = await makeTable(target, context, op, `${scratch}.described`, {
      type: "SHARED",
      columns,
      options: { FLUSH_POLICY: "rows:5000,interval:600" },
    });
    context.need(await target.sql(op, `ALTER TABLE ${table} ADD COLUMN ${added}`), "the column could not be added");
    context.need(
      await target.sql(op, `INSERT INTO ${table} (id, name) VALUES (1, 'first')`),
      "the row could not be written",
    );
    const before = await describe(target, op, scratch, table);
    const refusals: Said[] = [];
    for (const [at, { sql }] of forbidden.entries()) refusals.push(saidOf(await target.sql(op, sql(table, 100 + at))));
    const restarted = await restart(target, context, op, "stop");
    const after = await describe(target, op, scratch, table);
    const rules: Rule[] = [];
    for (const [at, { rule, sql }] of forbidden.entries()) {
      const [refused, said] = [refusals[at], saidOf(await target.sql(op, sql(table, 200 + at)))];
      if (refused !== undefined) rules.push({ rule, before: refused, after: said });
    }
    await target.sql(op, `INSERT INTO ${table} (id, name) VALUES (2, 'second')`);
    const second = rowsOf(await target.sql(op, `SELECT level FROM ${table} WHERE id = 2 LIMIT 2`));
    const level = second?.length === 1 ? cellText(second[0]?.["level"] ?? "NULL") : null;
    return { before, restart: restarted, after, rules, level };
  },
  timeline: ({ restart: restarted }) => restartTimes([restarted]),
  judge({ before, restart: restarted, after, rules, level }, { found }) {
    const why = whyNotRestarted(restarted);
    if (why !== undefined) return unknown(why);
    for (const [at, { place, text }] of before.entries()) {
      const now = after[at];
      if (now === undefined) return unknown(`${place} was not looked at after the restart`);
      if (text === null || now.text === null || now.text === text) continue;
      const [was, is] = firstDifference(text, now.text);
      found.schemaChanged({ place, before: was, after: is }, { case: place, sent: now });
    }
    for (const { rule, before: refused, after: said } of rules)
      if (isCleanRefusal(refused) && said.kind === "ok")
        found.ruleForgotten({ rule, statement: "a row that breaks it was acknowledged" }, { case: rule, sent: said });
    if (level !== null && level !== "7")
      found.ruleForgotten(
        { rule: "DEFAULT", statement: `a new row has the level ${level}, expected 7` },
        { case: "DEFAULT" },
      );

    const unread = [...before, ...after].find(({ text }) => text === null);
    if (unread !== undefined) return unknown(`${unread.place} was not answered: ${unread.said}`);
    // A missing login or right refuses what breaks no rule, too.
    const loose = rules.find(({ before: refused }) => !isCleanRefusal(refused));
    if (loose !== undefined)
      return unknown(`${loose.rule} was not enforced before the restart either: ${loose.before.message}`);
    // One that was acknowledged is a finding.
    const unsure = rules.find(({ after: said }) => !isCleanRefusal(said));
    if (unsure !== undefined)
      return unknown(`a row that breaks ${unsure.rule} got no answer that we know: ${unsure.after.message}`);
    if (level === null) return unknown("no row could be written after the restart");
    return pass(
      `${before.length} descriptions of the table the same, ${rules.length} rules and a default enforced; ${restartText([restarted])}`,
    );
  },
});

async function describe(target: Target, as: Account, namespace: string, table: string): Promise<Description[]> {
  const where = `WHERE namespace_id = '${namespace}' AND table_name = 'described'`;
  const descriptions: Description[] = [];
  for (const [place, sql] of [
    ["DESCRIBE TABLE", `DESCRIBE TABLE ${table}`],
    ["system.tables", `SELECT table_type, version, options FROM system.tables ${where} LIMIT 10`],
    [
      "system.schemas",
      `SELECT schema_version, is_latest, columns FROM system.schemas ${where} ORDER BY schema_version LIMIT 10`,
    ],
  ] as const) {
    const answer = await target.sql(as, sql);
    const rows = rowsOf(answer);
    const text = rows === undefined ? null : JSON.stringify(rows);
    descriptions.push({ place, text, said: outcomeOf(answer), exchange: answer.exchange });
  }
  return descriptions;
}

const shownMax = 80;

/** Where two texts that are not the same begin to differ, with a little of what stands before. */
function firstDifference(one: string, other: string): [string, string] {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  const from = Math.max(0, at - shownMax / 2);
  const part = (text: string): string =>
    `${from > 0 ? "…" : ""}${text.slice(from, from + shownMax)}${from + shownMax < text.length ? "…" : ""}`;
  return [part(one), part(other)];
}
