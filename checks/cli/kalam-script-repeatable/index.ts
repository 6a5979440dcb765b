import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { createTable } from "../../vocabulary/tables.ts";
import { shown } from "../../vocabulary/trials.ts";
import { ranOf, type Ran } from "../kalam-output.ts";
import { truncated } from "../../../src/server/target.ts";

/** Once to create the state, and then twice to compare. */
const runsOf = 3;
const formats: readonly { readonly name: string; readonly flags: readonly string[] }[] = [
  { name: "table", flags: [] },
  { name: "json", flags: ["--json"] },
  { name: "csv", flags: ["--csv"] },
];
const statements = 6;

function script(t: string): string {
  return `${createTable(`IF NOT EXISTS ${t}`, { type: "SHARED", columns: "id BIGINT PRIMARY KEY, v TEXT, n INT" })};
DELETE FROM ${t} WHERE id > 0;
INSERT INTO ${t} (id, v, n) VALUES (1, 'one', 10), (2, 'two', NULL), (3, 'three', 30);
UPDATE ${t} SET n = 11 WHERE id = 1;
SELECT id, v, n FROM ${t} ORDER BY id LIMIT 100;
SELECT COUNT(*) AS c, SUM(n) AS s FROM ${t};
`;
}
const wantedRows = '[[["1","one",11],["2","two",null],["3","three",30]]]';
const keptText = 3_000;

type Run = Ran & {
  /** Stdout without durations, the first `keptText` characters. */
  readonly text: string;
  /** The table afterwards; null where it could not be read. */
  readonly rows: string | null;
};
type Format = { readonly format: string; readonly runs: readonly Run[] };

export const kalamScriptRepeatable = defineCheck({
  id: "cli/kalam-script-repeatable",
  title: "Rerunning a script with kalam gives the same result",
  failureTitle: "Rerunning a script with kalam gives a different result",
  description: `Runs a script of ${statements} statements with kalam -f ${runsOf} times in each format (table, JSON, CSV): it creates a table if it does not exist, empties, fills and updates it, and selects from it. The second and third run must end alike, print the same except for durations, and leave the same rows.`,
  blindTo: "It reruns one script that is written to be rerun, with an empty home folder each time.",
  risk: "A nightly job reports differences that do not exist, or does something else on its second run.",
  remedy: "Compare with --json and by column names, and query the result instead of parsing the output.",
  covers: [],
  touches: "scratch",
  needs: ["dba", "kalam"],
  level: "block",
  estimateMs: 4_000,
  estimateRequests: formats.length * runsOf * (statements + 4),
  findings: {
    changed: {
      say: (d: { format: string; what: string; first: string; second: string }) =>
        `as ${d.format}: ${d.what} changed from ${d.first} to ${d.second}`,
    },
  },
  async observe(target, context) {
    const kalam = context.need(target.kalam, "there is no kalam command line (--kalam-bin)");
    const op = await target.account("dba");
    const seen = await Promise.all(
      formats.map(async ({ name, flags }): Promise<Format> => {
        const table = `${context.scratch}.as_${name}`;
        const files = { "script.sql": script(table) };
        const runs: Run[] = [];
        for (let n = 0; n < runsOf; n += 1) {
          const said = await kalam(op, [...flags, "-f", "script.sql"], { files, statements });
          const rows = await shown(target, op, `SELECT id, v, n FROM ${table} ORDER BY id LIMIT 100`);
          runs.push({ text: truncated(withoutTimes(said.stdout), keptText), rows, ...ranOf(said) });
        }
        return { format: name, runs };
      }),
    );
    return { formats: seen };
  },
  judge(seen, { found }) {
    for (const { format, runs } of seen.formats) {
      const [, second, third] = runs;
      if (second === undefined || third === undefined || runs.some((one) => one.trouble !== null)) continue;
      const changed = (what: string, difference: { first: string; second: string }): void =>
        found.changed({ format, what, ...difference }, { case: `${format}, ${what}`, sent: [second, third] });
      if (second.exitCode !== third.exitCode)
        changed("the exit code", { first: second.outcome, second: third.outcome });
      if (second.text !== third.text) changed("the output", firstDifference(second.text, third.text));
      if (second.rows !== null && third.rows !== null && second.rows !== third.rows)
        changed("the table", { first: second.rows, second: third.rows });
    }
    const all = seen.formats.flatMap(({ format, runs }) => runs.map((one) => ({ format, ...one })));
    const unclear = all.find((one) => one.trouble !== null || one.rows === null);
    if (unclear !== undefined)
      return unknown(`as ${unclear.format}: ${unclear.trouble ?? "its rows could not be read"}`);
    // Failing the same way each time is not repeating the script.
    const other = all.find((one) => one.exitCode !== 0 || one.rows !== wantedRows || one.text === "");
    if (other !== undefined)
      return unknown(
        `as ${other.format}: the script did not do what it should: ${other.outcome}; the table: ${other.rows}`,
      );
    if (all.length < formats.length * runsOf)
      return unknown(`the script was run only ${all.length} of ${formats.length * runsOf} times`);
    return pass(
      `in ${seen.formats.length} formats, the second and third run ended alike, printed the same and left the same rows`,
    );
  },
});

/** Durations may differ from run to run; they are removed in every form that kalam prints. */
function withoutTimes(stdout: string): string {
  return stdout
    .replace(/"took": *[\d.]+(e-?\d+)?/gi, '"took": …')
    .split("\n")
    .filter((line) => !/^\W*(took|time):/i.test(line))
    .join("\n");
}

/** The first pair of lines that differ. */
function firstDifference(first: string, second: string): { first: string; second: string } {
  const [a, b] = [first.split("\n"), second.split("\n")];
  const at = a.findIndex((line, index) => line !== b[index]);
  return { first: a[at] ?? `${a.length} lines`, second: b[at] ?? `${b.length} lines` };
}
