/** Several accounts insert the same new key concurrently. */
import { unknown, type Context } from "../../../src/check.ts";
import { cellText, rowsOf, type Account, type Answer, type Target } from "../../../src/server/target.ts";
import { sharedTable } from "../../vocabulary/tables.ts";

const clients = 4;
/** Rounds in which at least two requests overlapped; with fewer, nothing raced. */
const overlappedMin = 2;

export type Race = {
  readonly key: string;
  /** The values whose INSERT was acknowledged. */
  readonly winners: readonly string[];
  readonly unsure: number;
  readonly overlapped: boolean;
  /** The values stored under the key; null if they could not be read. */
  readonly stored: readonly string[] | null;
  readonly exchanges: readonly number[];
};

export async function race(target: Target, context: Context, op: Account): Promise<Race[]> {
  const columns = "id BIGINT PRIMARY KEY, v TEXT";
  const table = await sharedTable(target, context, op, `${context.scratch}.raced`, { columns, writers: ["service"] });
  const accounts = await Promise.all(
    Array.from({ length: clients }, async (_, at) => await target.account("service", `racer ${at}`)),
  );
  const races: Race[] = [];
  for (let round = 1; round <= context.size({ light: 3, standard: 20, deep: 100 }); round += 1) {
    const answers = await Promise.all(
      accounts.map(
        async (as, at) => await target.sql(as, `INSERT INTO ${table} (id, v) VALUES (${round}, 'client ${at}')`),
      ),
    );
    const rows = rowsOf(await target.sql(op, `SELECT v FROM ${table} WHERE id = ${round} LIMIT 20`));
    races.push({
      key: String(round),
      winners: answers.flatMap(({ kind }, at) => (kind === "ok" ? [`client ${at}`] : [])),
      unsure: answers.filter(({ kind }) => kind === "unsure").length,
      overlapped: answers.some((one, at) => answers.slice(at + 1).some((other) => overlap(one, other))),
      stored: rows?.map((row) => cellText(row["v"])) ?? null,
      exchanges: answers.map(({ exchange }) => exchange),
    });
  }
  return races;
}

function overlap(one: Answer, other: Answer): boolean {
  return one.sentAt < other.doneAt && other.sentAt < one.doneAt;
}

/** Why the races show too little; undefined if they show enough. */
export function whyNoRace(races: readonly Race[]): ReturnType<typeof unknown> | undefined {
  const unread = races.find(({ stored }) => stored === null);
  if (unread !== undefined) return unknown(`the row of key ${unread.key} could not be read after the race`);
  const open = races.find(({ winners, unsure }) => winners.length !== 1 || unsure > 0);
  if (open !== undefined)
    return unknown(
      `key ${open.key}: ${open.winners.length} INSERTs were acknowledged, ${open.unsure} got no clear answer`,
    );
  const overlapped = races.filter((one) => one.overlapped).length;
  return overlapped >= overlappedMin
    ? undefined
    : unknown(`only ${overlapped} races had overlapping requests; at least ${overlappedMin} are needed`);
}
