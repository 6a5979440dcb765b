import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { kalamText } from "../../../src/server/target.ts";
import { shown } from "../../vocabulary/trials.ts";
import { serverTrouble } from "../kalam-output.ts";

/** Once to bring the table into its state, and then twice to compare. */
const runsOf = 3;
const formats: readonly { readonly name: string; readonly flags: readonly string[] }[] = [
  { name: "table", flags: [] },
  { name: "json", flags: ["--json"] },
  { name: "csv", flags: ["--csv"] },
];
const statements = 6;

function script(t: string): string {
  return `CREATE TABLE IF NOT EXISTS ${t} (id BIGINT PRIMARY KEY, v TEXT, n INT) WITH (TYPE='SHARED');
DELETE FROM ${t} WHERE id > 0;
INSERT INTO ${t} (id, v, n) VALUES (1, 'one', 10), (2, 'two', NULL), (3, 'three', 30);
UPDATE ${t} SET n = 11 WHERE id = 1;
SELECT id, v, n FROM ${t} ORDER BY id LIMIT 100;
SELECT COUNT(*) AS c, SUM(n) AS s FROM ${t};
`;
}
const wantedRows = '[[["1","one",11],["2","two",null],["3","three",30]]]';
const keptText = 3_000;

type Run = {
  readonly exitCode: number | null;
  /** Stdout without times, the first `keptText` characters. */
  readonly text: string;
  /** The table after it; null where it could not be read. */
  readonly rows: string | null;
  readonly trouble: string | null;
  readonly outcome: string;
  readonly exchange: number;
};
type Format = { readonly format: string; readonly runs: readonly Run[] };

export const kalamScriptRepeatable = defineCheck({
  id: "cli/kalam-script-repeatable",
  title: "A script that kalam runs again gives the same again",
  failureTitle: "A script that kalam runs again gives something else",
  description: `Runs a script of ${statements} statements with kalam -f ${runsOf} times in each format (table, JSON, CSV): it makes a table if it is not there, empties, fills and updates it, and selects from it. The second and the third time must end alike, print the same but for the times, and leave the same rows.`,
  blindTo: "It repeats one script that is made to be repeated, with a home folder that is new each time.",
  risk: "A nightly job reports differences where there are none, or does something else the second time.",
  remedy: "Compare with --json and by column names, and look up what was done instead of reading the output.",
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
  async observe(target, { scratch }) {
    const { kalam } = target;
    if (kalam === undefined) return { formats: [] as readonly Format[] };
    const op = await target.account("dba");
    const seen = await Promise.all(
      formats.map(async ({ name, flags }): Promise<Format> => {
        const table = `${scratch}.as_${name}`;
        const files = { "script.sql": script(table) };
        const runs: Run[] = [];
        for (let n = 0; n < runsOf; n += 1) {
          const said = await kalam(op, [...flags, "-f", "script.sql"], { files, statements });
          runs.push({
            exitCode: said.exitCode,
            text: withoutTimes(said.stdout).slice(0, keptText),
            rows: await shown(target, op, `SELECT id, v, n FROM ${table} ORDER BY id LIMIT 100`),
            trouble: serverTrouble(said),
            outcome: kalamText(said),
            exchange: said.exchange,
          });
        }
        return { format: name, runs };
      }),
    );
    return { formats: seen };
  },
  judge(seen) {
    const found = seen.formats.flatMap(({ format, runs }) => {
      const [, first, second] = runs;
      if (first === undefined || second === undefined || runs.some((one) => one.trouble !== null)) return [];
      const differences = [
        {
          what: "the exit code",
          first: first.outcome,
          second: second.outcome,
          same: first.exitCode === second.exitCode,
        },
        { what: "the output", ...firstDifference(first.text, second.text), same: first.text === second.text },
        {
          what: "the table",
          first: first.rows ?? "",
          second: second.rows ?? "",
          same: first.rows === null || second.rows === null || first.rows === second.rows,
        },
      ];
      return differences
        .filter(({ same }) => !same)
        .map(({ what, first: was, second: is }) => ({
          name: "changed" as const,
          case: `${format}, ${what}`,
          data: { format, what, first: was, second: is },
          sent: [first.exchange, second.exchange],
        }));
    });
    if (found.length > 0) return fail(...found);
    const all = seen.formats.flatMap(({ format, runs }) => runs.map((one) => ({ format, ...one })));
    const unclear = all.find((one) => one.trouble !== null || one.rows === null);
    if (unclear !== undefined)
      return unknown(`as ${unclear.format}: ${unclear.trouble ?? "its rows could not be read"}`);
    // The same failure each time is no repetition of the script.
    const other = all.find((one) => one.exitCode !== 0 || one.rows !== wantedRows || one.text === "");
    if (other !== undefined)
      return unknown(
        `as ${other.format}: the script did not do what it says: ${other.outcome}; the table: ${other.rows}`,
      );
    if (all.length < formats.length * runsOf)
      return unknown(`the script was run only ${all.length} of ${formats.length * runsOf} times`);
    return pass(
      `in ${seen.formats.length} formats the second and the third run ended alike, printed the same and left the same rows`,
    );
  },
});

/** What says how long something took may differ from run to run, in whatever form. */
function withoutTimes(stdout: string): string {
  return stdout
    .replace(/"took": *[\d.]+(e-?\d+)?/gi, '"took": …')
    .split("\n")
    .filter((line) => !/^\W*(took|time):/i.test(line))
    .join("\n");
}

/** The first lines that are not the same. */
function firstDifference(first: string, second: string): { first: string; second: string } {
  const [a, b] = [first.split("\n"), second.split("\n")];
  const at = a.findIndex((line, index) => line !== b[index]);
  return { first: a[at] ?? `${a.length} lines`, second: b[at] ?? `${b.length} lines` };
}
