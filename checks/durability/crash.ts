/** Rounds of a crash: clients write as fast as they can, the server is killed in the middle of it and started again. */
import type { Context } from "../../src/check.ts";
import type { Span } from "../../src/history/timeline.ts";
import type { Operation } from "../../src/history/history.ts";
import type { Account, Answer, Target } from "../../src/server/target.ts";
import type { Client } from "../vocabulary/clients.ts";
import { identify, lifecycleOf, restartTimes, startAgain, whyNotRestarted, type Restart } from "./restart.ts";

export type Crash = {
  /** When the first write was sent. */
  readonly beganAt: number;
  /** When SIGKILL was asked for, and when the server was gone; milliseconds on the clock of the history. */
  readonly killedAt: number;
  readonly goneAt: number;
  readonly restart: Restart;
};

const firstWithinMs = 15_000;
/** From the first acknowledgements of each client to the kill. */
const killAfterMs = { min: 50, max: 450 };

export interface Writers<C extends Pick<Client, "number">> {
  readonly clients: readonly C[];
  /** How many statements of each must be acknowledged before the kill; one where absent. */
  readonly atLeast?: number;
  /** One statement of the client, the `turn`-th. */
  write(client: C, turn: number): Promise<Pick<Answer, "kind" | "exchange">>;
}

/** The finding of a server that ends again each time it is started. */
export const doesNotStart = {
  say: (d: { round: number; why: string }) =>
    `round ${d.round}: the server does not start after the kill, tried twice: ${d.why}`,
  risk: "A crash in the night is an outage until somebody repairs the data folder.",
  remedy: "Keep a tested backup at hand, and report the server's last words.",
};

/** Does the rounds, numbered from 1; one after which the server did not start again is the last. */
export async function crashRounds<Round extends { readonly crash: Crash }>(
  context: Pick<Context, "size">,
  crashRound: (round: number) => Promise<Round>,
): Promise<readonly Round[]> {
  const rounds: Round[] = [];
  const count = context.size({ light: 1, standard: 3, deep: 12 });
  for (let round = 1; round <= count; round += 1) {
    const one = await crashRound(round);
    rounds.push(one);
    if (one.crash.restart.failed !== null) break;
  }
  return rounds;
}

/** `random`: the moment of the kill. `as` must be allowed to read system.stats. */
export async function crashWhile<C extends Pick<Client, "number">>(
  target: Target,
  context: Context,
  as: Account,
  { clients, atLeast = 1, write }: Writers<C>,
): Promise<Crash> {
  const lifecycle = lifecycleOf(target, context);
  const random = context.random("moment of the kill");
  const journal = context.journal();
  const before = await identify(target, as, lifecycle);
  const acknowledged = new Map<number, number>();
  let isOver = false;
  const beganAt = performance.now();
  const working = clients.map(async (client) => {
    for (let turn = 0; !isOver; turn += 1) {
      const { kind, exchange } = await write(client, turn);
      journal.note({ client: client.number, turn, kind, exchange });
      if (kind === "ok") acknowledged.set(client.number, (acknowledged.get(client.number) ?? 0) + 1);
      if (kind === "unsure") return;
    }
  });
  await context.poll(
    async () => await Promise.resolve(clients.every(({ number }) => (acknowledged.get(number) ?? 0) >= atLeast)),
    (isEnough) => isEnough,
    { withinMs: firstWithinMs, everyMs: 5 },
  );
  await waitFor(context, Math.ceil(killAfterMs.min + random() * (killAfterMs.max - killAfterMs.min)));
  const killedAt = performance.now();
  await lifecycle.kill();
  const goneAt = performance.now();
  isOver = true;
  await Promise.all(working);
  const goneMs = Math.round(goneAt - killedAt);
  return { beganAt, killedAt, goneAt, restart: await startAgain(target, context, as, { by: "kill", before, goneMs }) };
}

export async function waitFor(context: Pick<Context, "poll">, ms: number): Promise<void> {
  const until = performance.now() + ms;
  await context.poll(
    async () => await Promise.resolve(performance.now()),
    (now) => now >= until,
    { withinMs: 3 * ms, everyMs: ms },
  );
}

/** Of the round after which the server answered last. */
export function crashTimes(rounds: readonly { readonly crash: Crash; readonly readMs?: number }[]): readonly Span[] {
  const [slowest] = rounds.toSorted(
    (one, other) => (other.crash.restart.answeredMs ?? Infinity) - (one.crash.restart.answeredMs ?? Infinity),
  );
  if (slowest === undefined) return [];
  const { crash, readMs } = slowest;
  return restartTimes([crash.restart], { wroteMs: crash.killedAt - crash.beganAt, readMs });
}

/** How many of these had been sent when the server was killed, and had no answer yet. */
export function inFlightAt({ killedAt }: Crash, operations: readonly Operation[]): number {
  const statements = operations.filter((one) => one.invokedAt <= killedAt && one.returnedAt >= killedAt);
  return new Set(statements.map(({ statement }) => statement)).size;
}

/** For `unknown`: why these rounds do not show what a crash does; undefined if they do. */
export function whyNoCrash(
  rounds: readonly { readonly crash: Crash; readonly inFlight: number }[],
): string | undefined {
  const [not] = rounds.flatMap(({ crash }) => whyNotRestarted(crash.restart) ?? []);
  if (not !== undefined) return not;
  const missed = rounds.filter(({ inFlight }) => inFlight === 0).length;
  if (missed < rounds.length) return undefined;
  return `in none of ${rounds.length} rounds was a write in flight when the server was killed`;
}
