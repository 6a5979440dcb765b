import { defineCheckOf, pass, unknown } from "../../../src/check.ts";
import { truncated } from "../../../src/server/target.ts";
import { expectedRows, statementEffects, whyUnjudged, type Step } from "../statement-effects/index.ts";
import { differingKeys, rowText, statements } from "../statement-effects/statements.ts";

/** Of the rows that one statement treats wrongly, this many are named. */
const shownMax = 1;

type Wrong = {
  readonly sql: string;
  readonly kind: string;
  readonly key: string;
  readonly was: string;
  readonly is: string;
  readonly more: number;
};

export const writesHitTheirRows = defineCheckOf(statementEffects, {
  id: "validation/writes-hit-their-rows",
  title: "A statement changes exactly the rows it names",
  failureTitle: "A statement changes other rows than it names",
  description: `Runs ${statements.length} statements one after another on a USER table as a plain user and on a SHARED table as a service account: INSERT of one and many rows, UPDATE and DELETE by key, by text, by a range and with parameters, of rows in memory and of flushed rows, among them two keys that are equal as floating-point numbers. After each, and after two flushes, every row must be what a model of the table says. Rows that differ are read a second time.`,
  blindTo:
    "One client at a time, and three types of columns; other checks look at concurrent clients and at all types. At light effort it leaves out two statements, and tries others that differ only in their condition or their values on the USER table alone.",
  risk: "Data is silently overwritten, deleted or left as it was, and the program that sent the statement is told that all went well.",
  remedy:
    "Do not let programs change data on this server until this passes; the finding names the statement and the row.",
  covers: [],
  level: "block",
  findings: {
    otherRowChanged: {
      say: (d: Wrong) =>
        `${d.sql} also changed row ${d.key} of the ${d.kind} table, which it does not select: it was ${d.was} and is ${d.is}${moreText(d)}`,
    },
    notAsWritten: {
      say: (d: Wrong & { readonly expected: string }) =>
        `${d.sql} was acknowledged, and row ${d.key} of the ${d.kind} table, which was ${d.was}, is ${d.is} instead of ${d.expected}${moreText(d)}`,
      remedy:
        "Read important rows back after writing them until this passes; the finding names the statement and the row.",
    },
    changedByFlush: {
      say: (d: Wrong) =>
        `${d.sql} changed row ${d.key} of the ${d.kind} table: it was ${d.was} and is ${d.is}${moreText(d)}`,
      risk: "Deleted data comes back, or stored data disappears, whenever the server flushes, which it does on its own.",
      remedy: "Do not rely on deletes and updates on this server until this passes; compare tables with their source.",
    },
    freeKeyRefused: {
      say: (d: { sql: string; kind: string; said: string }) =>
        `${d.sql} was refused although the ${d.kind} table has no row with that key: ${d.said}`,
      risk: "What was deleted can never be stored again under its key, once the table has been flushed.",
      remedy: "Do not use a key again after DELETE, or mark rows as deleted in a column of your own.",
    },
  },
  judge({ tables }, { found }) {
    for (const { kind, steps } of tables) {
      for (const step of steps) {
        const expected = expectedRows(step);
        const { said } = step;
        // Only the keys decide: another refusal is no wrong row.
        if (said.why === "constraint" && areFree(step))
          found.freeKeyRefused(
            { sql: step.sql, kind, said: truncated(said.message, 200) },
            { case: `${step.name}, ${kind}`, sent: said },
          );
        if (step.said.kind !== "ok" || step.notFlushed !== null || step.after === null || expected === undefined)
          continue;
        const { before, after, sql } = step;
        const keys = differingKeys(after, expected);
        const meant = differingKeys(before, expected);
        const shown = { case: `${step.name}, ${kind}`, sent: step.said };
        const wrong = (key: string, of: readonly string[]): Wrong => ({
          sql,
          kind,
          key,
          was: rowText(before[key]),
          is: rowText(after[key]),
          more: Math.max(0, of.length - shownMax),
        });
        const stray = keys.filter((key) => !meant.includes(key));
        const report = step.sql.startsWith("STORAGE") ? found.changedByFlush : found.otherRowChanged;
        for (const key of stray.slice(0, shownMax)) report(wrong(key, stray), shown);
        const missed = keys.filter((key) => meant.includes(key));
        for (const key of missed.slice(0, shownMax))
          found.notAsWritten({ ...wrong(key, missed), expected: rowText(expected[key]) }, shown);
      }
    }
    const why = whyUnjudged(tables);
    if (why !== undefined) return unknown(why);
    const all = tables.flatMap(({ steps }) => steps);
    return pass(`${all.length} statements on ${tables.length} tables left exactly the expected rows, hot and flushed`);
  },
});

/** Whether no row had one of the keys, before and after: none of them was taken, and the refusal is of nothing that was done. */
function areFree(step: Step): boolean {
  const { before, after } = step;
  const keys = differingKeys(before, expectedRows(step) ?? before);
  return (
    keys.length > 0 && after !== null && keys.every((key) => before[key] === undefined && after[key] === undefined)
  );
}

function moreText({ more }: Wrong): string {
  return more === 0 ? "" : `, and ${more} more rows`;
}
