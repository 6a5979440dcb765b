import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import type { Operation } from "../../../src/history/history.ts";
import { judgeSet } from "../../../src/history/set.ts";
import type { Account, Target } from "../../../src/server/target.ts";
import { waitFor } from "../../durability/crash.ts";
import { asRead, atLeast, readUntil } from "../../durability/reading.ts";
import {
  identify,
  lifecycleOf,
  restartText,
  restartTimes,
  startAgain,
  whyNotRestarted,
  type Restart,
} from "../../durability/restart.ts";
import { exchangesOf, makeWorkload, sampleOf, spreadOver } from "../../vocabulary/clients.ts";
import { isLate, startControl, whySlow, type Pace } from "../../vocabulary/pace.ts";
import { sharedTable } from "../../vocabulary/tables.ts";

const writerCount = 4;
const signals = ["SIGTERM", "SIGINT"] as const;
const stopWithinMs = 10_000;
const firstWithinMs = 15_000;
const liveCount = 2;
/** Of the connections of both stops: a single one may be cut by anything in between. */
const droppedMin = 2;

/** The end of a live connection; null if it was still open when the server was gone. */
type Close = { readonly code: number; readonly reason: string } | null;

type Round = {
  readonly signal: (typeof signals)[number];
  readonly stopped: boolean;
  readonly exitCode: number | null;
  /** Of the wait for its end; the control is a query before the writers began. */
  readonly pace: Pace;
  /** Why the live queries could not be opened; null if they could. */
  readonly noLive: string | null;
  readonly closes: readonly Close[];
  readonly restart: Restart;
  readonly operations: readonly Operation[];
  /** Why the rows could not be read after the start; null if they could. */
  readonly unread: string | null;
};
type Seen = { readonly kind: "process" | "docker" | "command"; readonly rounds: readonly Round[] };

export const stopsCleanly = defineCheck({
  id: "configuration/stops-cleanly",
  title: "A stop under load is quick, clean and loses nothing",
  failureTitle: "A stop under load hangs, loses rows or drops clients",
  description: `While ${writerCount} clients insert rows and ${liveCount} live queries are open, the server is asked to end: with SIGTERM, and, started again, with SIGINT. It must end within ${stopWithinMs / 1000} s with exit code 0, close the WebSocket connections with a close frame, and have every acknowledged row after the next start.`,
  blindTo: "The writes are small, and little is left to be flushed: a stop with much of it takes longer.",
  risk: "Every update of the server loses writes, or takes until the process manager kills it.",
  remedy: "Stop writers before the server is stopped, and give the process manager more time before it kills it.",
  covers: [],
  touches: "process",
  needs: ["control", "dba"],
  alone: true,
  level: "block",
  estimateMs: 8_000,
  estimateRequests: 400,
  timeoutMs: 300_000,
  findings: {
    lostOnStop: {
      say: (d: { signal: string; lost: number; acknowledged: number; keys: readonly string[] }) =>
        `${d.signal}: ${d.lost} of ${d.acknowledged} acknowledged rows are gone after the next start, such as ${d.keys.join(", ")}`,
    },
    droppedSockets: {
      say: (d: { signal: string; dropped: number; of: number; code: number | null }) =>
        `${d.signal}: ${d.dropped} of ${d.of} WebSocket connections ended without a close frame (${d.code ?? "still open when the server was gone"}); expected one with a code such as 1001 and a reason`,
      level: "warn",
      risk: "Clients cannot tell an update from a broken network, and reconnect late or all at once.",
      remedy: "Have clients reconnect after any end of a connection, with a random delay.",
    },
    hungOnStop: {
      say: (d: { signal: string; withinMs: number }) =>
        `${d.signal}: the server was still running after ${d.withinMs} ms`,
      risk: "The process manager kills it in the end, as a crash would.",
      timed: true,
    },
    dirtyExit: {
      say: (d: { signal: string; how: string }) => `${d.signal}: the server ended with ${d.how}; expected exit code 0`,
      level: "warn",
      risk: "The process manager takes every stop for a crash, raises an alarm or starts the server again.",
      remedy: "Name this exit code as a success in the service's settings.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const rounds: Round[] = [];
    for (const signal of signals) {
      const round = await stopUnderLoad(target, context, op, signal);
      rounds.push(round);
      if (round.restart.failed !== null) break;
    }
    return { kind: target.control?.kind ?? "process", rounds };
  },
  timeline: ({ rounds }) => restartTimes(rounds.map(({ restart }) => restart)),
  judge({ kind, rounds }, { found }) {
    const whys: string[] = [];
    let acknowledged = 0;
    const cut = rounds.flatMap(({ stopped, closes }) => (stopped ? closes.filter(isDropped) : []));
    for (const { signal, stopped, exitCode, pace, closes, noLive, restart, operations, unread } of rounds) {
      const judged = judgeSet(operations, "id");
      acknowledged += judged.acknowledged;
      const { lost } = judged;
      if (lost.length > 0 && stopped)
        found.lostOnStop(
          { signal, lost: lost.length, acknowledged: judged.acknowledged, keys: sampleOf(lost).map(({ key }) => key) },
          { case: signal, sent: exchangesOf(lost) },
        );
      const dropped = closes.filter(isDropped);
      const [first] = dropped;
      if (first !== undefined && stopped && cut.length >= droppedMin)
        found.droppedSockets(
          { signal, dropped: dropped.length, of: closes.length, code: first?.code ?? null },
          { case: signal },
        );
      if (!stopped && isLate(pace)) found.hungOnStop({ signal, withinMs: pace.waitedMs }, { case: signal });
      // Elsewhere nothing tells how it ended.
      const ended = exitCode === null ? (kind === "process" ? "a signal" : undefined) : `exit code ${exitCode}`;
      if (stopped && exitCode !== 0 && ended !== undefined) found.dirtyExit({ signal, how: ended }, { case: signal });
      const why = whyNotRestarted(restart) ?? unread ?? noLive;
      if (why !== null) whys.push(`${signal}: ${why}`);
      if (!stopped) whys.push(`${signal}: the server did not end: ${whySlow(pace)}`);
      if (judged.acknowledged === 0) whys.push(`${signal}: no row was acknowledged before the stop`);
    }
    if (cut.length > 0)
      whys.push(`${cut.length} WebSocket connection ended without a close frame, maybe cut on its way`);
    const [why] = whys;
    if (why !== undefined) return unknown(why);
    if (rounds.length < signals.length) return unknown(`${rounds.length} of ${signals.length} stops were tried`);
    const took = rounds.map(({ signal, pace }) => `${signal} ${pace.waitedMs} ms`).join(", ");
    const codes = rounds.flatMap(({ closes }) => closes.map((close) => `${close?.code} ${close?.reason}`.trim()));
    return pass(
      `${acknowledged} rows acknowledged during the stops, all there; ended after ${took}${kind === "process" ? " with exit code 0" : ""}; ${codes.length} live connections closed with ${[...new Set(codes)].join(" and ")}; ${restartText(rounds.map(({ restart }) => restart))}`,
    );
  },
});

function isDropped(close: Close): boolean {
  return close === null || close.code === 1006;
}

async function stopUnderLoad(target: Target, context: Context, op: Account, signal: Round["signal"]): Promise<Round> {
  const table = await sharedTable(target, context, op, `${context.scratch}.${signal.toLowerCase()}`, {
    columns: "id BIGINT PRIMARY KEY, mark TEXT",
    writers: ["service"],
  });
  const lifecycle = lifecycleOf(target, context);
  const before = await identify(target, op, lifecycle);
  const opened = await Promise.all(Array.from({ length: liveCount }, async () => await target.live(op)));
  const lives = opened.flatMap((live) => ("kind" in live ? [] : [live]));
  for (const live of lives) await live.subscribe(`SELECT id, mark FROM ${table}`);
  const failed = opened.find((live) => "kind" in live);
  // Before the writers: they make a query slow that does not stand for the pace of the server.
  const control = startControl(target, op);
  await control.once();
  const { controlMs } = control.stop();
  const { clients, history } = makeWorkload(target, await spreadOver(target, "service", writerCount));
  const journal = context.journal();
  let acknowledged = 0;
  let isOver = false;
  const writing = clients.map(async (client) => {
    for (let turn = 0; !isOver; turn += 1) {
      const [key, mark] = [String(client.number * 1_000_000 + turn), `${signal}-${client.number}-${turn}`];
      const answer = await client.write(`INSERT INTO ${table} (id, mark) VALUES (${key}, '${mark}')`, [
        { kind: "insert", key, values: { mark } },
      ]);
      journal.note({ key, kind: answer.kind });
      if (answer.kind !== "ok") return;
      acknowledged += 1;
    }
  });
  await context.poll(
    async () => await Promise.resolve(acknowledged),
    (count) => count >= 2 * writerCount,
    { withinMs: firstWithinMs, everyMs: 5 },
  );
  await waitFor(context, Math.ceil(50 + context.random("moment of the stop")() * 200));
  const { stopped, exitCode, tookMs } = await lifecycle.stop({ signal, withinMs: stopWithinMs });
  if (!stopped) await lifecycle.kill();
  isOver = true;
  await Promise.all(writing);
  const closes = await Promise.all(lives.map(async (live) => await live.untilClosed(1_000)));
  const restart = await startAgain(target, context, op, { by: "stop", before, goneMs: tookMs });
  const written = history();
  const from = performance.now();
  const rows = written.filter(({ outcome }) => outcome === "ok").length;
  const reading =
    restart.failed === null
      ? await readUntil(target, context, { as: op, table, columns: ["id", "mark"], isWhole: atLeast(rows) })
      : { rows: null, why: restart.failed.why, cause: null, exchange: 0 };
  const missing = reading.cause === "missing" ? { ...reading, rows: [] } : reading;
  return {
    signal,
    stopped,
    exitCode,
    pace: { waitedMs: tookMs, controlMs },
    noLive: failed !== undefined && "why" in failed ? `no live query could be opened: ${failed.why}` : null,
    closes: closes.map((close) => (close === undefined ? null : { code: close.code, reason: close.reason })),
    restart,
    operations: [...written, asRead(missing, { from, to: performance.now() })],
    unread: missing.rows === null ? `the rows could not be read: ${missing.why}` : null,
  };
}
