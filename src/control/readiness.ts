/** Whether a server answers. Never with a login: while it starts, that could lock the account. */
import { httpWire } from "../wire/http.ts";
import type { Started } from "../wire/control.ts";
import type { RawRequest, Wire } from "../wire/wire.ts";
import { sleep } from "../session/pacing.ts";

const health = { method: "GET", path: "/v1/api/auth/status" } as const;
/** Without a token: 401 once it is there to answer. */
const sql = { method: "POST", path: "/v1/api/sql", body: '{"sql":"SELECT 1"}' } as const;
const answerWithinMs = 1_000;
const pollEveryMs = 25;

type Exchange = Wire["exchange"];

async function isAnswered(exchange: Exchange, request: Pick<RawRequest, "method" | "path" | "body">): Promise<boolean> {
  const headers: Record<string, string> = request.body === undefined ? {} : { "content-type": "application/json" };
  const answer = await exchange({ ...request, headers, timeoutMs: answerWithinMs, ownConnection: true });
  return answer.kind === "answered" && answer.status < 500;
}

/** Whether a server answers HTTP there, and not a proxy without one. */
export async function isAnswering(exchange: Exchange): Promise<boolean> {
  return await isAnswered(exchange, health);
}

/** Whether a server on that loopback port answers HTTP. */
export async function answersOn(port: number): Promise<boolean> {
  if (port <= 0) return false;
  return await withWire(port, async (exchange) => await isAnswered(exchange, health));
}

export async function withWire<T>(port: number, act: (exchange: Exchange) => Promise<T>): Promise<T> {
  const wire = httpWire(`http://127.0.0.1:${port}`, { connections: 1 });
  try {
    return await act(wire.exchange);
  } finally {
    await wire.close();
  }
}

export interface Waiting {
  readonly exchange: Exchange;
  readonly startedAt: number;
  readonly withinMs: number;
  /** Why it will not answer any more; undefined as long as it may. */
  readonly isOver: () => string | undefined;
}

/** Waits until health and then SQL are answered. */
export async function waitUntilReady(waiting: Waiting): Promise<Started> {
  const { startedAt, withinMs } = waiting;
  const notReady = (why: string): Started => ({
    kind: "notReady",
    why,
    ended: waiting.isOver() !== undefined,
    lastWords: "",
  });
  const healthy = await answeredIn(waiting, health);
  if (typeof healthy !== "number") return notReady(healthy ?? `health was not answered within ${withinMs} ms`);
  const ready = await answeredIn(waiting, sql);
  if (typeof ready !== "number") return notReady(ready ?? `SQL was not answered within ${withinMs} ms`);
  return { kind: "ready", startedAt, healthyMs: healthy, readyMs: ready };
}

/** The time until it was answered; why it never will be; undefined if the time was up. */
async function answeredIn(
  { exchange, startedAt, withinMs, isOver }: Waiting,
  request: Pick<RawRequest, "method" | "path" | "body">,
): Promise<number | string | undefined> {
  while (performance.now() < startedAt + withinMs) {
    const over = isOver();
    if (over !== undefined) return over;
    // The end is asked for again: what answered on its port may be another.
    if (await isAnswered(exchange, request)) return isOver() ?? Math.round(performance.now() - startedAt);
    await sleep(pollEveryMs);
  }
  return undefined;
}
