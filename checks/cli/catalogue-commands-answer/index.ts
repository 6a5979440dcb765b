import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { cellText, kalamText, outcomeOf, rowsOf, type Target } from "../../../src/server/target.ts";
import { documentsIn, rowsIn, serverTrouble } from "../kalam-output.ts";

/** `holds`: what one of the rows must have in it. Null where rows may be missing on a server that is well. */
interface Command {
  readonly name: string;
  readonly sql: (ns: string) => string;
  readonly holds: (ns: string) => readonly string[] | null;
}

const commands: readonly Command[] = [
  { name: "DESCRIBE TABLE", sql: (ns) => `DESCRIBE TABLE ${ns}.described`, holds: () => ["id"] },
  { name: "DESCRIBE", sql: (ns) => `DESCRIBE ${ns}.described`, holds: () => ["note"] },
  { name: "DESCRIBE … HISTORY", sql: (ns) => `DESCRIBE TABLE ${ns}.described HISTORY`, holds: () => ["note"] },
  { name: "SHOW TABLES", sql: () => "SHOW TABLES", holds: () => [] },
  { name: "SHOW TABLES IN", sql: (ns) => `SHOW TABLES IN ${ns}`, holds: (ns) => [ns, "described"] },
  { name: "SHOW NAMESPACES", sql: () => "SHOW NAMESPACES", holds: () => [] },
  { name: "SHOW STORAGES", sql: () => "SHOW STORAGES", holds: () => ["local"] },
  { name: "SHOW STATS", sql: (ns) => `SHOW STATS FOR TABLE ${ns}.described`, holds: () => ["described"] },
  { name: "SHOW MANIFEST", sql: () => "SHOW MANIFEST", holds: () => null },
];

/** The same as people type it into kalam. */
const backslashed: readonly {
  readonly name: string;
  readonly command: (ns: string) => string;
  readonly holds: (ns: string) => readonly string[];
}[] = [
  { name: "\\dt", command: () => "\\dt", holds: (ns) => [ns, "described"] },
  { name: "\\d", command: (ns) => `\\d ${ns}.described`, holds: () => ["described", "note"] },
  { name: "\\stats", command: () => "\\stats", holds: () => ["server_version"] },
];
/** From so many rows on a list may have been cut: no server gives more to those who do not ask for more. */
const listMax = 50;

type Asked = {
  readonly command: string;
  /** No answer, or an error of the server's own: it says nothing about the command. */
  readonly unclear: boolean;
  readonly ok: boolean;
  readonly columns: number;
  readonly rows: number;
  /** Whether a row has in it what it must; true where nothing is asked of it. */
  readonly holds: boolean;
  readonly outcome: string;
  readonly exchange: number;
};

export const catalogueCommandsAnswer = defineCheck({
  id: "cli/catalogue-commands-answer",
  title: "DESCRIBE, SHOW and kalam's \\d commands answer",
  failureTitle: "A command that shows the catalogue is broken",
  description: `Sends ${commands.map((one) => one.name).join(", ")} and looks for columns and for the row that must be there: our own table, its columns, the storage local. Where the kalam command line was named (--kalam-bin), also ${backslashed.map((one) => one.name).join(", ")} with it.`,
  blindTo:
    "It looks whether they answer with what was just made; whether every figure in them is right is for the category observability.",
  risk: "Whoever looks something up in an emergency gets an error, or a list that lacks what is there.",
  remedy: "Query system.tables, system.schemas and system.namespaces instead, with LIMIT.",
  covers: ["CLI-10"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 500,
  estimateRequests: commands.length + backslashed.length * 4 + 2,
  findings: {
    broken: { say: (d: { command: string; outcome: string }) => `${d.command} ${d.outcome}` },
    cutSilently: {
      say: (d: { command: string; rows: number }) =>
        `${d.command} shows ${d.rows} rows and not the table that is there, and says nothing of more`,
      level: "warn",
    },
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    const made = await target.sql(
      op,
      `CREATE TABLE ${scratch}.described (id BIGINT PRIMARY KEY, note TEXT) WITH (TYPE='SHARED')`,
    );
    const asked: Asked[] = [];
    for (const { name, sql, holds } of commands) {
      const answer = await target.sql(op, sql(scratch));
      const rows = rowsOf(answer) ?? [];
      const wanted = holds(scratch);
      asked.push({
        command: name,
        unclear: answer.kind === "unsure" && answer.because !== "unrecognised" && answer.because !== "malformed",
        ok: answer.kind === "ok",
        columns: answer.kind === "ok" ? (answer.results[0]?.columns.length ?? 0) : 0,
        rows: rows.length,
        holds: wanted === null || rows.some((row) => hasAll(Object.values(row).map(cellText), wanted)),
        outcome: outcomeOf(answer),
        exchange: answer.exchange,
      });
    }
    return { made: outcomeOf(made), asked, kalam: await askKalam(target, scratch) };
  },
  judge({ made, asked, kalam }) {
    const all = [...asked, ...(kalam ?? [])];
    const broken = all.flatMap((one) => {
      if (one.unclear) return [];
      const why = !one.ok ? `was answered with ${one.outcome}` : one.columns === 0 ? "came without columns" : undefined;
      const lacks =
        one.holds || couldBeCut(one) ? undefined : `came with ${one.rows} rows, and without the one that must be there`;
      const outcome = why ?? lacks;
      if (outcome === undefined) return [];
      const data = { command: one.command, outcome };
      return [{ name: "broken" as const, case: one.command, data, sent: [one.exchange] }];
    });
    const cut = all
      .filter((one) => one.ok && !one.holds && couldBeCut(one))
      .map((one) => ({
        name: "cutSilently" as const,
        case: one.command,
        data: { command: one.command, rows: one.rows },
        sent: [one.exchange],
      }));
    const unclear = all.find((one) => one.unclear);
    if (!made.startsWith("200")) return unknown(`the table to look up could not be made: ${made}`);
    if (broken.length + cut.length > 0) return fail(...broken, ...cut);
    if (unclear !== undefined) return unknown(`${unclear.command}: ${unclear.outcome}`);
    if (asked.length < commands.length || (kalam !== null && kalam.length < backslashed.length))
      return unknown(`only ${all.length} commands were sent`);
    const typed =
      kalam === null ? "kalam itself was not named (--kalam-bin)" : `${kalam.length} of kalam's answer, too`;
    return pass(`${asked.length} of ${asked.length} commands answer with columns and what must be there; ${typed}`);
  },
});

/** Null where there is no kalam. */
async function askKalam(target: Target, scratch: string): Promise<readonly Asked[] | null> {
  if (target.kalam === undefined) return null;
  const op = await target.account("dba");
  const asked: Asked[] = [];
  for (const { name, command, holds } of backslashed) {
    const said = await target.kalam(op, ["--json", "-c", command(scratch)]);
    const [document] = documentsIn(said.stdout);
    const { columns, rows } = rowsIn(document);
    const ok = said.exitCode === 0 && document !== undefined;
    asked.push({
      command: `kalam ${name}`,
      unclear: serverTrouble(said) !== null,
      ok,
      columns: columns.length,
      rows: rows.length,
      holds: rows.some((row) => hasAll(row.map(cellText), holds(scratch))),
      outcome: kalamText(said),
      exchange: said.exchange,
    });
  }
  return asked;
}

function hasAll(cells: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((text) => cells.includes(text));
}

/** A list of everybody's tables, so long that ours may stand beyond its end. */
function couldBeCut({ command, rows }: Asked): boolean {
  return command === "kalam \\dt" && rows >= listMax;
}
