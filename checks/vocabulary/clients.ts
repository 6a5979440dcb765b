/**
 * Clients of a workload: each sends one request at a time for an account, and keeps a record of what came of it. They start
 * together, on connections that are open already, so that their requests really meet in the server; whether they did is
 * counted afterwards (`overlapOf`).
 */
import type { Operation, OperationOutcome } from "../../src/history/history.ts";
import type { SqlOptions } from "../../src/server/sender.ts";
import type { Account, Answer, OwnRole, Target } from "../../src/server/target.ts";
import { readOf, writesOf, type PlannedWrite } from "./operations.ts";

export interface Client {
  /** Its number in the history. */
  readonly number: number;
  readonly as: Account;
  /** Sends a statement and keeps an operation for each of the rows that it is to write. */
  write(sql: string, planned: readonly PlannedWrite[], options?: SqlOptions): Promise<Answer>;
  /** Sends a query and keeps it. `key`: the one row that it asks for; absent where it asks for more. */
  read(sql: string, key?: string, options?: SqlOptions): Promise<Answer>;
}

export interface Workload {
  readonly clients: readonly Client[];
  /** What all clients have sent so far, in the order of the requests. */
  history(): Operation[];
}

/**
 * Accounts to spread a workload over, because a server limits the requests of each one. They are those of the observation:
 * asking again returns the same ones.
 */
export async function spreadOver(target: Target, role: OwnRole, count: number): Promise<readonly Account[]> {
  return await Promise.all(Array.from({ length: count }, async (_, at) => await target.account(role, `client ${at}`)));
}

/** Clients in turn for these accounts. Numbers start at `firstNumber`, for workloads that share a history. */
export function makeWorkload(
  target: Target,
  accounts: readonly Account[],
  count: number = accounts.length,
  firstNumber = 0,
): Workload {
  const operations: Operation[] = [];
  const clients = Array.from({ length: count }, (_, at): Client => {
    const as = accounts[at % accounts.length];
    if (as === undefined) throw new Error("a workload needs an account");
    const number = firstNumber + at;
    return {
      number,
      as,
      async write(sql, planned, options) {
        const answer = await target.sql(as, sql, options);
        operations.push(...writesOf(answer, { client: number }, planned));
        return answer;
      },
      async read(sql, key, options) {
        const answer = await target.sql(as, sql, options);
        operations.push(readOf(answer, { client: number }, key ?? null));
        return answer;
      },
    };
  });
  return {
    clients,
    history: () => operations.toSorted((one, other) => one.statement - other.statement),
  };
}

/** Opens a connection for each client. Without it the first ones would be done before the last ones are connected. */
export async function connectAll(target: Target, clients: readonly Client[]): Promise<void> {
  await Promise.all(clients.map(async ({ as }) => await target.sql(as, "SELECT 1 AS warm")));
}

/** Starts the work of all clients in the same moment and waits for all of it. */
export async function together<C extends Client>(
  clients: readonly C[],
  work: (client: C, at: number) => Promise<unknown>,
): Promise<void> {
  await Promise.all(clients.map(async (client, at) => await work(client, at)));
}

/**
 * Reads with each of these clients, again and again, until the work has ended; at most `most` times each, at least once. A
 * reader whose `read` returns false stops.
 */
export async function readWhile(
  work: Promise<unknown>,
  readers: readonly Client[],
  most: number,
  read: (client: Client, turn: number) => Promise<unknown>,
): Promise<void> {
  let hasEnded = false;
  const ends = work.finally(() => {
    hasEnded = true;
  });
  await Promise.all([
    ends,
    ...readers.map(async (client) => {
      for (let turn = 0; turn < most && (turn === 0 || !hasEnded); turn += 1)
        if ((await read(client, turn)) === false) return;
    }),
  ]);
}

/** How many operations have each outcome. */
export function countOutcomes(operations: readonly Operation[]): Record<OperationOutcome, number> {
  const counts = { ok: 0, refused: 0, unsure: 0 };
  for (const { outcome } of operations) counts[outcome] += 1;
  return counts;
}

const shownMax = 5;

/** The first few of a list, for the data of a finding. */
export function sampleOf<Item>(items: readonly Item[]): readonly Item[] {
  return items.slice(0, shownMax);
}

/** The exchanges of some operations, for a finding; the first few, because one shows as much as a hundred. */
export function exchangesOf(operations: readonly Operation[]): number[] {
  return [...new Set(operations.map(({ statement }) => statement))].slice(0, 2 * shownMax);
}
