import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import {
  cellText,
  rowsOf,
  saidOf,
  type Account,
  type Said,
  type Target,
  truncated,
} from "../../../src/server/target.ts";
import { flush, whyNotFlushed } from "../../vocabulary/jobs.ts";
import { sampleAtLight } from "../../vocabulary/sample.ts";
import { makeTable, sharedTable } from "../../vocabulary/tables.ts";
import { sortTried, tryAll, whyUnclear, type Tried } from "../../vocabulary/trials.ts";
import { cases, columns, initialRows, stages } from "./cases.ts";
import { race, whyNoRace, type Race } from "./race.ts";

const kinds = ["USER", "SHARED"] as const;
type Row = readonly [id: string, v: string];

type Seen = {
  readonly kind: string;
  readonly tried: readonly { readonly stage: string; readonly tried: readonly Tried[] }[];
  /** The rows at the end; null if they could not be read. */
  readonly rows: readonly Row[] | null;
  readonly notFlushed: string | null;
  /** How many INSERTs were to be tried. */
  readonly planned: number;
  /** A new key at the end, which must be accepted. */
  readonly control: Said;
};

const triesEach = stages.length * cases.length;
/** At light effort: all of one stage, and half of the other. */
const triesMin = cases.length + 1;
const controlKey = "900";

/** Tried with all cases at every effort: rows of one table in memory, and of the other flushed. */
function ofStage(type: (typeof kinds)[number], stage: string): boolean {
  return (type === "USER") === (stage === "in memory");
}

async function look(
  target: Target,
  context: Context,
  op: Account,
  { as, type }: { readonly as: Account; readonly type: (typeof kinds)[number] },
): Promise<Seen> {
  const keys = `${context.scratch}.${type.toLowerCase()}_keys`;
  const table =
    type === "SHARED"
      ? await sharedTable(target, context, op, keys, { columns, writers: ["service"] })
      : await makeTable(target, context, op, keys, { columns });
  const tried: { stage: string; tried: readonly Tried[] }[] = [];
  let planned = 0;
  const insertFirst = async (from: number): Promise<void> => {
    const rows = initialRows.filter(([id]) => Number(id) > from && Number(id) <= from + 100);
    const values = rows.map(([id, v]) => `(${id}, '${v}')`).join(", ");
    context.need(
      await target.sql(as, `INSERT INTO ${table} (id, v) VALUES ${values}`),
      "the rows could not be written",
    );
  };
  const tryStage = async ({ name, from }: (typeof stages)[number]): Promise<void> => {
    const key = (n: number): number => from + n;
    const some = ofStage(type, name) ? cases : sampleAtLight(context, cases, 2);
    planned += some.length;
    const trials = some.map(({ name: of, sql, params }) => ({
      name: of,
      as,
      sql: sql(table, key),
      ...(params === undefined ? {} : { params: params(key) }),
    }));
    tried.push({ stage: name, tried: await tryAll(target, trials) });
  };
  await insertFirst(stages[1].from);
  const notFlushed = whyNotFlushed(await flush(target, context, op, table)) ?? null;
  await tryStage(stages[1]);
  await insertFirst(stages[0].from);
  await tryStage(stages[0]);
  const control = saidOf(await target.sql(as, `INSERT INTO ${table} (id, v) VALUES (${controlKey}, 'control')`));
  const rows = rowsOf(await target.sql(as, `SELECT id, v FROM ${table} ORDER BY id LIMIT 200`));
  return {
    kind: type,
    tried,
    rows: rows?.map((row) => [cellText(row["id"]), cellText(row["v"])] as const) ?? null,
    notFlushed,
    planned,
    control,
  };
}

type Data = { readonly sql: string; readonly kind: string; readonly stage: string; readonly now: readonly string[] };
const nowText = ({ now }: Data): string =>
  now.length === 0 ? "the table is as before" : `the table now has ${now.join(", ")}`;

export const duplicateKeyRefused = defineCheck({
  id: "validation/duplicate-key-refused",
  title: "A key that exists cannot be inserted again",
  failureTitle: "A key that exists can be inserted again",
  description: `Tries ${cases.length} ways to insert a key that is there (one row, parameters, among new rows, with the same values, from a SELECT, in a transaction, twice in one statement), for rows in memory and for flushed rows, on a USER table as a plain user and on a SHARED table as a service account. Each must be refused and change nothing. Then several accounts insert the same new key concurrently: exactly one must be acknowledged, and its value stored.`,
  blindTo:
    "Keys of one BIGINT column; validation/text-compared-exactly looks at text keys. The race is short. At light effort half of the ways are tried on the USER table after a flush, and on the SHARED table in memory.",
  risk: "Two orders get one number, or a record is silently replaced by another, and the program that wrote it is told that all went well.",
  remedy:
    "Generate keys that cannot collide (UUIDs, or the server's own), and do not use an INSERT as a lock until this passes.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 900,
  estimateRequests: kinds.length * (triesEach + 8) + 40,
  findings: {
    accepted: {
      say: (d: Data) =>
        `${d.sql} was acknowledged on a ${d.kind} table, where the key was there (${d.stage}); ${nowText(d)}`,
    },
    changed: {
      say: (d: Data) => `${d.sql} was refused on a ${d.kind} table (${d.stage}) and changed it: ${nowText(d)}`,
      risk: "A program repeats a statement that reported an error, although part of it was stored.",
      remedy: "After an error, look up which rows were stored before you send the statement again.",
    },
    severalWinners: {
      say: (d: { key: string; winners: readonly string[]; stored: readonly string[]; rounds: number; of: number }) =>
        `${d.winners.length} concurrent INSERTs of key ${d.key} were acknowledged (${d.winners.join(", ")}); stored is ${d.stored.join(", ") || "nothing"}; so in ${d.rounds} of ${d.of} rounds`,
    },
    wrongWinner: {
      say: (d: { key: string; winner: string; stored: readonly string[] }) =>
        `of concurrent INSERTs of key ${d.key} that of ${d.winner} was acknowledged, and stored is ${d.stored.join(", ") || "nothing"}`,
    },
  },
  async observe(target, context) {
    const [op, user, service] = await Promise.all([
      target.account("dba"),
      target.account("user", "keys"),
      target.account("service", "keys"),
    ]);
    const tables: readonly Seen[] = await Promise.all(
      kinds.map(async (type) => await look(target, context, op, { as: type === "USER" ? user : service, type })),
    );
    return { tables, race: await race(target, context, op) };
  },
  judge(seen, { found }) {
    const { tables, race: raced } = seen;
    for (const { kind, tried, rows } of tables) {
      for (const { stage, tried: some } of tried) {
        const { accepted, refused } = sortTried(some);
        const dataOf = (one: Tried): Data => ({ sql: one.sql, kind, stage, now: changedBy(one, stage, rows ?? []) });
        const shownOf = (one: Tried) => ({ case: `${one.case}, ${stage}, ${kind}`, sent: one.said });
        for (const one of accepted) found.accepted(dataOf(one), shownOf(one));
        for (const one of refused) if (dataOf(one).now.length > 0) found.changed(dataOf(one), shownOf(one));
      }
    }
    const several = raced.filter(({ winners }) => winners.length > 1);
    for (const { key, winners, stored, exchanges } of several.slice(0, 1))
      found.severalWinners(
        { key, winners, stored: stored ?? [], rounds: several.length, of: raced.length },
        { sent: exchanges },
      );
    for (const { key, winners, stored, exchanges, unsure } of raced) {
      const [winner] = winners;
      if (winner === undefined || winners.length > 1 || unsure > 0 || stored === null) continue;
      if (stored.length !== 1 || stored[0] !== winner) found.wrongWinner({ key, winner, stored }, { sent: exchanges });
    }
    return whyUnclearTables(tables) ?? whyNoRace(raced) ?? pass(passText(tables, raced));
  },
});

function passText(tables: readonly Seen[], raced: readonly Race[]): string {
  const tries = tables.reduce((sum, { planned }) => sum + planned, 0);
  return `${tries} of ${tries} duplicates refused on ${kinds.join(" and ")} tables, in memory and flushed; in ${raced.length} races one of ${raced[0]?.exchanges.length ?? 0} INSERTs won`;
}

function whyUnclearTables(tables: readonly Seen[]): ReturnType<typeof unknown> | undefined {
  if (tables.length < kinds.length) return unknown(`only ${tables.length} of ${kinds.length} table types were tried`);
  for (const { kind, tried, rows, notFlushed, planned, control } of tables) {
    if (notFlushed !== null) return unknown(`${kind}: ${notFlushed}`);
    if (rows === null) return unknown(`the rows of the ${kind} table could not be read`);
    if (control.kind !== "ok") return unknown(`${kind}: a new key cannot be inserted either: ${control.message}`);
    const all = tried.flatMap((one) => one.tried);
    const why = whyUnclear(sortTried(all));
    if (why !== undefined) return unknown(`${kind}: ${why}`);
    if (all.length < Math.max(planned, triesMin))
      return unknown(`${kind}: only ${all.length} of ${planned} ways were tried`);
    const expected = [...initialRows, [controlKey, "control"] as const].toSorted(([a], [b]) => Number(a) - Number(b));
    if (JSON.stringify(rows) !== JSON.stringify(expected))
      return unknown(
        `the ${kind} table does not have the rows that were written: ${truncated(JSON.stringify(rows), 300)}`,
      );
  }
  return undefined;
}

/** Rows with the keys of a case that are others than at the start. */
function changedBy({ case: name }: Tried, stage: string, rows: readonly Row[]): string[] {
  const from = stages.find((one) => one.name === stage)?.from ?? 0;
  const keys = cases.find((one) => one.name === name)?.keys.map((key) => String(from + key)) ?? [];
  return keys.flatMap((key) => {
    const now = rows.filter(([id]) => id === key);
    const was = initialRows.filter(([id]) => id === key);
    // A row that is gone was not replaced by an INSERT: then the table shows nothing about it.
    return JSON.stringify(now) === JSON.stringify(was) || now.length < was.length
      ? []
      : [`${key}: ${now.map(([, v]) => v).join(" and ")}`];
  });
}
