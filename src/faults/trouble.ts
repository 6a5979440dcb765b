/**
 * Troubles: what a network, a proxy or a busy server does to answers now and then, without a defect of the server. A check
 * under a trouble must never fail, and must not pass where what was lost mattered.
 */
import { cutAtFrame, listening, refuseUpgrade } from "./live-trouble.ts";
import { isRecord, parseExact } from "../wire/json.ts";
import type { RawAnswer, RawRequest, Wire } from "../wire/wire.ts";

/** Something that a check sent and that was not answered. */
export interface Loss {
  /** A statement, a request (`GET /health`), a run of kalam, or what became of a live connection. */
  readonly what: string;
  /** Rows were written, and only the acknowledgement was lost: what a check sees of it later, it does see. */
  readonly done: boolean;
  /** Whether the same account sent the same again afterwards, and was answered. */
  again: boolean;
}

export interface Trouble {
  readonly name: string;
  /** `lost` is called with each loss, which is still updated afterwards. */
  wrap(wire: Wire, lost: (loss: Loss) => void): Wire;
}

type Harm = (request: RawRequest, wire: Wire) => Promise<RawAnswer>;

const harms = {
  /** It was executed, and nobody heard of it. */
  "its answer lost": async (request, wire) => {
    const { sentAt, doneAt } = await wire.exchange(request);
    return { kind: "broken", because: "reset", detail: "the connection was reset (a trouble)", sentAt, doneAt };
  },
  /** It never arrived. */
  "lost on its way": async () => {
    const at = performance.now();
    return await Promise.resolve({
      kind: "broken",
      because: "reset",
      detail: "the connection was reset (a trouble)",
      sentAt: at,
      doneAt: at,
    });
  },
  "its body cut": async (request, wire) => {
    const answer = await wire.exchange(request);
    if (answer.kind === "broken") return answer;
    const { status, sentAt, doneAt } = answer;
    return { kind: "broken", because: "cut", detail: "the body ended early (a trouble)", status, sentAt, doneAt };
  },
  /** By a proxy that has no server to pass it to. */
  "answered 503": async () =>
    await answered(503, "text/html", "<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>"),
  "answered 429": async () =>
    await answered(429, "application/json", '{"error":"RATE_LIMIT_EXCEEDED","message":"Too many requests"}'),
} as const satisfies Record<string, Harm>;

export type HarmName = keyof typeof harms;

async function answered(status: number, type: string, body: string): Promise<RawAnswer> {
  const at = performance.now();
  return await Promise.resolve({
    kind: "answered",
    status,
    headers: { "content-type": type },
    body: new TextEncoder().encode(body),
    sentAt: at,
    doneAt: at,
  });
}

/** Harms the chosen requests, counted from 1. */
function exchangeTrouble(name: string, harm: HarmName, chosen: (nth: number) => boolean): Trouble {
  return {
    name,
    wrap(wire, lost) {
      let sent = 0;
      const losses = new Map<string, Loss>();
      return {
        ...wire,
        async exchange(request) {
          sent += 1;
          const key = keyOf(request);
          const former = losses.get(key);
          if (!chosen(sent)) {
            const answer = await wire.exchange(request);
            if (former !== undefined) former.again = true;
            return answer;
          }
          const what = wordsOf(request);
          const loss = former ?? { what, done: executes(harm) && writesRows.test(what), again: false };
          loss.again = false;
          losses.set(key, loss);
          if (former === undefined) lost(loss);
          return await harms[harm](request, wire);
        },
      };
    },
  };
}

/** One statement that changes rows and returns none. */
const writesRows = /^\s*(INSERT|UPDATE|DELETE)\b[^;]*$/i;

function executes(harm: HarmName): boolean {
  return harm === "its answer lost" || harm === "its body cut";
}

export function harmNth(harm: HarmName, nth: number): Trouble {
  return exchangeTrouble(`request ${nth} ${harm}`, harm, (at) => at === nth);
}

export function harmEvery(harm: HarmName, every: number): Trouble {
  return exchangeTrouble(`every ${every}. request ${harm}`, harm, (at) => at % every === 0);
}

/** `count` requests in a row, the first of them the `from`-th. */
export function harmFrom(harm: HarmName, from: number, count: number): Trouble {
  return exchangeTrouble(
    `requests ${from} to ${from + count - 1} ${harm}`,
    harm,
    (at) => at >= from && at < from + count,
  );
}

/** Runs kalam at a port without a server for the n-th run that was to reach the server. */
export function kalamAtNobody(nth: number): Trouble {
  return {
    name: `run ${nth} of kalam does not reach the server`,
    wrap(wire, lost) {
      const { kalam } = wire;
      if (kalam === undefined) return wire;
      let runs = 0;
      const losses = new Map<string, Loss>();
      return {
        ...wire,
        async kalam(run) {
          if (run.at !== "server") return await kalam(run);
          runs += 1;
          const key = run.args.join("\0");
          const former = losses.get(key);
          if (runs !== nth) {
            if (former !== undefined) former.again = true;
            return await kalam(run);
          }
          const loss = { what: `kalam ${withoutLogin(run.args).join(" ")}`, done: false, again: false };
          losses.set(key, loss);
          lost(loss);
          return await kalam({ ...run, at: "nobody" });
        },
      };
    },
  };
}

/** How much a check sends and receives; what a trouble can hit. */
export interface Traffic {
  readonly requests: number;
  readonly connections: number;
  readonly frames: number;
  readonly kalamRuns: number;
}

/** Passes everything on, and counts. */
export function counted(wire: Wire): { readonly wire: Wire; readonly traffic: () => Traffic } {
  const count = { requests: 0, connections: 0, frames: 0, kalamRuns: 0 };
  const { socket, kalam } = wire;
  return {
    traffic: () => ({ ...count }),
    wire: {
      ...wire,
      async exchange(request) {
        count.requests += 1;
        return await wire.exchange(request);
      },
      ...(socket === undefined
        ? {}
        : {
            async socket(request, listener) {
              count.connections += 1;
              return await listening(socket, request, {
                closed: (close) => listener.closed(close),
                frame(frame, isRead) {
                  if (isRead) count.frames += 1;
                  listener.frame(frame);
                },
              });
            },
          }),
      ...(kalam === undefined
        ? {}
        : {
            async kalam(run) {
              if (run.at === "server") count.kalamRuns += 1;
              return await kalam(run);
            },
          }),
    },
  };
}

const harmsInTurn = ["its answer lost", "lost on its way", "answered 503", "its body cut"] as const;

/** How many of each kind, so that the checks that send the most do not take hours. */
const eachMax = { requests: 40, connections: 8, frames: 8, kalamRuns: 12 };

/**
 * The troubles that can hit this traffic: answers lost at intervals, some in a row, each request in turn (each with another
 * harm), and each connection, frame and run of kalam. Of very many they are spread evenly. `random` gives numbers in [0, 1).
 */
export function troublesFor(traffic: Traffic, random: () => number): readonly Trouble[] {
  const { requests, connections } = traffic;
  const spread = (kind: keyof Traffic): number[] => {
    const step = Math.ceil(Math.max(1, traffic[kind] / eachMax[kind]));
    const first = 1 + Math.floor(random() * step);
    const all: number[] = [];
    for (let nth = first; nth <= traffic[kind]; nth += step) all.push(nth);
    return all;
  };
  const turn = Math.floor(random() * harmsInTurn.length);
  return [
    ...(requests === 0 ? [] : inRows(requests, random)),
    ...spread("requests").map((nth, at) =>
      harmNth(harmsInTurn[(at + turn) % harmsInTurn.length] ?? "its answer lost", nth),
    ),
    ...spread("connections").map((nth) => refuseUpgrade(nth, connections)),
    ...spread("frames").map((nth) => cutAtFrame(nth, connections)),
    ...spread("kalamRuns").map(kalamAtNobody),
  ];
}

/** Troubles of more than one request. */
function inRows(requests: number, random: () => number): Trouble[] {
  const from = 1 + Math.floor(random() * requests);
  return [
    ...[3, 4, 5].map((every) => harmEvery("its answer lost", every)),
    harmEvery("lost on its way", 4),
    harmEvery("answered 503", 5),
    harmFrom("answered 503", from, 3),
    harmFrom("answered 429", from, 2),
  ];
}

/** One trouble, for a check that sends about so many requests. */
export function oneTrouble(requests: number, random: () => number): Trouble {
  const all = [
    ...inRows(requests, random).slice(0, 5),
    ...harmsInTurn.flatMap((harm) => {
      const nth = 1 + Math.floor(random() * requests);
      return [harmNth(harm, nth), harmNth(harm, Math.ceil(nth / 2))];
    }),
  ];
  return all[Math.floor(random() * all.length)] ?? harmNth("its answer lost", 1);
}

/** Without the flags that `kalam` is given to log in, and their values. */
function withoutLogin(args: readonly string[]): readonly string[] {
  const secret = new Set(["--token", "--user", "--password"]);
  return args.filter((word, at) => !secret.has(word) && !secret.has(args[at - 1] ?? ""));
}

function keyOf({ method, path, headers, body }: RawRequest): string {
  return JSON.stringify([method, path, headers["authorization"] ?? "", typeof body === "string" ? body : "bytes"]);
}

function wordsOf({ method, path, body }: RawRequest): string {
  const request = `${method} ${path}`;
  if (typeof body !== "string") return request;
  try {
    const parsed = parseExact(body);
    const sql = isRecord(parsed) ? parsed["sql"] : undefined;
    return typeof sql === "string" ? sql : request;
  } catch {
    return request;
  }
}
