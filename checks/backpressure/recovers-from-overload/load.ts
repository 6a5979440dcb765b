/** A statement that costs the server something, and how many of it the server answers in a second. */
import type { Context } from "../../../src/check.ts";
import { integerText, onlyRow, saidOf, type Account, type Said, type Target } from "../../../src/server/target.ts";
import { delaysOf, openLoop, type Delays, type Schedule } from "../../vocabulary/open-loop.ts";
import { mayBeAProxys } from "../../vocabulary/second-look.ts";
import { sharedTable } from "../../vocabulary/tables.ts";

/** Requests under way at once, at most: a server may allow 100 connections for each address. */
const inFlightMax = 48;
/** Spread over so many accounts, each of which has a limit of its own. */
const accountCount = 8;
const rowsMax = 3_200;
const rowsFirst = 50;
const rowsPerInsert = 500;
/** A statement that takes less than this would need more requests for an overload than we may send. */
const costMsMin = 10;
const sampleMax = 5;

/** Sends the statement on a connection of its own for each lane. */
export interface Workload {
  send(lane: number): Promise<Sent>;
  /** Makes the statement cost four times as much. False if it is at its most. */
  costlier(): Promise<boolean>;
}

type Sent = {
  readonly said: Said;
  /** It was answered with the right number. */
  readonly right: boolean;
  readonly sentAt: number;
  readonly doneAt: number;
};

/** What came of one phase. */
export type Phase = {
  readonly perSecond: number;
  readonly offered: number;
  readonly inFlight: number;
  readonly right: number;
  /** Refused with 429 or 503. */
  readonly refused: number;
  /** The connection broke, or something in between answered. */
  readonly broken: number;
  /** Other errors and wrong answers. `sample`: of these, and of the broken ones. */
  readonly wrong: number;
  readonly sample: readonly Said[];
  /** No answer in time. */
  readonly unanswered: number;
  /** Of the right answers. */
  readonly delays: Delays | null;
  readonly ownLateMs: number;
  readonly heldMs: number;
};

export async function makeWorkload(target: Target, context: Context): Promise<Workload> {
  const op = await target.account("dba");
  const accounts: Account[] = [];
  for (let n = 0; n < accountCount; n += 1) accounts.push(await target.account("user", `load ${n}`));
  const columns = "id BIGINT PRIMARY KEY, part INT";
  const table = await sharedTable(target, context, op, `${context.scratch}.load`, { columns, readers: ["user"] });
  let rows = 0;
  const growTo = async (count: number): Promise<void> => {
    while (rows < count) {
      const values = Array.from({ length: Math.min(rowsPerInsert, count - rows) }, (_, n) => `(${rows + n}, 1)`);
      const written = await target.sql(op, `INSERT INTO ${table} (id, part) VALUES ${values.join(", ")}`);
      context.need(written, "the rows could not be written");
      rows += values.length;
    }
  };
  const costlier = async (): Promise<boolean> => {
    if (rows >= rowsMax) return false;
    await growTo(2 * rows);
    return true;
  };
  const send = async (lane: number): Promise<Sent> => {
    const as = accounts[lane % accountCount] ?? op;
    const sql = `SELECT COUNT(*) AS n FROM ${table} a JOIN ${table} b ON a.part = b.part`;
    const answer = await target.sql(as, sql, { connection: `load ${lane}`, expectRate: true });
    const right = integerText(onlyRow(answer)?.["n"]) === String(rows * rows);
    return { said: saidOf(answer), right, sentAt: answer.sentAt, doneAt: answer.doneAt };
  };
  await growTo(rowsFirst);
  for (;;) {
    const [first, second] = [await send(0), await send(0)];
    if (!first.right) context.need(null, `the statement of the load was not answered (${first.said.message})`);
    const tookMs = Math.min(first.doneAt - first.sentAt, second.doneAt - second.sentAt);
    if (tookMs >= costMsMin || !(await costlier())) return { send, costlier };
  }
}

/**
 * Right answers per second with so many clients, each of which sends again as soon as it has its answer (a closed loop), and the
 * part of their time in which our own pacing held them back.
 */
export async function throughput(
  workload: Workload,
  clients: number,
  forMs: number,
): Promise<{ readonly perSecond: number; readonly heldShare: number }> {
  const startedAt = performance.now();
  let [right, heldMs] = [0, 0];
  const client = async (lane: number): Promise<void> => {
    while (performance.now() < startedAt + forMs) {
      const readyAt = performance.now();
      const sent = await workload.send(lane);
      heldMs += Math.max(0, sent.sentAt - readyAt);
      if (sent.right) right += 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, async (_, lane) => await client(lane)));
  const tookMs = performance.now() - startedAt;
  return { perSecond: (1_000 * right) / tookMs, heldShare: heldMs / (clients * tookMs) };
}

export async function phase(
  workload: Workload,
  schedule: Omit<Schedule, "inFlightMax">,
  wait: (ms: number) => Promise<void>,
): Promise<Phase> {
  const loop = await openLoop({ ...schedule, inFlightMax }, async (lane) => await workload.send(lane), wait);
  const sent = loop.shots.map(({ answer }) => answer);
  const others = sent.filter(({ right }) => !right);
  const isRefusal = ({ said }: Sent): boolean => said.status === 429 || said.status === 503;
  const isUnanswered = ({ said }: Sent): boolean => said.kind === "unsure" && said.why === "timeout";
  const isBroken = ({ said }: Sent): boolean =>
    said.kind === "unsure" &&
    (mayBeAProxys(said) || said.why === "reset" || said.why === "cut" || said.why === "unreachable");
  const rest = others.filter((one) => !isRefusal(one) && !isUnanswered(one));
  const [broken, wrong] = [rest.filter(isBroken), rest.filter((one) => !isBroken(one))];
  return {
    perSecond: Math.round(schedule.perSecond * 10) / 10,
    offered: sent.length + loop.unsent,
    inFlight: loop.inFlight,
    right: sent.length - others.length,
    refused: others.filter(isRefusal).length,
    broken: broken.length,
    wrong: wrong.length,
    sample: [...wrong, ...broken].slice(0, sampleMax).map(({ said }) => said),
    unanswered: others.filter(isUnanswered).length,
    delays: delaysOf(loop.shots.filter(({ answer }) => answer.right).map(({ delayMs }) => delayMs)) ?? null,
    ownLateMs: loop.ownLateMs,
    heldMs: Math.round(loop.heldMs),
  };
}
