/** How many live events per second one core receives and judges, compared with JSON.parse on the same frames. */
import {
  changesOutOfOrder,
  duplicateChanges,
  missingChanges,
  wrongContents,
  type ChangeHistory,
  type DeliveredChange,
} from "../src/history/changes.ts";
import type { Write } from "../src/history/history.ts";
import { openLive } from "../src/server/live.ts";
import { fakeSocket } from "../test/socket.ts";

const events = 100_000;

export interface EventFigures {
  readonly received: number;
  readonly parsedOnly: number;
  readonly judged: number;
}

/** Events per second. */
export async function measureEvents(): Promise<EventFigures> {
  const frames = Array.from({ length: events }, (_, n) =>
    JSON.stringify({
      type: "change",
      subscription_id: "q1",
      change_type: "insert",
      rows: [{ id: String(n), mark: `m${n}`, n, note: null, _seq: String(382_916_957_120_073_728n + BigInt(n)) }],
    }),
  );
  const { open, deliver } = fakeSocket();
  const live = await openLive(
    { login: "none" },
    {
      open,
      token: undefined,
      signal: new AbortController().signal,
      note: () => ({ number: 0, answered: () => {} }),
      keep: () => true,
      pingEveryMs: 4_000,
      tooFast: () => {},
      turn: async () => await Promise.resolve(),
    },
  );
  if ("why" in live) throw new Error("no connection");
  const subscription = await live.subscribe("SELECT * FROM t");
  const received = perSecond(() => {
    for (const text of frames) deliver(text);
  });
  const parsedOnly = perSecond(() => {
    for (const text of frames) JSON.parse(text);
  });
  const history = historyOf(subscription.changes.length);
  const judged = perSecond(() => {
    const found =
      missingChanges(history).length +
      duplicateChanges(history).length +
      changesOutOfOrder(history).length +
      wrongContents(history).length;
    if (found > 0) throw new Error("a correct history was judged faulty");
  });
  return { received, parsedOnly, judged };
}

function historyOf(count: number): ChangeHistory {
  const writes: Write[] = [];
  const delivered: DeliveredChange[] = [];
  for (let n = 0; n < count; n += 1) {
    const values = { mark: `m${n}`, n, note: null };
    const sent = { client: n % 6, statement: n, dueAt: n, invokedAt: n, returnedAt: n };
    writes.push({ ...sent, key: String(n), kind: "insert", values, outcome: "ok" });
    delivered.push({ kind: "insert", row: { id: String(n), ...values }, old: null, at: n });
  }
  return {
    keyColumn: "id",
    markColumn: "mark",
    writes,
    delivered,
    table: writes.map(({ key }, n) => [key, `m${n}`] as const),
  };
}

function perSecond(work: () => void): number {
  const startedAt = performance.now();
  work();
  return Math.round((events / (performance.now() - startedAt)) * 1_000);
}
