import { defineCheck, pass, unknown } from "../../../src/check.ts";
import {
  cellText,
  kalamText,
  outcomeOf,
  rowsOf,
  valueOf,
  type Account,
  type Target,
} from "../../../src/server/target.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { documentsIn, rowsIn, serverTrouble } from "../kalam-output.ts";

interface Command {
  readonly name: string;
  readonly command: (ns: string) => string;
  /** What one of the rows must contain; null where even a healthy server may have no rows. */
  readonly holds: (ns: string) => readonly string[] | null;
  /** What other rows must contain. */
  readonly others?: readonly string[];
}

const commands: readonly Command[] = [
  {
    name: "DESCRIBE TABLE",
    command: (ns) => `DESCRIBE TABLE ${ns}.described`,
    holds: () => ["id"],
    others: ["note", "last"],
  },
  { name: "DESCRIBE", command: (ns) => `DESCRIBE ${ns}.described`, holds: () => ["id"], others: ["note", "last"] },
  {
    name: "DESCRIBE … HISTORY",
    command: (ns) => `DESCRIBE TABLE ${ns}.described HISTORY`,
    holds: () => ["id"],
    others: ["note", "last"],
  },
  { name: "SHOW TABLES", command: () => "SHOW TABLES", holds: () => [] },
  { name: "SHOW TABLES IN", command: (ns) => `SHOW TABLES IN ${ns}`, holds: (ns) => [ns, "described"] },
  { name: "SHOW NAMESPACES", command: () => "SHOW NAMESPACES", holds: () => [] },
  { name: "SHOW STORAGES", command: () => "SHOW STORAGES", holds: () => ["local"] },
  { name: "SHOW STATS", command: (ns) => `SHOW STATS FOR TABLE ${ns}.described`, holds: () => ["described"] },
  { name: "SHOW MANIFEST", command: () => "SHOW MANIFEST", holds: () => null },
];

/** Commands of kalam itself. */
const backslashed: readonly Command[] = [
  { name: "\\dt", command: () => "\\dt", holds: (ns) => [ns, "described"] },
  { name: "\\d", command: (ns) => `\\d ${ns}.described`, holds: () => ["described", "note"] },
  { name: "\\stats", command: () => "\\stats", holds: () => ["server_version"] },
];
/** A list this long may have been truncated: by default a server returns no more rows. */
const listMax = 50;

type Asked = {
  readonly command: string;
  /** Refused as no statement of this server's. */
  readonly notOffered: boolean;
  /** No answer, or an error of the server's own: it says nothing about the command. */
  readonly unclear: boolean;
  readonly ok: boolean;
  readonly columns: number;
  readonly rows: number;
  /** Whether one of the rows contains what it must. */
  readonly holds: boolean;
  readonly outcome: string;
  readonly exchange: number;
};

export const catalogueCommandsAnswer = defineCheck({
  id: "cli/catalogue-commands-answer",
  title: "DESCRIBE, SHOW and kalam's \\d commands work",
  failureTitle: "A command that shows the catalogue is broken",
  description: `Sends ${commands.map((one) => one.name).join(", ")} and expects columns and the row that must be there: the check's own table, each of its columns, the storage local. Where it is not known that a version has these commands, one that the server refuses as invalid SQL counts as not offered. With a kalam command line (--kalam-bin), also runs ${backslashed.map((one) => one.name).join(", ")} in it.`,
  blindTo:
    "It checks that the commands show what was just created; whether every figure is correct is left to the category observability.",
  risk: "In an emergency, an operator looks something up and gets an error or an incomplete list.",
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
        `${d.command} shows ${d.rows} rows without the existing table, and does not say that the list is truncated`,
      level: "warn",
      risk: "Someone looks for a table in a truncated list and takes it for missing.",
      remedy: "Query system.tables with a WHERE and a LIMIT instead.",
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const { scratch } = context;
    const spec = { type: "SHARED", columns: "id BIGINT PRIMARY KEY, note TEXT, last INT" } as const;
    await makeTable(target, context, op, `${scratch}.described`, spec);
    const areKnown = valueOf(target.dialect.showCommands) === true;
    const asked: Asked[] = [];
    for (const { name, command, holds, others = [] } of commands) {
      const answer = await target.sql(op, command(scratch));
      const rows = (rowsOf(answer) ?? []).map((row) => Object.values(row).map(cellText));
      asked.push({
        command: name,
        notOffered: !areKnown && answer.kind === "refused" && answer.cause === "parse",
        unclear: answer.kind === "unsure" && answer.because !== "unrecognised" && answer.because !== "malformed",
        ok: answer.kind === "ok",
        columns: answer.kind === "ok" ? (answer.results[0]?.columns.length ?? 0) : 0,
        rows: rows.length,
        holds: hasRow(rows, holds(scratch)) && others.every((text) => hasRow(rows, [text])),
        outcome: outcomeOf(answer),
        exchange: answer.exchange,
      });
    }
    return { asked, kalam: await askKalam(target, op, scratch) };
  },
  judge({ asked, kalam }, { found }) {
    const all = [...asked, ...(kalam ?? [])];
    for (const one of all) {
      const { command } = one;
      const outcome = one.unclear || one.notOffered ? undefined : whatIsWrong(one);
      if (outcome !== undefined) found.broken({ command, outcome }, { case: command, sent: one });
    }
    for (const one of all) {
      const { command, rows } = one;
      if (one.ok && !one.holds && isMaybeTruncated(one))
        found.cutSilently({ command, rows }, { case: command, sent: one });
    }
    const unclear = all.find((one) => one.unclear);
    if (unclear !== undefined) return unknown(`${unclear.command}: ${unclear.outcome}`);
    if (asked.length < commands.length || (kalam !== null && kalam.length < backslashed.length))
      return unknown(`only ${all.length} commands were sent`);
    const own = kalam === null ? "kalam's own were not tried (no --kalam-bin)" : `so do ${kalam.length} of kalam's own`;
    const missing = asked.filter(({ notOffered }) => notOffered).map(({ command }) => command);
    const works = asked.length - missing.length;
    if (works === 0) return unknown(`this server offers none of the commands: ${missing.join(", ")}`);
    const others = missing.length === 0 ? "" : `; not offered: ${missing.join(", ")}`;
    return pass(`${works} of ${asked.length} commands return columns and the expected rows${others}; ${own}`);
  },
});

function whatIsWrong(one: Asked): string | undefined {
  if (!one.ok) return `was answered with ${one.outcome}`;
  if (one.columns === 0) return "returned no columns";
  return one.holds || isMaybeTruncated(one) ? undefined : `returned ${one.rows} rows without an expected one`;
}

/** A list of all tables, so long that ours may be past its end. */
function isMaybeTruncated({ command, rows }: Asked): boolean {
  return command === "kalam \\dt" && rows >= listMax;
}

/** Null where there is no kalam. */
async function askKalam(target: Target, op: Account, scratch: string): Promise<readonly Asked[] | null> {
  if (target.kalam === undefined) return null;
  const asked: Asked[] = [];
  for (const { name, command, holds } of backslashed) {
    const said = await target.kalam(op, ["--json", "-c", command(scratch)]);
    const [document] = documentsIn(said.stdout);
    const { columns, rows } = rowsIn(document);
    asked.push({
      command: `kalam ${name}`,
      notOffered: false,
      unclear: serverTrouble(said) !== null,
      ok: said.exitCode === 0 && document !== undefined,
      columns: columns.length,
      rows: rows.length,
      holds: hasRow(
        rows.map((row) => row.map(cellText)),
        holds(scratch),
      ),
      outcome: kalamText(said),
      exchange: said.exchange,
    });
  }
  return asked;
}

function hasRow(rows: readonly (readonly string[])[], wanted: readonly string[] | null): boolean {
  return wanted === null || rows.some((cells) => wanted.every((text) => cells.includes(text)));
}
